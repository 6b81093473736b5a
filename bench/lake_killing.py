"""Kills a writer of the lake at a random moment, again and again, and counts what is in the tables.

The writer is a real process on a real message log and a real lake. It flushes, folds, archives and
sweeps without rest, so that a kill falls into every kind of commit. The judge compares the tables
with the log's rows by plain SQL.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import multiprocessing
import random
import sqlite3
import time
from multiprocessing.connection import Connection
from pathlib import Path

import msgspec
import polars as pl

from thetawarden.domain.instants import NS_PER_DAY, UnixNs
from thetawarden.infra.clock import WallClock
from thetawarden.infra.journal.journal import Journal
from thetawarden.infra.journal.recover import recover
from thetawarden.infra.lake.household import Household
from thetawarden.infra.lake.housekeeping import maintain
from thetawarden.infra.lake.keeping import LakeWork
from thetawarden.infra.lake.place import LakePlace
from thetawarden.infra.lake.store import Tuning
from thetawarden.infra.lake.writer import WriterSettings
from thetawarden.messages.lake import FlushLake, LakeMaintained
from thetawarden.messages.operations import NotifyPerson, Urgency

FIRST_DAY = dt.date(2026, 3, 2)
FIRST_NS = 1_772_470_800_000_000_000  # noon of that day in New York
MESSAGES_A_FLUSH = 12
FLUSHES_A_DAY = 10
TABLE = "notifications"
DEADLINE_S = 60
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["bench.lake_killing"])


class Verdict(msgspec.Struct, kw_only=True):
    """What many kills came to; `seen` says at which kinds of work the kills fell."""

    kills: int = 0
    messages: int = 0
    lost: int = 0
    doubled: int = 0
    archived_wrong: int = 0
    seen: dict[str, int] = msgspec.field(default_factory=dict)


def kill_and_judge(store: Path, *, kills: int, seed: int) -> Verdict:
    """Start a writer on the store, kill it, judge what is left; again and again."""
    chance, verdict = random.Random(seed), Verdict()
    for _ in range(kills):
        at = _live_and_die(store, chance)
        verdict.kills += 1
        verdict.seen[at] = verdict.seen.get(at, 0) + 1
    _settle(store)
    _judge(store, verdict)
    return verdict


def _live_and_die(store: Path, chance: random.Random) -> str:
    """One life: a process forked from one that has loaded everything and used none of it."""
    ours, theirs = _CONTEXT.Pipe(duplex=False)
    writer = _CONTEXT.Process(target=_be_the_writer, args=(store, theirs))
    writer.start()
    theirs.close()
    if chance.random() < 0.9 and not ours.poll(DEADLINE_S):
        raise AssertionError("the writer did not begin in time")
    time.sleep(chance.uniform(0.0, 0.8))
    ended = writer.exitcode
    writer.kill()
    writer.join()
    if ended is not None:
        raise AssertionError(f"the writer ended by itself with {ended}")
    return _last_word(ours)


def _last_word(pipe: Connection) -> str:
    """What the writer was about when it died."""
    word = "start"
    with contextlib.suppress(EOFError):
        while pipe.poll():
            word = pipe.recv()
    return word


def household(store: Path) -> Household:
    """The lake under test."""
    return Household(
        place=LakePlace(str(store / "lake")),
        log_folder=store / "log",
        log="log-1",
        tuning=Tuning(fold_files=6, reopen_commits=5, keep_removed=dt.timedelta(0)),
    )


def _settle(store: Path) -> None:
    """What the next desk does: catch up, and the housekeeping that is due."""
    home = household(store)
    work = LakeWork(home, clock=WallClock(), settings=WriterSettings(), keep=_kept_apart)
    work.carry_out(FlushLake())
    while work.writer.behind():
        work.carry_out(FlushLake())
    work.close()
    maintain(home, day=dt.date.max, clock=WallClock())


def _judge(store: Path, verdict: Verdict) -> None:
    place = household(store).place
    said = _logged(store, "kind = 'NotifyPerson'")
    rows = pl.scan_delta(place.table(TABLE)).select("seq").collect()["seq"].to_list()
    verdict.messages = len(said)
    verdict.lost = len(said - set(rows))
    verdict.doubled = len(rows) - len(set(rows))
    days = sorted((store / "log").glob("*.db"))[:-1]
    archived = (
        pl.scan_delta(place.table("message_archive"))
        .filter(pl.col("row") == "message")
        .select("seq")
        .collect()["seq"]
        .to_list()
        if days
        else []
    )
    over = _logged(store, "1", days)
    verdict.archived_wrong = len(over ^ set(archived)) + len(archived) - len(set(archived))


def _logged(store: Path, where: str, files: list[Path] | None = None) -> set[int]:
    found: set[int] = set()
    for path in files if files is not None else sorted((store / "log").glob("*.db")):
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            query = f"SELECT seq FROM messages WHERE {where}"  # noqa: S608  # our own words
            first = connection.execute("SELECT value FROM meta WHERE key = 'first_seq'")
            first_seq = int(first.fetchone()[0])
            found |= {seq for (seq,) in connection.execute(query) if seq >= first_seq}
    return found


def _be_the_writer(store: Path, pipe: Connection) -> None:
    folder = store / "log"
    folder.mkdir(parents=True, exist_ok=True)
    position = recover(folder, (), ()).position
    number = position.next_seq // (MESSAGES_A_FLUSH * FLUSHES_A_DAY)
    day = FIRST_DAY + dt.timedelta(days=number)
    journal = Journal(folder, day=day, position=position, software="test", linger_s=0.0)
    home = household(store)
    settings = WriterSettings(buffer_rows=40)
    clock = WallClock()
    work = LakeWork(home, clock=clock, settings=settings, keep=_kept_apart)
    pipe.send("begin")
    for flush in range(10**9):
        for _ in range(MESSAGES_A_FLUSH):
            body = NotifyPerson(urgency=Urgency.LOW, topic="load", text="x" * 50)
            at_ns = UnixNs(FIRST_NS + number * NS_PER_DAY)
            envelope = journal.say(body, "load", 0, None, at_ns)
            journal.wait_durable(envelope.seq, 10)
            work.writer.take(envelope)
        pipe.send("flush")
        work.carry_out(FlushLake())
        if flush % FLUSHES_A_DAY == FLUSHES_A_DAY - 1:
            number += 1
            day += dt.timedelta(days=1)
            journal.turn_page(day)
        if flush % 4 == 3:
            pipe.send("maintain")
            maintain(home, day=day, clock=clock)


def _kept_apart(day: dt.date) -> LakeMaintained:
    raise AssertionError(f"housekeeping of {day} is done between the flushes here")
