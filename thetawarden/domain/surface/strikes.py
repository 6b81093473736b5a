"""Translates between strike and delta on fitted smiles, both ways.

Pure. A delta is that of Black's formula with the strike's own volatility: positive for calls,
negative for puts. Without a spot it is the forward delta, N(d1); with one it is the spot delta,
which exp(-dividends * tau) = discount * forward / spot scales. Knows no listed strikes.
"""

from __future__ import annotations

import enum
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from thetawarden.domain.pricing.arrays import BoolArray, Bools, FloatArray, Floats
from thetawarden.domain.surface.smile import Smiles, smile_values

_DEVIATIONS_MAX: Final = 60.0
_ROUNDS: Final = 60
_STEP_DONE: Final = 1e-9  # of Newton's method: what it leaves is the square of it


class StrikeGap(enum.StrEnum):
    """Why a delta has no strike."""

    NO_SMILE = "no_smile"
    NO_SUCH_DELTA = "no_such_delta"


STRIKE_GAPS: Final[tuple[StrikeGap | None, ...]] = (None, *StrikeGap)


class DeltaStrikes(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Strikes with their volatilities, NaN where `gap_codes` (positions in `STRIKE_GAPS`) is not 0.

    `extrapolated` marks strikes beyond the quotes the smile was fitted to.
    """

    strike_usd: FloatArray
    iv_annual: FloatArray
    extrapolated: BoolArray
    gap_codes: NDArray[np.int8]


def strike_delta(
    smiles: Smiles,
    *,
    expiry: NDArray[np.intp],
    strike_usd: Floats,
    is_call: Bools,
    spot_usd: float | None = None,
) -> FloatArray:
    """Delta per share of each strike; NaN where the expiry has no smile."""
    k = np.log(strike_usd / smiles.forward_usd[expiry])
    w = smile_values(smiles, expiry=expiry, log_moneyness=k).total_variance
    deviation = np.sqrt(w)
    sign = np.where(is_call, 1.0, -1.0)
    bare: FloatArray = sign * ndtr(sign * (-k / deviation + deviation / 2.0))
    return bare * _scale(smiles, expiry, spot_usd)


def delta_strike(
    smiles: Smiles,
    *,
    expiry: NDArray[np.intp],
    delta: Floats,
    is_call: Bools,
    spot_usd: float | None = None,
) -> DeltaStrikes:
    """Strike at which an option has the given delta (negative for puts)."""
    row, wanted, call = np.broadcast_arrays(
        np.asarray(expiry, dtype=np.intp), np.asarray(delta, dtype=np.float64), is_call
    )
    bare = wanted / _scale(smiles, row, spot_usd)
    above = np.where(call, bare, 1.0 + bare)
    smile = np.array([gap is None for gap in smiles.gaps])[row]
    possible = (above > 0.0) & (above < 1.0)
    found = np.atleast_1d(smile & possible)
    k = np.full(found.shape, np.nan)
    k[found] = _solve(
        smiles,
        expiry=np.atleast_1d(row)[found],
        target=ndtri(np.atleast_1d(above)[found]),
    )
    k = k.reshape(row.shape)
    x = k / np.sqrt(smiles.scale_variance[row])
    total = smile_values(smiles, expiry=row, log_moneyness=k).total_variance
    return DeltaStrikes(
        strike_usd=smiles.forward_usd[row] * np.exp(k),
        iv_annual=np.sqrt(total / smiles.tau_years[row]),
        extrapolated=(x < smiles.low[row]) | (x > smiles.high[row]),
        gap_codes=np.where(~smile, 1, np.where(possible, 0, 2)).astype(np.int8),
    )


def _scale(smiles: Smiles, expiry: NDArray[np.intp], spot_usd: float | None) -> FloatArray | float:
    if spot_usd is None:
        return 1.0
    scale: FloatArray = (smiles.discount * smiles.forward_usd)[expiry] / spot_usd
    return scale


def _solve(smiles: Smiles, *, expiry: NDArray[np.intp], target: FloatArray) -> FloatArray:
    """Log-moneyness where d1 is as wanted: Newton kept inside a shrinking bracket.

    d1 falls with the strike on every smile without butterfly arbitrage.
    """
    deviation = np.sqrt(smiles.scale_variance[expiry])
    low, high = -_DEVIATIONS_MAX * deviation, _DEVIATIONS_MAX * deviation
    k = np.clip(-target * deviation, low, high)
    for _ in range(_ROUNDS):
        values = smile_values(smiles, expiry=expiry, log_moneyness=k)
        w = values.total_variance
        root = np.sqrt(w)
        excess = -k / root + root / 2.0 - target
        low, high = np.where(excess > 0.0, k, low), np.where(excess > 0.0, high, k)
        slope = -1.0 / root + values.slope * (k / w + 0.5) / (2.0 * root)
        with np.errstate(divide="ignore", invalid="ignore"):
            step = k - excess / slope
        inside = (step >= low) & (step <= high)  # at the root the step is the edge itself
        moved = np.where(inside, step, (low + high) / 2.0)
        done = np.abs(moved - k) <= _STEP_DONE * np.maximum(deviation, np.abs(k))
        k = moved
        if done.all():
            break
    return k
