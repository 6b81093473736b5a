"""Orders: placing, asking what if, cancelling, listing. The exchange decides; this translates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from thetawarden.practice.gateway import codes
from thetawarden.practice.gateway.codes import Code
from thetawarden.practice.gateway.push.events import tell_order
from thetawarden.practice.model import Action, ExecutionFilter, ExerciseRequest, OrderKey
from thetawarden.practice.wire import times
from thetawarden.practice.wire.encode import completed, executions, orders
from thetawarden.practice.wire.incoming import Incoming

if TYPE_CHECKING:
    from typing import Any

    from thetawarden.practice.gateway.handler import Handler
    from thetawarden.practice.gateway.session import Session
    from thetawarden.practice.wire.requests.order import PlaceOrder
    from thetawarden.practice.wire.requests.simple import CancelOrder, Executions, Switch
    from thetawarden.practice.wire.requests.special import Exercise

_ACTIONS = frozenset({"BUY", "SELL", "SSHORT"})
_QUANTITY_MAX = 2147483647
_SIDES = {"BUY": Action.BUY, "BOT": Action.BUY, "SELL": Action.SELL, "SLD": Action.SELL}


def _place(session: Session, request: PlaceOrder) -> None:
    gateway = session.gateway
    gateway.order_ids.note(session.client_id, request.order_id)
    refusal = _refusal(session, request)
    if refusal is not None:
        session.error(request.order_id, *refusal)
    elif request.what_if:
        _what_if(session, request)
    else:
        gateway.exchange.place(request.ticket)


def _refusal(session: Session, request: PlaceOrder) -> tuple[Code, str] | None:
    """What the gateway itself refuses, before the exchange sees the order."""
    if request.quantity != int(request.quantity):
        return Code.FRACTION, codes.FRACTION_TEXT
    if request.what_if and session.gateway.exchange.knows_order(request.ticket.key):
        return Code.DUPLICATE_ORDER_ID, "Duplicate order id"
    cause = None
    if session.gateway.settings.read_only:
        cause = codes.READ_ONLY_TEXT
    elif request.action not in _ACTIONS:
        cause = f"Invalid order action: {request.action[:20]}"
    elif not 0 <= request.quantity < _QUANTITY_MAX:
        cause = "Order size must be positive"
    elif request.what_if and not request.ticket.transmit:
        cause = codes.WHAT_IF_TRANSMIT_TEXT
    return None if cause is None else (Code.VALIDATING, codes.validating(cause))


def _what_if(session: Session, request: PlaceOrder) -> None:
    result = session.gateway.exchange.what_if(request.ticket)
    if result.view is not None:
        session.send(orders.open_order(result.view, version=session.version, what_if=result))
    if result.refusal is not None:
        refusal = result.refusal
        session.error(request.order_id, refusal.code, refusal.text, reject_json=refusal.reject_json)


def _cancel(session: Session, request: CancelOrder) -> None:
    if _is_read_only(session, request.order_id):
        return
    key = OrderKey(client_id=session.client_id, order_id=request.order_id)
    session.gateway.exchange.cancel(key)


def _global_cancel(session: Session, _: Any) -> None:
    if not _is_read_only(session, -1):
        session.gateway.exchange.cancel_all()


def _exercise(session: Session, request: Exercise) -> None:
    session.gateway.order_ids.note(session.client_id, request.order_id)
    if _is_read_only(session, request.order_id):
        return
    if request.action not in (1, 2) or request.quantity < 1:
        session.error(
            request.order_id, Code.VALIDATING, codes.validating("Invalid exercise request")
        )
        return
    session.gateway.exchange.exercise(
        ExerciseRequest(
            key=OrderKey(client_id=session.client_id, order_id=request.order_id),
            contract=request.contract,
            exercise=request.action == 1,
            quantity=request.quantity,
            account=request.account,
            override=request.override,
        )
    )


def _is_read_only(session: Session, order_id: int) -> bool:
    if session.gateway.settings.read_only:
        session.error(order_id, Code.VALIDATING, codes.validating(codes.READ_ONLY_TEXT))
    return session.gateway.settings.read_only


def _open_orders(session: Session, _: Any) -> None:
    if _is_read_only(session, -1):
        return
    for view in session.gateway.exchange.open_orders():
        if view.request.key.client_id == session.client_id:
            tell_order(session, view)
    session.send(orders.open_order_end())


def _all_open_orders(session: Session, _: Any) -> None:
    for view in session.gateway.exchange.open_orders():
        tell_order(session, view)
    session.send(orders.open_order_end())


def _auto_open_orders(session: Session, request: Switch) -> None:
    if session.client_id != 0:
        session.notice(Code.NOT_CLIENT_ZERO, codes.NOT_CLIENT_ZERO_TEXT)
        return
    _open_orders(session, request)


def _completed_orders(session: Session, request: Switch) -> None:
    if _is_read_only(session, -1):
        return
    for view in session.gateway.exchange.completed_orders():
        is_manual = view.request.key.order_id == 0
        if not (request.on and is_manual):
            session.send(completed.completed_order(view, version=session.version))
    session.send(completed.completed_orders_end())


def _executions(session: Session, request: Executions) -> None:
    since = times.parse_stamp(request.time) if request.time.strip() else None
    wanted = ExecutionFilter(
        client_id=request.client_id,
        account=request.account,
        since_ns=None if since is None else since[0],
        symbol=request.symbol,
        sec_type=request.sec_type,
        exchange=request.exchange,
        side=_SIDES.get(request.side.upper()),
    )
    found = session.gateway.exchange.executions(wanted)
    for fill, _ in found:
        session.send(executions.execution(request.req_id, fill, version=session.version))
    for _, report in found:
        if report is not None:
            session.send(executions.commission(report))
    session.send(executions.execution_end(request.req_id))


HANDLERS: dict[Incoming, Handler] = {
    Incoming.PLACE_ORDER: _place,
    Incoming.CANCEL_ORDER: _cancel,
    Incoming.GLOBAL_CANCEL: _global_cancel,
    Incoming.EXERCISE_OPTIONS: _exercise,
    Incoming.REQ_OPEN_ORDERS: _open_orders,
    Incoming.REQ_ALL_OPEN_ORDERS: _all_open_orders,
    Incoming.REQ_AUTO_OPEN_ORDERS: _auto_open_orders,
    Incoming.REQ_COMPLETED_ORDERS: _completed_orders,
    Incoming.REQ_EXECUTIONS: _executions,
}
