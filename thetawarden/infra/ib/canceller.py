"""Takes back orders that may add risk, for somebody outside the desk; it can place none.

A single order can be cancelled only by the client number that sent it, and while a desk holds that
number nobody else can have it: the gateway refuses the second one. So there are two ways. By a
number of its own it may look at every order, and cancel all of them at once, which is right only
where nothing but entries works. By the desk's own number, once the desk is gone, it cancels entries
one by one and leaves every exit alone.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import msgspec
from ib_async import (
    IB,
    CommissionReport,
    Contract,
    Execution,
    OrderStatus,
    Position,
    Trade,
)

from thetawarden.domain.guard import is_entry
from thetawarden.infra.ib.guarded import GuardedIB

CONNECT_S = 5.0
ANSWER_S = 5.0
LOOK_EVERY_S = 0.5
MAY_LEAVE = frozenset({71, 16, 4, 58})
"""Start, ask for all open orders, cancel one, cancel all: nothing else has a way out."""


class CannotPlaceError(RuntimeError):
    """Somebody asked the canceller for more than it may do. Our bug; nothing was sent."""


class Deaf:
    """Hears nothing: what a canceller goes by, it asks for."""

    def heard_bytes(self) -> None:
        """Something arrived."""

    def heard_garbage(self, words: str) -> None:
        """What arrived is no message stream."""

    def heard_nonsense(self, words: str) -> None:
        """One message could not be decoded."""

    def heard_error(self, req_id: int, code: int, words: str) -> None:
        """No code ends an order: only what is listed counts."""

    def heard_order(self, trade: Trade) -> None:
        """It is listed anew all the time."""

    def heard_stray_order(self, perm_id: int, status: str) -> None:
        """It is listed as well."""

    def heard_execution(self, contract: Contract, execution: Execution) -> None:
        """A fill is no matter here."""

    def heard_commission(self, report: CommissionReport) -> None:
        """Nor is its cost."""

    def heard_position(self, position: Position) -> None:
        """Nor is what is held."""

    def sent_message(self) -> None:
        """A message left."""


class CancelOnly(GuardedIB):
    """A client of which nothing leaves but a greeting, questions about orders, and cancels."""

    def __init__(self) -> None:
        super().__init__(Deaf(), monotonic_ns=time.monotonic_ns)
        send: Callable[..., None] = self.client.send

        def guarded(*fields: Any, **options: Any) -> None:
            if fields[0] not in MAY_LEAVE:
                raise CannotPlaceError(f"message {fields[0]} is none that a canceller sends")
            send(*fields, **options)

        self.client.send = guarded  # type: ignore[method-assign]


class Open(msgspec.Struct, frozen=True, kw_only=True):
    """One order that works, of whichever client."""

    perm_id: int
    order_id: int
    client_id: int
    order_ref: str


class Gateway(msgspec.Struct, frozen=True, kw_only=True):
    """Where the gateway is, and the numbers of the desk and of its guardian."""

    host: str
    port: int
    desk_client_id: int
    own_client_id: int


class Looked(msgspec.Struct, frozen=True, kw_only=True):
    """What works: the desk's orders that may add risk, and all others."""

    entries: tuple[Open, ...]
    others: tuple[Open, ...]


async def look_and_cancel_all(gateway: Gateway) -> Looked:
    """Look by our own number; when only entries work, cancel them, and look again.

    What is returned is how it stands afterwards. Raises OSError when the gateway cannot be asked.
    """
    ib = await _connect(gateway, gateway.own_client_id)
    try:
        looked = _sorted(await _open_orders(ib), gateway)
        if not looked.entries or looked.others:
            return looked
        ib.client.reqGlobalCancel()
        return await _watch_them_go(ib, gateway)
    finally:
        ib.disconnect()


async def cancel_entries(gateway: Gateway) -> Looked:
    """By the desk's own number, which must be free: cancel its entries one by one."""
    ib = await _connect(gateway, gateway.desk_client_id)
    try:
        looked = _sorted(await _open_orders(ib), gateway)
        for order in looked.entries:
            ib.client.cancelOrder(order.order_id, "")
        return await _watch_them_go(ib, gateway) if looked.entries else looked
    finally:
        ib.disconnect()


async def _connect(gateway: Gateway, client_id: int) -> CancelOnly:
    ib = CancelOnly()
    ib.wrapper.clientId = client_id
    try:
        await asyncio.wait_for(
            ib.client.connectAsync(gateway.host, gateway.port, client_id, timeout=CONNECT_S),
            2 * CONNECT_S,
        )
    except (TimeoutError, OSError, RuntimeError) as error:
        ib.disconnect()
        raise ConnectionError(f"client {client_id}: {str(error) or type(error).__name__}") from None
    return ib


async def _open_orders(ib: IB) -> tuple[Open, ...]:
    """Every order that works, as told now; the library's memory of earlier ones is emptied."""
    ib.wrapper.trades.clear()
    ib.wrapper.permId2Trade.clear()
    try:
        await asyncio.wait_for(ib.reqAllOpenOrdersAsync(), ANSWER_S)
    except TimeoutError:
        raise ConnectionError("the gateway does not tell its orders") from None
    trades = list(ib.wrapper.trades.values())
    return tuple(
        Open(
            perm_id=trade.order.permId,
            order_id=trade.order.orderId,
            client_id=trade.order.clientId,
            order_ref=trade.order.orderRef,
        )
        for trade in trades
        if trade.orderStatus.status not in OrderStatus.DoneStates
    )


async def _watch_them_go(ib: IB, gateway: Gateway) -> Looked:
    """How it stands once every entry is gone, or when the gateway has had time enough."""
    until = time.monotonic() + ANSWER_S
    while True:
        looked = _sorted(await _open_orders(ib), gateway)
        if not looked.entries or time.monotonic() > until:
            return looked
        await asyncio.sleep(LOOK_EVERY_S)


def _sorted(orders: tuple[Open, ...], gateway: Gateway) -> Looked:
    def ours(order: Open) -> bool:
        return order.client_id == gateway.desk_client_id and is_entry(order.order_ref)

    return Looked(
        entries=tuple(order for order in orders if ours(order)),
        others=tuple(order for order in orders if not ours(order)),
    )
