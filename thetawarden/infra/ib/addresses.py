"""Where an order of ours is at the broker: found by its reference or its permanent number.

The broker's order number is an address only: good for one client id, and counted anew when a
gateway forgets. Numbers never go back within a process, whatever the gateway says after a restart.
"""

from __future__ import annotations

import asyncio

import ib_async

from thetawarden.infra.ib.answers import Failed, Failure
from thetawarden.infra.ib.guarded import GuardedIB
from thetawarden.infra.ib.pacing import Priority
from thetawarden.infra.ib.session import Session
from thetawarden.infra.ib.translate import order_of, perm_ids
from thetawarden.messages.books import OrderReported
from thetawarden.ports import DeskPort

LOOK_AGAIN_S = 0.05
NOT_FOUND = 10147
ID_GAP = 100
"""How far the numbers jump when the broker says that one is in use."""


class Addresses:
    """Knows the numbers this process has used and what the present link has told."""

    def __init__(self, session: Session, desk: DeskPort, *, timeout_s: float) -> None:
        self._session = session
        self._desk = desk
        self._timeout_s = timeout_s
        self._ib: GuardedIB | None = None
        self._references: dict[int, str] = {}
        self._highest = 0

    def link_opened(self, ib: GuardedIB) -> None:
        """Go on counting where we were, however low the gateway begins."""
        self._ib = ib
        ib.client.updateReqId(self._highest + 1)

    def link_ended(self) -> None:
        """Nothing can be reached any more."""
        self._ib = None

    def take_number(self, ib: GuardedIB, order_ref: str) -> int:
        """Return a number no order of ours has had, and remember whose it is."""
        number: int = ib.client.getReqId()
        self._references[number] = order_ref
        self._highest = max(self._highest, number)
        return number

    def has_numbered(self, order_ref: str) -> bool:
        """Whether an order of this process has been given a number, so that it may have left."""
        return order_ref in self._references.values()

    def heard(self, order: ib_async.Order) -> None:
        """Note a number in use, of whichever process of ours."""
        if self._is_ours(order):
            self._highest = max(self._highest, order.orderId)

    def skip(self) -> None:
        """Leave a gap: the broker holds a number of ours to be taken."""
        self._highest += ID_GAP
        if self._ib is not None:
            self._ib.client.updateReqId(self._highest + 1)

    def reference_of(self, number: int) -> str:
        """Return whose order has a number, empty when it is none of ours."""
        known = self._references.get(number)
        if known is not None or self._ib is None:
            return known or ""
        mine = self._ib.wrapper.trades.get((self._ib.client.clientId, number))
        return "" if mine is None else mine.order.orderRef

    def has_been_seen(self, order_ref: str) -> bool:
        """Whether the present link knows of an order or a fill of this reference."""
        ib = self._ib
        return ib is not None and (
            any(trade.order.orderRef == order_ref for trade in ib.trades())
            or any(fill.execution.orderRef == order_ref for fill in ib.fills())
        )

    async def look_for(self, order_ref: str, perm_id: int) -> ib_async.Trade | Failed:
        """Return an order of ours, asking the broker for its list when we do not know it.

        REFUSED, with the broker's own code for it, means that it is not among the open ones.
        """
        found = self._find(order_ref, perm_id)
        if found is None:
            failed = await self._list()
            if failed is not None:
                return failed
            found = self._find(order_ref, perm_id)
        words = "the broker lists no such order under our number"
        return found or Failed(why=Failure.REFUSED, code=NOT_FOUND, words=words)

    def _find(self, order_ref: str, perm_id: int) -> ib_async.Trade | None:
        ib = self._ib
        if ib is None:
            return None
        fitting = [
            trade
            for trade in ib.trades()
            if self._is_ours(trade.order)
            and ((order_ref and trade.order.orderRef == order_ref) or _has(trade, perm_id))
        ]
        working = [trade for trade in fitting if not trade.isDone()]
        return next(reversed(working or fitting), None)

    async def _list(self) -> Failed | None:
        """Have all open orders listed, and say what came: meanwhile nobody else does."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._timeout_s
        while True:
            answer = await self._session.ask(
                lambda ib: ib.reqAllOpenOrdersAsync(),
                priority=Priority.CANCEL,
                timeout_s=self._timeout_s,
            )
            if not isinstance(answer, Failed):
                self._say(answer)
                return None
            if answer.why is not Failure.ALREADY_ASKED or loop.time() >= deadline:
                return answer
            await asyncio.sleep(LOOK_AGAIN_S)

    def _say(self, trades: list[ib_async.Trade]) -> None:
        numbers = perm_ids(trades)
        for trade in trades:
            parent = numbers.get((trade.order.clientId, trade.order.parentId), 0)
            order = order_of(trade, parent_perm_id=parent)
            self._desk.say(OrderReported(epoch=self._session.epoch, order=order))

    def _is_ours(self, order: ib_async.Order) -> bool:
        """Whether the number of an order is an address for us; other clients have their own."""
        ib = self._ib
        return ib is not None and order.clientId == ib.client.clientId and order.orderId > 0


def _has(trade: ib_async.Trade, perm_id: int) -> bool:
    return bool(perm_id) and perm_id in (trade.order.permId, trade.orderStatus.permId)
