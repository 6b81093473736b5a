"""What the strategist remembers, and how an entry goes: asked for, judged, followed to its end."""

from __future__ import annotations

import datetime as dt

import msgspec

from thetawarden.domain.context.figures import Figures
from thetawarden.domain.halt import TradingState
from thetawarden.domain.instants import UnixNs, new_york_date
from thetawarden.domain.market.sessions import Sessions
from thetawarden.domain.orders.intent import OrderRole
from thetawarden.domain.orders.stages import ENDS, Stage
from thetawarden.domain.regime.assess import Regime
from thetawarden.domain.regime.term_structure import VolCurve
from thetawarden.domain.risk.candidate import WhatIf
from thetawarden.domain.risk.finding import RuleId
from thetawarden.domain.risk.passing import was_unseen
from thetawarden.domain.strategy.candidate import Candidate
from thetawarden.domain.strategy.lineup import Lineup, LineupAnswer
from thetawarden.domain.strategy.memory import Refused, mark_of, may_ask_again
from thetawarden.domain.strategy.offer import Judged, Offer, judged_of
from thetawarden.domain.strategy.portfolio import Portfolio
from thetawarden.domain.strategy.prediction import predictions_of
from thetawarden.domain.strategy.proposing import Naming, propose
from thetawarden.domain.strategy.scene import Scene
from thetawarden.domain.strategy.schedule import Slot, open_slot
from thetawarden.domain.strategy.settings import StrategySettings
from thetawarden.domain.strategy.snapshot import EntrySnapshot, begin_snapshot
from thetawarden.domain.strategy.watching import WatchedLeg
from thetawarden.messages.orders import OrderApproved, OrderRefused, OrderStageChanged, ProposeOrder
from thetawarden.messages.strategy import EntrySnapshotTaken, PredictionMade

Told = ProposeOrder | EntrySnapshotTaken | PredictionMade
NEVER_SENT = "an approved entry was not sent in time"
NO_ANSWER = "the governor did not answer in time"


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A proposal that waits for its verdict; `slot` or `lineup` is what it is for."""

    candidate: Candidate
    trade: str
    units: int
    expires_ns: UnixNs
    due_ns: UnixNs
    snapshot: EntrySnapshot
    slot: str = ""
    lineup: str = ""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """An approved entry that is not over; `until_ns` is when it must have been sent."""

    asked: Asked
    until_ns: UnixNs
    units: int
    snapshot: EntrySnapshot
    order_ref: str = ""
    stage: Stage | None = None
    units_filled: int = 0


class Building(msgspec.Struct, frozen=True, kw_only=True):
    """A line-up that waits for the broker's margins; answers by underlying and strategy."""

    name: str
    by: str
    until_ns: UnixNs
    candidates: tuple[Candidate, ...]
    answers: dict[str, WhatIf | str] = {}


class StrategistState(msgspec.Struct, kw_only=True):
    """What is known of market and book, what was offered, asked, refused and entered.

    Offers are by underlying; `judged` and `refused` by underlying and strategy; `asked` and
    `entries` by the proposal's key. `done` are the slots of `day` that were used.
    """

    offers: dict[str, Offer] = {}
    judged: dict[str, Judged] = {}
    refused: dict[str, Refused] = {}
    asked: dict[str, Asked] = {}
    entries: dict[str, Entry] = {}
    done: dict[str, str] = {}
    day: dt.date | None = None
    proposals: int = 0
    regime: Regime | None = None
    regime_ns: UnixNs = UnixNs(0)
    curve: VolCurve | None = None
    figures: dict[str, Figures] = {}
    portfolio: Portfolio = Portfolio()
    epoch: int = 0
    linked: bool = False
    halted: bool = False
    trading: TradingState = TradingState.RUNNING
    quiet: bool = False
    waiting: str = ""
    interest: dict[str, tuple[int, ...]] = {}  # of older logs
    watched: dict[str, tuple[WatchedLeg, ...]] = {}
    said_ns: dict[str, UnixNs] = {}
    building: Building | None = None
    lineups: dict[str, Lineup] = {}
    lineups_named: int = 0
    answer: LineupAnswer = LineupAnswer()


def key_of(candidate: Candidate) -> str:
    """What refusals and verdicts are remembered by."""
    return f"{candidate.underlying}|{candidate.strategy}"


class Entering:
    """The way of entries, over the strategist's state."""

    def __init__(
        self, *, settings: StrategySettings, sessions: Sessions, software: str, fingerprint: str
    ) -> None:
        self._settings = settings
        self._sessions = sessions
        self._software = software
        self._fingerprint = fingerprint

    def turn_day(self, state: StrategistState, now: UnixNs) -> None:
        """Forget the slots of an earlier day."""
        day = new_york_date(now)
        if state.day != day:
            state.day, state.done = day, {}

    def open_slot(self, now: UnixNs) -> Slot | None:
        """The slot that is open now."""
        return open_slot(now, self._settings.timing, self._sessions)

    def why_not(self, state: StrategistState, now: UnixNs) -> str:
        """Why nothing is entered at all now; empty when something may be."""
        reasons = (
            (state.quiet, "the desk is stopping"),
            (state.halted, "trading is halted"),
            (state.trading is not TradingState.RUNNING, f"trading is {state.trading}"),
            (not state.linked, "the link allows no new risk"),
            (not state.portfolio.reconciled, "the book is not reconciled"),
            (self.regime(state, now) is None, "the market's state is unknown or old"),
        )
        return next((words for holds, words in reasons if holds), "")

    def regime(self, state: StrategistState, now: UnixNs) -> Regime | None:
        """The market's state while it is fresh."""
        fresh = now - state.regime_ns <= self._settings.timing.regime_age_ns_max
        return state.regime if fresh else None

    def try_slot(self, state: StrategistState, scene: Scene, now: UnixNs) -> tuple[Told, ...]:
        """Propose the best candidate of an underlying whose slot is open and unused."""
        slot = self.open_slot(now)
        if slot is None:
            return ()
        name = f"{scene.underlying} {slot.name}"
        if name in state.done or self._asks(state, scene.underlying):
            return ()
        for candidate in state.offers[scene.underlying].candidates:
            if candidate.passes and self.may_enter(state, candidate, now):
                return self.ask(state, scene, candidate, now=now, slot=name)
        return ()

    def may_enter(self, state: StrategistState, candidate: Candidate, now: UnixNs) -> bool:
        """Whether it is fresh, nothing of its kind is on its way, and it was not just refused.

        What is sold already has an exit at work, which a second sale would trade against.
        """
        if not self.is_fresh(candidate, now) or self.is_busy(state, candidate):
            return False
        held = {one.conid for one in state.portfolio.shorts(candidate.underlying)}
        if any(leg.instrument.conid in held for leg in candidate.shorts):
            return False
        refused, mark = state.refused.get(key_of(candidate)), mark_of(state.regime, state.portfolio)
        return may_ask_again(refused, candidate, mark, now_ns=now, timing=self._settings.timing)

    def is_fresh(self, candidate: Candidate, now: UnixNs) -> bool:
        """Whether its oldest quote is young enough."""
        oldest = min(leg.quoted_ns for leg in candidate.legs)
        return now - oldest <= self._settings.timing.quote_age_ns_max

    def is_busy(self, state: StrategistState, candidate: Candidate) -> bool:
        """Whether an entry of its strategy is on its way, or a question on its underlying open."""
        key = key_of(candidate)
        on_its_way = any(key_of(one.asked.candidate) == key for one in state.entries.values())
        return on_its_way or self._asks(state, candidate.underlying)

    def ask(
        self,
        state: StrategistState,
        scene: Scene,
        candidate: Candidate,
        *,
        now: UnixNs,
        slot: str = "",
        lineup: str = "",
        units: int | None = None,
    ) -> tuple[Told, ...]:
        """Ask for an entry; what has no price is remembered as refused."""
        number = state.proposals + 1
        trade = f"{candidate.strategy}-{candidate.underlying.replace(' ', '')}-{number}"
        terms = self._settings.terms[candidate.strategy]
        naming = Naming(
            key=f"{trade}.entry",
            trade=trade,
            expires_ns=UnixNs(now + self._settings.timing.proposal_ns),
            view_number=scene.view.number,
        )
        proposal = propose(
            candidate,
            naming=naming,
            terms=terms,
            settings=self._settings,
            regime=scene.regime,
            units=units,
        )
        if isinstance(proposal, str):
            self._remember(state, candidate, proposal, now)
            return ()
        state.proposals = number
        state.asked[proposal.key] = Asked(
            candidate=candidate,
            trade=trade,
            units=proposal.units,
            expires_ns=proposal.expires_ns,
            due_ns=max(
                one.settles_ns for one in scene.view.series if one.expiry == candidate.expiry
            ),
            snapshot=begin_snapshot(
                scene, candidate, trade=trade, units=proposal.units, curve=state.curve
            ),
            slot=slot,
            lineup=lineup,
        )
        return (ProposeOrder(proposal=proposal),)

    def approved(
        self, state: StrategistState, told: OrderApproved, now: UnixNs
    ) -> tuple[Told, ...]:
        """An entry of ours may be sent: its slot is used, what is expected of it is said."""
        asked = state.asked.pop(told.proposal.key, None)
        if asked is None:
            return ()
        conids = asked.candidate.conids
        judged = judged_of(told.review, "", conids=conids, at_ns=now)
        state.judged[key_of(asked.candidate)] = judged
        if asked.slot:
            state.done[asked.slot] = asked.trade
        units = told.approval.units
        state.entries[told.proposal.key] = Entry(
            asked=asked,
            until_ns=UnixNs(told.approval.expires_ns + self._settings.timing.proposal_ns),
            units=units,
            snapshot=self._complete(asked.snapshot, judged, units),
        )
        predictions = predictions_of(
            asked.candidate, trade=asked.trade, units=units, due_ns=asked.due_ns
        )
        return tuple(PredictionMade(prediction=one) for one in predictions)

    def refused(self, state: StrategistState, told: OrderRefused, now: UnixNs) -> Asked | None:
        """An entry of ours was refused; where nothing naked may stand, all that is naked rests."""
        asked = state.asked.pop(told.proposal.key, None)
        if asked is None:
            return None
        candidate = asked.candidate
        judged = judged_of(told.review, told.words, conids=candidate.conids, at_ns=now)
        state.judged[key_of(candidate)] = judged
        self._remember(state, candidate, told.words, now, unseen=was_unseen(told.review))
        if told.review is not None and RuleId.R15 in told.review.binding:
            for one in state.offers[candidate.underlying].candidates:
                if one.naked:
                    self._remember(state, one, told.words, now)
        return asked

    def staged(
        self, state: StrategistState, told: OrderStageChanged, now: UnixNs
    ) -> tuple[Told, ...]:
        """An order of ours moved on; an entry that came to nothing gives its slot back."""
        entry = state.entries.get(told.proposal_key)
        if entry is None or told.role is not OrderRole.ENTRY:
            return ()
        first = not entry.order_ref
        entry = msgspec.structs.replace(
            entry, order_ref=told.order_ref, stage=told.stage, units_filled=told.units_filled
        )
        state.entries[told.proposal_key] = entry
        if told.stage in ENDS:
            del state.entries[told.proposal_key]
            if not told.units_filled:
                words = f"{told.stage}: {told.words}" if told.words else str(told.stage)
                self._came_to_nothing(state, entry, words, now)
        if not first:
            return ()
        snapshot = msgspec.structs.replace(entry.snapshot, order_ref=told.order_ref)
        return (EntrySnapshotTaken(snapshot=snapshot),)

    def sweep(self, state: StrategistState, now: UnixNs) -> tuple[tuple[Asked, str], ...]:
        """Give up what got no answer, and what was approved and never sent."""
        late = tuple(key for key, one in state.asked.items() if now >= one.expires_ns)
        unanswered = tuple(state.asked.pop(key) for key in late)
        for asked in unanswered:
            self._remember(state, asked.candidate, NO_ANSWER, now)
        unsent = [
            key for key, one in state.entries.items() if one.stage is None and now >= one.until_ns
        ]
        dropped = tuple(state.entries.pop(key) for key in unsent)
        for entry in dropped:
            self._came_to_nothing(state, entry, NEVER_SENT, now)
        return (
            *((asked, NO_ANSWER) for asked in unanswered),
            *((entry.asked, NEVER_SENT) for entry in dropped),
        )

    def _asks(self, state: StrategistState, underlying: str) -> bool:
        return any(one.candidate.underlying == underlying for one in state.asked.values())

    def _came_to_nothing(
        self, state: StrategistState, entry: Entry, words: str, now: UnixNs
    ) -> None:
        slot = entry.asked.slot
        if state.done.get(slot) == entry.asked.trade:  # else it is another day's
            del state.done[slot]
        self._remember(state, entry.asked.candidate, words, now)

    def _remember(
        self,
        state: StrategistState,
        candidate: Candidate,
        words: str,
        now: UnixNs,
        *,
        unseen: bool = False,
    ) -> None:
        state.refused[key_of(candidate)] = Refused(
            at_ns=now,
            conids=candidate.conids,
            credit_usd=candidate.credit_usd,
            mark=mark_of(state.regime, state.portfolio),
            words=words,
            unseen=unseen,
        )

    def _complete(self, begun: EntrySnapshot, judged: Judged, units: int) -> EntrySnapshot:
        sizing = [one for one in judged.findings if one.verdict != "pass"]
        before, added = begun.margin_before_usd, judged.margin_usd
        after = None if before is None or added is None else before + added * units
        return msgspec.structs.replace(
            begun,
            margin_after_usd=after,
            contracts=units,
            sizing=msgspec.json.encode(sizing).decode(),
            findings=msgspec.json.encode(judged.findings).decode(),
            config_fingerprint=self._fingerprint,
            software=self._software,
        )
