"""Changes and cancels orders at their owner's wish, or says why that is not possible."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from thetawarden.domain.instants import NS_PER_SECOND
from thetawarden.practice.exchange import (
    exercise,
    families,
    guard,
    intake,
    life,
    lifetimes,
    notices,
)
from thetawarden.practice.exchange.draws import Purpose, draw
from thetawarden.practice.model import (
    Notice,
    OrderNoticed,
    OrderStatus,
    OrderType,
)

if TYPE_CHECKING:
    from thetawarden.practice.exchange.floor import Floor
    from thetawarden.practice.exchange.state import LiveOrder
    from thetawarden.practice.model import OrderKey, OrderRequest, OrderView

CANCEL_DELAY_MIN_S = 0.05
CANCEL_DELAY_MAX_S = 0.40
_SWAPPABLE = (OrderType.LIMIT, OrderType.MARKET)


def place(floor: Floor, request: OrderRequest) -> None:
    """Take a new order or change the one that has this number."""
    order = floor.live(request.key)
    if order is not None:
        _modify(floor, order, request)
        return
    if exercise.instruction_of(floor, request.key) is not None:
        _say(floor, request.key, notices.ONLY_CANCELLABLE)
        return
    ended = ended_view(floor, request.key)
    if ended is None:
        intake.place_new(floor, request)
        return
    same = _means(ended, request)
    _say(floor, request.key, notices.CANNOT_MODIFY_FILLED if same else notices.DUPLICATE_ID)


def cancel(floor: Floor, key: OrderKey) -> None:
    """Ask for an order's cancellation; it takes a moment, in which it may still trade."""
    held = [one for one in floor.state.untransmitted if one.key == key]
    if held:
        _forget(floor, key)
        return
    order = floor.live(key)
    if order is None and exercise.withdraw(floor, key):
        return
    if order is None:
        ended = ended_view(floor, key)
        _say(
            floor,
            key,
            notices.not_found(key.order_id)
            if ended is None
            else notices.not_cancellable(key.order_id, ended.status.value),
        )
        return
    begin_cancel(floor, order)


def begin_cancel(floor: Floor, order: LiveOrder) -> None:
    """Let an order be cancelled soon."""
    if order.cancel_due_ns is not None:
        _say(floor, order.request.key, notices.too_late(order))
        return
    order.cancel_due_ns = floor.now_ns + _cancel_delay_ns(floor, order)
    order.status = OrderStatus.PENDING_CANCEL
    life.tell(floor, order)


def ended_view(floor: Floor, key: OrderKey) -> OrderView | None:
    """The order of this number that ended today, the latest when a number was used twice."""
    ended = [one for one in floor.state.completed if one.request.key == key]
    return ended[-1] if ended else None


def _modify(floor: Floor, order: LiveOrder, request: OrderRequest) -> None:
    if not order.acknowledged or order.cancel_due_ns is not None:
        _say(floor, request.key, notices.STILL_PROCESSED)
        return
    ticket = intake.check(floor, request)
    if isinstance(ticket, Notice):
        _say(floor, request.key, ticket)
        return
    if ticket.contract.con_id != order.contract.con_id or ticket.contract.legs != (
        order.contract.legs
    ):
        _say(floor, request.key, notices.NOT_THE_ORIGINAL)
        return
    new = ticket.request
    if new.action is not order.request.action or new.quantity <= order.filled:
        _say(floor, request.key, notices.NOT_THE_ORIGINAL)
    elif not _may_become(order, new):
        _say(floor, request.key, notices.CANNOT_CHANGE_TYPE)
    else:
        _change(floor, order, new)


def _change(floor: Floor, order: LiveOrder, new: OrderRequest) -> None:
    before = (order.request, order.expires_ns)
    order.request = msgspec.structs.replace(
        new,
        transmit=True,
        oca_group=order.request.oca_group,
        oca_type=order.request.oca_type,
        parent_id=order.request.parent_id,
    )
    order.expires_ns = lifetimes.expiry_ns(floor, new, order.contract)
    reason = guard.refusal_reason(floor, order)
    if reason:
        order.request, order.expires_ns = before
        _say(floor, new.key, notices.rejected(reason))
        life.tell(floor, order)
        return
    _refresh(floor, order, before[0])
    life.tell(floor, order)
    for child in families.children(floor, order):
        life.tell(floor, child)


def _refresh(floor: Floor, order: LiveOrder, before: OrderRequest) -> None:
    new = order.request
    if order.released is not None:
        order.released = min(order.released, new.quantity)
    if new.aux_price != before.aux_price or new.trail_stop_price != before.trail_stop_price:
        order.stop_price = intake.first_stop(new)
    order.changed_at_ns = order.looked_ns = floor.now_ns
    order.resting = False


def _may_become(order: LiveOrder, new: OrderRequest) -> bool:
    old = order.order_type
    wanted = OrderType(new.order_type)
    return wanted is old or (old in _SWAPPABLE and wanted in _SWAPPABLE)


def _means(ended: OrderView, request: OrderRequest) -> bool:
    query, contract = request.contract, ended.contract
    if query.legs or contract.legs:
        return query.legs == contract.legs
    if query.con_id:
        return query.con_id == contract.con_id
    return query.symbol == contract.symbol and query.sec_type == contract.sec_type.value


def _forget(floor: Floor, key: OrderKey) -> None:
    """Drop an order that was never transmitted, and the children that hang on it."""
    floor.state.untransmitted = [
        one
        for one in floor.state.untransmitted
        if one.key != key
        and not (one.key.client_id == key.client_id and one.parent_id == key.order_id)
    ]
    _say(floor, key, notices.canceled())


def _cancel_delay_ns(floor: Floor, order: LiveOrder) -> int:
    seconds = floor.faults.cancel_delay_s
    if seconds is None:
        luck = draw(floor.state.seed, Purpose.CANCEL_DELAY, order.perm_id, floor.now_ns)
        seconds = CANCEL_DELAY_MIN_S + luck * (CANCEL_DELAY_MAX_S - CANCEL_DELAY_MIN_S)
    return int(seconds * NS_PER_SECOND)


def _say(floor: Floor, key: OrderKey, notice: Notice) -> None:
    floor.emit([OrderNoticed(key=key, notice=notice)])
