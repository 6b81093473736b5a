"""Words every code the exchange sends about orders, as the real gateway words them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from thetawarden.domain.instants import new_york_clock
from thetawarden.practice.model import Notice

if TYPE_CHECKING:
    from decimal import Decimal

    from thetawarden.practice.exchange.state import LiveOrder
    from thetawarden.practice.model import OrderRequest, OrderView

DUPLICATE_ID = Notice(code=103, text="Duplicate order id")
CANNOT_MODIFY_FILLED = Notice(code=104, text="Cannot modify a filled order.")
NOT_THE_ORIGINAL = Notice(code=105, text="Order being modified does not match original order")
INCOMPLETE = Notice(code=107, text="Cannot transmit incomplete order.")
OFF_TICK = Notice(
    code=110,
    text="The price does not conform to the minimum price variation for this contract.",
)
UNKNOWN_CONTRACT = Notice(code=200, text="No security definition has been found for the request")
NO_LEGS = Notice(code=314, text="Invalid combination: the order has no legs.")
CANNOT_CHANGE_TYPE = Notice(
    code=329, text="Order modify failed. Cannot change to the new order type"
)
UNSUPPORTED_TYPE = Notice(
    code=387, text="Unsupported order type for this exchange and security type."
)
EXPIRED = Notice(code=392, text="Invalid Order: contract expired")
ZERO_SIZE = Notice(code=434, text="The order size cannot be zero.")
NO_ACCOUNT = Notice(code=435, text="You must specify an account.")
NO_PERMISSION = Notice(code=460, text="No trading permissions.")
STILL_PROCESSED = Notice(
    code=2102, text="Unable to modify this order as its still being processed."
)
HOURS_IGNORED = Notice(
    code=2109,
    text="Order Event Warning:Attribute 'Outside Regular Trading Hours' is ignored based on the "
    "order type and destination. PlaceOrder is now being processed.",
)
MISSING_PARENT = Notice(code=10006, text="Missing parent order")
NEEDS_GUARANTEE_WORD = Notice(
    code=10043, text="Missing or invalid NonGuaranteed value. The value must be 0 or 1."
)
ONLY_CANCELLABLE = Notice(code=10086, text="Exercise instructions can only be cancelled.")
ALREADY_EXERCISED = Notice(code=10232, text="Duplicate exercise request for this contract.")


def ambiguous(symbol: str) -> Notice:
    """More than one contract fits."""
    return Notice(code=200, text=f"The contract description specified for {symbol} is ambiguous.")


def bad_tif(tif: str) -> Notice:
    """The time in force is no known word."""
    return Notice(code=10052, text=f"Invalid time in force:{tif}")


def bad_account(account: str) -> Notice:
    """The login has no such account."""
    return Notice(
        code=321,
        text=f"Error validating request.-'bX' : cause - The account code {account} is invalid.",
    )


def legs_conflict(symbol: str) -> Notice:
    """The combination's symbol is not the legs' one."""
    return Notice(
        code=478,
        text="Parameters in request conflicts with contract parameters received by contract id: "
        f"requested symbol {symbol}",
    )


def rejected(reason: str) -> Notice:
    """The order was refused."""
    return Notice(code=201, text=f"Order rejected - reason:{reason}")


def canceled(reason: str = "") -> Notice:
    """The order was cancelled; the reason is told only when it was not its owner."""
    return Notice(code=202, text=f"Order Canceled - reason:{reason}")


def margin_reason(*, equity_usd: Decimal, initial_usd: Decimal) -> str:
    """What the broker says when equity does not suffice."""
    return (
        "YOUR ORDER IS NOT ACCEPTED. IN ORDER TO OBTAIN THE DESIRED POSITION YOUR EQUITY WITH "
        f"LOAN VALUE [{equity_usd:.2f} USD] MUST EXCEED THE INITIAL MARGIN [{initial_usd:.2f} USD]"
    )


def too_late(order: LiveOrder | OrderView) -> Notice:
    """A fill came before the cancellation."""
    return Notice(
        code=161,
        text="Cancel attempted when order is not in a cancellable state.  "
        f"Order permId = {order.perm_id}",
    )


def not_found(order_id: int) -> Notice:
    """Nothing works under this number."""
    return Notice(code=10147, text=f"OrderId {order_id} that needs to be cancelled is not found.")


def not_cancellable(order_id: int, state: str) -> Notice:
    """What worked under this number has ended."""
    return Notice(
        code=10148,
        text=f"OrderId {order_id} that needs to be cancelled cannot be cancelled, state: {state}.",
    )


def placed_later(request: OrderRequest, *, symbol: str, market_name: str, opens_ns: int) -> Notice:
    """The market is closed; the order waits for its opening."""
    opens = f"{new_york_clock(opens_ns):%Y-%m-%d %H:%M:%S} US/Eastern"
    return Notice(
        code=399,
        text=f"Order Message:\n{request.action} {request.quantity} {symbol} {market_name}\n"
        "Warning: your order will not be placed at the exchange until " + opens,
    )
