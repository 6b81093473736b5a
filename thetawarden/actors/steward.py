"""The steward: looks after what is held, whatever became of those who seek new trades."""

from __future__ import annotations

from typing import assert_never

import msgspec

from thetawarden.actors.gleaning import (
    adopted_part,
    begun,
    booked_quantities,
    part_of_change,
    part_of_fill,
)
from thetawarden.actors.refusals import answer_refusal
from thetawarden.actors.stewarding import (
    StewardSettings,
    StewardState,
    busy_with,
    forget_lost,
    is_open,
    note_order,
    open_trades,
    over,
    rows_by_underlying,
    sight_of,
    vix_points,
)
from thetawarden.actors.tallying import (
    abandoned,
    end_words,
    forget_closed,
    judged,
    scene_of,
    tally,
    tally_fill,
    turn_day,
    write_down,
)
from thetawarden.actors.tending import look
from thetawarden.domain.chains.view import ChainView
from thetawarden.domain.instants import (
    NS_PER_MINUTE,
    NS_PER_SECOND,
    UnixNs,
    new_york_date,
)
from thetawarden.domain.managing.decision import Action
from thetawarden.domain.managing.snapshots import Scene
from thetawarden.domain.orders.intent import OrderRole
from thetawarden.domain.orders.stages import ENDS
from thetawarden.domain.risk.candidate import Purpose
from thetawarden.domain.trades.changes import (
    ADJUSTED,
    CLOSED,
    change_of,
    end_of,
    is_waiting_for_shares,
)
from thetawarden.domain.trades.ledger import (
    Ledger,
    OrderSeen,
    differences,
    with_change,
    with_fill,
    with_order,
    with_trade,
)
from thetawarden.domain.trades.snapshot import SnapshotEvent
from thetawarden.domain.trades.trade import Trade, TradeStage, TradeState
from thetawarden.messages.books import FillBooked, PositionExplained, PositionsValued
from thetawarden.messages.chains import ChainViewed
from thetawarden.messages.context import ContextTaken, FiguresComputed
from thetawarden.messages.lifecycle import Begin, Quiesce
from thetawarden.messages.market import RegimeAssessed
from thetawarden.messages.operations import NotifyPerson
from thetawarden.messages.orders import (
    OrderApproved,
    OrderRefused,
    OrderStageChanged,
    ProposeOrder,
    ReviseExits,
)
from thetawarden.messages.risk import RiskDemanded, RiskTaken
from thetawarden.messages.steward import (
    PositionDecided,
    PredictionJudged,
    ProfitAttributed,
    TradeChanged,
    TradeSnapshotTaken,
)
from thetawarden.messages.strategy import PredictionMade
from thetawarden.messages.timers import CancelTimer, StartTimer, TimerFired
from thetawarden.messages.trading import TradingHalted, TradingResumed

News = (
    ContextTaken
    | FiguresComputed
    | RegimeAssessed
    | PredictionMade
    | RiskDemanded
    | RiskTaken
    | TradingHalted
    | TradingResumed
)
Hears = (
    Begin
    | Quiesce
    | TimerFired
    | ChainViewed
    | PositionsValued
    | PositionExplained
    | FillBooked
    | OrderApproved
    | OrderRefused
    | OrderStageChanged
    | News
)
Says = (
    ProposeOrder
    | ReviseExits
    | PositionDecided
    | TradeChanged
    | TradeSnapshotTaken
    | ProfitAttributed
    | PredictionJudged
    | NotifyPerson
    | StartTimer
    | CancelTimer
)

LOOK = "look"
SHARES_COME_NS = 30 * NS_PER_SECOND
"""How long after an assignment the shares it brought are waited for before a trade is over."""
LEGS_COME_NS = 2 * NS_PER_MINUTE
"""How long after an order was over the booking of its last leg is waited for, likewise."""
_MINE = frozenset({OrderRole.ENTRY, OrderRole.EXIT, OrderRole.ROLL, OrderRole.HEDGE})
_REARRANGING = frozenset({OrderRole.ROLL, OrderRole.HEDGE})


class Steward:
    """Looks after every trade until nothing of it is left; proposes, never sends.

    Restart: safe; trades, what is under way for them and what was told come back from the log, and
    nothing is asked for again while an order for it may still be alive.
    """

    def __init__(self, settings: StewardSettings) -> None:
        self._settings = settings
        self.state = StewardState()

    def receive(self, message: Hears, now: UnixNs) -> tuple[Says, ...]:
        """Answer one message."""
        state = self.state
        match message:
            case Begin():
                state.quiet = False
                return (StartTimer(name=LOOK, after_ns=self._settings.limits.every_ns),)
            case Quiesce():
                state.quiet = True
                return (CancelTimer(name=LOOK),)
            case TimerFired():
                return self._look(now)
            case ChainViewed(view=view):
                return self._viewed(view, now)
            case PositionsValued():
                return self._valued(message, now)
            case FillBooked():
                return self._booked(message, now)
            case PositionExplained():
                return self._explained(message, now)
            case OrderApproved():
                self._approved(message, now)
                return ()
            case OrderRefused():
                ladder = self._settings.limits.ladder
                return answer_refusal(state, message, ladder=ladder, now=now)
            case OrderStageChanged():
                return self._stage(message, now)
            case _:
                self._hear(message)
                return ()

    def _hear(self, message: News) -> None:
        """Keep the latest of what is only to be known."""
        state = self.state
        match message:
            case RegimeAssessed(regime=regime):
                state.regime = regime
            case ContextTaken(inputs=inputs):
                state.curve = inputs.curve
                likeness = inputs.average_correlation
                state.correlation = None if likeness is None else likeness.value
            case FiguresComputed(symbol=symbol, figures=figures):
                state.figures[symbol] = figures
            case PredictionMade(prediction=told):
                known = state.predictions.get(told.trade, ())
                state.predictions[told.trade] = (*known, told)
            case RiskDemanded(demands=demands):
                state.demands = demands
            case RiskTaken(uses=uses):
                state.uses = uses
            case TradingHalted():
                state.halted = True
            case TradingResumed():
                state.halted = False
            case _:
                assert_never(message)

    def _look(self, now: UnixNs) -> tuple[Says, ...]:
        state, settings = self.state, self._settings
        again = StartTimer(name=LOOK, after_ns=settings.limits.every_ns)
        today = new_york_date(now)
        said: list[Says] = [again, *turn_day(state, today)]
        if state.day != today.isoformat():
            state.day, state.spots_usd = today.isoformat(), {}
            state.attempts = {}
        forget_lost(state, now)
        forget_closed(state, now)
        said += self._ended(now)
        if not is_open(settings, now):
            return tuple(said)
        said += look(state, settings, now)
        return (*said, *self._written(now))

    def _viewed(self, view: ChainView, now: UnixNs) -> tuple[Says, ...]:
        state, settings, name = self.state, self._settings, view.underlying
        held = {one.underlying for one in open_trades(state)}
        if name not in held and name not in settings.limits.hedges.underlyings:
            state.views.pop(name, None)
            return ()
        state.views[name] = view
        if view.spot_usd is not None and not view.spot_doubt and is_open(settings, now):
            state.spots_usd.setdefault(name, view.spot_usd)
        due = now - state.looked.get(name, 0) >= settings.view_ns
        if name not in held or not due or not is_open(settings, now):
            return ()
        state.looked[name] = now
        return look(state, settings, now, underlyings=(name,))

    def _written(self, now: UnixNs) -> list[Says]:
        """Mark every trade, and write those down that are due."""
        state, settings = self.state, self._settings
        rows = rows_by_underlying(state)
        said: list[Says] = []
        scene: Scene | None = None
        for trade in open_trades(state):
            sight = sight_of(state, trade, rows)
            tally(state, trade, sight, now)
            known = state.tallies.get(trade.name)
            if known is None or now - known.written_ns < settings.limits.snapshot_ns:
                continue
            state.tallies[trade.name] = msgspec.structs.replace(known, written_ns=now)
            scene = scene or scene_of(state, settings, now)
            said.append(
                write_down(state, sight, event=SnapshotEvent.HELD, reason=None, scene=scene)
            )
        return said

    def _valued(self, valued: PositionsValued, now: UnixNs) -> tuple[Says, ...]:
        """Take what book and trades differ by for a trade by hand, once it was seen twice."""
        state = self.state
        state.rows = tuple(one for one in valued.positions if one.quantity)
        state.values = valued.values[0] if valued.values else state.values
        if not valued.reconciled:
            state.gaps = {}
            return ()
        gaps = differences(state.ledger, booked_quantities(valued.positions))
        known, state.gaps = state.gaps, gaps
        said: list[Says] = []
        for conid, gap in gaps.items():
            if known.get(conid) == gap:
                part = adopted_part(state.ledger, valued.positions, conid=conid, gap=gap, now=now)
                if part is not None:
                    said += self._change(with_change(state.ledger, part), now)
        return tuple(said)

    def _booked(self, booked: FillBooked, now: UnixNs) -> tuple[Says, ...]:
        part = part_of_fill(booked)
        return () if part is None else self._change(with_fill(self.state.ledger, part), now)

    def _explained(self, explained: PositionExplained, now: UnixNs) -> tuple[Says, ...]:
        part = part_of_change(explained, now)
        return () if part is None else self._change(with_change(self.state.ledger, part), now)

    def _change(self, ledger: Ledger, now: UnixNs) -> tuple[Says, ...]:
        """Take a changed ledger over, and say what became of every trade it changed."""
        state = self.state
        before, state.ledger = state.ledger, ledger
        changed = [
            (name, was, after)
            for name, after in ledger.trades.items()
            if (was := before.trades.get(name)) != after
        ]
        rows = rows_by_underlying(state, [after.underlying for _, _, after in changed])
        said: list[Says] = []
        for name, was, after in changed:
            sights = (
                sight_of(state, was or msgspec.structs.replace(after, parts=()), rows),
                sight_of(state, after, rows),
            )
            tally_fill(state, was, after, sights=sights, now=now)
            event = change_of(was, after)
            if event == CLOSED:
                continue  # told once it is sure that nothing more is to come
            if event:
                said.append(TradeChanged(event=event, trade=after, reason=end_of(after)))
            rearranged = after.parts[-1].role in _REARRANGING if after.parts else False
            if event == ADJUSTED and rearranged and after.stage is TradeStage.OPTIONS:
                state.bare = tuple(dict.fromkeys((*state.bare, name)))
        return (*said, *self._ended(now))

    def _ended(self, now: UnixNs) -> list[Says]:
        """Say of every trade that is over what came of it, once."""
        state = self.state
        said: list[Says] = []
        for name, trade in list(state.ledger.trades.items()):
            over = trade.state is TradeState.CLOSED and not trade.ended_by
            if not over or self._may_get_more(trade, now):
                continue
            standing = state.decisions.pop(name, None)
            asked = standing is not None and standing.decision.action is not Action.HOLD
            why = standing.decision.rule.value if standing and asked else end_of(trade)
            ended = msgspec.structs.replace(trade, ended_by=why)
            state.ledger = with_trade(state.ledger, ended)
            for memory in (state.attempts, state.waits, state.blind):
                memory.pop(name, None)
            state.bare = tuple(one for one in state.bare if one != name)
            if trade.manual:
                continue
            sight = sight_of(state, ended, rows_by_underlying(state, [ended.underlying]))
            scene = scene_of(state, self._settings, now)
            words = end_words(ended)
            said += [
                TradeChanged(event=CLOSED, trade=ended, reason=words),
                write_down(state, sight, event=SnapshotEvent.EXIT, reason=why, scene=scene),
                *judged(ended, state.predictions.pop(name, ())),
            ]
        return said

    def _may_get_more(self, trade: Trade, now: UnixNs) -> bool:
        """Whether shares, or the new leg of what was rolled, may still be told of."""
        if is_waiting_for_shares(trade):
            return now - trade.closed_ns < SHARES_COME_NS
        if not trade.parts or trade.parts[-1].role not in _REARRANGING:
            return False
        asked = (one for one in self.state.pending.values() if one.trade == trade.name)
        return any(asked) or now - trade.closed_ns < LEGS_COME_NS

    def _approved(self, approved: OrderApproved, now: UnixNs) -> None:
        """An order that opens begins a trade; one that sells calls on shares brings its exits."""
        state, proposal = self.state, approved.proposal
        known = state.ledger.trades.get(proposal.trade)
        if known is None:
            if proposal.purpose in {Purpose.OPEN, Purpose.HEDGE}:
                view = state.views.get(proposal.underlying)
                trade = begun(proposal, view, vix_points=vix_points(state), now=now)
                part = approved.approval.units / max(proposal.units, 1)
                trade = msgspec.structs.replace(trade, approved_fraction=part)
                state.ledger = with_trade(state.ledger, trade)
        elif proposal.exits is not None:
            covered = msgspec.structs.replace(known, exits=proposal.exits)
            state.ledger = with_trade(state.ledger, covered)

    def _stage(self, told: OrderStageChanged, now: UnixNs) -> tuple[Says, ...]:
        state = self.state
        seen = OrderSeen(trade=told.trade, role=told.role, proposal_key=told.proposal_key)
        state.ledger = with_order(state.ledger, told.order_ref, seen)
        note_order(state, told)
        asked = state.pending.get(told.proposal_key) if told.role in _MINE else None
        if asked is not None:
            state.pending[asked.key] = msgspec.structs.replace(asked, seen=True)
        if told.stage not in ENDS:
            return ()
        if asked is not None:
            del state.pending[asked.key]
            over(state, asked, told, ladder=self._settings.limits.ladder, now=now)
        trade = state.ledger.trades.get(told.trade)
        nothing = trade is not None and not trade.parts and not busy_with(state, told.trade)
        if trade is not None and nothing and not told.units_filled:
            state.ledger = with_trade(state.ledger, abandoned(trade, now))
            state.predictions.pop(trade.name, None)
        return ()
