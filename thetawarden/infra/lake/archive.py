"""Moves days of the message log that are over into the lake, and proves it before one is deleted.

Rows go as they stand in the log, checksums included, in batches, so that a day of any size fits in
memory. Each commit carries the day and the batch; only the last one of a day says that it is whole,
and a day that was cut short is begun anew. A day with a damaged row is neither archived nor
deleted: a person must look at it.
"""

from __future__ import annotations

import datetime as dt
import struct
import zlib
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import polars as pl

from thetawarden.domain.instants import UnixNs
from thetawarden.infra.journal import rows
from thetawarden.infra.journal.reader import (
    MESSAGE_COLUMNS,
    SNAPSHOT_COLUMNS,
    DayLog,
)
from thetawarden.infra.journal.verify import verify_day
from thetawarden.infra.lake.errors import LakeError
from thetawarden.infra.lake.frames import Row, frame_of, instant_of
from thetawarden.infra.lake.store import TableStore, translated
from thetawarden.messages.base import Envelope, Message

BATCH_ROWS = 100_000
BATCH_BYTES = 64 << 20
SEQS_A_READ = 100_000
_DELIVERIES = "SELECT n, seq, actor, incarnation, at_ns, outcome, merged, crc FROM deliveries"
_PER_DAY = 1_000_000
_WHOLE = _PER_DAY - 1
_PAIR = struct.Struct("<qq").pack
_KEYS = ("row", "seq", "n")

Checks = Callable[[dict[str, Any]], tuple[Any, ...]]


class NotArchivableError(LakeError):
    """A day of the log cannot be archived as it is; it stays where it is and a person looks."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"message log {path.name} was not archived: {why}. It was left alone")


class MessageArchive:
    """The table `message_archive` of one message log."""

    def __init__(self, store: TableStore, *, log: str) -> None:
        self._store = store
        self._log = log

    def add_day(self, path: Path) -> int:
        """Archive a day that is over; returns its rows, 0 when it is there already."""
        day = dt.date.fromisoformat(path.stem)
        if self._store.watermark() >= whole_mark(day):
            return 0
        found = verify_day(path)
        if found.damaged:
            raise NotArchivableError(path, found.findings[0])
        self._begin_anew(day)
        written = 0
        source = DayLog(path)
        try:
            batches = _batches(_rows_of(source, day, self._log))
            batch = next(batches, [])
            for number in range(_PER_DAY):
                following = next(batches, None)
                step = _WHOLE if following is None else number
                frame = frame_of(self._store.table, batch)
                self._store.append(frame, through_seq=day.toordinal() * _PER_DAY + step)
                written += len(batch)
                if following is None:
                    break
                batch = following
        finally:
            source.close()
        return written

    def holds(self, path: Path) -> bool:
        """Whether every row of a day's file is in the archive, undamaged; reads both whole."""
        day = dt.date.fromisoformat(path.stem)
        source = DayLog(path)
        try:
            ours = _digest(
                (row[4], row[3], row[5] or 0, row[-1]) for row in _rows_of(source, day, self._log)
            )
        finally:
            source.close()
        with translated(self._store.table.name):
            return ours == _digest(self._proven_rows(day))

    def messages(
        self, kinds: tuple[str, ...], after_seq: int, until_seq: int
    ) -> Iterator[Envelope[Message]]:
        """Archived messages of these kinds in a range, in order, each checked."""
        with translated(self._store.table.name):
            self._store.let_go()
            lazy = self._scan().filter(
                pl.col("row") == "message", pl.col("kind").is_in(list(kinds))
            )
            for low in range(after_seq, until_seq, SEQS_A_READ):
                high = min(low + SEQS_A_READ, until_seq)
                part = lazy.filter(pl.col("seq") > low, pl.col("seq") <= high)
                for row in part.sort("seq").collect().iter_rows(named=True):
                    yield self._envelope(row)

    def first_seq(self) -> int | None:
        """The oldest archived message, or None when there is none."""
        with translated(self._store.table.name):
            lazy = self._scan().filter(pl.col("row") == "message").select(pl.col("seq").min())
            first: int | None = lazy.collect().item()
            return first

    def _begin_anew(self, day: dt.date) -> None:
        """Take out what an earlier attempt left of this day."""
        left = self._scan().filter(pl.col("day") == day).select(pl.len()).collect().item()
        if left:
            self._store.remove(f"day = '{day}' AND log = '{self._log}'")

    def _scan(self) -> pl.LazyFrame:
        return self._store.scan().filter(pl.col("log") == self._log)

    def _proven_rows(self, day: dt.date) -> Iterator[tuple[str, int, int, int]]:
        """Identity and checksum of each archived row whose checksum still fits it."""
        self._store.let_go()
        lazy = self._scan().filter(pl.col("day") == day)
        bounds = lazy.group_by("row").agg(pl.len()).sort("row").collect()
        for kind, count in bounds.iter_rows():
            of_kind = lazy.filter(pl.col("row") == kind)
            keys = of_kind.select("seq", "n").collect().sort("seq", "n", nulls_last=False)
            for low in range(0, count, SEQS_A_READ):
                first, last = keys["seq"][low], keys["seq"][min(low + SEQS_A_READ, count) - 1]
                if low and first == keys["seq"][low - 1]:
                    first += 1
                part = of_kind.filter(pl.col("seq").is_between(first, last)).collect()
                for row in part.sort("seq", "n", "actor").iter_rows(named=True):
                    if rows.intact(*_CHECKS[kind](row), row["crc"]):
                        yield kind, row["seq"], row["n"] or 0, row["crc"]

    def _envelope(self, row: dict[str, Any]) -> Envelope[Message]:
        if not rows.intact(*_message_check(row), row["crc"]):
            raise LakeError(f"message_archive: message {row['seq']} is damaged")
        return Envelope(
            row["seq"],
            UnixNs(row["at_ns"]),
            row["actor"],
            row["incarnation"],
            row["cause_seq"],
            rows.decode_body(row["body"]),
        )


def whole_mark(day: dt.date) -> int:
    """The position that says that a day is archived whole."""
    return day.toordinal() * _PER_DAY + _WHOLE


def _rows_of(source: DayLog, day: dt.date, log: str) -> Iterator[Row]:
    """All rows of a day's file; those carried over from the day before are marked as such."""
    for seq, at_ns, sender, incarnation, cause, kind, body, crc in source.raw(
        f"{MESSAGE_COLUMNS} ORDER BY seq"
    ):
        row = "message" if seq >= source.first_seq else "carried"
        common = (day, instant_of(at_ns), log, seq, row, None, at_ns, sender, incarnation)
        yield (*common, cause, kind, None, None, body, crc)
    for n, seq, actor, incarnation, at_ns, outcome, merged, crc in source.raw(
        f"{_DELIVERIES} ORDER BY n"
    ):
        common = (day, instant_of(at_ns), log, seq, "delivery", n, at_ns, actor, incarnation)
        yield (*common, None, None, outcome, merged, None, crc)
    for n, actor, incarnation, at_ns, body, crc in source.raw(f"{SNAPSHOT_COLUMNS} ORDER BY n"):
        common = (day, instant_of(at_ns), log, 0, "snapshot", n, at_ns, actor, incarnation)
        yield (*common, None, None, None, None, body, crc)


def _batches(every: Iterator[Row]) -> Iterator[list[Row]]:
    while batch := list(_up_to(every)):
        yield batch


def _up_to(every: Iterator[Row]) -> Iterator[Row]:
    size = 0
    for row in islice(every, BATCH_ROWS):
        yield row
        size += len(row[-2] or b"")
        if size >= BATCH_BYTES:
            return


def _digest(identities: Iterator[tuple[str, int, int, int]]) -> tuple[int, int]:
    """How many rows there are, and a sum over them that does not depend on their order."""
    count = total = 0
    for kind, seq, n, crc in identities:
        count += 1
        total += zlib.crc32(_PAIR(seq, n) + _PAIR(crc, 0), zlib.crc32(kind.encode()))
    return count, total


def _message_check(row: dict[str, Any]) -> tuple[Any, tuple[Any, ...]]:
    columns = ("seq", "at_ns", "actor", "incarnation", "cause_seq", "kind", "body")
    return rows.message_crc, tuple(row[name] for name in columns)


def _delivery_check(row: dict[str, Any]) -> tuple[Any, tuple[Any, ...]]:
    columns = ("n", "seq", "actor", "incarnation", "at_ns", "outcome", "merged")
    return rows.delivery_crc, tuple(row[name] for name in columns)


def _snapshot_check(row: dict[str, Any]) -> tuple[Any, tuple[Any, ...]]:
    columns = ("n", "actor", "incarnation", "at_ns", "body")
    return rows.snapshot_crc, tuple(row[name] for name in columns)


_CHECKS = {
    "message": _message_check,
    "carried": _message_check,
    "delivery": _delivery_check,
    "snapshot": _snapshot_check,
}
