"""Asks the broker what an order would do to margin; nothing of it ever reaches a market.

A what-if has a number of its own and no reference of ours, so that it can be taken for no order. It
waits behind real orders, one at a time. Whatever is not a plain answer in time is none: unset or
infinite numbers, a refusal, also one that follows the numbers, and silence.
"""

from __future__ import annotations

import asyncio

from thetawarden.domain.instants import NS_PER_SECOND, new_york_date
from thetawarden.domain.orders.intent import Intent, Lifetime, OrderRole, OrderStyle
from thetawarden.domain.orders.wording import defect
from thetawarden.domain.risk.candidate import WhatIf
from thetawarden.infra.ib.answers import Failed
from thetawarden.infra.ib.guarded import GuardedIB
from thetawarden.infra.ib.pacing import Priority
from thetawarden.infra.ib.session import Listener, Session
from thetawarden.infra.ib.translate_orders import contract_for, order_for, what_if_of
from thetawarden.messages.base import Message
from thetawarden.messages.orders import MarginPreviewed, PreviewMargin
from thetawarden.ports import Clock, DeskPort

APART_NS = NS_PER_SECOND // 5
"""Machine time from one what-if to the next: each makes the broker compute a whole account."""
AFTERWARDS_S = 0.05
"""How long a refusal may follow the numbers."""


class PreviewHandler:
    """Answers every preview once, within its time."""

    commands: tuple[type[Message], ...] = (PreviewMargin,)

    def __init__(
        self, session: Session, desk: DeskPort, *, clock: Clock, account: str, timeout_s: float
    ) -> None:
        self._session = session
        self._desk = desk
        self._clock = clock
        self._account = account
        self._timeout_s = timeout_s
        self._one_at_a_time = asyncio.Lock()
        self._asked_ns = -APART_NS
        self._refused: dict[int, str] = {}
        self.listener = Listener(error=self._error)

    async def perform(self, message: Message) -> None:
        """Ask, and say what came of it."""
        if not isinstance(message, PreviewMargin):
            return
        try:
            found = await asyncio.wait_for(self._preview(message), self._timeout_s)
        except TimeoutError:
            found = f"no answer within {self._timeout_s:g} s"
        except Exception as error:  # noqa: BLE001  # whoever asked waits for an answer
            found = f"{type(error).__name__}: {error}"
        answer, words = (found, "") if isinstance(found, WhatIf) else (None, found)
        self._desk.say(
            MarginPreviewed(
                epoch=message.epoch,
                asked_by=message.asked_by,
                key=message.key,
                answer=answer,
                words=words,
            )
        )

    async def _preview(self, asked: PreviewMargin) -> WhatIf | str:
        intent = _intent_of(asked)
        wrong = defect(intent, today=new_york_date(self._clock.now_ns()))
        if wrong:
            return f"no order can be made of it: {wrong}"
        async with self._one_at_a_time:
            early_ns = self._asked_ns + APART_NS - self._clock.monotonic_ns()
            await asyncio.sleep(max(early_ns, 0) / NS_PER_SECOND)
            if not self._session.is_open or asked.epoch != self._session.epoch:
                return f"the link of epoch {asked.epoch} is gone"
            self._asked_ns = self._clock.monotonic_ns()
            return await self._ask(intent)

    async def _ask(self, intent: Intent) -> WhatIf | str:
        number = 0

        def ask(ib: GuardedIB) -> asyncio.Future[object]:
            nonlocal number
            order = order_for(intent, account=ib.own_account(self._account))
            order.orderRef, order.whatIf = "", True
            number = ib.client.getReqId()
            self._refused[number] = ""
            contract = contract_for(intent.legs)
            answer: asyncio.Future[object] = ib.wrapper.startReq(number, contract)
            ib.client.placeOrder(number, contract, order)
            return answer

        try:
            state = await self._session.ask(ask, priority=Priority.BOOK, timeout_s=self._timeout_s)
            if isinstance(state, Failed):
                return state.words or str(state.why)
            await asyncio.sleep(AFTERWARDS_S)
            refused = self._refused[number]
        finally:
            self._refused.pop(number, None)
        if refused:
            return refused
        found = what_if_of(state, units=intent.units, at_ns=self._clock.now_ns())
        return found or "the broker named no margin"

    def _error(self, number: int, code: int, words: str) -> None:
        if number in self._refused:
            self._refused[number] = f"{code}: {words}"


def _intent_of(asked: PreviewMargin) -> Intent:
    return Intent(
        order_ref="what-if",
        trade="",
        strategy="",
        role=OrderRole.ENTRY,
        legs=asked.legs,
        units=asked.units,
        style=OrderStyle.LIMIT,
        lifetime=Lifetime.DAY,
        limit_usd=asked.limit_usd,
    )
