"""Decides at which price an order may trade now: its type, its stop, its algorithm, its conditions.

Stops of shares look at the last price, all others at the quote: a buy stop at the bid, a sell stop
at the ask, which is the careful side. A trailing stop follows that price and never steps back. An
Adaptive order starts at the midpoint and gives way to the far side over its patience.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from thetawarden.domain.instants import NS_PER_SECOND
from thetawarden.practice.exchange import ladders
from thetawarden.practice.exchange.touch import as_buyer
from thetawarden.practice.exchange.views import is_waiting_stop
from thetawarden.practice.model import Action, OrderType, SecType

if TYPE_CHECKING:
    from thetawarden.practice.exchange.floor import Floor
    from thetawarden.practice.exchange.state import LiveOrder
    from thetawarden.practice.exchange.touch import Touch

PATIENCE_S = {"Urgent": 5.0, "Normal": 20.0, "Patient": 60.0}
ADAPTIVE = "Adaptive"
BY_LAST, BY_MID = (2, 7), (8,)
_TRAILS = (OrderType.TRAIL, OrderType.TRAIL_LIMIT)
_AT_ANY_PRICE = (OrderType.MARKET, OrderType.STOP, OrderType.TRAIL, OrderType.MARKET_ON_CLOSE)
_SAME = 1e-9


def sign_of(order: LiveOrder) -> int:
    """Return 1 for a purchase and -1 for a sale."""
    return 1 if order.request.action is Action.BUY else -1


def buyer_limit(floor: Floor, order: LiveOrder, touch: Touch) -> float | None:
    """Return the order's limit now as a buyer sees it, None for any price."""
    limit = _own_limit(floor, order)
    if order.request.algo_strategy != ADAPTIVE:
        return limit
    patient = _adaptive(floor, order, as_buyer(touch, order.request.action))
    if patient is None:
        return limit
    return patient if limit is None else min(limit, patient)


def watch_stop(order: LiveOrder, touch: Touch) -> bool:
    """Move a trailing stop and say whether the stop price was reached just now."""
    if not is_waiting_stop(order):
        return False
    price = _watched_price(order, touch)
    if price is None:
        return False
    sign = sign_of(order)
    if order.order_type in _TRAILS:
        _trail(order, price)
    if order.stop_price is None or sign * price < sign * order.stop_price - _SAME:
        return False
    order.triggered = True
    return True


def _own_limit(floor: Floor, order: LiveOrder) -> float | None:
    if order.order_type in _AT_ANY_PRICE:
        return None
    sign = sign_of(order)
    offset = _number(order.request.passthrough.limit_price_offset)
    if order.order_type is OrderType.TRAIL_LIMIT and order.stop_price is not None and offset:
        return ladders.floor_price(floor, order.contract, sign * order.stop_price + offset)
    price = order.request.limit_price
    return None if price is None else sign * price


def _number(text: str) -> float:
    try:
        return float(text or 0.0)
    except ValueError:
        return 0.0


def _watched_price(order: LiveOrder, touch: Touch) -> float | None:
    method = order.request.trigger_method
    if method in BY_MID:
        return touch.mid
    by_last = method in BY_LAST or (method == 0 and order.contract.sec_type is SecType.STOCK)
    if by_last and touch.last is not None:
        return touch.last
    return touch.bid if order.request.action is Action.BUY else touch.ask


def _trail(order: LiveOrder, price: float) -> None:
    request, sign = order.request, sign_of(order)
    if request.trailing_percent is not None:
        distance = abs(price) * request.trailing_percent / 100.0
    else:
        distance = request.aux_price or 0.0
    candidate = price + sign * distance
    if order.stop_price is None or sign * candidate < sign * order.stop_price:
        order.stop_price = candidate


def _adaptive(floor: Floor, order: LiveOrder, touch: Touch) -> float | None:
    if touch.bid is None or touch.ask is None or touch.mid is None:
        return None
    priority = dict(order.request.algo_params).get("adaptivePriority", "Normal")
    patience_s = PATIENCE_S.get(priority, PATIENCE_S["Normal"])
    waited = (floor.now_ns - order.changed_at_ns) / NS_PER_SECOND / patience_s
    wanted = touch.mid + (touch.ask - touch.mid) * min(waited, 1.0)
    return ladders.floor_price(floor, order.contract, wanted)
