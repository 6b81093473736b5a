"""The whole desk in a crash, in virtual time: strategist, governor and executor, nobody in between.

Every message of the log is heard. Whenever one has moved what is reserved, working or held, all
limits are measured afresh by what the governor knows then. What it lets in may pass no limit and
make none that is passed worse; what the market alone does is counted apart.
"""

from __future__ import annotations

import datetime as dt
import math
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from soak.twenty import differences, universe
from thetawarden.actors.governing import GovernorSettings, GovernorState, desk_of, measured
from thetawarden.domain.instants import NS_PER_SECOND, new_york_ns
from thetawarden.domain.market.calendar import sessions_between
from thetawarden.domain.market.sessions import Exchange, load_sessions
from thetawarden.domain.orders.stages import Stage
from thetawarden.domain.risk.finding import RuleFinding, RuleId, Verdict
from thetawarden.domain.risk.rules.concentration import positions_allowed
from thetawarden.domain.risk.usage import LimitUse, limits_in_use
from thetawarden.messages.base import Envelope, Message
from thetawarden.messages.books import FillBooked, PositionsValued
from thetawarden.messages.orders import (
    OrderApproved,
    OrderRefused,
    OrderStageChanged,
    SubmitOrder,
)
from thetawarden.messages.risk import RiskDemanded
from thetawarden.messages.trading import TradingHalted, TradingResumed
from thetawarden.practice.market.scenario import ScenarioName
from thetawarden.sim.broker.adapter import BrokerHabits
from thetawarden.sim.disk import Entry
from thetawarden.sim.settings import FIRST_DAY, SPEED, WorldSettings, small_config
from thetawarden.sim.world import World

BELL, EVENING = dt.time(9, 25), dt.time(17, 30)
LIMITED = frozenset(RuleId(f"R{number}") for number in range(2, 11))
MOVING = (OrderApproved, OrderStageChanged, FillBooked, PositionsValued)
ROUNDING = 1e-6

Uses = dict[tuple[str, str], LimitUse]


class DeskOutcome(msgspec.Struct, kw_only=True):
    """What a desk came to.

    `by_market` is how far the market alone carried a limit, as a part of it; `unknown` how often
    one could not be measured, while nothing may be let in.
    """

    messages: int = 0
    measured: int = 0
    counts: Counter[str] = msgspec.field(default_factory=Counter)
    by_market: dict[str, float] = {}
    unknown: Counter[str] = msgspec.field(default_factory=Counter)
    demands: list[str] = []
    halts: list[str] = []
    days: list[tuple[dt.date, float, str]] = []
    wrong: list[str] = []

    @property
    def loss_fraction(self) -> float:
        """The deepest fall of an evening from the first one."""
        first = self.days[0][1] if self.days else 0.0
        worst = min((nlv for _, nlv, _ in self.days), default=first)
        return max(0.0, 1.0 - worst / first) if first else 0.0

    @property
    def figures(self) -> dict[str, object]:
        """The report, line by line."""
        return {
            "a whole desk: messages heard": self.messages,
            "a whole desk: limits measured": self.measured,
            "a whole desk: deepest loss of an evening": f"{self.loss_fraction:.2%}",
            **{f"a whole desk: {name}": count for name, count in sorted(self.counts.items())},
            "a whole desk: halts": len(self.halts),
            "a whole desk: wrong": len(self.wrong),
        }

    @property
    def lines(self) -> list[str]:
        """What was passed by the market alone, what was demanded, and why it was halted."""
        passed = [f"{name} at {use:.0%} of its limit" for name, use in self.by_market.items()]
        return [
            *(f"passed by the market: {one}" for one in sorted(passed)),
            *(f"unknown {count} times: {one}" for one, count in sorted(self.unknown.items())),
            *(f"demanded: {one}" for one in self.demands),
            *(f"halted: {one}" for one in self.halts),
        ]


class LimitWatch:
    """Hears the log of one world and measures its limits at everything that moves them."""

    def __init__(self) -> None:
        self.outcome = DeskOutcome()
        self._looked_at: tuple[World, GovernorSettings] | None = None
        self._halted = False
        self._before: Uses = {}

    def look_at(self, world: World) -> None:
        """Measure by what the governor of this world knows."""
        self._looked_at = (world, _settings_of(world))

    def __call__(self, entry: Entry) -> None:
        """Take in one entry of the log."""
        if not isinstance(entry, Envelope):
            return
        self.outcome.messages += 1
        self._hear(entry.body)
        if isinstance(entry.body, MOVING):
            self._measure(entry.body)

    def _hear(self, body: Message) -> None:
        outcome = self.outcome
        match body:
            case OrderApproved(approval=approval, review=review):
                kind = "reducing" if approval.reducing else "entry"
                outcome.counts[f"approved, {kind}"] += 1
                refusing = [one for one in review.findings if _refuses(one)]
                if not approval.reducing:
                    outcome.wrong += [f"{approval.key}: {one.words}" for one in refusing]
            case OrderRefused():
                outcome.counts["refused"] += 1
            case SubmitOrder(intent=intent):
                outcome.counts[f"sent, {intent.role}"] += 1
                if self._halted and not intent.reducing:
                    outcome.wrong.append(f"{intent.order_ref} adds risk while halted")
            case OrderStageChanged(stage=Stage.FILLED, role=role):
                outcome.counts[f"filled, {role}"] += 1
            case RiskDemanded(demands=demands):
                kinds = sorted({one.kind.value for one in demands})
                outcome.demands.append(", ".join(kinds) or "nothing any more")
            case TradingHalted(halt=halt):
                if not self._halted:
                    outcome.halts.append(halt.reason)
                self._halted = True
            case TradingResumed():
                self._halted = False
            case _:
                pass

    def _measure(self, body: Message) -> None:
        """Compare every limit with what it was at the last such message."""
        now = self.uses()
        if not now:
            return
        self.outcome.measured += 1
        adds = isinstance(body, OrderApproved) and not body.approval.reducing
        for name, use in now.items():
            words = f"{name[0]} {name[1]}"
            if math.isnan(use.used):
                self.outcome.unknown[words] += 1
                if adds:
                    self.outcome.wrong.append(f"an entry was let in while {words} was unknown")
                continue
            if use.used <= use.limit + ROUNDING:
                continue
            before = self._before.get(name)
            worse = before is None or use.used > before.used + ROUNDING
            if adds and worse:
                told = f"{use.used:.4f} of {use.limit:.4f}"
                self.outcome.wrong.append(f"an entry let {words} come to {told}")
            over = use.fraction
            self.outcome.by_market[words] = max(self.outcome.by_market.get(words, 0.0), over)
        self._before = now

    def uses(self) -> Uses:
        """How much of every limit is used now, by a measure that begins with nothing."""
        if self._looked_at is None or not self._looked_at[0].alive:
            return {}
        world, settings = self._looked_at
        state: GovernorState | None = world.desk.state_of("governor")
        if state is None:
            return {}
        stock, desk = measured(state, settings, None), desk_of(state, settings)
        if stock is None or desk.account is None:
            return {}
        most = positions_allowed(desk, settings.limits)
        found = limits_in_use(
            stock.book,
            account=desk.account,
            limits=settings.limits,
            positions_max=0 if most is None else most,
        )
        return {(one.rule.value, one.name): one for one in found}


def _refuses(finding: RuleFinding) -> bool:
    return finding.rule in LIMITED and finding.verdict is Verdict.REFUSE


def _settings_of(world: World) -> GovernorSettings:
    """What the governor of a world keeps to."""
    specs = {spec.name: spec for group in world.tree.groups for spec in group.actors}
    governor: Any = specs["governor"].make()
    settings: GovernorSettings = governor._settings  # noqa: SLF001  # what it was built with
    return settings


def run_crash_desk(*, sessions: int, seed: int, progress: Callable[[str], None]) -> DeskOutcome:
    """Let the desk live through a crash; what is wrong stands in the outcome."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        settings = WorldSettings(
            config=universe(small_config()),
            seed=seed,
            market_seed=seed,
            scenario=ScenarioName.CRASH_2020_LIKE,
            habits=BrokerHabits(quotes_every_ns=round(SPEED * NS_PER_SECOND)),
        )
        watch = LimitWatch()
        world = World(settings, Path(folder), watch=watch)
        watch.look_at(world)
        last = FIRST_DAY + dt.timedelta(days=2 * sessions + 7)
        for day in sessions_between(FIRST_DAY, last, load_sessions(Exchange.NYSE))[:sessions]:
            world.run_until(new_york_ns(day, EVENING))
            _evening(world, day, watch.outcome)
            progress(f"{_told(watch.outcome)}, {time.monotonic() - began:.0f} s")
        world.stop()
    return watch.outcome


def _told(outcome: DeskOutcome) -> str:
    """A day in one line; what is counted is counted since the beginning."""
    day, nlv_usd, trading = outcome.days[-1]
    entries = f"{outcome.counts['approved, entry']} entries approved"
    refused = f"{outcome.counts['refused']} refused"
    checked = f"{outcome.measured} times measured, {len(outcome.wrong)} wrong"
    return f"{day}  {nlv_usd:12,.0f} USD  {trading:8}  {entries}, {refused}, {checked}"


def _evening(world: World, day: dt.date, outcome: DeskOutcome) -> None:
    """What the account is worth, and whether the books agree."""
    outcome.wrong += [f"{day}: {words}" for words in differences(world)]
    state: GovernorState | None = world.desk.state_of("governor")
    values = None if state is None else state.values
    nlv = None if values is None else values.net_liquidation_usd
    trading = "away" if state is None else ("halted" if state.latch.halt else "running")
    if state is not None and state.cautions and not state.latch.halt:
        trading = "cautious"
    outcome.days.append((day, float(nlv or 0), trading))
