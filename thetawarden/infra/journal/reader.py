"""Reads the message log, running desk or not: by range, by actor, by type, and for recovery.

Only checked rows come out of here: one whose checksum does not fit raises DamagedLogError, except
in `verify`, which counts them all.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from thetawarden.domain.instants import UnixNs
from thetawarden.infra.journal import rows
from thetawarden.infra.journal.errors import DamagedLogError, NewerLogError
from thetawarden.infra.journal.store import SUFFIX, day_files
from thetawarden.infra.journal.wal import lost_commits
from thetawarden.messages.base import Envelope, Message
from thetawarden.ports import Delivery, Outcome

_FETCH = 2048
_ORIGIN = "SELECT seq, at_ns, sender, incarnation, cause_seq, kind, body, crc FROM messages"
_STEPS = (
    "SELECT d.n, d.seq, d.actor, d.incarnation, d.at_ns, d.outcome, d.merged, d.crc,"
    " m.at_ns, m.sender, m.incarnation, m.cause_seq, m.kind, m.body, m.crc"
    " FROM deliveries d LEFT JOIN messages m ON m.seq = d.seq"
)


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which messages to show; None means any."""

    kind: str | None = None
    sender: str | None = None
    after_seq: int = 0
    until_seq: int | None = None
    since_ns: UnixNs | None = None


class Step(msgspec.Struct, frozen=True, gc=False):
    """A delivery with its place in the order of all deliveries."""

    n: int
    delivery: Delivery


class Answer(msgspec.Struct, frozen=True, gc=False):
    """A message that was said in a step, with its body as it was written."""

    seq: int
    sender: str
    incarnation: int
    cause_seq: int
    body: bytes

    def belongs_to(self, delivery: Delivery) -> bool:
        """Whether it was said in this step."""
        return (
            self.cause_seq == delivery.envelope.seq
            and self.sender == delivery.actor
            and self.incarnation == delivery.incarnation
        )


class StoredSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """An actor's state after all its deliveries up to and including number `n`."""

    n: int
    actor: str
    incarnation: int
    at_ns: UnixNs
    body: bytes


class DayLog:
    """One day's file, open for reading."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.day = dt.date.fromisoformat(path.name.removesuffix(SUFFIX))
        try:
            self._connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
            self._connection.execute("PRAGMA cache_size=-65536")
            self.meta = dict(self._connection.execute("SELECT key, value FROM meta"))
            self._check_version()
        except (sqlite3.DatabaseError, ValueError) as error:
            raise DamagedLogError(path, str(error)) from error

    @property
    def first_seq(self) -> int:
        """The number of the first message that belongs to this day."""
        return int(self.meta["first_seq"])

    def messages(self, wanted: Wanted) -> Iterator[Envelope[Message]]:
        """The messages said on this day, in order."""
        return self._wanted(wanted, "ORDER BY seq")

    def latest(self, wanted: Wanted) -> Iterator[Envelope[Message]]:
        """The same, the newest first."""
        return self._wanted(wanted, "ORDER BY seq DESC")

    def _wanted(self, wanted: Wanted, order: str) -> Iterator[Envelope[Message]]:
        clauses, values = ["seq >= ?"], [max(wanted.after_seq + 1, self.first_seq)]
        for clause, value in (
            ("kind = ?", wanted.kind),
            ("sender = ?", wanted.sender),
            ("seq <= ?", wanted.until_seq),
            ("at_ns >= ?", wanted.since_ns),
        ):
            if value is not None:
                clauses.append(clause)
                values.append(value)  # type: ignore[arg-type]  # SQLite takes both
        query = f"{_ORIGIN} WHERE {' AND '.join(clauses)} {order}"
        for row in self._rows(query, values):
            yield self._envelope(*row)

    def message(self, seq: int) -> Envelope[Message] | None:
        """One message by number, also one carried over from the day before."""
        for row in self._rows(f"{_ORIGIN} WHERE seq = ?", [seq]):
            return self._envelope(*row)
        return None

    def steps(self, *, after_n: int = 0, actor: str | None = None) -> Iterator[Step]:
        """What was handled on this day, in order."""
        names = "" if actor is None else " AND d.actor = ?"
        values = [after_n] if actor is None else [after_n, actor]
        for row in self._rows(f"{_STEPS} WHERE d.n > ?{names} ORDER BY d.n", values):
            yield self._step(row)

    def answers(self) -> Iterator[Answer]:
        """Everything actors said on this day, in the order of the steps they said it in."""
        query = f"{_ORIGIN} WHERE incarnation > 0 AND seq >= ? ORDER BY seq"
        for seq, at_ns, sender, incarnation, cause, kind, body, crc in self._rows(
            query, [self.first_seq]
        ):
            if crc != rows.message_crc(seq, at_ns, sender, incarnation, cause, kind, body):
                raise DamagedLogError(self.path, f"message {seq} is damaged")
            yield Answer(seq, sender, incarnation, cause, rows.unpacked(body))

    def handlers(self, seq: int) -> tuple[tuple[str, int, int], ...]:
        """Who handled a message: actor, instant, outcome."""
        query = "SELECT actor, at_ns, outcome FROM deliveries WHERE seq = ? ORDER BY n"
        return tuple(self._rows(query, [seq]))

    def snapshots(self) -> Iterator[StoredSnapshot]:
        """All snapshots of this day, each actor's in order."""
        query = "SELECT n, actor, incarnation, at_ns, body, crc FROM snapshots ORDER BY n, actor"
        for n, actor, incarnation, at_ns, body, crc in self._rows(query, []):
            if crc != rows.snapshot_crc(n, actor, incarnation, at_ns, body):
                raise DamagedLogError(self.path, f"the snapshot of {actor} at {n} is damaged")
            yield StoredSnapshot(n=n, actor=actor, incarnation=incarnation, at_ns=at_ns, body=body)

    def tops(self) -> tuple[int, int]:
        """The highest message and delivery numbers, 0 where there is none."""
        query = "SELECT (SELECT max(seq) FROM messages), (SELECT max(n) FROM deliveries)"
        for seq, n in self._rows(query, []):
            return seq or 0, n or 0
        return 0, 0

    def sound(self) -> str | None:
        """What SQLite finds wrong with the file's structure, or None."""
        for (finding,) in self._rows("PRAGMA quick_check(1)", []):
            return None if finding == "ok" else str(finding)
        return "no answer from quick_check"

    def raw(self, query: str) -> Iterator[tuple[Any, ...]]:
        """Rows as they are, for verification."""
        return self._rows(query, [])

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def _check_version(self) -> None:
        written_format = int(self.meta["format"])
        if written_format > rows.FORMAT:
            found, ours = f"format {written_format}", f"format {rows.FORMAT}"
            raise NewerLogError(self.path, found, ours)
        newer = rows.newer_than_us(json.loads(self.meta["vocabulary"]))
        if newer:
            found = f"messages {', '.join(newer[:5])}"
            raise NewerLogError(self.path, found, "fewer of them, or with fewer fields")

    def _rows(self, query: str, values: list[Any]) -> Iterator[tuple[Any, ...]]:
        try:
            cursor = self._connection.execute(query, values)
            while batch := cursor.fetchmany(_FETCH):
                yield from batch
        except sqlite3.DatabaseError as error:
            raise DamagedLogError(self.path, str(error)) from error

    def _envelope(  # noqa: PLR0917  # columns in order, unpacked from a row
        self,
        seq: int,
        at_ns: int,
        sender: str,
        incarnation: int,
        cause: int | None,
        kind: str,
        body: bytes,
        crc: int,
    ) -> Envelope[Message]:
        if crc != rows.message_crc(seq, at_ns, sender, incarnation, cause, kind, body):
            raise DamagedLogError(self.path, f"message {seq} is damaged")
        return Envelope(seq, UnixNs(at_ns), sender, incarnation, cause, rows.decode_body(body))

    def _step(self, row: tuple[Any, ...]) -> Step:
        n, seq, actor, incarnation, at_ns, outcome, merged, crc = row[:8]
        if crc != rows.delivery_crc(n, seq, actor, incarnation, at_ns, outcome, merged):
            raise DamagedLogError(self.path, f"delivery {n} is damaged")
        if row[13] is None:
            raise DamagedLogError(self.path, f"message {seq} of delivery {n} is missing")
        envelope = self._envelope(seq, *row[8:])
        return Step(n, Delivery(envelope, actor, incarnation, at_ns, Outcome(outcome), merged))


@contextlib.contextmanager
def open_log(folder: Path) -> Iterator[tuple[DayLog, ...]]:
    """All days of the log, oldest first; nothing is changed by reading."""
    days: list[DayLog] = []
    try:
        for path in day_files(folder):
            refuse_lost_commits(path)
            days.append(DayLog(path))
        yield tuple(days)
    finally:
        for day in days:
            day.close()


def refuse_lost_commits(path: Path) -> None:
    """Raise DamagedLogError where SQLite would quietly drop what it once committed."""
    lost = lost_commits(path.with_name(path.name + "-wal"))
    if lost:
        raise DamagedLogError(path, f"the write-ahead file is damaged before {lost} commit(s)")
