"""Takes orders in: new ones, changes of working ones, and families held until transmitted.

An order that is not transmitted is kept without a word. The one that transmits brings its whole
family: parent first, then children in the order of their numbers, with consecutive perm ids.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from thetawarden.practice.exchange import checks, families, guard, life, lifetimes, notices
from thetawarden.practice.exchange.instants import parse_instant
from thetawarden.practice.exchange.resolving import NON_GUARANTEED, resolve
from thetawarden.practice.exchange.state import LiveOrder, Wait
from thetawarden.practice.model import (
    Contract,
    Notice,
    OrderNoticed,
    OrderRequest,
    OrderStatus,
    OrderType,
    Tif,
)

if TYPE_CHECKING:
    from thetawarden.practice.exchange.floor import Floor
    from thetawarden.practice.model import OrderKey

REDUCE_WITHOUT_BLOCK = 3
PARENT_GONE = "The parent order was not accepted."


class Ticket(msgspec.Struct, frozen=True, kw_only=True):
    """A request that passed every check, with what it was found to mean."""

    request: OrderRequest
    contract: Contract


def place_new(floor: Floor, request: OrderRequest) -> None:
    """Take a new order, or the new version of one that is not transmitted yet."""
    floor.state.untransmitted = [one for one in floor.state.untransmitted if one.key != request.key]
    ticket = check(floor, request)
    if isinstance(ticket, Notice):
        floor.emit([OrderNoticed(key=request.key, notice=ticket)])
        return
    if request.parent_id and not _parent_exists(floor, request):
        floor.emit([OrderNoticed(key=request.key, notice=notices.MISSING_PARENT)])
        return
    if not request.transmit:
        floor.state.untransmitted.append(request)
        return
    family = _family(floor, request)
    keys = {one.key for one in family}
    floor.state.untransmitted = [one for one in floor.state.untransmitted if one.key not in keys]
    for one in family:
        _transmit(floor, one)


def check(floor: Floor, request: OrderRequest) -> Ticket | Notice:
    """Return the order with its contract and account found, or why it cannot be taken."""
    account = checks.account_of(floor, request)
    if isinstance(account, Notice):
        return account
    if request.quantity <= 0:
        return notices.ZERO_SIZE
    contract = resolve(floor, request)
    if isinstance(contract, Notice):
        return contract
    request = msgspec.structs.replace(
        request, account=account, tif=request.tif or Tif.DAY.value, limit_price=_limit(request)
    )
    refusal = checks.refusal(floor, request, contract)
    return refusal or Ticket(request=request, contract=contract)


def new_order(floor: Floor, ticket: Ticket) -> LiveOrder:
    """Put a checked order on the floor under the next perm id."""
    request, now = ticket.request, floor.now_ns
    order = LiveOrder(
        perm_id=take_perm_id(floor),
        request=request,
        contract=ticket.contract,
        status=OrderStatus.PENDING_SUBMIT,
        placed_at_ns=now,
        changed_at_ns=now,
        looked_ns=now,
        acknowledge_ns=now + floor.state.hold_ns,
        active_from_ns=parse_instant(request.good_after_time),
        expires_ns=lifetimes.expiry_ns(floor, request, ticket.contract),
        stop_price=first_stop(request),
        leg_by_leg=_is_leg_by_leg(floor, ticket),
    )
    floor.state.orders[order.perm_id] = order
    return order


def take_perm_id(floor: Floor) -> int:
    """Use up one permanent id."""
    perm_id = floor.state.next_perm_id
    floor.state.next_perm_id += 1
    return perm_id


def _transmit(floor: Floor, request: OrderRequest) -> None:
    ticket = check(floor, request)
    if isinstance(ticket, Notice):
        floor.emit([OrderNoticed(key=request.key, notice=ticket)])
        return
    order = new_order(floor, ticket)
    parent = _live_parent(floor, request)
    if parent is not None:
        _attach(order, parent)
    orphaned = PARENT_GONE if request.parent_id and parent is None else ""
    reason = orphaned or _planted_refusal(floor, order) or guard.refusal_reason(floor, order)
    if reason:
        families.reject(floor, order, reason)
    elif floor.state.hold_ns == 0:
        life.acknowledge(floor, order)


def _attach(order: LiveOrder, parent: LiveOrder) -> None:
    order.parent_perm_id = parent.perm_id
    whole = order.request.quantity
    order.released = whole * parent.filled // parent.request.quantity
    if not order.released:
        order.wait = Wait.PARENT
    if not order.request.oca_group:
        order.request = msgspec.structs.replace(
            order.request, oca_group=str(parent.perm_id), oca_type=REDUCE_WITHOUT_BLOCK
        )


def _family(floor: Floor, request: OrderRequest) -> list[OrderRequest]:
    """Everything the transmitting order brings along, parents before children."""
    held = [one for one in floor.state.untransmitted if one.key.client_id == request.key.client_id]
    root = request
    while root.parent_id:
        above = next((one for one in held if one.key.order_id == root.parent_id), None)
        if above is None:
            break
        root = above
    family = [root] if root is request or root in held else [request]
    members = [request, *held] if root is not request else held
    for one in family:
        family += sorted(
            (child for child in members if child.parent_id == one.key.order_id),
            key=lambda child: child.key,
        )
    if request not in family:
        family.append(request)
    return [msgspec.structs.replace(one, transmit=True) for one in family]


def _parent_exists(floor: Floor, request: OrderRequest) -> bool:
    key = msgspec.structs.replace(request.key, order_id=request.parent_id)
    held = any(one.key == key for one in floor.state.untransmitted)
    return held or floor.live(key) is not None


def _live_parent(floor: Floor, request: OrderRequest) -> LiveOrder | None:
    if not request.parent_id:
        return None
    key: OrderKey = msgspec.structs.replace(request.key, order_id=request.parent_id)
    return floor.live(key)


def _limit(request: OrderRequest) -> float | None:
    """A combination may be priced leg by leg instead of as a whole."""
    if request.limit_price is not None or not request.combo_prices:
        return request.limit_price
    legs = zip(request.contract.legs, request.combo_prices, strict=False)
    return sum(
        (1 if leg.action == "BUY" else -1) * leg.ratio * (price or 0.0) for leg, price in legs
    )


def first_stop(request: OrderRequest) -> float | None:
    """Return the stop price an order starts with; a trailing one may have none yet."""
    if request.order_type in {OrderType.TRAIL, OrderType.TRAIL_LIMIT}:
        return request.trail_stop_price
    return request.aux_price


def _is_leg_by_leg(floor: Floor, ticket: Ticket) -> bool:
    if not ticket.contract.legs:
        return False
    planted = floor.faults.leg_next_combination
    floor.faults.leg_next_combination = False
    return planted or dict(ticket.request.smart_routing).get(NON_GUARANTEED) == "1"


def _planted_refusal(floor: Floor, order: LiveOrder) -> str:
    faults = floor.faults
    if order.parent_perm_id is not None and faults.reject_next_child:
        reason, faults.reject_next_child = faults.reject_next_child, ""
        return reason
    reason, faults.reject_next = faults.reject_next, ""
    return reason
