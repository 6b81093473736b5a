"""How a line-up goes: chosen by the broker's margins, approved by a person, entered at the open."""

from __future__ import annotations

import math

import msgspec

from thetawarden.actors.entering import (
    Asked,
    Building,
    Entering,
    StrategistState,
    Told,
    key_of,
)
from thetawarden.domain.instants import UnixNs, new_york_clock
from thetawarden.domain.market.sessions import Sessions
from thetawarden.domain.orders.proposal import OrderLeg
from thetawarden.domain.risk.candidate import WhatIf
from thetawarden.domain.strategy.adapting import adapt
from thetawarden.domain.strategy.candidate import Candidate
from thetawarden.domain.strategy.catalog import STRATEGIES
from thetawarden.domain.strategy.lineup import (
    Item,
    ItemState,
    Lineup,
    LineupAnswer,
    LineupState,
    margin_a_unit_usd,
    pick_portfolio,
)
from thetawarden.domain.strategy.proposing import limit_of
from thetawarden.domain.strategy.scene import Scene
from thetawarden.domain.strategy.schedule import closes_after, in_session
from thetawarden.domain.strategy.scoring import with_margin
from thetawarden.domain.strategy.settings import StrategySettings
from thetawarden.messages.orders import MarginPreviewed, PreviewMargin
from thetawarden.messages.strategy import (
    ApproveLineup,
    LineupApproved,
    LineupBuilt,
    LineupChanged,
    LineupRefused,
)

Lines = PreviewMargin | LineupBuilt | LineupApproved | LineupRefused | LineupChanged
OWNER = "strategist"
KEPT = 10
_SHAPES = {one.name: one.shape for one in STRATEGIES}


class Lining:
    """The way of line-ups, over the strategist's state."""

    def __init__(
        self, *, settings: StrategySettings, sessions: Sessions, entering: Entering
    ) -> None:
        self._settings = settings
        self._sessions = sessions
        self._entering = entering

    def build(self, state: StrategistState, by: str, now: UnixNs) -> tuple[Lines, ...]:
        """Ask the broker for the margin of everything that may be entered."""
        candidates = tuple(
            one for offer in state.offers.values() for one in offer.candidates if one.passes
        )
        why = self._why_no_lineup(state, candidates)
        if why:
            return self._refuse(state, "", words=why, by=by)
        state.lineups_named += 1
        name = f"L{state.lineups_named}"
        state.building = Building(
            name=name,
            by=by,
            until_ns=UnixNs(now + self._settings.timing.preview_ns),
            candidates=candidates,
        )
        return tuple(self._preview(state, name, one) for one in candidates)

    def previewed(
        self, state: StrategistState, told: MarginPreviewed, now: UnixNs
    ) -> tuple[Lines, ...]:
        """Note one of the broker's answers; with the last one the line-up is chosen."""
        building = state.building
        name, _, key = told.key.partition(":")
        if told.asked_by != OWNER or building is None or name != building.name:
            return ()
        answer = told.answer or told.words or "the broker gave no margin"
        building = msgspec.structs.replace(building, answers=building.answers | {key: answer})
        state.building = building
        if len(building.answers) < len({key_of(one) for one in building.candidates}):
            return ()
        return self._finish(state, building, now)

    def approve(
        self, state: StrategistState, told: ApproveLineup, now: UnixNs
    ) -> tuple[Lines, ...]:
        """A person wants a line-up entered."""
        lineup = state.lineups.get(told.lineup)
        if lineup is None:
            named = ", ".join(state.lineups) or "none"
            words = f"there is no line-up {told.lineup}; there are: {named}"
        elif now >= lineup.expires_ns:
            words = f"line-up {lineup.name} has expired; build another one"
        elif lineup.state is not LineupState.STAGED:
            words = f"line-up {lineup.name} is {lineup.state} already"
        else:
            lineup = msgspec.structs.replace(
                lineup, state=LineupState.APPROVED, approved_by=told.by
            )
            state.lineups[lineup.name] = lineup
            self._answer(state, f"line-up {lineup.name} is approved")
            return (LineupApproved(lineup=lineup, by=told.by),)
        return self._refuse(state, told.lineup, words=words, by=told.by)

    def enter(self, state: StrategistState, scene: Scene, now: UnixNs) -> tuple[Lines | Told, ...]:
        """Propose what an approved line-up has next on this underlying, adapted to the market."""
        early = new_york_clock(now).time() < self._settings.staging.adapt_from
        if early or not in_session(now, self._sessions):
            return ()
        for lineup in state.lineups.values():
            item = lineup.next if lineup.state is LineupState.APPROVED else None
            if item is None or item.candidate.underlying != scene.underlying:
                continue
            margin = state.portfolio.initial_margin_usd
            if margin is None or not math.isfinite(margin):
                return ()  # not known just now: nothing is entered, and nothing given up
            if margin >= lineup.ceiling_usd:
                words = "the account's margin has reached the ceiling"
                return self._cancel_rest(state, lineup, words)
            return self._enter(state, lineup, item, scene, now)
        return ()

    def answered(
        self, state: StrategistState, asked: Asked, item_state: ItemState, words: str
    ) -> tuple[Lines, ...]:
        """What was asked for a line-up has an answer, or an end."""
        lineup = state.lineups.get(asked.lineup)
        item = None if lineup is None else lineup.item(key_of(asked.candidate))
        if lineup is None or item is None:
            return ()
        changed = msgspec.structs.replace(item, state=item_state, words=words, trade=asked.trade)
        return self._put(state, lineup.with_item(changed))

    def sweep(self, state: StrategistState, now: UnixNs) -> tuple[Lines, ...]:
        """Choose by the answers there are when the others do not come; let old line-ups expire."""
        said: tuple[Lines, ...] = ()
        if state.building is not None and now >= state.building.until_ns:
            said = self._finish(state, state.building, now)
        alive = (LineupState.STAGED, LineupState.APPROVED)
        for lineup in tuple(state.lineups.values()):
            if lineup.state in alive and now >= lineup.expires_ns:
                over = msgspec.structs.replace(lineup, state=LineupState.EXPIRED)
                said = (*said, *self._put(state, over))
        return said

    def _refuse(
        self, state: StrategistState, lineup: str, *, words: str, by: str
    ) -> tuple[Lines, ...]:
        self._answer(state, words, refused=True)
        return (LineupRefused(lineup=lineup, words=words, by=by),)

    def _answer(self, state: StrategistState, words: str, *, refused: bool = False) -> None:
        number = state.answer.number + 1
        state.answer = LineupAnswer(number=number, refused=refused, words=words)

    def _why_no_lineup(self, state: StrategistState, candidates: tuple[Candidate, ...]) -> str:
        reasons = (
            (state.building is not None, "a line-up is being built already"),
            (not state.linked, "no link to the broker: without its margins nothing is chosen"),
            (state.portfolio.nlv_usd is None, "what the account is worth is not known"),
            (state.portfolio.initial_margin_usd is None, "the margin in use is not known"),
            (not candidates, "no candidate passes now; see `thetawarden candidates`"),
        )
        return next((words for holds, words in reasons if holds), "")

    def _preview(self, state: StrategistState, name: str, one: Candidate) -> PreviewMargin:
        return PreviewMargin(
            epoch=state.epoch,
            asked_by=OWNER,
            key=f"{name}:{key_of(one)}",
            legs=tuple(OrderLeg(instrument=leg.instrument, ratio=leg.ratio) for leg in one.legs),
            units=self._settings.terms[one.strategy].units,
            limit_usd=limit_of(one),
        )

    def _finish(self, state: StrategistState, building: Building, now: UnixNs) -> tuple[Lines, ...]:
        state.building = None
        book, staging = state.portfolio, self._settings.staging
        if book.nlv_usd is None or book.initial_margin_usd is None:
            return self._refuse(state, "", words="the account is not known", by=building.by)
        ceiling = staging.budget_fraction * book.nlv_usd
        budget = max(ceiling - book.initial_margin_usd, 0.0)
        picked = pick_portfolio(
            [self._rescored(one, building.answers.get(key_of(one))) for one in building.candidates],
            building.answers,
            units={key_of(o): self._settings.terms[o.strategy].units for o in building.candidates},
            budget_usd=budget,
            stretch_fraction=staging.over_allocation_fraction,
        )
        lineup = Lineup(
            name=building.name,
            built_ns=now,
            expires_ns=closes_after(now, self._sessions),
            state=LineupState.STAGED,
            budget_usd=budget,
            ceiling_usd=ceiling,
            items=picked.items,
            left_out=picked.left_out,
        )
        if not lineup.items:
            words = f"nothing fits into {budget:,.0f} USD: {'; '.join(picked.left_out)}"
            return self._refuse(state, lineup.name, words=words, by=building.by)
        state.lineups[lineup.name] = lineup
        for old in tuple(state.lineups)[:-KEPT]:
            del state.lineups[old]
        count, margin = len(lineup.items), lineup.margin_usd
        words = f"line-up {lineup.name}: {count} staged, {margin:,.0f} of {budget:,.0f} USD"
        self._answer(
            state, f"{words}; `thetawarden lineup approve {lineup.name}` lets it be entered"
        )
        return (LineupBuilt(lineup=lineup),)

    def _rescored(self, one: Candidate, answer: WhatIf | str | None) -> Candidate:
        if answer is None or isinstance(answer, str):
            return one
        margin = margin_a_unit_usd(answer)
        if not math.isfinite(margin):
            return one
        return with_margin(
            one, margin, weights=self._settings.weights, selector=self._settings.selector
        )

    def _enter(
        self, state: StrategistState, lineup: Lineup, item: Item, scene: Scene, now: UnixNs
    ) -> tuple[Lines | Told, ...]:
        staged = item.candidate
        shape = _SHAPES.get(staged.strategy)
        terms = self._settings.terms.get(staged.strategy)
        if shape is None or terms is None:
            return self._cancel(state, lineup, item, f"{staged.strategy} trades no more")
        found = adapt(staged, scene, shape=shape, terms=terms, settings=self._settings)
        if isinstance(found, str):
            return self._cancel(state, lineup, item, found)
        if not self._entering.is_fresh(found, now) or self._entering.is_busy(state, found):
            return ()
        said = self._entering.ask(
            state, scene, found, now=now, lineup=lineup.name, units=item.units
        )
        if not said:
            words = state.refused[key_of(found)].words
            return self._cancel(state, lineup, item, words)
        same = found.conids == staged.conids
        words = "as staged" if same else "adapted to the open: as far out, other strikes"
        changed = msgspec.structs.replace(item, state=ItemState.PROPOSED, words=words)
        return (*said, *self._put(state, lineup.with_item(changed)))

    def _cancel(
        self, state: StrategistState, lineup: Lineup, item: Item, words: str
    ) -> tuple[Lines, ...]:
        changed = msgspec.structs.replace(item, state=ItemState.CANCELLED, words=words)
        return self._put(state, lineup.with_item(changed))

    def _cancel_rest(self, state: StrategistState, lineup: Lineup, words: str) -> tuple[Lines, ...]:
        for item in lineup.items:
            if item.waits:
                changed = msgspec.structs.replace(item, state=ItemState.CANCELLED, words=words)
                lineup = lineup.with_item(changed)
        return self._put(state, lineup)

    def _put(self, state: StrategistState, lineup: Lineup) -> tuple[Lines, ...]:
        state.lineups[lineup.name] = lineup
        return (LineupChanged(lineup=lineup),)
