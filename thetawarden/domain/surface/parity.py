"""Reads forward and discount of every expiry from put-call parity across its strikes.

Pure. For European options call - put = discount * (forward - strike): a line in the strike, fitted
by least squares weighted with the quotes' own widths, wide ones and outliers counting little.
A prior rate, when given, steadies the discount of short expiries, where a day's interest is far
below a tick; it enters as one more observation with the uncertainty its caller states.
Knows no calendar, no model and no spot.
"""

from __future__ import annotations

import enum

import msgspec
import numpy as np
from numpy.typing import NDArray

PAIRS_MIN = 3
_ROUNDS = 5
_HUBER_DEVIATIONS = 1.5
_SCALE_MIN = 0.02
_MAD_TO_SIGMA = 1.4826
_RATE_ANNUAL_MAX = 0.5


class ForwardGap(enum.StrEnum):
    """Why an expiry has no forward."""

    EXPIRED = "expired"
    TOO_FEW_PAIRS = "too_few_pairs"
    IMPLAUSIBLE = "implausible"


class RatePrior(msgspec.Struct, frozen=True, kw_only=True):
    """What is believed of the continuously compounded rate before the chain is read."""

    rate_annual: float
    error_annual: float = 0.005


class StrikePairs(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Calls and puts with usable quotes at the same strike and expiry, one row per pair.

    `error_usd` is the half-width of the synthetic forward's market: the half-spreads' root of
    summed squares.
    """

    expiry_index: NDArray[np.intp]
    strike_usd: NDArray[np.float64]
    call_minus_put_usd: NDArray[np.float64]
    error_usd: NDArray[np.float64]


class Forwards(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Per expiry; NaN where `gaps` names a reason.

    `fit_error_usd` is the weighted root mean square of what the line leaves over,
    `forward_error_usd` the standard error of the forward itself.
    """

    forward_usd: NDArray[np.float64]
    discount: NDArray[np.float64]
    fit_error_usd: NDArray[np.float64]
    forward_error_usd: NDArray[np.float64]
    pairs: NDArray[np.intp]
    gaps: tuple[ForwardGap | None, ...]


def fit_forwards(
    pairs: StrikePairs,
    *,
    tau_years: NDArray[np.float64],
    prior: RatePrior | None = None,
    pairs_min: int = PAIRS_MIN,
) -> Forwards:
    """Fit every expiry at once; `tau_years` has one entry per expiry."""
    count = np.bincount(pairs.expiry_index, minlength=len(tau_years))
    alive = tau_years > 0.0
    enough = count >= pairs_min
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        forward, discount, fit_error, forward_error = _fit_lines(
            pairs, tau_years=tau_years, prior=prior
        )
        rate = -np.log(discount) / tau_years
        plausible = (np.abs(rate) <= _RATE_ANNUAL_MAX) & (forward > 0.0) & np.isfinite(forward)
    gaps = tuple(_gap(*flags) for flags in zip(alive, enough, plausible, strict=True))
    kept = alive & enough & plausible
    return Forwards(
        forward_usd=np.where(kept, forward, np.nan),
        discount=np.where(kept, discount, np.nan),
        fit_error_usd=np.where(kept, fit_error, np.nan),
        forward_error_usd=np.where(kept, forward_error, np.nan),
        pairs=count,
        gaps=gaps,
    )


def _gap(alive: bool, enough: bool, plausible: bool) -> ForwardGap | None:  # noqa: FBT001 - three masks' columns, private
    if not alive:
        return ForwardGap.EXPIRED
    if not enough:
        return ForwardGap.TOO_FEW_PAIRS
    return None if plausible else ForwardGap.IMPLAUSIBLE


def _fit_lines(
    pairs: StrikePairs, *, tau_years: NDArray[np.float64], prior: RatePrior | None
) -> tuple[NDArray[np.float64], ...]:
    """Forward, discount, fit error and forward error by iteratively reweighted least squares."""
    expiry, strike, gap = pairs.expiry_index, pairs.strike_usd, pairs.call_minus_put_usd
    size = len(tau_years)

    def total(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.bincount(expiry, weights=values, minlength=size).astype(np.float64, copy=False)

    base = 1.0 / pairs.error_usd**2
    robust = np.ones_like(base)
    scale = np.ones(size)
    for _ in range(_ROUNDS):
        weight = base * robust
        mass = total(weight)
        strike_mean, gap_mean = total(weight * strike) / mass, total(weight * gap) / mass
        off = strike - strike_mean[expiry]
        spread = total(weight * off**2)
        slope_sum = -total(weight * off * gap)
        if prior is not None:
            believed = np.exp(-prior.rate_annual * tau_years)
            trust = (scale / (prior.error_annual * tau_years * believed)) ** 2
            discount = (slope_sum + trust * believed) / (spread + trust)
        else:
            discount = slope_sum / spread
        forward = strike_mean + gap_mean / discount
        left = gap - discount[expiry] * (forward[expiry] - strike)
        deviation = np.abs(left) / pairs.error_usd
        scale = np.maximum(_MAD_TO_SIGMA * _medians(deviation, expiry, size), _SCALE_MIN)
        robust = np.minimum(1.0, _HUBER_DEVIATIONS * scale[expiry] / np.maximum(deviation, 1e-12))
    lever = (forward - strike_mean) ** 2 / spread if prior is None else 0.0
    forward_error = scale * np.sqrt(1.0 / mass + lever) / discount
    return forward, discount, np.sqrt(total(weight * left**2) / mass), forward_error


def _medians(
    values: NDArray[np.float64], group: NDArray[np.intp], groups: int
) -> NDArray[np.float64]:
    """Median of each group's values; NaN for a group that has none."""
    if not len(values):
        return np.full(groups, np.nan)
    order = np.lexsort((values, group))
    counts = np.bincount(group, minlength=groups)
    starts = np.cumsum(counts) - counts
    middle = np.minimum(starts + counts // 2, len(values) - 1)
    medians: NDArray[np.float64] = values[order][middle]
    medians[counts == 0] = np.nan
    return medians
