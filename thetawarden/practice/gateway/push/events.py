"""Tells the right clients about orders, fills, positions and accounts.

An order's own client is told; the master client is told everything; manual orders belong to client
0. Clients that are not connected learn it from listings after they come back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, assert_never

from thetawarden.practice.model import (
    AccountChanged,
    Commissioned,
    Executed,
    OrderChanged,
    OrderNoticed,
    OrderStatus,
    PositionChanged,
)
from thetawarden.practice.wire.encode import account as encode_account
from thetawarden.practice.wire.encode import executions, orders

if TYPE_CHECKING:
    from thetawarden.practice.gateway.core import Gateway
    from thetawarden.practice.gateway.session import Session
    from thetawarden.practice.model import ExchangeEvent, OrderKey, OrderView, Position

OrderEvent: TypeAlias = OrderChanged | OrderNoticed | Executed | Commissioned


def tell(gateway: Gateway, event: ExchangeEvent) -> None:
    """Send an event to everybody it concerns."""
    match event:
        case PositionChanged(position=position):
            _tell_position(gateway, position)
        case AccountChanged(account=account):
            gateway.feeds.account_changed(account)
        case OrderChanged(view=view):
            _tell_concerned(gateway, view.request.key, event)
        case Executed(execution=fill):
            _tell_concerned(gateway, fill.key, event)
        case OrderNoticed(key=key) | Commissioned(key=key):
            _tell_concerned(gateway, key, event)
        case _:
            assert_never(event)


def _tell_concerned(gateway: Gateway, key: OrderKey, event: OrderEvent) -> None:
    for session in _concerned(gateway, key):
        match event:
            case OrderChanged(view=view):
                tell_order(session, view)
            case OrderNoticed(notice=said):
                session.error(key.order_id, said.code, said.text, reject_json=said.reject_json)
            case Executed(execution=fill):
                session.send(executions.execution(executions.LIVE, fill, version=session.version))
            case Commissioned(report=report):
                session.send(executions.commission(report))
            case _:
                assert_never(event)


def tell_order(session: Session, view: OrderView) -> None:
    """Send the pair openOrder and orderStatus, or of a cancelled order only the status."""
    for _ in range(session.gateway.settings.pair_repeats):
        if view.status is not OrderStatus.CANCELLED:
            session.send(orders.open_order(view, version=session.version))
        session.send(orders.order_status(view))
        if view.status is OrderStatus.CANCELLED:
            return


def _concerned(gateway: Gateway, key: OrderKey) -> list[Session]:
    clients = dict.fromkeys((key.client_id, gateway.settings.master_client_id))
    return [
        gateway.sessions[client]
        for client in clients
        if client is not None and client in gateway.sessions
    ]


def _tell_position(gateway: Gateway, position: Position) -> None:
    for session in gateway.sessions.values():
        subscriptions = session.subscriptions
        if subscriptions.positions:
            session.send(encode_account.position(position))
        for req_id, account in subscriptions.positions_multi.items():
            if account in ("", position.account):
                session.send(encode_account.position_multi(req_id, position))
    gateway.feeds.account_changed(position.account)
