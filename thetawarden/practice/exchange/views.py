"""Shows orders as clients may see them."""

from __future__ import annotations

from thetawarden.practice.exchange.instants import stamp
from thetawarden.practice.exchange.state import LiveOrder, Wait
from thetawarden.practice.model import OrderStatus, OrderType, OrderView, Tif

STOP_TYPES = (
    OrderType.STOP,
    OrderType.STOP_LIMIT,
    OrderType.TRAIL,
    OrderType.TRAIL_LIMIT,
)
_ENDINGS = {
    OrderStatus.CANCELLED: "Cancelled by Trader",
    OrderStatus.INACTIVE: "Rejected by System",
}


def view_of(order: LiveOrder) -> OrderView:
    """Return the order as it stands."""
    gtc = order.request.tif == Tif.GTC
    return OrderView(
        perm_id=order.perm_id,
        request=order.request,
        contract=order.contract,
        status=order.status,
        filled=order.filled,
        remaining=order.remaining,
        average_price=order.average_price,
        last_fill_price=order.last_fill_price,
        why_held=_why_held(order),
        commission_usd=order.commission_usd,
        parent_perm_id=order.parent_perm_id,
        placed_at_ns=order.placed_at_ns,
        auto_cancel_date=stamp(order.expires_ns) if gtc and order.expires_ns else "",
    )


def ending_text(order: LiveOrder) -> str:
    """Return how a completed order is said to have ended."""
    if order.status is OrderStatus.FILLED:
        return f"Filled Size: {order.filled}"
    return _ENDINGS.get(order.status, "")


def is_waiting_stop(order: LiveOrder) -> bool:
    """Whether the order still waits for its stop price."""
    return order.order_type in STOP_TYPES and not order.triggered


def _why_held(order: LiveOrder) -> str:
    if order.status in _ENDINGS or order.status is OrderStatus.FILLED:
        return ""
    reasons = []
    if order.wait is Wait.PARENT:
        reasons.append("child")
    if is_waiting_stop(order):
        reasons.append("trigger")
    return ",".join(reasons)
