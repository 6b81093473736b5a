"""Scores how easily an option can be traded: spread, open interest and volume.

Pure: knows numbers about quotes, not what will be traded. A spread is a fraction of the mid
(0.15 is 15 %); scores run from 0 (untradable) to 1 (nothing to wish for).
"""

from __future__ import annotations

import enum

import msgspec
import numpy as np
from numpy.typing import NDArray


class LiquidityGrade(enum.StrEnum):
    """What a spread or an open interest alone says."""

    GOOD = "good"
    ACCEPTABLE = "acceptable"
    SKIP = "skip"


GRADES: tuple[LiquidityGrade, ...] = (
    LiquidityGrade.GOOD,
    LiquidityGrade.ACCEPTABLE,
    LiquidityGrade.SKIP,
)
_GOOD, _ACCEPTABLE, _SKIP = (np.int8(place) for place in range(len(GRADES)))


class LiquidityScale(msgspec.Struct, frozen=True, kw_only=True):
    """Where good ends and skipping begins, and what each component weighs."""

    spread_fraction_good: float = 0.15
    spread_fraction_max: float = 0.25
    open_interest_good: float = 500.0
    open_interest_min: float = 100.0
    volume_good: float = 100.0
    spread_weight: float = 0.5
    open_interest_weight: float = 0.3
    volume_weight: float = 0.2


class Liquidity(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Per option: the grades as positions in `GRADES`, the worse of both, and the score."""

    spread_fraction: NDArray[np.float64]
    grade: NDArray[np.int8]
    score: NDArray[np.float64]


def score_liquidity(
    *,
    bid_usd: NDArray[np.float64],
    ask_usd: NDArray[np.float64],
    open_interest: NDArray[np.float64],
    volume: NDArray[np.float64],
    scale: LiquidityScale,
) -> Liquidity:
    """Grade and score every option; one that must be skipped scores 0, whatever else it has.

    A quote that is not two-sided, or a count that is not a number, is graded SKIP.
    """
    two_sided = (bid_usd > 0.0) & (ask_usd >= bid_usd) & np.isfinite(ask_usd)
    mid = np.where(two_sided, (bid_usd + ask_usd) / 2.0, 1.0)
    spread = np.where(two_sided, (ask_usd - bid_usd) / mid, np.inf)
    held = np.where(np.isnan(open_interest), 0.0, open_interest)
    traded = np.where(np.isnan(volume), 0.0, volume)
    by_spread = _grade(
        spread < scale.spread_fraction_good, acceptable=spread <= scale.spread_fraction_max
    )
    by_interest = _grade(
        held > scale.open_interest_good, acceptable=held >= scale.open_interest_min
    )
    grade = np.maximum(by_spread, by_interest)
    weights = scale.spread_weight + scale.open_interest_weight + scale.volume_weight
    score = (
        scale.spread_weight * _part(1.0 - spread / scale.spread_fraction_max)
        + scale.open_interest_weight * _part(held / scale.open_interest_good)
        + scale.volume_weight * _part(traded / scale.volume_good)
    ) / weights
    return Liquidity(
        spread_fraction=spread, grade=grade, score=np.where(grade == len(GRADES) - 1, 0.0, score)
    )


def _grade(good: NDArray[np.bool_], *, acceptable: NDArray[np.bool_]) -> NDArray[np.int8]:
    return np.where(good, _GOOD, np.where(acceptable, _ACCEPTABLE, _SKIP))


def _part(score: NDArray[np.float64]) -> NDArray[np.float64]:
    """No less than nothing, no more than all."""
    found: NDArray[np.float64] = np.minimum(np.maximum(score, 0.0), 1.0)
    return found
