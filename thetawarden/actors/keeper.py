"""The position keeper: our own book, compared with the broker's until the two are one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import assert_never

import msgspec

from thetawarden.actors import keeping
from thetawarden.actors.keeping import NEVER, KeeperSettings, KeeperState
from thetawarden.domain.books import judge as judging
from thetawarden.domain.books import working
from thetawarden.domain.books.amounts import ZERO, plain, signed
from thetawarden.domain.books.book import (
    Book,
    carried_forward,
    holding_key,
    holding_of,
    holdings,
    with_commission,
    with_execution,
)
from thetawarden.domain.books.gaps import contract_words
from thetawarden.domain.books.holding import Cause
from thetawarden.domain.books.judge import Judgement, Knowledge, Told
from thetawarden.domain.books.profit import day_starts
from thetawarden.domain.books.rows import Mark, PositionRow, held_underlyings
from thetawarden.domain.broker.account import BrokerPosition
from thetawarden.domain.broker.orders import BrokerOrder, Commission, Execution, execution_stem
from thetawarden.domain.instants import NS_PER_DAY, UnixNs, new_york_date
from thetawarden.domain.link.states import LinkState
from thetawarden.messages.books import (
    AcceptBook,
    AccountReported,
    BookFetched,
    BookJudged,
    CommissionReported,
    ExecutionReported,
    FillBooked,
    MarkObserved,
    OrderReported,
    PositionExplained,
    PositionReported,
    PositionsValued,
    RefreshBook,
)
from thetawarden.messages.chains import ChainViewed, InterestChanged
from thetawarden.messages.context import HoldingsNamed
from thetawarden.messages.lifecycle import Begin, Quiesce
from thetawarden.messages.link import LinkChanged
from thetawarden.messages.operations import NotifyPerson
from thetawarden.messages.timers import StartTimer, TimerFired
from thetawarden.messages.trading import Halt

Hears = (
    Begin
    | Quiesce
    | TimerFired
    | LinkChanged
    | BookFetched
    | OrderReported
    | ExecutionReported
    | CommissionReported
    | PositionReported
    | AccountReported
    | MarkObserved
    | ChainViewed
    | AcceptBook
)
Says = (
    BookJudged
    | FillBooked
    | InterestChanged
    | Halt
    | HoldingsNamed
    | NotifyPerson
    | PositionExplained
    | PositionsValued
    | RefreshBook
    | StartTimer
)

REGULARLY, SOON, VALUES = "refresh", "refresh_soon", "value"
CARRY_NS = 8 * NS_PER_DAY
"""How long fills stay revisable; the broker's own list reaches back a week at most."""
KEPT_MAX = 500
_ME = "keeper"
_OPEN_ORDERS, _POSITIONS = "open orders", "positions"
"""Two of the names by which a fetch calls what did not come."""


class Keeper:
    """Holds the one book everything else rests on, and says when it may not be rested on.

    Restart: safe; the book comes back from the log, and is compared again before it is believed.
    """

    def __init__(self, settings: KeeperSettings) -> None:
        self._settings = settings
        self.state = KeeperState(book=Book(client_id=settings.client_id))

    def receive(self, message: Hears, now: UnixNs) -> tuple[Says, ...]:
        """Answer one message."""
        self._turn_day(now)
        match message:
            case Begin():
                return self._begin()
            case Quiesce():
                return ()
            case TimerFired(name=name):
                return self._wake(name)
            case LinkChanged(epoch=epoch, state=link):
                self.state.epoch, self.state.link = epoch, link
                return ()
            case BookFetched():
                return self._fetched(message, now)
            case OrderReported(order=order):
                self.state.orders = working.with_order(self.state.orders, order)
                return (*self._strangers((order,)), *self._overfill((order,)))
            case ExecutionReported(execution=execution):
                return self._execution(execution, now)
            case CommissionReported(commission=commission):
                return self._commission(commission)
            case PositionReported(position=position):
                return self._position(position)
            case AccountReported(values=values):
                self.state.values = values if values.ready else self.state.values
                return ()
            case MarkObserved():
                self._mark(message)
                return ()
            case ChainViewed(view=view):
                keeping.look(self.state, view)
                return ()
            case AcceptBook(reason=reason, by=by):
                self.state.accepting = f"{reason} ({by})"
                return self._ask(f"{by} accepts the broker's book")
            case _:
                assert_never(message)

    def _begin(self) -> tuple[Says, ...]:
        """Nothing that came back from the log is believed before it was compared again."""
        self.state.soon, self.state.unexplained = "", NEVER
        number = self._settings.client_id
        self.state.book = msgspec.structs.replace(self.state.book, client_id=number)
        return (
            StartTimer(name=REGULARLY, after_ns=self._settings.refresh_ns),
            StartTimer(name=VALUES, after_ns=self._settings.value_ns),
            BookJudged(epoch=self.state.epoch, round=0, agreed=False, unexplained=NEVER),
            *self._ask("the keeper started"),
        )

    def _wake(self, name: str) -> tuple[Says, ...]:
        match name:
            case _ if name == REGULARLY:
                again = StartTimer(name=REGULARLY, after_ns=self._settings.refresh_ns)
                return (again, *self._ask("the regular comparison is due"))
            case _ if name == VALUES:
                again = StartTimer(name=VALUES, after_ns=self._settings.value_ns)
                rows = keeping.rows_of(self.state)
                named = self._named(rows)
                # a watcher that has begun since does not know what we hold
                held = keeping.interests(rows, {})
                again_said = tuple(one for one in held if one not in named)
                return (again, keeping.valued(self.state), *named, *again_said)
            case _:
                reason, self.state.soon = self.state.soon, ""
                return self._ask(reason or "something changed")

    def _ask(self, reason: str) -> tuple[Says, ...]:
        """While there is no link there is nobody to ask; a new one is asked without our doing."""
        linked = self.state.link in {LinkState.SYNCING, LinkState.READY}
        return (RefreshBook(reason=reason),) if linked else ()

    def _ask_soon(self, reason: str, after_ns: int | None = None) -> tuple[Says, ...]:
        """Ask once for all that happens within a moment."""
        if self.state.soon:
            return ()
        self.state.soon = reason
        return (StartTimer(name=SOON, after_ns=after_ns or self._settings.settle_ns),)

    def _fetched(self, fetched: BookFetched, now: UnixNs) -> tuple[Says, ...]:
        state = self.state
        if fetched.epoch < state.epoch:
            return ()
        state.epoch = fetched.epoch
        told = Told(
            missing=fetched.missing,
            executions=fetched.executions,
            commissions=fetched.commissions,
            positions=fetched.positions,
            values=fetched.values,
        )
        self._hear(fetched)
        state.heard_ns = keeping.heard(state, told.executions, now)
        before, opened, agreed = state.book, state.opened, not state.unexplained
        judgement = self._judge(told, now)
        state.book, state.doubt = judgement.book, judgement.doubt
        state.opened = opened or judgement.agreed
        state.unexplained = judgement.unexplained
        if judgement.agreed:
            state.agreed_ns, state.agreed_values = now, state.values
        self._turn_day(now)
        account = "" if told.values is None else told.values.account
        return (
            *(self._new_fills(before, told.executions) if opened else ()),
            *keeping.explained(judgement, account),
            *self._strangers(fetched.orders),
            *self._overfill(fetched.orders),
            BookJudged(
                epoch=fetched.epoch,
                round=fetched.round,
                agreed=judgement.agreed,
                unexplained=judgement.unexplained,
                accepted=judgement.accepted,
            ),
            *self._worry(judgement),
            *self._again(judgement),
            *self._named(keeping.rows_of(state)),
            *((keeping.valued(state),) if state.book != before or not agreed else ()),
        )

    def _hear(self, fetched: BookFetched) -> None:
        """Take in what the broker says, whatever comes of the comparison."""
        state = self.state
        if fetched.values is not None and fetched.values.ready:
            state.values = fetched.values
        if _OPEN_ORDERS not in fetched.missing:
            state.orders = working.listed(state.orders, fetched.orders)
        if _POSITIONS not in fetched.missing:
            told = {_key(one): one for one in fetched.positions}
            gone = {
                key: msgspec.structs.replace(one, quantity=ZERO)
                for key, one in state.broker.items()
                if key not in told
            }
            state.broker = gone | told

    def _judge(self, told: Told, now: UnixNs) -> Judgement:
        state = self.state
        knowledge = Knowledge(
            confirm_ns=self._settings.confirm_ns,
            heard_ns=state.heard_ns,
            agreed_ns=state.agreed_ns,
            agreed=state.agreed_values,
            spots_usd=state.spots_usd,
            marks_usd={conid: one.mark_usd for conid, one in state.marks.items()},
        )
        if not state.opened:
            return judging.open_on(
                told,
                client_id=self._settings.client_id,
                doubt=state.doubt,
                now=now,
                knowledge=knowledge,
            )
        book = judging.with_reports(state.book, told)
        if state.accepting and not told.missing:
            reason, state.accepting = state.accepting, ""
            return judging.accept(book, told, reason=reason, now=now)
        return judging.judge(book, told, doubt=state.doubt, now=now, knowledge=knowledge)

    def _again(self, judgement: Judgement) -> tuple[Says, ...]:
        """What was found once must be found twice; what stays unexplained may explain itself."""
        if judgement.agreed:
            return ()
        return self._ask_soon("the book does not agree", self._settings.confirm_ns)

    def _execution(self, execution: Execution, now: UnixNs) -> tuple[Says, ...]:
        """Fold a fill in; before the book is open it will come with the balance that opens it."""
        if not self.state.opened:
            return ()
        before = self.state.book
        self.state.heard_ns = keeping.heard(self.state, (execution,), now)
        self.state.book = with_execution(before, execution)
        said = self._new_fills(before, (execution,))
        if not said:
            return ()
        orders = self.state.orders.filled_by(execution.perm_id)
        return (
            *said,
            keeping.valued(self.state),
            *self._ask_soon("a fill"),
            *self._overfill(orders),
        )

    def _commission(self, commission: Commission) -> tuple[Says, ...]:
        before = self.state.book
        self.state.book = with_commission(before, commission)
        fill = execution_stem(commission.execution_id)
        if before.fills.get(fill) == self.state.book.fills.get(fill):
            return ()
        return (keeping.booked(self.state.book, fill),)

    def _position(self, position: BrokerPosition) -> tuple[Says, ...]:
        """A count that our book does not have is a reason to compare; nothing is adopted here."""
        before = self.state.broker.get(_key(position))
        self.state.broker[_key(position)] = position
        held = holding_of(self.state.book, position.account, position.instrument)
        if not self.state.opened:
            return ()
        if held.quantity == position.quantity:  # the two counts of a fill have met: that is news
            known = before is not None and before.quantity == position.quantity
            return () if known else (keeping.valued(self.state),)
        name = contract_words(position.instrument)
        words = f"{name}: told {plain(position.quantity)}, our book has {plain(held.quantity)}"
        return self._ask_soon(words)

    def _mark(self, told: MarkObserved) -> None:
        """A later word without Greeks keeps those that were computed before."""
        known = self.state.marks.get(told.conid)
        mark = Mark(mark_usd=told.mark_usd, at_ns=told.at_ns, delta_per_share=told.delta_per_share)
        if known is not None:
            delta = known.delta_per_share if told.delta_per_share is None else told.delta_per_share
            mark = msgspec.structs.replace(
                known, mark_usd=told.mark_usd, at_ns=told.at_ns, delta_per_share=delta
            )
        self.state.marks[told.conid] = mark

    def _new_fills(self, before: Book, told: tuple[Execution, ...]) -> tuple[Says, ...]:
        """Say of each fill that is new or corrected what it did; who else made it, and why."""
        book = self.state.book
        said: list[Says] = []
        for stem in keeping.revised_fills(before, book, told):
            said.append(keeping.booked(book, stem))
            foreign = keeping.foreign(before, book, stem)
            if foreign is not None:
                said.append(foreign)
            if foreign is not None and foreign.cause is Cause.LIQUIDATION:
                said.append(Halt(reason=f"the broker liquidates: {foreign.words}", by=_ME))
        return tuple(said)

    def _overfill(self, orders: Iterable[BrokerOrder]) -> tuple[Says, ...]:
        """More was filled than ordered: the position stands as the broker has it, and we stop."""
        said: list[Says] = []
        for order in orders:
            excess = working.overfilled(self.state.book, order)
            if excess and order.perm_id not in self.state.overfills:
                self.state.overfills = (*self.state.overfills, order.perm_id)[-KEPT_MAX:]
                name = contract_words(order.instrument)
                words = (
                    f"{name}: {plain(excess)} more filled than ordered ({signed(order.quantity)})"
                )
                said.append(Halt(reason=words, by=_ME))
        return tuple(said)

    def _strangers(self, orders: Iterable[BrokerOrder]) -> tuple[Says, ...]:
        """Name each order that is not ours once; none is ever touched."""
        said: list[Says] = []
        for order in orders:
            key = working.order_key(order)
            ours = working.is_ours(order, client_id=self._settings.client_id)
            if ours or order.state in working.ENDED or key in self.state.strangers:
                continue
            self.state.strangers = (*self.state.strangers, key)[-KEPT_MAX:]
            said.append(keeping.stranger(order))
        return tuple(said)

    def _worry(self, judgement: Judgement) -> tuple[Says, ...]:
        """Tell the person what stays unexplained, once, and when it is over."""
        if not judgement.confirmed or judgement.unexplained == self.state.worried:
            return ()
        self.state.worried = judgement.unexplained
        return (keeping.worry(judgement.unexplained),)

    def _named(self, rows: tuple[PositionRow, ...]) -> tuple[Says, ...]:
        """Say which underlyings are held and which of their options, when that has changed."""
        told = keeping.interests(rows, self.state.interests)
        changed = tuple(one for one in told if self._is_news(one))
        held = held_underlyings(rows)
        if held == self.state.underlyings:
            return changed
        self.state.underlyings = held
        return (HoldingsNamed(underlyings=held), *changed)

    def _is_news(self, interest: InterestChanged) -> bool:
        conids = tuple(one.conid for one in interest.instruments)
        before = self.state.interests.pop(interest.underlying, ())
        if conids:
            self.state.interests[interest.underlying] = conids
        return conids != before

    def _turn_day(self, now: UnixNs) -> None:
        """With a new day in New York results begin anew, and what is old is carried forward."""
        day = new_york_date(now)
        if day == self.state.day or not self.state.opened:
            return
        marks = {conid: one.mark_usd for conid, one in self.state.marks.items()}
        self.state.book = carried_forward(self.state.book, UnixNs(now - CARRY_NS))
        self.state.starts = day_starts(holdings(self.state.book), marks)
        self.state.day = day
        held = {one.instrument.conid for one in holdings(self.state.book).values()}
        self.state.marks = {one: mark for one, mark in self.state.marks.items() if one in held}
        self.state.broker = {key: one for key, one in self.state.broker.items() if one.quantity}


def _key(position: BrokerPosition) -> str:
    return holding_key(position.account, position.instrument.conid)
