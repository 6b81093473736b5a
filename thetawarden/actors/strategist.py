"""The strategist: what could be sold, when it is asked for, and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import assert_never

from thetawarden.actors.entering import Asked, Entering, StrategistState
from thetawarden.actors.lining import Lining
from thetawarden.domain.broker.lines import LinePriority
from thetawarden.domain.chains.view import ChainView
from thetawarden.domain.governing.terms import Company
from thetawarden.domain.halt import TradingState
from thetawarden.domain.instants import UnixNs
from thetawarden.domain.market.sessions import Sessions
from thetawarden.domain.strategy.catalog import look
from thetawarden.domain.strategy.level import Level
from thetawarden.domain.strategy.lineup import ItemState, LineupState
from thetawarden.domain.strategy.offer import Offer, offer_of
from thetawarden.domain.strategy.portfolio import portfolio_of
from thetawarden.domain.strategy.scene import Scene, open_scene
from thetawarden.domain.strategy.settings import StrategySettings
from thetawarden.domain.strategy.watching import keep_watching
from thetawarden.messages.books import PositionsValued
from thetawarden.messages.chains import ChainViewed, InterestChanged
from thetawarden.messages.context import ContextTaken, FiguresComputed
from thetawarden.messages.lifecycle import Begin, Quiesce
from thetawarden.messages.link import LinkChanged
from thetawarden.messages.market import RegimeAssessed
from thetawarden.messages.operations import NotifyPerson
from thetawarden.messages.orders import (
    MarginPreviewed,
    OrderApproved,
    OrderRefused,
    OrderStageChanged,
    PreviewMargin,
    ProposeOrder,
)
from thetawarden.messages.risk import RiskTaken
from thetawarden.messages.strategy import (
    ApproveLineup,
    BuildLineup,
    CandidatesViewed,
    EntrySnapshotTaken,
    LineupApproved,
    LineupBuilt,
    LineupChanged,
    LineupRefused,
    PredictionMade,
)
from thetawarden.messages.timers import CancelTimer, StartTimer, TimerFired
from thetawarden.messages.trading import TradingHalted, TradingResumed

Hears = (
    Begin
    | Quiesce
    | TimerFired
    | LinkChanged
    | ChainViewed
    | ContextTaken
    | FiguresComputed
    | RegimeAssessed
    | PositionsValued
    | MarginPreviewed
    | BuildLineup
    | ApproveLineup
    | OrderApproved
    | OrderRefused
    | OrderStageChanged
    | RiskTaken
    | TradingHalted
    | TradingResumed
)
Says = (
    ProposeOrder
    | PreviewMargin
    | CandidatesViewed
    | LineupBuilt
    | LineupApproved
    | LineupRefused
    | LineupChanged
    | EntrySnapshotTaken
    | PredictionMade
    | InterestChanged
    | NotifyPerson
    | StartTimer
    | CancelTimer
)

SWEEP = "sweep"
OWNER = "strategist"


class Strategist:
    """Proposes, never sends: what becomes of a proposal is the governor's to say.

    Looks at every view of a chain, shows what could be sold with all reasons for and against, and
    in the open slots of a session asks for the best of each underlying. Restart: safe; slots used,
    refusals and entries on their way come back from the log, candidates with the next view.
    """

    def __init__(
        self,
        *,
        settings: StrategySettings,
        sessions: Sessions,
        companies: Mapping[str, Company] | None = None,
        software: str = "",
        fingerprint: str = "",
    ) -> None:
        self.state = StrategistState()
        self._settings = settings
        self._companies = companies or {}
        self._entering = Entering(
            settings=settings, sessions=sessions, software=software, fingerprint=fingerprint
        )
        self._lining = Lining(settings=settings, sessions=sessions, entering=self._entering)

    def receive(self, message: Hears, now: UnixNs) -> tuple[Says, ...]:
        """Answer one message."""
        state = self.state
        match message:
            case ChainViewed(view=view):
                return self._see(view, now)
            case OrderApproved():
                return self._entering.approved(state, message, now)
            case OrderRefused():
                asked = self._entering.refused(state, message, now)
                return () if asked is None else self._ended(asked, ItemState.REFUSED, message.words)
            case OrderStageChanged():
                return self._staged(message, now)
            case MarginPreviewed():
                return self._lining.previewed(state, message, now)
            case BuildLineup(by=by):
                return self._lining.build(state, by, now)
            case ApproveLineup():
                return self._lining.approve(state, message, now)
            case TimerFired():
                return self._sweep(now)
            case Begin():
                state.quiet = False
                return self._sweep(now)
            case Quiesce():
                state.quiet = True
                return (CancelTimer(name=SWEEP),)
            case (
                LinkChanged()
                | ContextTaken()
                | FiguresComputed()
                | RegimeAssessed()
                | PositionsValued()
                | RiskTaken()
                | TradingHalted()
                | TradingResumed()
            ):
                self._note(message, now)
                return ()
            case _:
                assert_never(message)

    def _note(
        self,
        message: LinkChanged
        | ContextTaken
        | FiguresComputed
        | RegimeAssessed
        | PositionsValued
        | RiskTaken
        | TradingHalted
        | TradingResumed,
        now: UnixNs,
    ) -> None:
        """Remember what the world is like."""
        state = self.state
        match message:
            case LinkChanged(epoch=epoch, entries=entries):
                state.epoch, state.linked = epoch, entries
            case ContextTaken(inputs=inputs):
                state.curve = inputs.curve
            case FiguresComputed(symbol=symbol, figures=figures):
                state.figures[symbol] = figures
            case RegimeAssessed(regime=regime):
                state.regime, state.regime_ns = regime, now
            case PositionsValued():
                state.portfolio = portfolio_of(
                    message.positions, message.values, at_ns=now, reconciled=message.reconciled
                )
            case RiskTaken(trading=trading):
                state.trading = trading
            case TradingHalted():
                state.halted = True
            case TradingResumed():
                state.halted, state.trading = False, TradingState.RUNNING
            case _:
                assert_never(message)

    def _see(self, view: ChainView, now: UnixNs) -> tuple[Says, ...]:
        """Look at a chain anew: show what it offers, and ask for an entry when it is time."""
        state = self.state
        self._entering.turn_day(state, now)
        company = self._companies.get(view.underlying)
        scene = open_scene(
            view,
            earnings=None if company is None else company.earnings,
            now_ns=now,
            regime=self._entering.regime(state, now),
            figures=state.figures.get(view.underlying),
            portfolio=state.portfolio,
            scale=self._settings.liquidity,
        )
        offer = self._offer(scene, view, now)
        before = state.offers.get(view.underlying)
        state.offers[view.underlying] = offer
        said = self._say(offer, before, now)
        if isinstance(scene, str):
            return said
        return (*said, *self._interest(scene, offer, now), *self._enter(scene, now))

    def _offer(self, scene: Scene | str, view: ChainView, now: UnixNs) -> Offer:
        if isinstance(scene, str):
            return Offer(underlying=view.underlying, at_ns=now, view_number=view.number, why=scene)
        looked = look(scene, self._settings)
        return offer_of(looked, view, at_ns=now)

    def _say(self, offer: Offer, before: Offer | None, now: UnixNs) -> tuple[Says, ...]:
        """Say an offer when it changed, and now and then."""
        said_ns = self.state.said_ns.get(offer.underlying, 0)
        if not offer.differs(before) and now - said_ns < self._settings.timing.say_ns:
            return ()
        self.state.said_ns[offer.underlying] = now
        return (CandidatesViewed(underlying=offer.underlying, offer=offer),)

    def _interest(self, scene: Scene, offer: Offer, now: UnixNs) -> tuple[Says, ...]:
        """Have the legs of what may be entered quoted all the time.

        So are those that only their liquidity speaks against: open interest comes with a stream.
        """
        staged = (
            item.candidate
            for lineup in self.state.lineups.values()
            if lineup.state is LineupState.APPROVED
            for item in lineup.items
            if item.waits and item.candidate.underlying == scene.underlying
        )
        wanted = (
            leg.instrument
            for candidate in (*staged, *offer.candidates)
            if candidate.passes or candidate.may_become_liquid
            for leg in candidate.legs
        )
        before = self.state.watched.get(scene.underlying)
        keep_ns = self._settings.timing.keep_watching_ns
        watched = keep_watching(before or (), wanted, now=now, keep_ns=keep_ns)
        self.state.watched[scene.underlying] = watched
        instruments = tuple(one.instrument for one in watched)
        if before is not None and instruments == tuple(one.instrument for one in before):
            return ()
        interest = InterestChanged(
            underlying=scene.underlying,
            owner=OWNER,
            priority=LinePriority.ENTRY,
            instruments=instruments,
        )
        return (interest,)

    def _enter(self, scene: Scene, now: UnixNs) -> tuple[Says, ...]:
        """Ask for what a slot is open for."""
        state, level = self.state, self._settings.level
        said = self._give_up(now)
        state.waiting = self._entering.why_not(state, now)
        old = now - scene.view.at_ns > self._settings.timing.view_age_ns_max
        if level is Level.SUGGEST or state.waiting or old:
            return said
        said = (*said, *self._lining.enter(state, scene, now))
        if level is not Level.AUTOMATIC:
            return said
        return (*said, *self._entering.try_slot(state, scene, now))

    def _staged(self, told: OrderStageChanged, now: UnixNs) -> tuple[Says, ...]:
        """Follow an order of ours, and what it was for."""
        entry = self.state.entries.get(told.proposal_key)
        said: tuple[Says, ...] = self._entering.staged(self.state, told, now)
        if entry is None or told.proposal_key in self.state.entries:
            return said
        filled = told.units_filled > 0
        item_state = ItemState.ENTERED if filled else ItemState.CANCELLED
        words = f"{told.units_filled} of {told.units} filled" if filled else str(told.stage)
        return (*said, *self._ended(entry.asked, item_state, words))

    def _ended(self, asked: Asked, item_state: ItemState, words: str) -> tuple[Says, ...]:
        if not asked.lineup:
            return ()
        return self._lining.answered(self.state, asked, item_state, words)

    def _give_up(self, now: UnixNs) -> tuple[Says, ...]:
        """What waited in vain is over."""
        said: tuple[Says, ...] = ()
        for asked, words in self._entering.sweep(self.state, now):
            said = (*said, *self._ended(asked, ItemState.CANCELLED, words))
        return said

    def _sweep(self, now: UnixNs) -> tuple[Says, ...]:
        self._entering.turn_day(self.state, now)
        again = StartTimer(name=SWEEP, after_ns=self._settings.timing.sweep_ns)
        return (*self._give_up(now), *self._lining.sweep(self.state, now), again)
