"""Reads the message log, running desk or not: by range, by actor, by type, and for recovery.

Only checked rows come out of here: one whose checksum does not fit raises DamagedLogError, and so
does a gap in the numbering where nothing was filtered; `verify` counts them all instead. A file is
opened when it is first asked for something, so that a long log costs nothing until it is read.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec

from thetawarden.domain.instants import UnixNs
from thetawarden.infra.journal import rows
from thetawarden.infra.journal.errors import (
    DamagedLogError,
    NewerLogError,
    UnreadableLogError,
)
from thetawarden.infra.journal.packing import UNPACKABLE
from thetawarden.infra.journal.steps import COLUMNS, Row, Step, read_steps
from thetawarden.infra.journal.store import SUFFIX, Seal, day_files
from thetawarden.infra.journal.wal import refuse_lost_commits
from thetawarden.messages.base import Envelope, Message
from thetawarden.ports import Delivery, Outcome

_FETCH = 256
_MAPPED_BYTES = 2**31
_NUMBER_MAX = 2**62
_NOT_DAMAGE = {
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_READONLY,
}
_UNDECODABLE = (
    *(ValueError, TypeError, IndexError, RecursionError, msgspec.MsgspecError),
    *UNPACKABLE,
)
_UNREADABLE = (*rows.WRONG_TYPE, *_UNDECODABLE, KeyError)
MESSAGE_COLUMNS = "SELECT seq, at_ns, sender, incarnation, cause_seq, kind, body, crc FROM messages"
_EACH_NUMBER = " json_each(?) CROSS JOIN messages ON seq = value"  # in the order of the numbers
_NUMBERED = MESSAGE_COLUMNS.replace(" messages", _EACH_NUMBER)
_HEARD = "SELECT n, seq, incarnation FROM deliveries"
_COUNT = "SELECT count(*) FROM messages"
_COUNT_KINDS = "SELECT kind, count(*) FROM messages"
SNAPSHOT_COLUMNS = "SELECT n, actor, incarnation, at_ns, body, crc FROM snapshots"


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which messages to show; None means any. `sender_like` is a part of the sender's name."""

    kind: str | None = None
    kinds: tuple[str, ...] | None = None
    sender: str | None = None
    sender_like: str | None = None
    cause_seq: int | None = None
    after_seq: int = 0
    until_seq: int | None = None
    since_ns: UnixNs | None = None


class Answer(msgspec.Struct, frozen=True, gc=False):
    """A message that was said in a step, with its body as it was written."""

    seq: int
    at_ns: int
    kind: str
    sender: str
    incarnation: int
    cause_seq: int
    body: bytes

    def belongs_to(self, delivery: Delivery) -> bool:
        """Whether it was said in this step."""
        return self.sender == delivery.actor and self.is_of(
            delivery.envelope.seq, delivery.incarnation
        )

    def is_of(self, seq: int, incarnation: int) -> bool:
        """Whether its sender said it when this incarnation handled this message."""
        return self.cause_seq == seq and self.incarnation == incarnation


class StoredSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """An actor's state after all its deliveries up to and including number `n`."""

    n: int
    actor: str
    incarnation: int
    at_ns: UnixNs
    body: bytes


class DayLog:
    """One day's file, for reading; `mapped` into memory it is read faster.

    Where a mapped file cannot be read the process dies, so only one that may die maps it.
    """

    def __init__(self, path: Path, *, mapped: bool = False) -> None:
        self.path = path
        self._mapped_bytes = _MAPPED_BYTES if mapped else 0
        self.day = dt.date.fromisoformat(path.name.removesuffix(SUFFIX))
        self._opened: sqlite3.Connection | None = None

    @cached_property
    def meta(self) -> dict[str, str]:
        """What the file says of itself, checked; opens the file."""
        refuse_lost_commits(self.path)
        try:
            self._opened = sqlite3.connect(f"{self.path.absolute().as_uri()}?mode=ro", uri=True)
            self._opened.execute("PRAGMA cache_size=-8000")
            self._opened.execute(f"PRAGMA mmap_size={self._mapped_bytes}")
            meta = dict(self._opened.execute("SELECT key, value FROM meta"))
            return self._checked(meta)
        except sqlite3.Error as error:
            raise _translated(self.path, error) from error

    @property
    def first_seq(self) -> int:
        """The number of the first message that belongs to this day."""
        return int(self.meta["first_seq"])

    @property
    def first_n(self) -> int:
        """The number of the first delivery of this day."""
        return int(self.meta["first_n"])

    @property
    def seal(self) -> Seal | None:
        """The last numbers, if the file was closed in order."""
        sealed = self.meta["sealed"]
        return msgspec.json.decode(sealed, type=Seal) if sealed else None

    def messages(self, wanted: Wanted) -> Iterator[Envelope[Message]]:
        """The messages said on this day, in order."""
        return self._wanted(wanted, "ORDER BY seq")

    def latest(self, wanted: Wanted) -> Iterator[Envelope[Message]]:
        """The same, the newest first."""
        return self._wanted(wanted, "ORDER BY seq DESC")

    def count(self, wanted: Wanted) -> int:
        """How many there are, without reading one."""
        where, values = self._where(wanted)
        (number,) = next(self._rows(f"{_COUNT} WHERE {where}", values))
        return int(number)

    def _wanted(self, wanted: Wanted, order: str) -> Iterator[Envelope[Message]]:
        where, values = self._where(wanted)
        for row in self._rows(f"{MESSAGE_COLUMNS} WHERE {where} {order}", values):
            yield self._envelope(*row)

    def _where(self, wanted: Wanted) -> tuple[str, list[Any]]:
        clauses, values = ["seq >= ?"], [max(wanted.after_seq + 1, self.first_seq)]
        for clause, value in (
            ("kind = ?", wanted.kind),
            ("sender = ?", wanted.sender),
            ("instr(sender, ?)", wanted.sender_like),
            ("cause_seq = ?", wanted.cause_seq),
            ("seq <= ?", wanted.until_seq),
            ("at_ns >= ?", wanted.since_ns),
        ):
            if value is not None:
                clauses.append(clause)
                values.append(value)  # type: ignore[arg-type]  # SQLite takes both
        if wanted.kinds is not None:
            clauses.append(f"kind IN ({_marks(wanted.kinds)})")
            values.extend(wanted.kinds)  # type: ignore[arg-type]
        return " AND ".join(clauses), values

    def message(self, seq: int) -> Envelope[Message] | None:
        """One message by number, also one carried over from the day before."""
        for row in self._rows(f"{MESSAGE_COLUMNS} WHERE seq = ?", [seq]):
            return self._envelope(*row)
        return None

    def of_kinds(
        self, kinds: tuple[str, ...], *, after_seq: int = 0, until_seq: int | None = None
    ) -> Iterator[Envelope[Message]]:
        """The messages of these kinds said on this day, in order; the others are not looked at."""
        where, values = self._among(kinds, after_seq, until_seq)
        for row in self._rows(f"{MESSAGE_COLUMNS} WHERE {where} ORDER BY seq", values):
            yield self._envelope(*row)

    def count_kinds(
        self, kinds: tuple[str, ...], *, after_seq: int = 0, until_seq: int | None = None
    ) -> dict[str, int]:
        """How many messages of each of these kinds were said, without reading one."""
        where, values = self._among(kinds, after_seq, until_seq)
        return dict(self._rows(f"{_COUNT_KINDS} WHERE {where} GROUP BY kind", values))

    def _among(
        self, kinds: tuple[str, ...], after_seq: int, until_seq: int | None
    ) -> tuple[str, list[Any]]:
        values = [max(after_seq + 1, self.first_seq), until_seq or _NUMBER_MAX, *kinds]
        return f"seq >= ? AND seq <= ? AND kind IN ({_marks(kinds)})", values

    def steps(
        self,
        *,
        after_n: int = 0,
        until_n: int | None = None,
        actors: Collection[str] | None = None,
    ) -> Iterator[Step]:
        """What was handled on this day, by all or by these, in order."""
        names = "" if actors is None else f" AND actor IN ({_marks(actors)})"
        query = f"{COLUMNS} WHERE n > ? AND n <= ?{names} ORDER BY n"
        found = self._batches(query, [after_n, until_n or _NUMBER_MAX, *(actors or ())])
        expected = max(after_n + 1, self.first_n)
        for step in read_steps(found, self._fetch, self._step, unreadable=_UNREADABLE):
            if step.n != expected and actors is None:
                missing = f"deliveries {expected} to {step.n - 1} are missing"
                raise DamagedLogError(self.path, missing)
            expected += 1
            yield step

    def answers(self, *, numbers: Sequence[int] | None = None) -> Iterator[Answer]:
        """What actors said on this day, all or these, in the order of the steps they said it in."""
        query, values = f"{MESSAGE_COLUMNS} WHERE incarnation > 0 AND seq >= ? ORDER BY seq", []
        if numbers is not None:
            query, values = f"{_NUMBERED} WHERE seq >= ?", [json.dumps(numbers)]
        for row in self._rows(query, [*values, self.first_seq]):
            self._check_message(row)
            seq, at_ns, sender, incarnation, cause, kind, body, _ = row
            yield Answer(seq, at_ns, kind, sender, incarnation, cause, body)

    def handled(self, actors: Collection[str], *, until_n: int) -> Iterator[tuple[int, int]]:
        """What these have handled until then: each message's number, and by which incarnation."""
        by = f"actor IN ({_marks(actors)})"
        query = f"{_HEARD} WHERE n <= ? AND outcome = ? AND {by} ORDER BY n"
        for _, seq, incarnation in self._rows(query, [until_n, int(Outcome.HANDLED), *actors]):
            yield seq, incarnation

    def first_handled(
        self, actor: str, *, after_seq: int = 0, incarnation: int = 0
    ) -> Iterator[tuple[int, int]]:
        """Number and message of its first delivery after a message and from an incarnation on."""
        after = "actor = ? AND seq > ? AND incarnation >= ?"
        query = f"{_HEARD} WHERE {after} ORDER BY n LIMIT 1"
        for n, seq, _ in self._rows(query, [actor, after_seq, incarnation]):
            yield n, seq

    def said_in(self, answer: Answer) -> int | None:
        """The number of the delivery in which it was said, if one such was handled."""
        where = "seq = ? AND actor = ? AND incarnation = ? AND outcome = ? ORDER BY n"
        values = [answer.cause_seq, answer.sender, answer.incarnation, int(Outcome.HANDLED)]
        return next((int(n) for n, *_ in self._rows(f"{_HEARD} WHERE {where}", values)), None)

    def snapshots(self, *, actors: Collection[str] | None = None) -> Iterator[StoredSnapshot]:
        """The snapshots of this day, of all or of these, each actor's in order."""
        among = "" if actors is None else f" WHERE actor IN ({_marks(actors)})"
        query = f"{SNAPSHOT_COLUMNS}{among} ORDER BY n, actor"
        for n, actor, incarnation, at_ns, body, crc in self._rows(query, [*(actors or ())]):
            if not rows.intact(rows.snapshot_crc, (n, actor, incarnation, at_ns, body), crc):
                raise DamagedLogError(self.path, f"the snapshot of {actor} at {n} is damaged")
            yield StoredSnapshot(n=n, actor=actor, incarnation=incarnation, at_ns=at_ns, body=body)

    def tops(self) -> tuple[int, int]:
        """The highest message and delivery numbers so far."""
        query = "SELECT (SELECT max(seq) FROM messages), (SELECT max(n) FROM deliveries)"
        for seq, n in self._rows(query, []):
            return max(seq or 0, self.first_seq - 1), max(n or 0, self.first_n - 1)
        raise DamagedLogError(self.path, "no answer to the highest numbers")

    def check_end(self) -> str | None:
        """What is missing at the end of a file that was closed in order, or None."""
        seal = self.seal
        if seal is None:
            return None
        (snapshots,) = next(self._rows("SELECT count(*) FROM snapshots", []))
        last_seq, last_n = self.tops()
        found = Seal(last_seq, last_n, snapshots)
        ends = Seal(
            max(seal.last_seq, self.first_seq - 1),
            max(seal.last_n, self.first_n - 1),
            seal.snapshots,
        )
        if found == ends:
            return None
        return f"ends at {_end(found)}, was closed at {_end(ends)}"

    def sound(self) -> str | None:
        """What SQLite finds wrong with the file's structure, or None."""
        for (finding,) in self._rows("PRAGMA quick_check(1)", []):
            return None if finding == "ok" else " ".join(str(finding).split())
        return "no answer from quick_check"

    def raw(self, query: str) -> Iterator[tuple[Any, ...]]:
        """Rows as they are, for verification."""
        return self._rows(query, [])

    def close(self) -> None:
        """Let go of the file; it is opened again when it is asked for something."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None
            self.__dict__.pop("meta", None)

    def _checked(self, meta: dict[str, str]) -> dict[str, str]:
        try:
            written_format = int(meta["format"])
            if written_format > rows.FORMAT:  # whose checksum may be made another way
                found, ours = f"format {written_format}", f"format {rows.FORMAT}"
                raise NewerLogError(self.path, found, ours)
            if int(meta["crc"]) != rows.meta_crc(meta):
                raise DamagedLogError(self.path, "what it says of itself is damaged")
            newer = rows.newer_than_us(json.loads(meta["vocabulary"]))
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            found = f"what it says of itself is damaged ({error!r})"
            raise DamagedLogError(self.path, found) from error
        if newer:
            found = f"messages {', '.join(newer[:5])}"
            raise NewerLogError(self.path, found, "fewer of them, or with fewer fields")
        return meta

    def _rows(self, query: str, values: list[Any]) -> Iterator[Row]:
        for batch in self._batches(query, values):
            yield from batch

    def _batches(self, query: str, values: list[Any]) -> Iterator[list[Row]]:
        try:
            if self.meta and self._opened is not None:
                cursor = self._opened.execute(query, values)
                while batch := cursor.fetchmany(_FETCH):
                    yield batch
        except sqlite3.Error as error:
            raise _translated(self.path, error) from error

    def _fetch(self, numbers: list[int]) -> Iterator[Row]:
        return self._rows(_NUMBERED, [json.dumps(numbers)])

    def _check_message(self, row: tuple[Any, ...]) -> None:
        if not rows.intact(rows.message_crc, row[:7], row[7]):
            raise DamagedLogError(self.path, f"message {row[0]} is damaged")

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
        self._check_message((seq, at_ns, sender, incarnation, cause, kind, body, crc))
        try:
            decoded = rows.decode_body(body)
        except _UNDECODABLE as error:
            found = f"message {seq} ({kind}) cannot be read: {error}"
            raise DamagedLogError(self.path, found) from error
        return Envelope(seq, UnixNs(at_ns), sender, incarnation, cause, decoded)

    def _step(self, row: Row, said: Row) -> Step:
        n, seq, actor, incarnation, at_ns, outcome, merged, crc = row
        if not rows.intact(rows.delivery_crc, row[:7], crc):
            raise DamagedLogError(self.path, f"delivery {n} is damaged")
        if not said:
            raise DamagedLogError(self.path, f"message {seq} of delivery {n} is missing")
        envelope = self._envelope(seq, *said)
        try:
            ended = Outcome(outcome)
        except ValueError as error:
            raise DamagedLogError(self.path, f"delivery {n}: {error}") from error
        return Step(n, Delivery(envelope, actor, incarnation, at_ns, ended, merged))


@contextlib.contextmanager
def open_log(folder: Path) -> Iterator[tuple[DayLog, ...]]:
    """All days of the log, oldest first; nothing is changed by reading."""
    days = tuple(DayLog(path) for path in day_files(folder))
    try:
        yield days
    finally:
        for day in days:
            day.close()


def _marks(values: Collection[str]) -> str:
    return ",".join("?" * len(values))


def _translated(path: Path, error: sqlite3.Error) -> DamagedLogError | UnreadableLogError:
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF
    return (UnreadableLogError if code in _NOT_DAMAGE else DamagedLogError)(path, str(error))


def _end(seal: Seal) -> str:
    return f"message {seal.last_seq}, delivery {seal.last_n} with {seal.snapshots} snapshots"
