"""Holds what was predicted at a trade's entry against what came of it.

Money was predicted for the whole order; where fewer units were filled, so much less is expected.
What is no profit and no chance of one cannot be judged by a result, and is left out.
"""

from __future__ import annotations

import msgspec

from thetawarden.domain.strategy.prediction import PROFIT, SUCCESS, Prediction
from thetawarden.domain.trades.trade import Trade
from thetawarden.domain.units import to_float


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """One prediction beside what happened."""

    prediction: Prediction
    expected: float
    actual: float
    happened: bool | None
    in_range: bool | None


def outcomes_of(trade: Trade, predictions: tuple[Prediction, ...]) -> tuple[Outcome, ...]:
    """Return what came of each prediction of a trade that is over."""
    found = (_outcome(trade, one) for one in predictions)
    return tuple(one for one in found if one is not None)


def _outcome(trade: Trade, told: Prediction) -> Outcome | None:
    result = to_float(trade.cash_usd)
    if told.quantity == SUCCESS and told.probability_fraction is not None:
        return Outcome(
            prediction=told,
            expected=told.probability_fraction,
            actual=float(result > 0.0),
            happened=result > 0.0,
            in_range=None,
        )
    if told.quantity != PROFIT or told.value is None:
        return None
    part = trade.approved_fraction
    ranged = told.low is not None and told.high is not None
    low, high = part * (told.low or 0.0), part * (told.high or 0.0)
    return Outcome(
        prediction=told,
        expected=part * told.value,
        actual=result,
        happened=None,
        in_range=low <= result <= high if ranged else None,
    )
