"""Counts the orders that work at the broker, and finds fills beyond what an order asked for.

An order is known by our reference, or by the broker's permanent number when it has none: the number
may change under a reference. A report that an order works, after one that it ended, may only be
late: until the broker lists it again it counts as ended.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

import msgspec

from thetawarden.domain.books.amounts import ZERO
from thetawarden.domain.books.book import Book
from thetawarden.domain.broker.instrument import Instrument, InstrumentKind
from thetawarden.domain.broker.orders import BrokerOrder, BrokerOrderState

ENDED = (BrokerOrderState.CANCELLED, BrokerOrderState.FILLED, BrokerOrderState.INACTIVE)
ENDED_MAX = 300


class WorkingOrders(msgspec.Struct, frozen=True, kw_only=True):
    """Orders that work, and those that ended lately, oldest first."""

    orders: dict[str, BrokerOrder] = {}
    ended: dict[str, BrokerOrder] = {}

    def filled_by(self, perm_id: int) -> tuple[BrokerOrder, ...]:
        """The orders of this permanent number."""
        everyone = (*self.orders.values(), *self.ended.values())
        return tuple(one for one in everyone if one.perm_id == perm_id)


def order_key(order: BrokerOrder) -> str:
    """Return the name an order is known by."""
    return order.order_ref or f"perm:{order.perm_id}"


def is_ours(order: BrokerOrder, *, client_id: int) -> bool:
    """Whether we placed an order, by our reference and number."""
    return bool(order.order_ref) and order.client_id == client_id


def with_order(known: WorkingOrders, order: BrokerOrder) -> WorkingOrders:
    """Take a report of one order in."""
    key = order_key(order)
    if order.state in ENDED:
        left = {name: one for name, one in known.orders.items() if name != key}
        return WorkingOrders(orders=left, ended=_latest(known.ended | {key: order}))
    if key in known.ended:
        return known
    return msgspec.structs.replace(known, orders=known.orders | {key: order})


def listed(known: WorkingOrders, orders: Iterable[BrokerOrder]) -> WorkingOrders:
    """Take the broker's whole list in: what is not on it does not work."""
    working = {order_key(one): one for one in orders if one.state not in ENDED}
    everyone = known.ended | known.orders
    ended = {key: one for key, one in everyone.items() if key not in working}
    return WorkingOrders(orders=working, ended=_latest(ended))


class Bracket(msgspec.Struct, frozen=True, kw_only=True):
    """At which prices working orders end a position."""

    take_profit_usd: Decimal | None
    stop_usd: Decimal | None


def bracket_of(known: WorkingOrders, instrument: Instrument, quantity: Decimal) -> Bracket | None:
    """Return the prices of what would close a position, a combination's where it is its leg."""
    closing = [
        one for one in known.orders.values() if _traded(one, instrument.conid) * quantity < 0
    ]
    stops = [one.stop_usd for one in closing if one.stop_usd is not None]
    limits = [one.limit_usd for one in closing if one.stop_usd is None]
    if not closing:
        return None
    return Bracket(
        take_profit_usd=next((one for one in limits if one is not None), None),
        stop_usd=next(iter(stops), None),
    )


def overfilled(book: Book, order: BrokerOrder) -> Decimal:
    """Return by how much the fills of an order exceed it, 0 when they do not."""
    combination = order.instrument.kind is InstrumentKind.COMBO
    filled = sum(
        (
            ZERO if one.is_bust else one.execution.quantity
            for one in book.fills.values()
            if one.execution.perm_id == order.perm_id and one.is_combination == combination
        ),
        ZERO,
    )
    return max(abs(filled) - abs(order.quantity), ZERO) if order.perm_id else ZERO


def _traded(order: BrokerOrder, conid: int) -> Decimal:
    """How much of a contract an order buys, by itself or as the leg of a combination."""
    if order.instrument.conid == conid:
        return order.quantity
    return sum((order.quantity * leg.ratio for leg in order.legs if leg.conid == conid), ZERO)


def _latest(ended: dict[str, BrokerOrder]) -> dict[str, BrokerOrder]:
    return dict(list(ended.items())[-ENDED_MAX:])
