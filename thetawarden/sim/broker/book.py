"""The account as the broker tells it: as a whole when asked, and piece by piece as it changes."""

from __future__ import annotations

from typing import assert_never

from thetawarden.domain.broker.orders import latest_revisions
from thetawarden.domain.instants import UnixNs
from thetawarden.domain.units import to_decimal
from thetawarden.messages.base import Message
from thetawarden.messages.books import (
    AccountReported,
    BookFetched,
    CommissionReported,
    ExecutionReported,
    MarkObserved,
    OrderReported,
    PositionReported,
)
from thetawarden.messages.link import FetchBook
from thetawarden.practice import model
from thetawarden.sim.broker.translate import (
    commission_of,
    execution_of,
    order_of,
    position_of,
    values_of,
)

MARK_PLACES = 4
PARTS = ("open orders", "completed orders", "executions", "positions", "account values")


def fetched(
    exchange: model.Exchange, asked: FetchBook, *, account: str, now: UnixNs
) -> BookFetched:
    """All of it, as it stands now."""
    done = exchange.executions(model.ExecutionFilter(account=account))
    positions = (position_of(one) for one in exchange.positions() if one.account == account)
    return BookFetched(
        epoch=asked.epoch,
        round=asked.round,
        missing=(),
        orders=tuple(map(order_of, exchange.open_orders())),
        completed=tuple(map(order_of, exchange.completed_orders())),
        executions=latest_revisions(execution_of(fill) for fill, _ in done),
        commissions=tuple(commission_of(report) for _, report in done if report is not None),
        positions=tuple(one for one in positions if one.quantity),
        values=values_of(exchange.account_rows(account), account=account, at_ns=now),
    )


def not_fetched(asked: FetchBook) -> BookFetched:
    """Nothing of it came in time."""
    return BookFetched(
        epoch=asked.epoch,
        round=asked.round,
        missing=PARTS,
        orders=(),
        completed=(),
        executions=(),
        commissions=(),
        positions=(),
        values=None,
    )


def told(event: model.ExchangeEvent, *, epoch: int, account: str) -> Message | None:
    """What an event of the exchange is to the desk; None where it is told otherwise."""
    match event:
        case model.OrderChanged(view=view):
            return OrderReported(epoch=epoch, order=order_of(view))
        case model.Executed(execution=fill):
            return ExecutionReported(epoch=epoch, execution=execution_of(fill))
        case model.Commissioned(report=report):
            return CommissionReported(epoch=epoch, commission=commission_of(report))
        case model.PositionChanged(position=position):
            held = position_of(position)
            return PositionReported(epoch=epoch, position=held) if held.account == account else None
        case model.AccountChanged() | model.OrderNoticed():
            return None
        case _:
            assert_never(event)


def values(exchange: model.Exchange, *, epoch: int, account: str, now: UnixNs) -> AccountReported:
    """The account's figures."""
    rows = exchange.account_rows(account)
    return AccountReported(epoch=epoch, values=values_of(rows, account=account, at_ns=now))


def marks(
    exchange: model.Exchange, *, epoch: int, account: str, now: UnixNs
) -> tuple[MarkObserved, ...]:
    """What each position is worth a share."""
    said = []
    for row in exchange.portfolio(account):
        mark = to_decimal(row.market_price, places=MARK_PLACES)
        if row.position.quantity and mark is not None:
            conid = row.position.contract.con_id
            said.append(MarkObserved(epoch=epoch, conid=conid, mark_usd=mark, at_ns=now))
    return tuple(said)
