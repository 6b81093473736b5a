"""Everything the broker holds for us: fetched as a whole on demand, and told piece by piece.

A fetch asks for all open orders of all clients, completed orders, executions, positions and the
account's values; whatever does not come in time is named, never left out silently. Answers are read
from what the broker lists, not from what the library remembers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

import ib_async

from thetawarden.domain.broker.account import AccountValues, BrokerPosition
from thetawarden.domain.broker.orders import (
    BrokerOrder,
    Commission,
    Execution,
    latest_revisions,
)
from thetawarden.infra.ib.answers import Failed
from thetawarden.infra.ib.guarded import GuardedIB
from thetawarden.infra.ib.pacing import Priority
from thetawarden.infra.ib.session import Listener, Session
from thetawarden.infra.ib.translate import (
    commission_of,
    execution_of,
    mark_of,
    order_of,
    perm_ids,
    position_of,
    values_of,
)
from thetawarden.messages.base import Message
from thetawarden.messages.books import (
    AccountReported,
    BookFetched,
    CommissionReported,
    ExecutionReported,
    MarkObserved,
    OrderReported,
    PositionReported,
    RefreshBook,
)
from thetawarden.messages.link import FetchBook
from thetawarden.ports import Clock, DeskPort

ORDERS, COMPLETED, EXECUTIONS = "open orders", "completed orders", "executions"
POSITIONS, VALUES = "positions", "account values"
LOOKS_MAX = 3
"""A fill between two answers makes them disagree: so often is all of it asked for."""
GATHER_VALUES_S = 0.2
"""The broker tells an account's values one by one; they are said together."""
GATHER_MARKS_S = 2.0
"""It tells what each position is worth whenever that changes; the latest is enough."""


class BookHandler:
    """Fetches the book and passes on what changes in it."""

    commands: tuple[type[Message], ...] = (FetchBook,)

    def __init__(
        self, session: Session, desk: DeskPort, *, clock: Clock, account: str, timeout_s: float
    ) -> None:
        self._session = session
        self._desk = desk
        self._clock = clock
        self._configured = account
        self._timeout_s = timeout_s
        self._ib: GuardedIB | None = None
        self._fills_told = 0
        self._gathering: asyncio.TimerHandle | None = None
        self._marking: asyncio.TimerHandle | None = None
        self._marks: dict[int, MarkObserved] = {}
        self.listener = Listener(
            link_opened=self._link_opened,
            link_ended=self._link_ended,
            order=self._order,
            stray_order=self._stray_order,
            execution=self._execution,
            commission=self._commission,
            position=self._position,
        )

    @property
    def account(self) -> str:
        """The account that is ours: the configured one, else the only one there is."""
        ib = self._ib
        return self._configured if ib is None else ib.own_account(self._configured)

    async def perform(self, message: Message) -> None:
        """Fetch all of it at once, and again when a fill came in between the answers."""
        if not isinstance(message, FetchBook):
            return
        for _ in range(LOOKS_MAX):
            told = self._fills_told
            found = await self._ask_all()
            if told == self._fills_told or any(isinstance(one, Failed) for one in found.values()):
                break
        if message.epoch == self._session.epoch and self._ib is not None:
            self._desk.say(self._book(message, self._ib, found))

    async def _ask_all(self) -> dict[str, Any]:
        """Ask everything at once and return the answers by what was asked."""
        questions: Mapping[str, Callable[[GuardedIB], Awaitable[Any]]] = {
            ORDERS: lambda ib: ib.reqAllOpenOrdersAsync(),
            COMPLETED: lambda ib: ib.reqCompletedOrdersAsync(apiOnly=False),
            EXECUTIONS: lambda ib: ib.reqExecutionsAsync(),
            POSITIONS: lambda ib: ib.reqPositionsAsync(),
            VALUES: lambda ib: ib.reqAccountUpdatesAsync(self.account),
        }
        answers = await asyncio.gather(
            *(
                self._session.ask(make, priority=Priority.BOOK, timeout_s=self._timeout_s)
                for make in questions.values()
            )
        )
        return dict(zip(questions, answers, strict=True))

    def _book(self, asked: FetchBook, ib: GuardedIB, found: Mapping[str, Any]) -> BookFetched:
        missing = tuple(name for name, answer in found.items() if isinstance(answer, Failed))
        came = {name: () if name in missing else answer for name, answer in found.items()}
        numbers = perm_ids(ib.trades())
        orders = {id(trade): trade for trade in came[ORDERS]}  # listed twice is told once
        costs = (
            commission_of(fill.commissionReport) for fill in ib.fills()
        )  # an answer lacks them
        return BookFetched(
            epoch=asked.epoch,
            round=asked.round,
            missing=missing,
            orders=tuple(_broker_order(trade, numbers) for trade in orders.values()),
            completed=tuple(_broker_order(trade, numbers) for trade in came[COMPLETED]),
            executions=self._executions(came[EXECUTIONS]),
            commissions=tuple(one for one in costs if one is not None),
            positions=self._positions(came[POSITIONS]),
            values=None if VALUES in missing else self._values(ib),
        )

    def _executions(self, fills: Iterable[ib_async.Fill]) -> tuple[Execution, ...]:
        told = (execution_of(fill.contract, fill.execution) for fill in fills)
        return latest_revisions(one for one in told if one.account in ("", self.account))

    def _positions(self, listed: Iterable[ib_async.Position]) -> tuple[BrokerPosition, ...]:
        told = (position_of(one) for one in listed)
        latest = {one.instrument.conid: one for one in told if one.account == self.account}
        return tuple(one for one in latest.values() if one.quantity)

    def _values(self, ib: GuardedIB) -> AccountValues:
        return values_of(ib.accountValues(), account=self.account, at_ns=self._clock.now_ns())

    def _link_opened(self, ib: GuardedIB, epoch: int) -> None:
        """Listen to the new client."""
        del epoch
        self._ib = ib
        ib.accountValueEvent += self._value
        ib.updatePortfolioEvent += self._portfolio

    def _link_ended(self, epoch: int) -> None:
        """Its client is gone."""
        del epoch
        self._ib = None
        for waiting in (self._gathering, self._marking):
            if waiting is not None:
                waiting.cancel()
        self._gathering = self._marking = None
        self._marks.clear()

    def _order(self, trade: ib_async.Trade) -> None:
        """Say what the broker said; while it lists all orders, the list will."""
        if self._ib is None or self._ib.is_waiting("openOrders"):
            return
        order = _broker_order(trade, perm_ids(self._ib.trades()))
        self._desk.say(OrderReported(epoch=self._session.epoch, order=order))

    def _stray_order(self, perm_id: int, status: str) -> None:
        """Somebody trades by hand, or an order of ours is missing here: look at the whole."""
        words = f"the broker calls an order nobody here knows ({perm_id}) {status}"
        self._desk.say(RefreshBook(reason=words))

    def _execution(self, contract: ib_async.Contract, execution: ib_async.Execution) -> None:
        """Say that a fill, a repetition or a correction was told."""
        self._fills_told += 1
        told = execution_of(contract, execution)
        self._desk.say(ExecutionReported(epoch=self._session.epoch, execution=told))

    def _commission(self, report: ib_async.CommissionReport) -> None:
        """Say what a fill cost; those asked for come with the book."""
        told: Commission | None = commission_of(report)
        if told is not None:
            self._desk.say(CommissionReported(epoch=self._session.epoch, commission=told))

    def _position(self, position: ib_async.Position) -> None:
        if self._ib is None or self._ib.is_waiting("positions"):
            return
        told = position_of(position)
        if told.account == self.account:
            self._desk.say(PositionReported(epoch=self._session.epoch, position=told))

    def _value(self, _value: ib_async.AccountValue) -> None:
        if self._gathering is None and self._ib is not None:
            loop = asyncio.get_running_loop()
            self._gathering = loop.call_later(GATHER_VALUES_S, self._say_values)

    def _portfolio(self, item: ib_async.PortfolioItem) -> None:
        """Note what a position is worth; of one that is closed nobody needs to know."""
        mark = mark_of(item)
        if mark is None or item.account != self.account:
            return
        conid, now = item.contract.conId, self._clock.now_ns()
        epoch = self._session.epoch
        self._marks[conid] = MarkObserved(epoch=epoch, conid=conid, mark_usd=mark, at_ns=now)
        if self._marking is None:
            loop = asyncio.get_running_loop()
            self._marking = loop.call_later(GATHER_MARKS_S, self._say_marks)

    def _say_marks(self) -> None:
        self._marking = None
        marks, self._marks = self._marks, {}
        for mark in marks.values():
            self._desk.say(mark)

    def _say_values(self) -> None:
        self._gathering = None
        ib = self._ib
        if ib is not None and not ib.is_waiting("accountValues"):
            values = self._values(ib)
            self._desk.say(AccountReported(epoch=self._session.epoch, values=values))


def _broker_order(trade: ib_async.Trade, numbers: Mapping[tuple[int, int], int]) -> BrokerOrder:
    parent = numbers.get((trade.order.clientId, trade.order.parentId), 0)
    return order_of(trade, parent_perm_id=parent)
