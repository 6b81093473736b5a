"""Draws noise by address instead of by order: the same address always holds the same numbers.

A counter-based generator is keyed by the market's seed and up to four whole numbers (what the
noise is for, which factor, which day, which part of it). Nobody shares a stream, so asking for one
number can never change another.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_GOLDEN = 0x9E3779B97F4A7C15
_WORD = (1 << 64) - 1


def generator(seed: int, *address: int) -> np.random.Generator:
    """Return the generator that belongs to an address under a seed."""
    key = np.array([_mix(seed), _fold(address)], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=key))


def normals(seed: int, *address: int, size: int) -> NDArray[np.float64]:
    """Return standard normal numbers of an address."""
    return generator(seed, *address).standard_normal(size)


def uniforms(codes: NDArray[np.int64], *, seed: int, salt: int) -> NDArray[np.float64]:
    """Return one number in (0, 1) per code, by hashing: cheap for thousands of contracts."""
    with np.errstate(over="ignore"):
        word = codes.astype(np.uint64) * np.uint64(_GOLDEN) ^ np.uint64(_mix(seed ^ salt))
        word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        word = word ^ (word >> np.uint64(31))
    return ((word >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53


def _fold(address: tuple[int, ...]) -> int:
    folded = len(address)
    for part in address:
        folded = _mix(folded ^ (part & _WORD))
    return folded


def _mix(word: int) -> int:
    word = (word + _GOLDEN) & _WORD
    word = ((word ^ (word >> 30)) * 0xBF58476D1CE4E5B9) & _WORD
    word = ((word ^ (word >> 27)) * 0x94D049BB133111EB) & _WORD
    return word ^ (word >> 31)
