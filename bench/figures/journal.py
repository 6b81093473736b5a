"""The message log: durable acknowledgements for many threads, and replay of a long log."""

from __future__ import annotations

import datetime as dt
import itertools
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from bench.harness import Figure, Goal
from thetawarden.actors.post import ActorSpec
from thetawarden.domain.instants import UnixNs
from thetawarden.domain.vitals import ActorVitals, Vitals
from thetawarden.infra.collector import searching_rarely
from thetawarden.infra.journal import rows
from thetawarden.infra.journal.journal import Journal, Position
from thetawarden.infra.journal.reader import DayLog
from thetawarden.infra.journal.store import day_path
from thetawarden.messages.base import Envelope, Message
from thetawarden.messages.operations import AlertDelivered, VitalsTaken
from thetawarden.messages.registry import decode, encode
from thetawarden.ports import Delivery
from thetawarden.sim.cast import Replayed

DAY = dt.date(2026, 3, 2)
PRODUCERS = 8
EACH = 400
DELIVERIES = 1_000_000
_kept = tempfile.TemporaryDirectory(prefix="thetawarden-bench-")
_numbers = itertools.count()


def _acknowledgements_a_second(work: Callable[[int], None]) -> float:
    def produce() -> None:
        for number in range(EACH):
            work(number)

    threads = [threading.Thread(target=produce) for _ in range(PRODUCERS)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return PRODUCERS * EACH / (time.perf_counter() - started)


def _folder() -> Path:
    folder = Path(_kept.name) / str(next(_numbers))
    folder.mkdir()
    return folder


def _durable_through_journal() -> float:
    journal = Journal(_folder(), day=DAY, position=Position(), software="bench")

    def work(number: int) -> None:
        envelope = journal.say(AlertDelivered(number=number), "bench", 0, None, UnixNs(number))
        journal.wait_durable(envelope.seq, 60)

    rate = _acknowledgements_a_second(work)
    journal.close()
    return rate


def _durable_one_commit_each() -> float:
    path = _folder() / "each.db"
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.executescript(rows.DDL)
    lock, numbers = threading.Lock(), itertools.count(1)

    def work(number: int) -> None:
        with lock:
            said = Envelope(
                seq=next(numbers),
                at_ns=UnixNs(number),
                sender="bench",
                incarnation=0,
                cause_seq=None,
                body=AlertDelivered(number=number),
            )
            row = rows.message_row(said)
            connection.execute("INSERT INTO messages VALUES(?,?,?,?,?,?,?,?)", row)

    rate = _acknowledgements_a_second(work)
    connection.close()
    return rate


class _Tally:
    """A trivial actor: it counts."""

    def __init__(self) -> None:
        self.state = {"handled": 0}

    def receive(self, message: Message, now: UnixNs) -> tuple[Message, ...]:  # noqa: ARG002
        self.state["handled"] += 1
        return ()


def _typical(number: int) -> VitalsTaken:
    """What today's desk records most: the heartbeat of its actors."""
    actors = tuple(
        ActorVitals(actor=name, incarnation=1, handled=number, busy_ns=0, queued=0)
        for name in ("watchdog", "governor", "scheduler", "notifier")
    )
    vitals = Vitals(actors=actors, log_lag_ns=number, disk_free_bytes=10**11)
    return VitalsTaken(vitals=vitals)


def _write_a_million() -> None:
    if day_path(Path(_kept.name), DAY).exists():
        return
    journal = Journal(Path(_kept.name), day=DAY, position=Position(), software="bench")
    for number in range(DELIVERIES):
        envelope = journal.say(_typical(number), "bench", 0, None, UnixNs(number))
        journal.record(Delivery(envelope, "tally", 1, UnixNs(number)), ())
        if number % 20_000 == 0:
            journal.wait_durable(envelope.seq, 60)
    journal.close()


def _replay() -> float:
    day = DayLog(day_path(Path(_kept.name), DAY))
    replayed = Replayed(ActorSpec(name="tally", kind=_Tally))
    take = replayed.take
    with searching_rarely():  # as `replay --verify` does
        started = time.perf_counter()
        for step in day.steps():
            take(step)
        took = time.perf_counter() - started
    day.close()
    if replayed.actor.state["handled"] != DELIVERIES:
        raise AssertionError(f"replayed {replayed.actor.state['handled']} of {DELIVERIES}")
    return DELIVERIES / took


def _bare_decode() -> float:
    bodies = [encode(_typical(number)) for number in range(DELIVERIES)]
    started = time.perf_counter()
    for body in bodies:
        decode(body)
    return DELIVERIES / (time.perf_counter() - started)


FIGURES = [
    Figure(
        name="log_append_durable_8_producers",
        unit="acknowledged/s",
        measure=_durable_through_journal,
        reference="SQLite WAL FULL, one commit each under a lock",
        measure_reference=_durable_one_commit_each,
        goals=(Goal(of="ratio", relation=">=", limit=2.0),),
    ),
    Figure(
        name="replay_1m_deliveries",
        unit="deliveries/s",
        measure=_replay,
        setup=_write_a_million,
        reference="bare msgspec decode of the same bodies",
        measure_reference=_bare_decode,
        goals=(Goal(of="ratio", relation=">=", limit=0.15),),
    ),
]
