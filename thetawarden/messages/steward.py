"""What is decided about what is held, and what became of it."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from thetawarden.domain.managing.decision import Decision
from thetawarden.domain.trades.snapshot import TradeSnapshot
from thetawarden.domain.trades.trade import Trade
from thetawarden.messages.base import Event


class PositionDecided(Event, frozen=True, kw_only=True):
    """What is to be done with a trade; said when it differs from what was said of it before.

    `proposal_key` names the order that was asked for, empty where none was, with the reason why
    not in `words`.
    """

    decision: Decision
    strategy: str
    underlying: str
    proposal_key: str
    words: str


class TradeChanged(Event, frozen=True, kw_only=True):
    """A trade was opened, adjusted or closed; it stands as follows."""

    event: str
    trade: Trade
    reason: str


class TradeSnapshotTaken(Event, frozen=True, kw_only=True):
    """The world around a trade, while it is held and at its exit."""

    snapshot: TradeSnapshot


class ProfitAttributed(Event, frozen=True, kw_only=True):
    """What moved a trade's result on a day, in cents; the parts sum to the profit exactly.

    `trading_cents` is what fills brought or cost against the marks of their instant, commissions
    included. `complete` is false where a part of an interval could not be computed: it stands in
    the residual.
    """

    trade: str
    strategy: str
    underlying: str
    day: dt.date
    profit_cents: int
    delta_cents: int
    gamma_cents: int
    theta_cents: int
    vega_cents: int
    trading_cents: int
    residual_cents: int
    complete: bool


class PredictionJudged(Event, frozen=True, kw_only=True):
    """What came of a prediction; `happened` is None where a value was predicted.

    `in_range` is None where no range was. Expectations are scaled to the units that were filled.
    """

    underlying: str
    prediction: str
    strategy: str
    model: str
    expected: float
    actual: float
    happened: bool | None
    in_range: bool | None
    result_usd: Decimal
