"""A whole desk in a crash, in virtual time, twice: with its governor, and with one that says yes.

Strategist, steward, executor, market and broker are the same in both, from the same seed. The log
of the governed one is heard message by message. Each desk ends in the evening and begins in the
morning from its own log; a person looks in before each bell, reviews what halted and resumes.
"""

from __future__ import annotations

import datetime as dt
import math
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from soak.crash_terms import SPEED, world_settings
from soak.own_steps import Steps
from soak.own_watch import Outcome, OwnWatch
from soak.twenty import differences
from soak.ungoverned import without_a_governor
from thetawarden.actors.governing import GovernorSettings, GovernorState
from thetawarden.domain.instants import new_york_ns
from thetawarden.domain.market.calendar import sessions_between
from thetawarden.domain.market.sessions import Exchange, load_sessions
from thetawarden.domain.risk.limits import RiskLimits
from thetawarden.domain.risk.recovery import RecoveryPhase
from thetawarden.infra.journal.reader import Wanted, open_log
from thetawarden.messages.base import Envelope
from thetawarden.messages.orders import OrderApproved, OrderRefused, SubmitOrder
from thetawarden.messages.risk import ReviewDrawdown
from thetawarden.messages.trading import Resume, TradingHalted
from thetawarden.sim.disk import Entry
from thetawarden.sim.settings import FIRST_DAY, WorldSettings
from thetawarden.sim.world import World

MORNING, LOOKS_IN = dt.time(8, 50), dt.time(9, 25)
EVENING, SETTLED = dt.time(16, 10), dt.time(17, 30)
DEPOSIT_USD = 1_000_000.0


class Day(msgspec.Struct, frozen=True, kw_only=True):
    """How a session ended."""

    day: dt.date
    nlv_usd: float
    vix: float
    held: int
    trading: str


class DeskRun(msgspec.Struct, kw_only=True):
    """What one desk came to; `watched` is only of the governed one."""

    days: list[Day] = []
    counts: Counter[str] = msgspec.field(default_factory=Counter)
    happened: list[str] = []
    wrong: list[str] = []
    watched: Outcome | None = None
    steps: Steps | None = None
    machine_s: float = 0.0

    @property
    def deepest_fraction(self) -> float:
        """The deepest fall of an evening from what was paid in."""
        worst = min((one.nlv_usd for one in self.days), default=DEPOSIT_USD)
        return max(0.0, 1.0 - worst / DEPOSIT_USD)

    @property
    def result_fraction(self) -> float:
        """What is left at the end, less what there was."""
        return self.days[-1].nlv_usd / DEPOSIT_USD - 1.0 if self.days else 0.0


class _Counts:
    """Counts what is common to both desks."""

    def __init__(self, counts: Counter[str], own: OwnWatch | None) -> None:
        self._counts = counts
        self._own = own

    def __call__(self, entry: Entry) -> None:
        if not isinstance(entry, Envelope):
            return
        if self._own is not None:
            self._own.hear(entry.body, entry.at_ns)
        match entry.body:
            case OrderApproved(approval=approval):
                self._counts["exits approved" if approval.reducing else "entries approved"] += 1
            case OrderRefused(review=review):
                self._counts["refused"] += 1
                for rule in () if review is None else review.binding:
                    self._counts[f"refused by {rule}"] += 1
            case SubmitOrder(intent=intent):
                self._counts[f"sent, {intent.role}"] += 1
            case TradingHalted():
                self._counts["halts"] += 1
            case _:
                pass


def run_desk(
    *,
    sessions: int,
    seed: int,
    governed: bool,
    tight: bool,
    folder: Path | None,
    progress: Callable[[str], None],
) -> DeskRun:
    """Let a desk live through the crash; what is wrong stands in what is returned.

    Its log is kept in a folder, where one is named.
    """
    began, run = time.monotonic(), DeskRun()
    with tempfile.TemporaryDirectory() as temporary:
        folder = folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        settings = world_settings(seed, companies=folder / "companies.csv" if tight else None)
        world, own = _world(settings, governed=governed, folder=folder, run=run)
        tell = None if own is None else _Teller(own, progress)
        last = FIRST_DAY + dt.timedelta(days=2 * sessions + 7)
        for day in sessions_between(FIRST_DAY, last, load_sessions(Exchange.NYSE))[:sessions]:
            _sleep(world, new_york_ns(day, MORNING))
            world.run_until(new_york_ns(day, LOOKS_IN))
            run.wrong += _look_in(world, day)
            world.run_until(new_york_ns(day, EVENING))
            _evening(world, day, run)
            progress(f"{_told(run, governed=governed)}, {time.monotonic() - began:.0f} s")
            if tell is not None:
                tell()
            world.stop()
        run.wrong += _settled(world, run.days[-1].day)
        world.stop()
    if own is not None:
        _conclude(run, own)
    run.machine_s = time.monotonic() - began
    return run


def judge_log(folder: Path, *, seed: int, tight: bool) -> DeskRun:
    """Judge a log that was kept, as if it was heard while it was written."""
    began, run = time.monotonic(), DeskRun()
    with tempfile.TemporaryDirectory() as temporary:
        inside = Path(temporary)
        settings = world_settings(seed, companies=inside / "companies.csv" if tight else None)
        own = OwnWatch(_limits_of(settings, inside), speed=SPEED)
    heard = _Counts(run.counts, own)
    with open_log(folder) as days:
        for day in days:
            for envelope in day.messages(Wanted()):
                heard(envelope)
            run.days.append(_day_of(own, day.day))
    _conclude(run, own)
    run.machine_s = time.monotonic() - began
    return run


def _conclude(run: DeskRun, own: OwnWatch) -> None:
    run.watched = own.finish()
    run.wrong += run.watched.wrong
    run.happened = [one.words for one in own.order.happened]
    run.steps = own.order.steps


def _day_of(own: OwnWatch, day: dt.date) -> Day:
    """How a day ended, by facts of the log."""
    facts = own.facts
    return Day(
        day=day,
        nlv_usd=math.nan if facts.account is None else facts.account.nlv_usd,
        vix=math.nan if facts.vix is None else facts.vix.value,
        held=len(facts.orders.counts()),
        trading="halted" if own.order.halted else "running",
    )


def _limits_of(settings: WorldSettings, folder: Path) -> RiskLimits:
    """The limits that the governor of a world keeps to."""
    return _settings_of(World(settings, _under(folder, "told"))).limits


def _sleep(world: World, until_ns: int) -> None:
    """Let the night pass with the desk switched off, as it is every evening."""
    left_ns = until_ns - world.clock.true_ns()
    if left_ns > 0:
        world.clock.advance(left_ns)


class _Teller:
    """Says each evening what has newly happened, so that a run that is cut short has told."""

    def __init__(self, own: OwnWatch, progress: Callable[[str], None]) -> None:
        self._own = own
        self._progress = progress
        self._told = [0, 0, 0]

    def __call__(self) -> None:
        outcome, order = self._own.outcome, self._own.order
        lists = (
            [one.words for one in order.happened],
            [one.words for one in outcome.episodes],
            [f"WRONG: {words}" for words in (*outcome.wrong, *order.wrong, *order.steps.wrong)],
        )
        for place, lines in enumerate(lists):
            for line in lines[self._told[place] :]:
                self._progress(f"    {line}")
            self._told[place] = len(lines)


def _world(
    settings: WorldSettings, *, governed: bool, folder: Path, run: DeskRun
) -> tuple[World, OwnWatch | None]:
    own: OwnWatch | None = None
    if governed:
        own = OwnWatch(_limits_of(settings, folder), speed=SPEED)
    world = World(settings, _under(folder, "desk"), watch=_Counts(run.counts, own))
    if not governed:
        world.tree = without_a_governor(world.tree)
    return world, own


def _under(folder: Path, name: str) -> Path:
    inside = folder / name
    inside.mkdir()
    return inside


def _settings_of(world: World) -> GovernorSettings:
    """What the governor of a world keeps to."""
    specs = {spec.name: spec for group in world.tree.groups for spec in group.actors}
    settings: Any = specs["governor"].settings["settings"]
    found: GovernorSettings = settings
    return found


def _settled(world: World, day: dt.date) -> list[str]:
    """What the books differ by when the last day's expiries are settled."""
    world.run_until(new_york_ns(day, SETTLED))
    return [f"{day}: {words}" for words in differences(world)]


def _look_in(world: World, day: dt.date) -> list[str]:
    """A person compares the books, reads why it is halted, reviews a drawdown, and resumes."""
    if not world.alive:
        return []  # the first day has only begun
    differing = [f"{day}: {words}" for words in differences(world)]
    state: GovernorState | None = world.desk.state_of("governor")
    if state is None or state.latch.halt is None:
        return differing
    if state.recovery.phase is not RecoveryPhase.NONE:
        world.say(ReviewDrawdown(reason="looked at every trade", by="person"), sender="person")
    resume = Resume(reason="looked at it", by="person", epoch=state.latch.epoch)
    world.say(resume, sender="person")
    return differing


def _evening(world: World, day: dt.date, run: DeskRun) -> None:
    """What the account is worth, what it holds, and what it may do."""
    state: GovernorState | None = world.desk.state_of("governor")
    exchange = world.gateway.exchange
    values = None if state is None else state.values
    net = Decimal(0) if values is None else values.net_liquidation_usd or Decimal(0)
    trading = "away"
    if state is not None:
        trading = "halted" if state.latch.halt else "cautious" if state.cautions else "running"
    vix = None if state is None or state.vix is None else state.vix.value
    run.days.append(
        Day(
            day=day,
            nlv_usd=float(net),
            vix=vix or 0.0,
            held=sum(1 for one in exchange.positions() if one.quantity),
            trading=trading,
        )
    )


def _told(run: DeskRun, *, governed: bool) -> str:
    """A day in one line; what is counted is counted since the beginning."""
    day, name = run.days[-1], "governed" if governed else "unprotected"
    return (
        f"{name:11} {day.day}  VIX {day.vix:5.1f}  {day.nlv_usd:12,.0f} USD  {day.held:3} held"
        f"  {day.trading:8}  {run.counts['entries approved']} entries,"
        f" {run.counts['exits approved']} exits, {run.counts['refused']} refused"
    )
