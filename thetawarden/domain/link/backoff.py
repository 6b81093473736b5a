"""Decides how long to wait before the next attempt: doubling, bounded, never in step with others.

The jitter is drawn from the epoch, so that the same history gives the same waits.
"""

from __future__ import annotations

import msgspec


class Backoff(msgspec.Struct, frozen=True, kw_only=True):
    """The shortest and longest wait, and the part of it that chance may add."""

    min_ns: int
    max_ns: int
    jitter_fraction: float


def wait_ns(backoff: Backoff, *, attempt: int, epoch: int) -> int:
    """Return the wait after so many attempts in vain; 0 is the first."""
    import numpy as np  # noqa: PLC0415  # every configuration loads this module, and waits for none

    base = min(backoff.min_ns << min(attempt, 40), backoff.max_ns)
    chance = np.random.default_rng((epoch, attempt)).random()
    return base + int(base * backoff.jitter_fraction * chance)
