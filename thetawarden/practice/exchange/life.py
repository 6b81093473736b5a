"""Moves orders through their states and tells it, in the order clients must learn it.

A state is changed completely before anybody hears of it. What an order's end means for its family
is decided in `families`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from thetawarden.practice.exchange import notices
from thetawarden.practice.exchange.views import ending_text, is_waiting_stop, view_of
from thetawarden.practice.model import OrderChanged, OrderNoticed, OrderStatus, SecType

if TYPE_CHECKING:
    from thetawarden.practice.exchange.floor import Floor
    from thetawarden.practice.exchange.state import LiveOrder
    from thetawarden.practice.model import Notice


def tell(floor: Floor, order: LiveOrder) -> None:
    """Say how the order stands."""
    floor.emit([OrderChanged(view=view_of(order))])


def notice(floor: Floor, order: LiveOrder, text: Notice) -> None:
    """Say something about the order to its client."""
    floor.emit([OrderNoticed(key=order.request.key, notice=text)])


def acknowledge(floor: Floor, order: LiveOrder) -> None:
    """Answer an order for the first time: PreSubmitted, and a warning when the market is closed."""
    order.acknowledged = True
    order.status = OrderStatus.PRE_SUBMITTED
    if floor.faults.second_perm_id_next:
        floor.faults.second_perm_id_next = False
        tell(floor, order)
        _rename(floor, order)
    _warn(floor, order)
    tell(floor, order)


def submit(floor: Floor, order: LiveOrder) -> None:
    """Say that the order works, unless it waits for a stop price or is being cancelled."""
    if order.status is OrderStatus.PRE_SUBMITTED and not is_waiting_stop(order):
        order.status = OrderStatus.SUBMITTED
        tell(floor, order)


def cancel(floor: Floor, order: LiveOrder, reason: str = "") -> None:
    """End an order as cancelled; its family is not touched."""
    order.status = OrderStatus.CANCELLED
    _end(floor, order)
    tell(floor, order)
    notice(floor, order, notices.canceled(reason))


def reject(floor: Floor, order: LiveOrder, reason: str) -> None:
    """End an order as refused: Inactive and 201."""
    order.status = OrderStatus.INACTIVE
    _end(floor, order)
    tell(floor, order)
    notice(floor, order, notices.rejected(reason))


def finish(floor: Floor, order: LiveOrder) -> None:
    """Take a filled order off the floor; what it did was told by its fills."""
    _end(floor, order)


def _end(floor: Floor, order: LiveOrder) -> None:
    floor.state.orders.pop(order.perm_id, None)
    floor.state.completed.append(
        msgspec.structs.replace(
            view_of(order), completed_at_ns=floor.now_ns, completed_status=ending_text(order)
        )
    )


def _warn(floor: Floor, order: LiveOrder) -> None:
    request = order.request
    if request.outside_rth and not floor.hours.has_extended(order.contract, floor.now_ns):
        notice(floor, order, notices.HOURS_IGNORED)
    if floor.hours.current(order.contract, floor.now_ns, regular=not request.outside_rth):
        return
    session = floor.hours.following(order.contract, floor.now_ns, regular=not request.outside_rth)
    if session is None:
        return
    details = floor.details(order.contract.con_id)
    market_name = details.market_name if details else order.contract.exchange
    if order.contract.sec_type is SecType.STOCK:
        market_name = order.contract.primary_exchange or market_name
    warning = notices.placed_later(
        request,
        symbol=order.contract.symbol,
        market_name=market_name,
        opens_ns=session.open_ns,
    )
    notice(floor, order, warning)


def _rename(floor: Floor, order: LiveOrder) -> None:
    """Give the order another permanent id, as the broker sometimes does."""
    del floor.state.orders[order.perm_id]
    order.perm_id = floor.state.next_perm_id
    floor.state.next_perm_id += 1
    floor.state.orders[order.perm_id] = order
