"""How what is said of trades becomes rows: by field name where a message has a column's name."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import msgspec

from thetawarden.domain.books.amounts import ZERO
from thetawarden.domain.orders.intent import OrderRole
from thetawarden.domain.trades.trade import Trade, TradeState
from thetawarden.domain.units import to_float
from thetawarden.infra.lake.frames import Row, instant_of
from thetawarden.infra.lake.tables.decisions import EXIT_SNAPSHOTS
from thetawarden.messages.base import Envelope, Message
from thetawarden.messages.steward import PredictionJudged, TradeChanged, TradeSnapshotTaken

_OPENING = (OrderRole.ENTRY, OrderRole.ROLL, OrderRole.HEDGE)


def snapshot_rows(body: TradeSnapshotTaken, _: Envelope[Message]) -> list[Row]:
    """One row; a figure that is not finite is unknown."""
    of = body.snapshot
    return [tuple(_known(getattr(of, column.name)) for column in EXIT_SNAPSHOTS.columns)]


def trade_rows(body: TradeChanged, _: Envelope[Message]) -> list[Row]:
    """One row a change; units are those of its largest leg."""
    of = body.trade
    opening = [one.gross_usd for one in of.parts if one.role in _OPENING]
    closing = [one.gross_usd for one in of.parts if one.role not in _OPENING]
    over = of.state is TradeState.CLOSED
    return [
        (
            of.underlying,
            of.name,
            of.strategy,
            body.event,
            _legs(of),
            int(max((abs(one.quantity) for one in of.held), default=ZERO)),
            sum(opening, ZERO),
            -sum(closing, ZERO),
            of.commission_usd,
            of.cash_usd if over else None,
            instant_of(of.opened_ns),
            instant_of(of.closed_ns) if over else None,
            body.reason,
        )
    ]


def outcome_rows(body: PredictionJudged, _: Envelope[Message]) -> list[Row]:
    """One row; a value was predicted where nothing happened or did not."""
    return [
        (
            body.underlying,
            body.prediction,
            body.strategy,
            body.model,
            _known(body.expected),
            _known(body.actual),
            body.happened,
            body.in_range,
            _known(body.actual - body.expected),
        )
    ]


def _legs(of: Trade) -> str:
    rows = [
        {
            "conid": one.instrument.conid,
            "contract": one.instrument.local_symbol or one.instrument.symbol,
            "quantity": to_float(one.quantity),
            "price_usd": to_float(_price(one.opened_usd, one.quantity, one.instrument.multiplier)),
        }
        for one in of.held
    ]
    return msgspec.json.encode(rows).decode()


def _price(opened_usd: Decimal, quantity: Decimal, multiplier: int) -> Decimal:
    return abs(opened_usd / quantity / multiplier)


def _known(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
