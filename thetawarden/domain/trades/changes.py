"""Says in words what became of a trade between two looks at it, and what it has earned by day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from decimal import Decimal

from thetawarden.domain.books.amounts import ZERO
from thetawarden.domain.books.holding import Cause
from thetawarden.domain.broker.instrument import InstrumentKind
from thetawarden.domain.instants import new_york_date
from thetawarden.domain.orders.intent import OrderRole
from thetawarden.domain.trades.trade import HEDGE, Part, Trade, TradeState

OPENED, ADJUSTED, CLOSED = "opened", "adjusted", "closed"
_ENTERING = frozenset({OrderRole.ENTRY, OrderRole.ROLL, OrderRole.HEDGE})


def change_of(before: Trade | None, after: Trade) -> str:
    """Return what happened to a trade, or nothing where no more than a price was corrected."""
    was_open = before is not None and bool(before.held)
    if after.held and not was_open:
        reopened = before is not None and before.state is not TradeState.OPENING
        return ADJUSTED if reopened and len(after.parts) > 1 else OPENED
    if was_open and not after.held:
        return CLOSED
    if before is None or not after.held:
        return ""
    same = [(one.instrument.conid, one.quantity) for one in before.held] == [
        (one.instrument.conid, one.quantity) for one in after.held
    ]
    return "" if same or _is_filling(before, after) else ADJUSTED


def _is_filling(before: Trade, after: Trade) -> bool:
    """Whether the order that opened it is still being filled, leg by leg or unit by unit."""
    roles = {part.role for part in (*before.parts, *after.parts)}
    return roles == {OrderRole.ENTRY}


def is_waiting_for_shares(trade: Trade) -> bool:
    """Whether its last option was delivered and the shares may still be told of."""
    if trade.held or not trade.parts:
        return False
    last = trade.parts[-1]
    delivered = last.cause in {Cause.ASSIGNMENT, Cause.EXERCISE}
    return delivered and last.instrument.kind is InstrumentKind.OPTION


def end_of(trade: Trade) -> str:
    """Return why nothing of a trade is held any more: its last order's role, or what happened."""
    if not trade.parts:
        return ""
    last = trade.parts[-1]
    return last.cause.value if last.role is None else last.role.value


def premium_by_day(trades: Iterable[Trade]) -> dict[str, Decimal]:
    """Return what selling options has brought, net of what was bought with it, by ISO day.

    A leg that a trade bought to protect itself is bought with it, as a rearrangement's is.
    """
    ours = (one for one in trades if not one.manual and one.strategy != HEDGE)
    return _by_day(part for one in ours for part in one.parts if part.role in _ENTERING)


def protection_by_day(trades: Iterable[Trade]) -> dict[str, Decimal]:
    """Return what hedges of the book have cost, by ISO day; what they were sold for is left out."""
    hedges = (one for one in trades if one.strategy == HEDGE)
    bought = (part for one in hedges for part in one.parts if part.role is OrderRole.HEDGE)
    return {
        day: -usd for day, usd in _by_day(part for part in bought if part.gross_usd < 0).items()
    }


def _by_day(parts: Iterable[Part]) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for part in parts:
        day = new_york_date(part.at_ns).isoformat()
        found[day] = found.get(day, ZERO) + part.gross_usd
    return found


def summed(one: dict[str, Decimal], other: dict[str, Decimal]) -> dict[str, Decimal]:
    """Return two days' sums as one."""
    return {day: one.get(day, ZERO) + other.get(day, ZERO) for day in dict.fromkeys((*one, *other))}


def recent(sums: Mapping[str, Decimal], *, today: dt.date, days: int) -> dict[str, Decimal]:
    """Return the sums of so many days back."""
    since = (today - dt.timedelta(days=days)).isoformat()
    return {day: usd for day, usd in sums.items() if day > since}
