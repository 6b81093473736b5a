"""The executor: from an approval to a filled, protected order, sent exactly once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import assert_never

import msgspec

from thetawarden.actors import closing, counting, following, submitting, walking
from thetawarden.actors.deadlines import Due, Matter, begin_by, dues
from thetawarden.actors.executing import (
    ExecutorState,
    Says,
    carried_over,
    held_of,
    in_doubt,
    lives_of,
    page,
    query,
)
from thetawarden.actors.protecting import Guard
from thetawarden.domain.instants import UnixNs
from thetawarden.domain.link.states import LinkState
from thetawarden.domain.market.sessions import Sessions
from thetawarden.domain.orders.life import OrderLife, is_otherwise_filled, is_uneven
from thetawarden.domain.orders.machine import Evidence
from thetawarden.domain.orders.settings import ExecutorSettings
from thetawarden.domain.risk.demands import DemandKind
from thetawarden.domain.risk.passing import is_of_a_lag
from thetawarden.messages.books import (
    BookFetched,
    BookJudged,
    ExecutionReported,
    OrderReported,
    PositionExplained,
    PositionsValued,
)
from thetawarden.messages.chains import ChainViewed
from thetawarden.messages.lifecycle import Begin, Quiesce
from thetawarden.messages.link import LinkChanged
from thetawarden.messages.orders import (
    OrderApproved,
    OrderRefused,
    OrderSent,
    OrderTroubled,
    OrderWithheld,
    ReviseExits,
)
from thetawarden.messages.risk import RiskDemanded
from thetawarden.messages.timers import StartTimer, TimerFired
from thetawarden.messages.trading import (
    CancelAll,
    Flatten,
    TradingHalted,
    TradingResumed,
)

Answered = (
    Begin
    | Quiesce
    | TimerFired
    | LinkChanged
    | BookFetched
    | BookJudged
    | OrderReported
    | ExecutionReported
    | PositionExplained
    | PositionsValued
    | OrderApproved
    | OrderRefused
    | OrderSent
    | OrderWithheld
    | OrderTroubled
    | ReviseExits
    | RiskDemanded
    | TradingHalted
    | TradingResumed
    | CancelAll
    | Flatten
)

Hears = Answered | ChainViewed

TIMER = "due"
LINKED = frozenset({LinkState.SYNCING, LinkState.READY})
LAG_TRIES = 5  # of what a fill on its way may cure, before a person hears of it
LIVE = frozenset({LinkState.SYNCING, LinkState.READY, LinkState.CUT_OFF, LinkState.COMPETING})


class Executor:
    """Sends what was approved, once, and follows it to its end; what is sold stays protected.

    Restart: safe; what had been sent without an answer is in doubt until the broker's whole book
    has been seen twice, and nothing new is risked until then.
    """

    def __init__(self, settings: ExecutorSettings, sessions: Sessions) -> None:
        self._settings = settings
        self._guard = Guard(settings, sessions)
        self.state = ExecutorState()

    def receive(self, message: Hears, now: UnixNs) -> tuple[Says, ...]:
        """Answer one message; then look after every trade it touched, and set the one timer."""
        if isinstance(message, ChainViewed):  # changes no order, and nothing waits for it
            walking.quoted(self.state, message.view)
            return ()
        before = dict(self.state.orders)
        said = list(self._answer(message, now))
        said += self._look_after(before, now)
        return (*said, *self._timed(now))

    def _answer(self, message: Answered, now: UnixNs) -> Iterable[Says]:
        state, settings = self.state, self._settings
        match message:
            case Begin():
                return self._begin(now)
            case Quiesce():
                state.quiet = True
                return ()
            case TimerFired():
                state.due_ns = UnixNs(0)
                return self._wake(now)
            case LinkChanged():
                return self._link(message, now)
            case OrderSent():
                return following.sent(state, message, now)
            case OrderWithheld():
                return following.withheld(state, message, now, settings)
            case OrderTroubled():
                return following.troubled(state, message, now, settings)
            case OrderReported(order=order):
                return following.reported(state, order, now)
            case ExecutionReported(execution=execution):
                return following.executed(state, execution, now)
            case BookFetched():
                told = following.fetched(state, message, now, settings)
                syncing = state.link is LinkState.SYNCING and state.checked
                return (*told, *self._go_on(now)) if syncing else told
            case BookJudged():
                return following.judged(state, message, now, settings)
            case PositionExplained():
                counting.delivered(state, message)
                return closing.press_on(state, now, settings)
            case PositionsValued():
                return self._valued(message, now)
            case _:
                return self._command(message, now)

    def _command(
        self,
        message: OrderApproved
        | OrderRefused
        | ReviseExits
        | RiskDemanded
        | TradingHalted
        | TradingResumed
        | CancelAll
        | Flatten,
        now: UnixNs,
    ) -> Iterable[Says]:
        state, settings = self.state, self._settings
        match message:
            case OrderApproved(proposal=proposal, approval=approval):
                return submitting.approved(state, proposal, approval, now=now, settings=settings)
            case OrderRefused(proposal=proposal, words=words, review=review):
                return self._refused(proposal.key, words, now, lags=is_of_a_lag(review))
            case ReviseExits():
                return self._guard.revise(state, message, now)
            case RiskDemanded(demands=demands):
                wanted = [one.why for one in demands if one.kind is DemandKind.CANCEL_ENTRIES]
                state.no_entries = wanted[0] if wanted else ""
                return self._stop_entries(wanted[0], now) if wanted else ()
            case TradingHalted(halt=halt):
                state.halted, state.halt_epoch = True, max(state.halt_epoch, halt.epoch)
                return self._stop_entries(f"trading is halted: {halt.reason}", now)
            case TradingResumed(epoch=epoch):
                state.halted, state.halt_epoch = False, max(state.halt_epoch, epoch)
                return self._guard.go_on(state, now)
            case CancelAll(reason=reason, by=by):
                return self._stop_entries(f"{by} cancels all: {reason}", now)
            case Flatten():
                return closing.flatten(state, message, now, settings)
            case _:
                assert_never(message)

    def _begin(self, now: UnixNs) -> Iterable[Says]:
        """Whatever had no answer when we ended is in doubt, and has to be looked for."""
        state = self.state
        state.quiet, state.checked, state.reconciled = False, False, False
        begin_by(state, self._settings, now)
        doubted = following.doubted(state, Evidence.BEGAN, now, "the desk began again")
        lost = [
            msgspec.structs.replace(life, change=None)
            for life in state.orders.values()
            if life.change is not None
        ]
        state.orders.update({life.order_ref: life for life in lost})
        asked = query(state, "the executor began", now=now, every_ns=self._settings.query_ns)
        return (*doubted, *asked)

    def _link(self, told: LinkChanged, now: UnixNs) -> Iterable[Says]:
        """On another link, or none, what had no answer is in doubt, and nothing is reconciled."""
        state = self.state
        other, before = told.epoch != state.epoch, state.link
        state.epoch, state.link, state.entries = told.epoch, told.state, told.entries
        said: list[Says] = []
        if other or told.state not in LIVE or told.state is LinkState.CUT_OFF:
            state.checked, state.reconciled = False, False
            said += following.doubted(state, Evidence.CUT, now, f"the link: {told.why}")
        if told.state in LINKED and (other or before not in LINKED):
            following.cancel_anew(state, UnixNs(now + self._settings.cancel_ns))
        if told.state is LinkState.READY or (told.state is LinkState.SYNCING and state.checked):
            said += self._go_on(now)
        return said

    def _go_on(self, now: UnixNs) -> Iterable[Says]:
        """Whatever waited may go on now."""
        state = self.state
        said: list[Says] = []
        for one in list(state.waiting.values()):
            said += submitting.use(state, one, now, self._settings)
        for name in list(state.trades):
            said += self._guard.look(state, name, now)
        return (*said, *closing.press_on(state, now, self._settings))

    def _stop_entries(self, reason: str, now: UnixNs) -> Iterable[Says]:
        """Take back whatever may add risk, on its way or waiting; exits stay."""
        state, settings = self.state, self._settings
        adding = [life for life in state.orders.values() if not life.intent.reducing]
        dropped = submitting.drop_waiting(state, reason, now=now)
        taken = following.take_back(state, adding, reason, now=now, settings=settings)
        return (*dropped, *taken)

    def _refused(self, key: str, words: str, now: UnixNs, *, lags: bool = False) -> Iterable[Says]:
        """A proposal of our own is refused: what it was for goes on to its next step.

        Where only the governor's book lags behind a fill, the same step is taken again, and soon.
        """
        asked = self.state.asked.pop(key, None)
        if asked is None:
            return ()
        if lags and self._waits_for_book(asked.trade, now):
            return ()
        text = f"{asked.trade}: the governor refuses to close or protect it: {words}"
        return (page(asked.trade, text), *self._guard.look(self.state, asked.trade, now))

    def _waits_for_book(self, name: str, now: UnixNs) -> bool:
        """Whether what was missing a moment ago is asked for again, as if it had not been yet."""
        trade, settings = self.state.trades.get(name), self._settings
        if trade is None or not 0 <= now - trade.missing_ns < settings.ask_ns:
            return False
        soon = UnixNs(now + settings.protect_ns // LAG_TRIES)
        again = msgspec.structs.replace(trade, tries=max(trade.tries - 1, 0), again_ns=soon)
        self.state.trades[name] = again
        return True

    def _valued(self, told: PositionsValued, now: UnixNs) -> Iterable[Says]:
        """What the agreed book does not have any more, a trade does not hold any more."""
        state = self.state
        for row in told.positions:
            if row.mark_usd is not None:
                state.marks[row.instrument.conid] = row.mark_usd
        held = {row.instrument.conid: row.quantity for row in told.positions}
        state.marks = {conid: mark for conid, mark in state.marks.items() if conid in held}
        if not told.reconciled or told.agreed_ns <= state.agreed_ns:
            return ()
        state.agreed_ns, state.positions = told.agreed_ns, held
        said: list[Says] = []
        for name in dict.fromkeys(counting.recount(state, self._settings)):
            said += self._guard.look(state, name, now)
        return said

    def _wake(self, now: UnixNs) -> Iterable[Says]:
        said: list[Says] = []
        for due in list(dues(self.state, self._settings)):
            if due.at_ns <= now:
                said += self._attend(due, now)
        return said

    def _attend(self, due: Due, now: UnixNs) -> Iterable[Says]:
        """Do what has become due; an earlier matter of this wake may have settled it already."""
        state, settings = self.state, self._settings
        life = state.orders.get(due.key)
        match due.matter:
            case Matter.WORD if life is not None:
                return following.overdue(state, life, now, settings)
            case Matter.CHANGE if life is not None and life.change is not None:
                state.orders[due.key] = msgspec.structs.replace(life, change=None)
                return query(state, "no word of a change", now=now, every_ns=settings.query_ns)
            case Matter.CANCEL if life is not None:
                return following.still_there(state, life, now, settings)
            case Matter.STEP if life is not None:
                return walking.step(state, life, now, settings)
            case Matter.LEGS if life is not None:
                return walking.mend_legs(state, life, now, settings)
            case Matter.ANSWER if due.key in state.asked:
                return self._refused(due.key, "it did not answer", now)
            case Matter.USE if due.key in state.waiting:
                return submitting.use(state, state.waiting[due.key], now, settings)
            case Matter.TRADE:
                self._waited(due.key, now)
                return self._guard.look(state, due.key, now)
            case Matter.BOOK:
                doubt = ", ".join(in_doubt(state)) or "our orders are not compared yet"
                return query(state, doubt, now=now, every_ns=settings.query_ns)
            case Matter.FLATTEN:
                self._waited(due.key, now)
                return closing.press_on(state, now, settings)
            case Matter.FORGET:
                self._forget(due.key)
                return ()
            case _:
                return ()

    def _look_after(self, before: dict[str, OrderLife], now: UnixNs) -> Iterable[Says]:
        """What changed of an order may change what its trade needs, and let another go on."""
        state = self.state
        touched = [life for ref, life in state.orders.items() if before.get(ref) is not life]
        for life in touched:
            if not is_uneven(life):
                state.uneven.pop(life.order_ref, None)
            elif is_otherwise_filled(before.get(life.order_ref), life):  # each is mended once
                state.uneven.setdefault(life.order_ref, now)
        said = list(self._barred(touched, before, now))
        trades = tuple(dict.fromkeys(life.intent.trade for life in touched))
        for name in trades:
            for one in list(state.waiting.values()):
                if one.proposal.trade == name:
                    said += submitting.use(state, one, now, self._settings)
            said += self._guard.look(state, name, now)
        if trades:
            said += closing.press_on(state, now, self._settings)
        return said

    def _barred(
        self, touched: list[OrderLife], before: dict[str, OrderLife], now: UnixNs
    ) -> Iterable[Says]:
        """What works after all is taken back where nothing may be opened, or it was given up.

        What an entry needs is free for others from the moment it had ended.
        """
        state, settings = self.state, self._settings
        why = "trading is halted" if state.halted else state.no_entries
        adding = [one for one in touched if not one.intent.reducing]
        if not why:
            why = "it had ended, and what it needs was free for others"
            adding = [one for one in adding if _had_ended(before.get(one.order_ref))]
        return following.take_back(state, adding, why, now=now, settings=settings)

    def _waited(self, name: str, now: UnixNs) -> None:
        """What a trade waited for before its next step is over."""
        trade = self.state.trades.get(name)
        if trade is not None and trade.again_ns <= now:
            self.state.trades[name] = msgspec.structs.replace(trade, again_ns=UnixNs(0))

    def _forget(self, ref: str) -> None:
        """Forget an order that ended long ago; what it brought, its trade keeps."""
        state = self.state
        life = state.orders.get(ref)
        if life is None or not life.is_over:
            return
        trade = state.trades.get(life.intent.trade)
        if trade is not None:
            state.trades[trade.name] = carried_over(trade, (life,))
        del state.orders[ref]
        walking.forget(state)
        empty = trade is not None and not lives_of(state, trade.name)
        if trade is not None and empty and not held_of(state, state.trades[trade.name]):
            del state.trades[trade.name]

    def _timed(self, now: UnixNs) -> tuple[Says, ...]:
        """One timer, for whatever is due first."""
        state = self.state
        first = min((due.at_ns for due in dues(state, self._settings)), default=None)
        if first is None:
            return ()
        first = max(first, now + self._settings.look_ns)
        if state.due_ns and state.due_ns <= first:
            return ()
        state.due_ns = UnixNs(first)
        return (StartTimer(name=TIMER, after_ns=first - now),)


def _had_ended(before: OrderLife | None) -> bool:
    return before is not None and before.is_over
