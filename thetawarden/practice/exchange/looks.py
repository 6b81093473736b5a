"""Lets one order meet the market once, and says when it meets it next.

The instants of the looks depend on the order alone (when it came or changed, its sessions), not on
how far the clock is moved at a time. Within one look: cancellation that is due, the close, the
acknowledgement, the stop price, the match, the end of the order's time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from thetawarden.domain.instants import NS_PER_SECOND
from thetawarden.practice.exchange import families, fills, ladders, legging, life, limits, notices
from thetawarden.practice.exchange.conditions import conditions_hold
from thetawarden.practice.exchange.draws import Purpose, draw
from thetawarden.practice.exchange.matching import (
    REMOVED_LIQUIDITY,
    Luck,
    Match,
    Wish,
    match,
)
from thetawarden.practice.exchange.state import LiveOrder, Taken, Wait
from thetawarden.practice.exchange.touch import as_buyer, touch_of
from thetawarden.practice.exchange.views import is_waiting_stop
from thetawarden.practice.model import OrderStatus, OrderType, Tif

if TYPE_CHECKING:
    from thetawarden.practice.exchange.floor import Floor
    from thetawarden.practice.exchange.touch import Touch
    from thetawarden.practice.model import Session

CLOSING_TYPES = (OrderType.MARKET_ON_CLOSE, OrderType.LIMIT_ON_CLOSE)
REFILL_HALF_LIFE_S = 2.0
_AT_ONCE = (Tif.IOC, Tif.FOK)


def next_look_ns(floor: Floor, order: LiveOrder) -> int | None:
    """Return when the order must be looked at next; None while only its parent can wake it."""
    seen = max(order.looked_ns, order.changed_at_ns)
    due = [one for one in (order.cancel_due_ns, order.expires_ns) if one is not None]
    if not order.acknowledged:
        due.append(order.acknowledge_ns)
    elif order.wait is not Wait.PARENT:
        due.append(_next_meeting_ns(floor, order, seen))
    return min(due, default=None)


def look(floor: Floor, order: LiveOrder) -> None:
    """Do what is due for the order now."""
    now = floor.now_ns
    if order.cancel_due_ns is not None and order.cancel_due_ns <= now:
        families.cancel_by_trader(floor, order)
        return
    if not order.acknowledged:
        if order.acknowledge_ns > now:
            if _has_expired(order, now):
                families.cancel_alone(floor, order)
            return
        life.acknowledge(floor, order)
    if order.wait is not Wait.PARENT and now >= floor.state.held_until_ns:
        _meet(floor, order)
    order.looked_ns = now
    if order.perm_id in floor.state.orders and _is_over(order, now):
        families.cancel_alone(floor, order)


def _next_meeting_ns(floor: Floor, order: LiveOrder, seen: int) -> int:
    start = max(seen, floor.state.held_until_ns - 1, (order.active_from_ns or 0) - 1)
    regular = not order.request.outside_rth
    session = floor.hours.current(order.contract, start + 1, regular=regular)
    if session is None:
        later = floor.hours.following(order.contract, start, regular=regular)
        return later.open_ns if later else start + 24 * 3600 * NS_PER_SECOND
    if order.order_type in CLOSING_TYPES:
        return session.close_ns
    if session.open_ns > seen:
        return max(session.open_ns, start + 1)
    step = floor.terms.rhythm.step_ns(seen - order.changed_at_ns)
    meeting = (start // step + 1) * step
    if meeting < session.close_ns:
        return meeting
    later = floor.hours.following(order.contract, session.close_ns - 1, regular=regular)
    return later.open_ns if later else session.close_ns


def _is_over(order: LiveOrder, now: int) -> bool:
    if _has_expired(order, now):
        return True
    return order.request.tif in _AT_ONCE and order.status is OrderStatus.SUBMITTED


def _has_expired(order: LiveOrder, now: int) -> bool:
    return order.expires_ns is not None and order.expires_ns <= now


def _meet(floor: Floor, order: LiveOrder) -> None:
    session = _session(floor, order)
    if session is None or (order.active_from_ns or 0) > floor.now_ns:
        return
    if floor.outlook.nothing_happens(floor, order):
        return
    touch = touch_of(floor, order.contract)
    if not conditions_hold(floor, order):
        return
    if limits.watch_stop(order, touch):
        order.resting = False
    if is_waiting_stop(order):
        return
    life.submit(floor, order)
    if order.order_type in CLOSING_TYPES:
        _close(floor, order, touch)
        return
    if order.legging:
        if legging.go_on(floor, order):
            _conclude(floor, order, order.legging_units)
        return
    for one in _matches(floor, order, touch, session):
        _apply(floor, order, one)
        if order.perm_id not in floor.state.orders or order.legging:
            return
    order.resting = True


def _session(floor: Floor, order: LiveOrder) -> Session | None:
    regular = not order.request.outside_rth
    at = floor.now_ns - 1 if order.order_type in CLOSING_TYPES else floor.now_ns
    session = floor.hours.current(order.contract, at, regular=regular)
    if session is None or order.order_type not in CLOSING_TYPES:
        return session
    return session if session.close_ns == floor.now_ns else None


def _matches(floor: Floor, order: LiveOrder, touch: Touch, session: Session) -> tuple[Match, ...]:
    wish = _wish(floor, order, touch, session)
    seen = as_buyer(touch, order.request.action)
    name = f"{order.contract.con_id}/{order.contract.legs}/{order.request.action}"
    taken = _still_taken(floor, name, seen)
    since = max(order.looked_ns, order.changed_at_ns, session.open_ns)
    found = match(
        wish=wish,
        touch=seen,
        taken=taken,
        elapsed_s=(floor.now_ns - since) / NS_PER_SECOND,
        luck=_luck(floor, order),
    )
    if floor.faults.cancel_next_after_partial_fill and found and order.available > 1:
        return _only_part(floor, order, found)
    removed = sum(one.quantity for one in found if one.liquidity == REMOVED_LIQUIDITY)
    if removed and seen.ask is not None:
        floor.state.taken[name] = Taken(
            price=seen.ask, size=float(taken + removed), at_ns=floor.now_ns
        )
    sign = limits.sign_of(order)
    return tuple(
        Match(quantity=one.quantity, price=sign * one.price, liquidity=one.liquidity)
        for one in found
    )


def _wish(floor: Floor, order: LiveOrder, touch: Touch, session: Session) -> Wish:
    limit = limits.buyer_limit(floor, order, touch)
    whole = order.request.tif == Tif.FOK or order.request.passthrough.all_or_none == "1"
    least = order.request.min_quantity
    small = least is not None and not order.filled and order.available <= least
    return Wish(
        quantity=order.available,
        limit=limit,
        rested=order.resting and order.looked_ns >= session.open_ns and _is_plain(order),
        all_or_nothing=whole or small,
        step=ladders.increment(floor, order.contract, touch.ask or touch.bid or 1.0),
    )


def _is_plain(order: LiveOrder) -> bool:
    """Whether the order's limit stands still, so that others come to it."""
    return not order.request.algo_strategy


def _luck(floor: Floor, order: LiveOrder) -> Luck:
    seed, perm, now = floor.state.seed, order.perm_id, floor.now_ns
    return Luck(
        fill=draw(seed, Purpose.FILL, perm, now),
        size=draw(seed, Purpose.SIZE, perm, now),
        improvement=draw(seed, Purpose.IMPROVEMENT, perm, now),
    )


def _still_taken(floor: Floor, name: str, seen: Touch) -> int:
    before = floor.state.taken.get(name)
    if before is None or seen.ask is None or before.price != seen.ask:
        return 0
    elapsed_s = (floor.now_ns - before.at_ns) / NS_PER_SECOND
    return int(before.size * 0.5 ** (elapsed_s / REFILL_HALF_LIFE_S))


def _only_part(floor: Floor, order: LiveOrder, found: tuple[Match, ...]) -> tuple[Match, ...]:
    floor.faults.cancel_next_after_partial_fill = False
    order.doom_after_fill = True
    first, sign = found[0], limits.sign_of(order)
    part = min(first.quantity, max(order.available // 2, 1))
    return (Match(quantity=part, price=sign * first.price, liquidity=first.liquidity),)


def _close(floor: Floor, order: LiveOrder, touch: Touch) -> None:
    """Trade at the closing price, for a limit order only when that is no worse than its limit."""
    price = touch.last if touch.last is not None else touch.mid
    if price is None:
        return
    limit = order.request.limit_price
    sign = limits.sign_of(order)
    if (
        order.order_type is OrderType.LIMIT_ON_CLOSE
        and limit is not None
        and sign * price > sign * limit
    ):
        return
    one = Match(quantity=order.available, price=price, liquidity=REMOVED_LIQUIDITY)
    _apply(floor, order, one)


def _apply(floor: Floor, order: LiveOrder, one: Match) -> None:
    if order.leg_by_leg:
        legging.begin(floor, order, one)
        return
    fills.fill(floor, order, one)
    _conclude(floor, order, one.quantity)


def _conclude(floor: Floor, order: LiveOrder, quantity: int) -> None:
    """Do what follows from so many more units being filled."""
    if order.remaining == 0:
        life.finish(floor, order)
        if order.cancel_due_ns is not None:
            life.notice(floor, order, notices.too_late(order))
    families.after_fill(floor, order, quantity)
    if order.doom_after_fill and order.perm_id in floor.state.orders:
        families.cancel_alone(floor, order)
