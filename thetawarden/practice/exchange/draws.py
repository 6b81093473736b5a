"""Draws luck that depends only on the seed and on what it is drawn for.

A draw is a mix of integers (seed, order, instant, purpose), not the next number of a stream: no
order's luck depends on another's, on polling, or on how far a run was cut into pieces.
"""

from __future__ import annotations

import enum

_MASK = (1 << 64) - 1
_STEP = 0x9E3779B97F4A7C15
_UNIT = 1.0 / (1 << 53)


class Purpose(enum.IntEnum):
    """What a draw decides; two purposes at the same instant are independent."""

    FILL = 1
    SIZE = 2
    IMPROVEMENT = 3
    CANCEL_DELAY = 4
    ASSIGNMENT = 5
    LEGGING = 6


def draw(seed: int, purpose: Purpose, *what_for: int) -> float:
    """Return a number in [0, 1), always the same for the same arguments."""
    mixed = _mix(seed & _MASK)
    for part in (int(purpose), *what_for):
        mixed = _mix(mixed ^ (part & _MASK))
    return (mixed >> 11) * _UNIT


def _mix(value: int) -> int:
    value = (value + _STEP) & _MASK
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK
    return value ^ (value >> 31)
