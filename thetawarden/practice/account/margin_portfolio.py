"""Decides what an account must keep by its worst loss over a grid of markets.

After the clearing corporation's risk-based method: every underlying family is moved to ten points
across its range (broad indices -8 % to +6 %, smaller ones +-10 %, shares +-15 %), options are
repriced at each, gains offset losses within a family and not between families, and every option
contract counts at least 37.5 cents a share. The implied volatility is also scaled by +-15 %, a
house rule, because a moved market has other volatilities. Initial is 110 % of maintenance.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from thetawarden.domain.pricing.black import black_price
from thetawarden.practice.account.exposures import Exposure, Requirement
from thetawarden.practice.model import SecType

if TYPE_CHECKING:
    from collections.abc import Sequence

    from thetawarden.domain.pricing.arrays import FloatArray

FAMILIES: Final = {
    **dict.fromkeys(("SPX", "XSP", "SPY", "ES"), "SPX"),
    **dict.fromkeys(("NDX", "QQQ", "NQ"), "NDX"),
    **dict.fromkeys(("RUT", "IWM", "RTY"), "RUT"),
}
"""Symbols that move as one, and so offset each other."""

RANGES: Final = {"SPX": (-0.08, 0.06), "NDX": (-0.08, 0.06), "RUT": (-0.10, 0.10)}
SHARE_RANGE: Final = (-0.15, 0.15)
VOLATILITY_RANGE: Final = (-0.40, 0.80)
POINTS: Final = 10
VOLATILITY_FACTORS: Final = (0.85, 1.0, 1.15)
CONTRACT_MINIMUM_PER_SHARE: Final = 0.375
INITIAL_OVER_MAINTENANCE: Final = 1.1


def requirement(exposures: Sequence[Exposure]) -> Requirement:
    """Return what the positions require together."""
    families: dict[str, list[Exposure]] = {}
    for one in exposures:
        if one.quantity:
            families.setdefault(FAMILIES.get(one.symbol, one.symbol), []).append(one)
    maintenance = sum(_family_usd(name, group) for name, group in sorted(families.items()))
    return Requirement(
        initial_usd=maintenance * INITIAL_OVER_MAINTENANCE, maintenance_usd=maintenance
    )


def _family_usd(name: str, group: list[Exposure]) -> float:
    low, high = VOLATILITY_RANGE if name == "VIX" else RANGES.get(name, SHARE_RANGE)
    moves = np.linspace(low, high, POINTS)
    outcome = np.zeros((len(VOLATILITY_FACTORS), POINTS))
    for one in group:
        outcome += _outcome_usd(one, moves)
    minimum = sum(
        CONTRACT_MINIMUM_PER_SHARE * one.multiplier * abs(one.quantity)
        for one in group
        if one.sec_type is SecType.OPTION and one.quantity < 0
    )
    return max(-float(outcome.min()), minimum, 0.0)


def _outcome_usd(one: Exposure, moves: FloatArray) -> FloatArray:
    units = one.quantity * one.multiplier
    if one.sec_type is not SecType.OPTION:
        flat: FloatArray = np.broadcast_to(
            units * one.under_price * moves, (len(VOLATILITY_FACTORS), POINTS)
        )
        return flat
    factors = np.array(VOLATILITY_FACTORS)[:, None]
    moved = _price(one, one.under_price * (1.0 + moves), one.iv_annual * factors)
    here = _price(one, np.array(one.under_price), np.array(one.iv_annual))
    change: FloatArray = units * np.maximum(moved - here, -one.mark)
    return change


def _price(one: Exposure, under: FloatArray, iv_annual: FloatArray) -> FloatArray:
    if one.tau_years <= 0.0 or one.iv_annual <= 0.0:
        sign = 1.0 if one.right == "C" else -1.0
        shape = np.broadcast_shapes(under.shape, iv_annual.shape)
        worth: FloatArray = np.broadcast_to(np.maximum(sign * (under - one.strike), 0.0), shape)
        return worth
    return black_price(
        forward=under,
        strike=one.strike,
        discount=1.0,
        tau_years=one.tau_years,
        iv_annual=iv_annual,
        is_call=one.right == "C",
    )
