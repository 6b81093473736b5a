"""Orders that are refused, raced, broken or left half done (O01 to O03, O11 to O18)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from thetawarden.errors import RefusedError
from thetawarden.practice.faults.registry import fault
from thetawarden.practice.faults.stage import added
from thetawarden.practice.model import OrderKey
from thetawarden.practice.wire.encode import session as encode
from thetawarden.practice.wire.encode.orders import open_order
from thetawarden.practice.wire.incoming import Incoming

if TYPE_CHECKING:
    from typing import Any

    from thetawarden.practice.faults.registry import Undo
    from thetawarden.practice.faults.stage import Stage
    from thetawarden.practice.gateway.session import Session
    from thetawarden.practice.model import OrderView

WARNINGS = {
    105: "Order being modified does not match original order",
    399: "Order Message:\nWarning: your order will not be placed at the exchange until later",
    404: "Order held while securities are located.",
    2109: (
        "Order Event Warning:Attribute 'Outside Regular Trading Hours' is ignored based on the "
        "order type and destination. PlaceOrder is now being processed."
    ),
    10349: "Order TIF was set to DAY based on order preset.",
}
CANCEL_REFUSALS = {
    161: "Cancel attempted when order is not in a cancellable state.  Order permId = 0",
    10147: "OrderId {order_id} that needs to be cancelled is not found.",
    10148: "OrderId {order_id} that needs to be cancelled cannot be cancelled, state: Filled.",
}


@fault("O01", "reject", "the next order is acknowledged and then rejected: Inactive and 201")
def reject(stage: Stage, *, text: str = "Rejected by the practice gateway") -> Undo:
    """Reject one order."""
    levers = stage.exchange_levers()
    return stage.on_next_order(lambda view: _ignore(levers.reject(perm_id=view.perm_id, text=text)))


@fault("O02", "partial-then-cancel", "half of the next order fills, the rest is cancelled")
def partial_then_cancel(stage: Stage, *, text: str = "") -> Undo:
    """Leave one order half done."""
    levers = stage.exchange_levers()

    def act(view: OrderView) -> None:
        half = max(1, view.request.quantity // 2)
        levers.fill(perm_id=view.perm_id, quantity=half, price=_price(view))
        levers.break_order(perm_id=view.perm_id, text=text)

    return stage.on_next_order(act)


@fault("O03", "fill-after-cancel", "an order fills while its cancellation is on the way")
def fill_after_cancel(stage: Stage) -> Undo:
    """Let the fill win the next race against a cancellation."""
    return _fill_before(stage, Incoming.CANCEL_ORDER)


@fault("O15", "modify-race", "an order fills while its modification is on the way: 104")
def modify_race(stage: Stage) -> Undo:
    """Let the fill win the next race against a modification."""
    return _fill_before(stage, Incoming.PLACE_ORDER)


def _fill_before(stage: Stage, kind: Incoming) -> Undo:
    levers = stage.exchange_levers()
    done = False

    def race(session: Session, incoming: Incoming, request: Any) -> bool:
        nonlocal done
        if done or incoming is not kind:
            return False
        key = OrderKey(client_id=session.client_id, order_id=request.order_id)
        for view in stage.gateway.exchange.open_orders():
            if view.request.key == key:
                done = True
                levers.fill(perm_id=view.perm_id, quantity=view.remaining, price=_price(view))
        return False

    return added(stage.seams.requests, race)


@fault("O11", "what-if", "what-if answers hang, are unset, or are refused with 201")
def what_if(stage: Stage, *, kind: str = "hang") -> Undo:
    """Answer what-if orders badly: hang, unset or refused."""

    def answer(session: Session, incoming: Incoming, request: Any) -> bool:
        if incoming is not Incoming.PLACE_ORDER or not request.what_if:
            return False
        if kind == "refused":
            session.error(request.order_id, 201, "Order rejected - reason:margin")
        elif kind == "unset":
            _answer_unset(stage, session, request)
        return True

    return added(stage.seams.requests, answer)


def _answer_unset(stage: Stage, session: Session, request: Any) -> None:
    result = stage.gateway.exchange.what_if(request.ticket)
    if result.view is not None:
        bare = msgspec.structs.replace(
            result,
            initial_change_usd=None,
            maintenance_change_usd=None,
            equity_change_usd=None,
            initial_after_usd=None,
            maintenance_after_usd=None,
            equity_after_usd=None,
            commission_usd=None,
            warning_text="Margins could not be computed",
        )
        session.send(open_order(result.view, version=session.version, what_if=bare))


@fault("T04", "slow-exchange", "acknowledgements and fills take seconds of market time")
def slow_exchange(stage: Stage, *, seconds: float = 5.0) -> Undo:
    """Hold every answer of the exchange back."""
    levers = stage.exchange_levers()
    levers.hold(seconds=seconds)
    return lambda: levers.hold(seconds=0.0)


@fault("O12", "margin", "every margin requirement is multiplied")
def margin(stage: Stage, *, factor: float = 2.0) -> Undo:
    """Raise margins until ended."""
    if factor <= 0:
        raise RefusedError(f"factor is {factor}, more than 0 allowed")
    levers = stage.exchange_levers()
    levers.scale_margin(factor=factor)
    return lambda: levers.scale_margin(factor=1.0)


@fault("O13", "warning", "a warning code on the newest order: 399, 2109, 10349, 404, 105")
def warning(stage: Stage, *, code: int = 399, filled: bool = False) -> None:
    """Warn about a working order, or late about a finished one."""
    if code not in WARNINGS:
        raise RefusedError(f"code is {code}, one of {', '.join(map(str, WARNINGS))} allowed")
    exchange = stage.gateway.exchange
    views = exchange.completed_orders() if filled else exchange.open_orders()
    if not views:
        raise RefusedError("no such order; place one first")
    view = max(views, key=lambda one: one.perm_id)
    session = stage.gateway.sessions.get(view.request.key.client_id)
    if session is not None:
        session.error(view.request.key.order_id, code, WARNINGS[code])


@fault("O14", "cancel-fails", "cancellations are answered 10147, 10148 or 161")
def cancel_fails(stage: Stage, *, code: int = 10147) -> Undo:
    """Refuse every cancellation until ended."""
    if code not in CANCEL_REFUSALS:
        raise RefusedError(f"code is {code}, one of {', '.join(map(str, CANCEL_REFUSALS))} allowed")

    def refuse(session: Session, incoming: Incoming, request: Any) -> bool:
        if incoming is not Incoming.CANCEL_ORDER:
            return False
        text = CANCEL_REFUSALS[code].format(order_id=request.order_id)
        session.error(request.order_id, code, text)
        return True

    return added(stage.seams.requests, refuse)


@fault("O16", "duplicate-id", "the next order is refused with 103")
def duplicate_id(stage: Stage) -> Undo:
    """Claim that an order id is in use."""
    done = False

    def refuse(session: Session, incoming: Incoming, request: Any) -> bool:
        nonlocal done
        if done or incoming is not Incoming.PLACE_ORDER:
            return False
        done = True
        session.error(request.order_id, 103, "Duplicate order id")
        return True

    return added(stage.seams.requests, refuse)


@fault("O16", "low-id", "nextValidId goes back to an id that is in use")
def low_id(stage: Stage, *, order_id: int = 1) -> None:
    """Tell every client a low order id."""
    for session in stage.sessions():
        session.send(encode.next_valid_id(order_id))


@fault("O17", "child-cancelled", "the broker cancels a child of a bracket")
def child_cancelled(stage: Stage, *, perm_id: int = 0, text: str = "Cancelled by broker") -> None:
    """Break the newest child, or the one named."""
    children = [
        view
        for view in stage.gateway.exchange.open_orders()
        if view.request.parent_id and perm_id in (0, view.perm_id)
    ]
    if not children:
        raise RefusedError("no working child of a bracket; place one first")
    newest = max(children, key=lambda one: one.perm_id)
    stage.exchange_levers().break_order(perm_id=newest.perm_id, text=text)


@fault("H02", "manual-cancel", "somebody cancels a working order by hand")
def manual_cancel(stage: Stage, *, perm_id: int = 0) -> None:
    """Cancel the newest order, or the one named."""
    view = stage.order(perm_id)
    stage.exchange_levers().break_order(perm_id=view.perm_id, text="")


@fault("O18", "legged", "one leg of a working combination fills and the others do not")
def legged(stage: Stage, *, perm_id: int = 0, price: float = 1.0) -> None:
    """Leave a combination half on."""
    view = stage.order(perm_id)
    if not view.contract.legs:
        raise RefusedError(f"order {view.perm_id} is no combination")
    leg = view.contract.legs[0]
    stage.exchange_levers().fill_leg(
        perm_id=view.perm_id,
        con_id=leg.con_id,
        quantity=view.remaining * leg.ratio,
        price=price,
    )


def _price(view: OrderView) -> float:
    price = view.request.limit_price
    return 1.0 if price is None else price


def _ignore(_done: bool) -> None:  # noqa: FBT001 - a lever's answer, when nobody can act on it
    """The order ended meanwhile; there is nothing left to do to it."""
