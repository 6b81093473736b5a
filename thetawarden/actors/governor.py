"""The governor: nothing reaches the market without its reasoned, reserved, expiring approval.

Besides the halt, which only a person lifts, entries freeze by themselves while the link or the book
cannot be rested on, and go on by themselves when they can.
"""

from __future__ import annotations

from typing import assert_never

from thetawarden.actors import bookkeeping, brakes, governing, risk_watch
from thetawarden.actors.brakes import ME, Brakes
from thetawarden.actors.governing import BOOK, LINK, Asked, GovernorSettings, GovernorState
from thetawarden.domain.books import working
from thetawarden.domain.governing.candidates import candidate_of, proposal_gap
from thetawarden.domain.governing.judging import (
    Bench,
    Denied,
    Granted,
    Need,
    decide,
    denied_without_answer,
)
from thetawarden.domain.governing.sights import sight_of
from thetawarden.domain.governing.stock import Stock
from thetawarden.domain.instants import UnixNs, new_york_date
from thetawarden.domain.orders.proposal import Proposal
from thetawarden.domain.risk.candidate import Candidate, WhatIf
from thetawarden.domain.risk.case import RegimeSeen
from thetawarden.domain.risk.review import Review
from thetawarden.messages.books import (
    AccountReported,
    BookFetched,
    BookJudged,
    FillBooked,
    OrderReported,
    PositionExplained,
    PositionsValued,
    RefreshBook,
)
from thetawarden.messages.chains import ChainViewed
from thetawarden.messages.context import BetasMeasured, ContextTaken
from thetawarden.messages.lifecycle import Begin, Quiesce
from thetawarden.messages.link import LinkChanged
from thetawarden.messages.market import RegimeAssessed
from thetawarden.messages.operations import NotifyPerson
from thetawarden.messages.orders import (
    MarginPreviewed,
    OrderApproved,
    OrderRefused,
    OrdersReconciled,
    OrderStageChanged,
    PreviewMargin,
    ProposeOrder,
)
from thetawarden.messages.risk import (
    ComputeStress,
    FreezeExits,
    RiskDemanded,
    RiskTaken,
    StressTaken,
    TakeStress,
)
from thetawarden.messages.timers import CancelTimer, StartTimer, TimerFired
from thetawarden.messages.trading import (
    AdoptHaltFlag,
    Halt,
    Resume,
    ResumeRefused,
    TradingHalted,
    TradingResumed,
)

Books = (
    LinkChanged
    | AccountReported
    | BookFetched
    | BookJudged
    | FillBooked
    | OrderReported
    | OrdersReconciled
    | OrderStageChanged
    | PositionExplained
    | PositionsValued
)
Market = ChainViewed | ContextTaken | BetasMeasured | RegimeAssessed
Asks = TimerFired | ProposeOrder | MarginPreviewed | TakeStress | StressTaken
Hears = Begin | Quiesce | Brakes | Books | Market | Asks
Says = (
    TradingHalted
    | FreezeExits
    | TradingResumed
    | ResumeRefused
    | NotifyPerson
    | OrderApproved
    | OrderRefused
    | PreviewMargin
    | RefreshBook
    | RiskDemanded
    | RiskTaken
    | ComputeStress
    | StressTaken
    | StartTimer
    | CancelTimer
)

LOOK, WAIT = "look", "wait:"
WORDS_MAX = 500


class Governor:
    """Judges every proposal once, on the freshest it has, and counts what it let through.

    Restart: safe; ledger, losses, brakes and the latch come back from the log exactly, and the
    halt is said again so that the flag file stands, frozen exits so that the last gate knows.
    """

    def __init__(self, *, settings: GovernorSettings) -> None:
        self.state = GovernorState()
        self._settings = settings
        self._stock: Stock | None = None  # made of the state alone, kept because it is dear

    def receive(self, message: Hears, now: UnixNs) -> tuple[Says, ...]:
        """Answer one message."""
        if isinstance(message, Brakes):
            return self._brake(message, now)
        if isinstance(message, Books):
            return self._book(message, now)
        match message:
            case Begin():
                again = StartTimer(name=LOOK, after_ns=self._settings.look_ns)
                return (*brakes.standing(self.state), again)
            case Quiesce():
                return (CancelTimer(name=LOOK),)
            case TimerFired(name=name):
                return self._look(now) if name == LOOK else self._give_up(name, now)
            case ProposeOrder(proposal=proposal):
                return self._judge(proposal, now)
            case MarginPreviewed():
                return self._previewed(message, now)
            case TakeStress(run=run):
                return self._stressed(run, now)
            case StressTaken():
                self.state.stress = message
                return ()
            case ChainViewed() | ContextTaken() | BetasMeasured():
                return self._see(message, now)
            case RegimeAssessed(regime=regime):
                self.state.regime = RegimeSeen(regime=regime, at_ns=now)
                return self._watch(now)
            case _:
                assert_never(message)

    def _brake(self, message: Brakes, now: UnixNs) -> tuple[Says, ...]:
        """What a person, or anything that fears for the account, says."""
        said = brakes.heed(self.state, message, now)
        return (*said, *self._watch(now, say=True)) if self._changes(message) else said

    @staticmethod
    def _changes(message: Brakes) -> bool:
        """Whether it is no matter of the latch alone."""
        return not isinstance(message, Halt | AdoptHaltFlag | Resume)

    def _see(
        self, message: ChainViewed | ContextTaken | BetasMeasured, now: UnixNs
    ) -> tuple[Says, ...]:
        """Keep the latest of the market; the book is measured by it at the next look, or now."""
        state = self.state
        match message:
            case ChainViewed(underlying=underlying, view=view):
                state.sights[underlying] = sight_of(view)
            case ContextTaken(inputs=inputs):
                state.index, state.vix = inputs.trend.price, inputs.curve.vix
            case BetasMeasured(betas=betas):
                state.betas = {one.symbol: one for one in betas}
            case _:
                assert_never(message)
        if not governing.has_jumped(state, self._settings):
            return ()
        governing.look_at_market(state, self._settings, now=now, proposal=None)
        return self._watch(now)

    def _book(self, message: Books, now: UnixNs) -> tuple[Says, ...]:
        """What the account holds, is worth, and has in the market."""
        state = self.state
        match message:
            case LinkChanged(entries=entries, why=why, state=link, epoch=epoch):
                state.epoch = epoch
                self._freeze(LINK, "" if entries else f"the link is {link}: {why}")
            case BookJudged(agreed=agreed, unexplained=unexplained):
                self._freeze(BOOK, "" if agreed else "; ".join(unexplained) or "it does not agree")
                if not agreed:
                    return ()
                state.agreed_ns, state.agreed_equity = now, state.equity
                return self._refreshed(now)
            case PositionExplained():
                bookkeeping.explained(state, message)
                return self._watch(now)
            case AccountReported(values=values):
                risk_watch.account(state, self._settings, values, now)
                return self._watch(now)
            case PositionsValued():
                if not bookkeeping.valued(state, self._settings, message, now):
                    return ()
                if not governing.is_in_sight(state, self._settings, now):
                    governing.look_at_market(state, self._settings, now=now, proposal=None)
                return self._watch(now)
            case FillBooked():
                bookkeeping.booked(state, message, now)
            case OrderStageChanged():
                return self._staged(message, now)
            case OrderReported(order=order):
                state.working = working.with_order(state.working, order)
            case BookFetched(orders=orders, missing=missing, values=values):
                if values is not None:
                    risk_watch.account(state, self._settings, values, now)
                if bookkeeping.OPEN_ORDERS not in missing:
                    state.working = working.listed(state.working, orders)
            case OrdersReconciled():
                bookkeeping.booked_up(state, self._settings, now)
            case _:
                assert_never(message)
        return ()

    def _freeze(self, by: str, why: str) -> None:
        self.state.frozen.pop(by, None)
        if why:
            self.state.frozen[by] = why[:WORDS_MAX]

    def _judge(
        self, proposal: Proposal, now: UnixNs, *, answer: WhatIf | None = None, again: bool = False
    ) -> tuple[Says, ...]:
        """Decide on a proposal, or ask what must be known for it; `again` when that was asked."""
        gap = proposal_gap(proposal, now=now)
        if gap:
            return self._refuse(proposal, None, gap, now)
        bench = self._bench(proposal, now)
        if bench is None:
            words = "nothing was seen of the market yet"
            return self._refuse(proposal, None, words, now)
        candidate = self._candidate(proposal, answer, now)
        found = decide(candidate, bench)
        if isinstance(found, Need):
            return self._ask(proposal, found, candidate=candidate, bench=bench, again=again)
        if isinstance(found, Denied):
            return self._refuse(proposal, found.review, found.words, now)
        return self._grant(proposal, found, now)

    def _refuse(
        self, proposal: Proposal, review: Review | None, words: str, now: UnixNs
    ) -> tuple[Says, ...]:
        governing.remember(self.state, proposal, review=review, words=words, now=now)
        return (OrderRefused(proposal=proposal, review=review, words=words),)

    def _grant(self, proposal: Proposal, found: Granted, now: UnixNs) -> tuple[Says, ...]:
        state = self.state
        state.ledger, state.flow = found.approved.ledger, found.approved.flow
        approval, words = found.approved.approval, found.review.words
        governing.remember(state, proposal, review=found.review, words=words, now=now)
        return (OrderApproved(proposal=proposal, approval=approval, review=found.review),)

    def _bench(self, proposal: Proposal, now: UnixNs) -> Bench | None:
        """Everything but the candidate; the market is looked at anew when it lacks something."""
        state, settings = self.state, self._settings
        bookkeeping.expire(state, settings, now)
        known = () if state.market is None else state.market.underlyings
        stale = now - state.market_ns > 2 * settings.look_ns
        if stale or all(one.symbol != proposal.underlying for one in known):
            governing.look_at_market(state, settings, now=now, proposal=proposal)
        self._stock = governing.measured(state, settings, self._stock)
        if self._stock is None:
            return None
        return Bench(
            stock=self._stock,
            desk=governing.desk_of(state, settings),
            ledger=state.ledger,
            limits=settings.limits,
            now_ns=now,
            day=new_york_date(now),
        )

    def _candidate(self, proposal: Proposal, answer: WhatIf | None, now: UnixNs) -> Candidate:
        state = self.state
        return candidate_of(
            proposal,
            sights=state.sights,
            terms=self._settings.terms,
            whatif=answer,
            day=new_york_date(now),
            marks_usd={row.instrument.con_id: row.mark_usd for row in state.rows},
        )

    def _ask(
        self, proposal: Proposal, need: Need, *, candidate: Candidate, bench: Bench, again: bool
    ) -> tuple[Says, ...]:
        """Wait for the broker's word, once for a book and once for margin, not for ever."""
        state, settings = self.state, self._settings
        for_book = need is Need.BOOK
        full = len(state.asked) >= settings.asked_max
        if full or (for_book and again) or LINK in state.frozen:
            words = "too many proposals wait for the broker" if full else "no fresh word came of it"
            denied = denied_without_answer(candidate, bench, words=words)
            return self._refuse(proposal, denied.review, denied.words, bench.now_ns)
        state.asked[proposal.key] = Asked(
            proposal=proposal,
            for_book=for_book,
        )
        timer = StartTimer(name=f"{WAIT}{proposal.key}", after_ns=settings.answer_ns)
        if for_book:
            return (RefreshBook(reason=f"{proposal.key} needs a fresh book"), timer)
        preview = PreviewMargin(
            epoch=state.epoch,
            asked_by=ME,
            key=proposal.key,
            legs=proposal.legs,
            units=proposal.units,
            limit_usd=proposal.worst_usd,
        )
        return (preview, timer)

    def _previewed(self, told: MarginPreviewed, now: UnixNs) -> tuple[Says, ...]:
        asked = self.state.asked.get(told.key)
        if told.asked_by != ME or asked is None or asked.for_book:
            return ()
        del self.state.asked[told.key]
        quiet = CancelTimer(name=f"{WAIT}{told.key}")
        words = governing.answered(asked, told.answer, told.words)
        if words:
            return (quiet, *self._deny(asked.proposal, words, now))
        return (quiet, *self._judge(asked.proposal, now, answer=told.answer, again=True))

    def _refreshed(self, now: UnixNs) -> tuple[Says, ...]:
        """The book was compared anew: judge what waited for it."""
        said: list[Says] = []
        for key, asked in list(self.state.asked.items()):
            if asked.for_book:
                del self.state.asked[key]
                said.append(CancelTimer(name=f"{WAIT}{key}"))
                said += self._judge(asked.proposal, now, again=True)
        return tuple(said)

    def _give_up(self, name: str, now: UnixNs) -> tuple[Says, ...]:
        asked = self.state.asked.pop(name.removeprefix(WAIT), None)
        if asked is None:
            return ()
        what = "book" if asked.for_book else "margin answer"
        return self._deny(asked.proposal, f"no {what} came from the broker in time", now)

    def _deny(self, proposal: Proposal, words: str, now: UnixNs) -> tuple[Says, ...]:
        bench = None if proposal_gap(proposal, now=now) else self._bench(proposal, now)
        if bench is None:
            return self._refuse(proposal, None, words, now)
        denied = denied_without_answer(self._candidate(proposal, None, now), bench, words=words)
        return self._refuse(proposal, denied.review, denied.words, now)

    def _staged(self, told: OrderStageChanged, now: UnixNs) -> tuple[Says, ...]:
        """Follow an order of ours; one that nobody approved halts, and counts all the same."""
        wrong = bookkeeping.staged(self.state, told, now)
        if not wrong:
            return ()
        return brakes.halt(self.state, reason=wrong, by=ME, now=now)

    def _look(self, now: UnixNs) -> tuple[Says, ...]:
        """Look at the market, measure the book by it, and see what that demands."""
        state, settings = self.state, self._settings
        bookkeeping.expire(state, settings, now)
        governing.look_at_market(state, settings, now=now, proposal=None)
        again = StartTimer(name=LOOK, after_ns=settings.look_ns)
        return (*self._watch(now), again)

    def _watch(self, now: UnixNs, *, say: bool = False) -> tuple[Says, ...]:
        """Say what is demanded when that changes, halt where a brake does, tell how it stands."""
        state, settings = self.state, self._settings
        self._stock = governing.measured(state, settings, self._stock)
        found = risk_watch.look(state, settings, self._stock, now)
        said: list[Says] = []
        for brake in found.trips.new:
            reason = risk_watch.reason_of(brake)
            said += brakes.halt(state, reason=reason, by=ME, now=now)
        if found.demands_changed:
            said.append(RiskDemanded(demands=state.demands))
        taken = risk_watch.taken(state, found, now)
        if risk_watch.is_news(state.taken, taken, say_ns=settings.say_ns) or say:
            state.taken = taken
            said.append(taken)
        return tuple(said)

    def _stressed(self, run: str, now: UnixNs) -> tuple[Says, ...]:
        governing.look_at_market(self.state, self._settings, now=now, proposal=None)
        self._stock = governing.measured(self.state, self._settings, self._stock)
        if self._stock is None:
            return ()
        return (risk_watch.stress_asked(self.state, self._settings, self._stock, run=run),)
