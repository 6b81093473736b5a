"""Says how likely prices are to finish or to pass somewhere, as a fitted smile sees it.

Pure, and risk-neutral: these are prices of bets, not forecasts. Where a price finishes follows from
the smile's density, wings included; whether it passes a level on the way is an approximation that
scales the finish with the reflection principle at the level's own volatility. Legs are per share:
signed contracts, a credit received is positive. Moves are fractions of the forward.
"""

from __future__ import annotations

import enum
import math

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr, ndtr

from thetawarden.domain.pricing.arrays import FloatArray
from thetawarden.domain.pricing.black import black_price
from thetawarden.domain.surface.smile import Smiles, smile_values


class OddsGap(enum.StrEnum):
    """Why a position has no odds."""

    NO_SMILE = "no_smile"
    NO_LEGS = "no_legs"
    NOT_FINITE = "not_finite"


class Legs(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Options of one expiry, with shares of the underlying and cash already received.

    `entry_usd` is the net cash per share at entry: a credit is positive; shares were bought for
    cash that is in it too.
    """

    strike_usd: FloatArray
    is_call: NDArray[np.bool_]
    contracts: FloatArray
    entry_usd: float
    shares: float = 0.0


class PositionOdds(msgspec.Struct, frozen=True, kw_only=True):
    """What holding to expiry may bring, per share; a loss without bound is infinite."""

    profit_probability: float
    breakevens_usd: tuple[float, ...]
    profit_usd_max: float
    loss_usd_max: float
    expected_usd: float


class ImpliedMoves(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Per expiry: one standard deviation at the money, and the mean absolute move (straddle)."""

    deviation_fraction: FloatArray
    straddle_fraction: FloatArray


def probability_below(
    smiles: Smiles, *, expiry: NDArray[np.intp], strike_usd: FloatArray
) -> FloatArray:
    """Probability of finishing below each strike: the slope of the undiscounted put price."""
    with np.errstate(divide="ignore"):
        k = np.log(strike_usd / smiles.forward_usd[expiry])
    floored = np.maximum(k, -1e3)
    values = smile_values(smiles, expiry=expiry, log_moneyness=floored)
    root = np.sqrt(values.total_variance)
    d2 = -floored / root - root / 2.0
    bell = np.exp(-(d2**2) / 2.0) / math.sqrt(2.0 * math.pi)
    below = ndtr(-d2) + bell * values.slope / (2.0 * root)
    probability: FloatArray = np.clip(np.where(np.isneginf(k), 0.0, below), 0.0, 1.0)
    return probability


def probability_of_touch(
    smiles: Smiles, *, expiry: NDArray[np.intp], barrier_usd: FloatArray, spot_usd: float
) -> FloatArray:
    """Probability of trading at or beyond each barrier before expiry, about.

    Exact for a flat smile; otherwise the finish probability, scaled as a lognormal walk with the
    barrier's volatility and the forward's drift would scale it. Never less than finishing beyond.
    """
    forward = smiles.forward_usd[expiry]
    below = barrier_usd < spot_usd
    k = np.log(barrier_usd / forward)
    w = smile_values(smiles, expiry=expiry, log_moneyness=k).total_variance
    root = np.sqrt(w)
    distance = np.abs(np.log(barrier_usd / spot_usd))
    drift = np.where(below, -1.0, 1.0) * (np.log(forward / spot_usd) - w / 2.0)
    finish_log = log_ndtr((drift - distance) / root)
    reflected_log = 2.0 * drift * distance / w + log_ndtr((-drift - distance) / root)
    low = probability_below(smiles, expiry=expiry, strike_usd=barrier_usd)
    finish = np.where(below, low, 1.0 - low)
    touch = finish * (1.0 + np.exp(reflected_log - finish_log))
    return np.where(barrier_usd == spot_usd, 1.0, np.clip(touch, finish, 1.0))


def implied_moves(smiles: Smiles) -> ImpliedMoves:
    """How far each expiry's smile expects the underlying to move by then."""
    rows = np.arange(len(smiles.tau_years))
    at = smile_values(smiles, expiry=rows, log_moneyness=np.zeros(len(rows)))
    root = np.sqrt(at.total_variance)
    return ImpliedMoves(
        deviation_fraction=root, straddle_fraction=2.0 * (2.0 * ndtr(root / 2.0) - 1.0)
    )


def position_odds(smiles: Smiles, *, expiry: int, legs: Legs) -> PositionOdds | OddsGap:
    """Odds of a position of one expiry held to that expiry."""
    if smiles.gaps[expiry] is not None:
        return OddsGap.NO_SMILE
    if not len(legs.strike_usd) and legs.shares == 0.0:
        return OddsGap.NO_LEGS
    if not np.isfinite(np.concatenate([legs.strike_usd, legs.contracts])).all() or not (
        math.isfinite(legs.entry_usd + legs.shares)
    ):
        return OddsGap.NOT_FINITE
    corners = np.unique(np.concatenate([[0.0], legs.strike_usd]))
    worth = _worth(legs, corners)
    last_slope = legs.shares + float(legs.contracts[legs.is_call].sum())
    breakevens = _breakevens(corners, worth, last_slope)
    edges = np.concatenate([[0.0], breakevens, [np.inf]])
    middles = np.append((edges[:-2] + edges[1:-1]) / 2.0, 2.0 * max(edges[-2], corners[-1]) + 1.0)
    cumulative = np.concatenate(
        [
            [0.0],
            probability_below(
                smiles, expiry=np.full(len(breakevens), expiry), strike_usd=breakevens
            ),
            [1.0],
        ]
    )
    gains = _worth(legs, middles) > 0.0
    return PositionOdds(
        profit_probability=float(np.diff(cumulative)[gains].sum()),
        breakevens_usd=tuple(float(level) for level in breakevens),
        profit_usd_max=math.inf if last_slope > 0.0 else float(worth.max()),
        loss_usd_max=math.inf if last_slope < 0.0 else float(max(0.0, -worth.min())),
        expected_usd=_expected(smiles, expiry, legs),
    )


def _worth(legs: Legs, level_usd: FloatArray) -> FloatArray:
    """Profit per share at expiry for each level of the underlying."""
    reach = np.where(legs.is_call, 1.0, -1.0) * (level_usd[:, None] - legs.strike_usd)
    worth: FloatArray = np.maximum(reach, 0.0) @ legs.contracts
    return worth + legs.entry_usd + legs.shares * level_usd


def _breakevens(corners: FloatArray, worth: FloatArray, last_slope: float) -> FloatArray:
    """Levels above 0 where profit changes sign: between corners, at one, or beyond the last."""
    before, after = worth[:-1], worth[1:]
    crossing = before * after < 0.0
    span = np.where(crossing, before - after, 1.0)
    between = (corners[:-1] + np.diff(corners) * before / span)[crossing]
    touching = corners[(worth == 0.0) & (corners > 0.0)]
    beyond = []
    if last_slope != 0.0 and -worth[-1] / last_slope > 0.0:
        beyond = [corners[-1] - worth[-1] / last_slope]
    return np.unique(np.concatenate([between, touching, beyond]))


def _expected(smiles: Smiles, expiry: int, legs: Legs) -> float:
    """Mean profit per share under the smile, cash of the entry not accruing interest."""
    forward = float(smiles.forward_usd[expiry])
    rows = np.full(len(legs.strike_usd), expiry)
    k = np.log(legs.strike_usd / forward)
    values = smile_values(smiles, expiry=rows, log_moneyness=k)
    price = black_price(
        forward=forward,
        strike=legs.strike_usd,
        discount=1.0,
        tau_years=1.0,
        iv_annual=np.sqrt(values.total_variance),
        is_call=legs.is_call,
    )
    return float(price @ legs.contracts) + legs.entry_usd + legs.shares * forward
