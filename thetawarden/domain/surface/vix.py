"""Computes a volatility index from one or two strips of option quotes by the published method.

Pure: knows strikes, quotes, rate and time, not which expiries an exchange would admit (the caller
filters those). Quotes and strikes are in index points (`_usd`), times in years of 365 days;
a variance is annual (0.04 is 20 %), the index itself is in vol points (18.66).
"""

from __future__ import annotations

import enum
import math

import msgspec
import numpy as np
from numpy.typing import NDArray

DAYS_PER_YEAR = 365.0


class VixGap(enum.StrEnum):
    """Why a strip or a pair of strips gives no index value."""

    NOT_FINITE = "not_finite"
    EXPIRED = "expired"
    NO_FORWARD = "no_forward"
    TOO_FEW_STRIKES = "too_few_strikes"
    NEGATIVE_VARIANCE = "negative_variance"
    TARGET_NOT_BRACKETED = "target_not_bracketed"


class Strip(msgspec.Struct, frozen=True, kw_only=True):
    """Call and put quotes of one expiry over the same strikes, strikes strictly rising."""

    strike_usd: NDArray[np.float64]
    call_bid_usd: NDArray[np.float64]
    call_ask_usd: NDArray[np.float64]
    put_bid_usd: NDArray[np.float64]
    put_ask_usd: NDArray[np.float64]
    rate_annual: float
    tau_years: float


class StripVariance(msgspec.Struct, frozen=True, kw_only=True):
    """One expiry's annual variance, with what it was computed from."""

    variance_annual: float
    tau_years: float
    forward_usd: float
    pivot_strike_usd: float
    strikes_used: int


def strip_variance(strip: Strip) -> StripVariance | VixGap:
    """Annual variance of one expiry from its out-of-the-money quotes.

    The forward is read where call and put mids are closest among strikes quoted on both sides;
    each wing ends for good at the second of two neighbouring zero bids.
    """
    gap = _gap_of(strip)
    if gap is not None:
        return gap
    with np.errstate(all="ignore"):
        return _variance(strip, growth=float(np.exp(strip.rate_annual * strip.tau_years)))


def volatility_index(
    *, near: StripVariance, far: StripVariance, target_days: float
) -> float | VixGap:
    """Constant-maturity index in vol points: total variance interpolated linearly in time.

    30 days is the VIX, 9 the VIX9D, 93 the VIX3M. Extrapolation is refused.
    """
    target = target_days / DAYS_PER_YEAR
    if not near.tau_years <= target <= far.tau_years or near.tau_years == far.tau_years:
        return VixGap.TARGET_NOT_BRACKETED
    share = (far.tau_years - target) / (far.tau_years - near.tau_years)
    total = near.tau_years * near.variance_annual * share + far.tau_years * far.variance_annual * (
        1.0 - share
    )
    return 100.0 * math.sqrt(total / target)


def bracketing_terms(
    tau_years: NDArray[np.float64], *, target_days: float
) -> tuple[int, int] | VixGap:
    """Positions of the last term not beyond the target and the first one after it."""
    target = target_days / DAYS_PER_YEAR
    alive = np.flatnonzero(np.isfinite(tau_years) & (tau_years > 0.0))
    near, far = alive[tau_years[alive] <= target], alive[tau_years[alive] > target]
    if not near.size or not far.size:
        return VixGap.TARGET_NOT_BRACKETED
    return int(near[np.argmax(tau_years[near])]), int(far[np.argmin(tau_years[far])])


def _gap_of(strip: Strip) -> VixGap | None:
    columns = (
        strip.strike_usd,
        strip.call_bid_usd,
        strip.call_ask_usd,
        strip.put_bid_usd,
        strip.put_ask_usd,
    )
    if not all(np.isfinite(column).all() for column in columns):
        return VixGap.NOT_FINITE
    if not math.isfinite(strip.rate_annual) or math.isnan(strip.tau_years):
        return VixGap.NOT_FINITE
    if strip.tau_years <= 0.0 or math.isinf(strip.tau_years):
        return VixGap.EXPIRED
    return None


def _variance(strip: Strip, *, growth: float) -> StripVariance | VixGap:
    forward = _forward(strip, growth=growth)
    below = strip.strike_usd <= forward
    if not math.isfinite(forward) or not below.any():
        return VixGap.NO_FORWARD
    pivot = int(np.flatnonzero(below)[-1])
    used, price = _contributors(strip, pivot=pivot)
    if used[0] == pivot or used[-1] == pivot:
        return VixGap.TOO_FEW_STRIKES
    strike = strip.strike_usd[used]
    pivot_usd = float(strip.strike_usd[pivot])
    strip_sum = float(np.sum(np.gradient(strike) / strike**2 * price)) * growth
    variance = (2.0 * strip_sum - (forward / pivot_usd - 1.0) ** 2) / strip.tau_years
    if not math.isfinite(variance):
        return VixGap.NOT_FINITE
    if variance <= 0.0:
        return VixGap.NEGATIVE_VARIANCE
    return StripVariance(
        variance_annual=variance,
        tau_years=strip.tau_years,
        forward_usd=forward,
        pivot_strike_usd=pivot_usd,
        strikes_used=len(used),
    )


def _forward(strip: Strip, *, growth: float) -> float:
    call = (strip.call_bid_usd + strip.call_ask_usd) / 2.0
    put = (strip.put_bid_usd + strip.put_ask_usd) / 2.0
    both = (
        (strip.call_bid_usd > 0.0)
        & (strip.put_bid_usd > 0.0)
        & (strip.call_ask_usd >= strip.call_bid_usd)
        & (strip.put_ask_usd >= strip.put_bid_usd)
    )
    if not both.any():
        return math.nan
    at = int(np.argmin(np.where(both, np.abs(call - put), np.inf)))
    return float(strip.strike_usd[at] + growth * (call[at] - put[at]))


def _contributors(strip: Strip, *, pivot: int) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Strike positions in rising order, the pivot among them, and their prices."""
    puts = pivot - 1 - _wing(strip.put_bid_usd[:pivot][::-1])[::-1]
    calls = pivot + 1 + _wing(strip.call_bid_usd[pivot + 1 :])
    put_mid = (strip.put_bid_usd + strip.put_ask_usd) / 2.0
    call_mid = (strip.call_bid_usd + strip.call_ask_usd) / 2.0
    at_pivot = (put_mid[pivot] + call_mid[pivot]) / 2.0
    return (
        np.concatenate([puts, [pivot], calls]),
        np.concatenate([put_mid[puts], [at_pivot], call_mid[calls]]),
    )


def _wing(bid_usd: NDArray[np.float64]) -> NDArray[np.intp]:
    """Positions, outwards from the money, of the bids that count."""
    dead = bid_usd <= 0.0
    ends = np.flatnonzero(dead[:-1] & dead[1:])
    end = int(ends[0]) if ends.size else len(bid_usd)
    return np.flatnonzero(~dead[:end])
