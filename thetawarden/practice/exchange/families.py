"""Decides what one order's fill or end means for its relatives: children and OCA siblings.

Children wait for their parent's fills and may never trade more than it did. In a group of type 1
the first fill cancels the others; in types 2 and 3 it shrinks them by as much. Matching is one
order at a time, so a group cannot fill twice over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from thetawarden.practice.exchange import life
from thetawarden.practice.exchange.state import LiveOrder, Wait

if TYPE_CHECKING:
    from thetawarden.practice.exchange.floor import Floor

CANCEL_OTHERS = 1


def children(floor: Floor, parent: LiveOrder) -> list[LiveOrder]:
    """The parent's living children, oldest first."""
    return [
        one
        for one in list(floor.state.orders.values())
        if one.parent_perm_id == parent.perm_id and one is not parent
    ]


def siblings(floor: Floor, order: LiveOrder) -> list[LiveOrder]:
    """The other living members of the order's OCA group."""
    if not order.request.oca_group:
        return []
    return [
        one
        for one in list(floor.state.orders.values())
        if one is not order
        and one.request.oca_group == order.request.oca_group
        and one.request.account == order.request.account
        and one.request.key.client_id == order.request.key.client_id
    ]


def after_fill(floor: Floor, order: LiveOrder, quantity: int) -> None:
    """Cancel or shrink siblings and release children, after `quantity` more units were filled."""
    for sibling in siblings(floor, order):
        if order.request.oca_type == CANCEL_OTHERS:
            life.cancel(floor, sibling)
            _lose_parent(floor, sibling)
        else:
            _shrink(floor, sibling, quantity)
    _release(floor, order)


def cancel_by_trader(floor: Floor, order: LiveOrder, reason: str = "") -> None:
    """Cancel an order as its owner asked: siblings first, then itself, then its children."""
    for sibling in siblings(floor, order):
        life.cancel(floor, sibling)
        _lose_parent(floor, sibling)
    cancel_alone(floor, order, reason)


def cancel_alone(floor: Floor, order: LiveOrder, reason: str = "") -> None:
    """Cancel an order and the children that lose their parent, but leave its siblings."""
    life.cancel(floor, order, reason)
    _lose_parent(floor, order)


def reject(floor: Floor, order: LiveOrder, reason: str) -> None:
    """Refuse an order; its children go with it."""
    life.reject(floor, order, reason)
    _lose_parent(floor, order)


def _release(floor: Floor, parent: LiveOrder) -> None:
    for child in children(floor, parent):
        whole = child.request.quantity + child.shrunk
        due = whole * parent.filled // parent.request.quantity - child.shrunk
        child.released = max(child.released or 0, due)
        if child.wait is Wait.PARENT and child.released > 0:
            child.wait = Wait.NOTHING
            child.changed_at_ns = child.looked_ns = floor.now_ns
            life.tell(floor, child)


def _shrink(floor: Floor, order: LiveOrder, quantity: int) -> None:
    left = max(order.request.quantity - quantity, order.filled)
    order.shrunk += order.request.quantity - left
    if order.released is not None:
        order.released = max(order.released - quantity, order.filled)
    if left <= order.filled:
        life.cancel(floor, order)
        _lose_parent(floor, order)
        return
    order.request = msgspec.structs.replace(order.request, quantity=left)
    life.tell(floor, order)


def _lose_parent(floor: Floor, parent: LiveOrder) -> None:
    """Children of an ended parent keep what it bought; without that they end as well."""
    for child in children(floor, parent):
        released = child.released or 0
        if released <= child.filled:
            life.cancel(floor, child)
            _lose_parent(floor, child)
        elif released < child.request.quantity:
            child.request = msgspec.structs.replace(child.request, quantity=released)
            life.tell(floor, child)
