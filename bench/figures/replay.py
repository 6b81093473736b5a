"""The proof of a day: every actor answers once more, beside a log that is only read."""

from __future__ import annotations

import datetime as dt
import os
import tempfile
import time
from functools import partial
from pathlib import Path

from bench.harness import Figure, Goal
from thetawarden.actors.tree import Tree
from thetawarden.config.schema import Config
from thetawarden.domain.instants import NS_PER_MINUTE, NS_PER_SECOND, new_york_ns
from thetawarden.infra.journal.reader import DayLog, open_log
from thetawarden.messages.base import Envelope, Message
from thetawarden.messages.lifecycle import DeskStarted
from thetawarden.sim import side_by_side
from thetawarden.sim.broker.adapter import BrokerHabits
from thetawarden.sim.cast import Processes
from thetawarden.sim.settings import FIRST_DAY, WorldSettings
from thetawarden.sim.shares import Past
from thetawarden.sim.world import World
from thetawarden.supervisor import Mark, desk_tree

SPEED = 30.0
QUOTES_EVERY_NS = round(SPEED * NS_PER_SECOND / 10)
BEGIN = new_york_ns(FIRST_DAY, dt.time(9, 25))
SESSION_MINUTES = 60
DELIVERIES_MIN = 8000
_kept = tempfile.TemporaryDirectory(prefix="thetawarden-bench-")


def _log() -> Path:
    return Path(_kept.name) / "log"


def _record_an_hour() -> None:
    """The default desk at the bell, on the practice market, as quick as `run --speed 30`."""
    settings = WorldSettings(
        config=Config(),
        seed=3,
        market_start_ns=BEGIN,
        start_ns=BEGIN,
        speed=SPEED,
        habits=BrokerHabits(quotes_every_ns=QUOTES_EVERY_NS),
    )
    world = World(settings, Path(_kept.name))
    world.run_until(BEGIN + SESSION_MINUTES * NS_PER_MINUTE)
    world.stop()


def _tree_of(started: DeskStarted) -> Tree:
    mark = Mark(fingerprint=started.config_fingerprint, software=started.software)
    return desk_tree(Config(), speed=started.speed, mark=mark)


def _past_of(days: tuple[DayLog, ...], starts: list[Envelope[Message]] | None) -> Past:
    processes = Processes(days, _tree_of, starts)
    return Past(days=days, tree=processes.tree_at(2**62), processes=processes)


def _verified_a_second() -> float:
    started = time.perf_counter()
    verdict = side_by_side.verify(
        partial(open_log, _log()), _past_of, day=None, jobs=os.cpu_count() or 1
    )
    took = time.perf_counter() - started
    if verdict.first_difference is not None or verdict.verified < DELIVERIES_MIN:
        raise AssertionError(f"replayed otherwise: {verdict}")
    return verdict.verified / took


def _read_a_second() -> float:
    started = time.perf_counter()
    with open_log(_log()) as days:
        count = sum(1 for day in days for _ in day.steps())
    return count / (time.perf_counter() - started)


FIGURES = [
    Figure(
        name="replay_verify_session",
        unit="deliveries/s",
        measure=_verified_a_second,
        setup=_record_an_hour,
        reference="the same log read and decoded, by one process",
        measure_reference=_read_a_second,
        goals=(Goal(of="ratio", relation=">=", limit=0.1),),
    )
]
