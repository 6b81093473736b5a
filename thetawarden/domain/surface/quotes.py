"""Decides which quotes of a chain may be used, and names what is wrong with each of the others.

Pure: knows bids, asks and ages, not contracts or prices of anything else. Prices are in the
option's own points (`_usd` per share); an age is `now - quoted`, in nanoseconds. A quote has one
fault at most: the first that applies in the order in which `QuoteFault` lists them.
"""

from __future__ import annotations

import enum

import msgspec
import numpy as np
from numpy.typing import ArrayLike, NDArray

_NO_DATA = -1.0
_USABLE = -1


class QuoteFault(enum.StrEnum):
    """What makes a quote unusable."""

    NOT_FINITE = "not_finite"
    MISSING = "missing"
    NEGATIVE = "negative"
    EMPTY = "empty"
    ZERO_BID = "zero_bid"
    CROSSED = "crossed"
    TOO_WIDE = "too_wide"
    STALE = "stale"


FAULTS: tuple[QuoteFault, ...] = tuple(QuoteFault)


class QuoteLimits(msgspec.Struct, frozen=True, kw_only=True):
    """How wide and how old a usable quote may be.

    A quote is too wide only when it exceeds both widths: a nickel-wide market in a ten-cent
    option is as good as that option gets.
    """

    width_fraction_max: float = 0.5
    width_usd_max: float = 0.10
    age_ns_max: int = 60_000_000_000


class QuoteVerdicts(msgspec.Struct, frozen=True, eq=False):
    """One verdict per quote; `codes` index `FAULTS`, -1 where the quote is usable."""

    codes: NDArray[np.int8]

    @property
    def usable(self) -> NDArray[np.bool_]:
        """Where nothing is wrong."""
        usable: NDArray[np.bool_] = self.codes == _USABLE
        return usable

    def fault_at(self, row: int) -> QuoteFault | None:
        """What is wrong with one quote, or None."""
        code = int(self.codes[row])
        return None if code == _USABLE else FAULTS[code]

    def counts(self) -> dict[QuoteFault, int]:
        """How many quotes have each fault, faults that occur only."""
        found = np.bincount(self.codes[~self.usable], minlength=len(FAULTS))
        return {fault: int(n) for fault, n in zip(FAULTS, found, strict=True) if n}


def judge_quotes(
    *,
    bid_usd: NDArray[np.float64],
    ask_usd: NDArray[np.float64],
    limits: QuoteLimits,
    age_ns: ArrayLike = 0,
) -> QuoteVerdicts:
    """Judge every quote; a locked market (bid = ask) is usable, an unknown age is a huge one."""
    finite = np.isfinite(bid_usd) & np.isfinite(ask_usd)
    bid, ask = np.where(finite, bid_usd, 0.0), np.where(finite, ask_usd, 0.0)
    width = ask - bid
    wide = (width > limits.width_usd_max) & (width > limits.width_fraction_max * (bid + ask) / 2.0)
    tests: dict[QuoteFault, NDArray[np.bool_]] = {
        QuoteFault.NOT_FINITE: ~finite,
        QuoteFault.MISSING: (bid == _NO_DATA) | (ask == _NO_DATA),
        QuoteFault.NEGATIVE: (bid < 0.0) | (ask < 0.0),
        QuoteFault.EMPTY: (bid == 0.0) & (ask == 0.0),
        QuoteFault.ZERO_BID: (bid == 0.0),
        QuoteFault.CROSSED: width < 0.0,
        QuoteFault.TOO_WIDE: wide,
        QuoteFault.STALE: np.broadcast_to(np.asarray(age_ns) > limits.age_ns_max, bid.shape),
    }
    codes = np.full(bid.shape, _USABLE, dtype=np.int8)
    for code, fault in reversed(list(enumerate(FAULTS))):
        codes[tests[fault]] = code
    return QuoteVerdicts(codes)
