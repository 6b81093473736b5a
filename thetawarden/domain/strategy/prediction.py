"""Says what is expected of a trade at its entry, in numbers that can be judged at its end."""

from __future__ import annotations

import math

import msgspec

from thetawarden.domain.instants import UnixNs
from thetawarden.domain.strategy.candidate import Candidate

MODEL = "lognormal-realised-21d/1"
PROFIT, SUCCESS, SCORE = "profit_usd", "profitable", "selector_score"


class Prediction(msgspec.Struct, frozen=True, kw_only=True):
    """One expectation; a probability where an event is predicted, else a value with its range."""

    name: str
    trade: str
    strategy: str
    underlying: str
    model: str
    quantity: str
    due_ns: UnixNs
    value: float | None = None
    low: float | None = None
    high: float | None = None
    probability_fraction: float | None = None
    inputs: tuple[tuple[str, float], ...] = ()


def predictions_of(
    candidate: Candidate, *, trade: str, units: int, due_ns: UnixNs
) -> tuple[Prediction, ...]:
    """Return the profit, the chance of one, and the score that decided; unknown ones are left out.

    Money is of the whole order, held to expiry.
    """
    size = units * candidate.legs[0].instrument.multiplier
    odds = candidate.odds
    credit = candidate.credit_usd * size
    named = {
        PROFIT: {
            "value": odds.expected_usd * size,
            "low": -odds.risk_usd * size,
            "high": credit,
        },
        SUCCESS: {"probability_fraction": odds.profit_probability},
        SCORE: {"value": candidate.selector, "low": 0.0, "high": 1.0},
    }
    return tuple(
        Prediction(
            name=f"{trade}.{quantity}",
            trade=trade,
            strategy=candidate.strategy,
            underlying=candidate.underlying,
            model=MODEL,
            quantity=quantity,
            due_ns=due_ns,
            inputs=candidate.scores,
            **figures,
        )
        for quantity, figures in named.items()
        if all(map(math.isfinite, figures.values()))
    )
