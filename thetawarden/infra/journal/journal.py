"""The message log of a running desk: gives every message its place and makes it durable.

One lock orders everything said and handled; one writer thread commits whatever has gathered while
the disk was busy. What is recorded together is committed together, and what is committed is a
prefix of what was recorded: a crash loses only the end, and nothing that `wait_durable` has
acknowledged. A disk that is full gives back a reserve so that orders and halts still fit; any
other refusal of the disk is final, because a retry may falsely succeed. After the end, orderly or
not, nothing more is taken.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import enum
import heapq
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

import msgspec

from thetawarden.domain.instants import UnixNs
from thetawarden.infra.journal import rows
from thetawarden.infra.journal.errors import (
    LogFailedError,
    NotDurableInTimeError,
    UnwritableLogError,
)
from thetawarden.infra.journal.reserve import DiskReserve
from thetawarden.infra.journal.store import Connect, DayStore, connect, day_path
from thetawarden.messages.base import Envelope, Message
from thetawarden.ports import Delivery, FencedError, Outcome

CHECKPOINT_ABOVE_BYTES = 8 * 1024 * 1024


class Trouble(enum.StrEnum):
    """What the journal reports of its disk."""

    DISK_FULL = "disk_full"
    FAILED = "failed"


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """Where a log goes on: the next free numbers."""

    next_seq: int = 1
    next_n: int = 1


class _TurnPage(msgspec.Struct, frozen=True):
    day: dt.date
    first_seq: int
    first_n: int


class _Snapshot(msgspec.Struct, frozen=True, gc=False):
    n: int
    actor: str
    incarnation: int
    at_ns: int
    body: bytes


class _Numbered(msgspec.Struct, frozen=True, gc=False):
    n: int
    delivery: Delivery


_Entry = Envelope[Message] | _Numbered | _Snapshot | _TurnPage


class Journal:
    """Implements the MessageLog port over a folder of day files."""

    keeps = True

    def __init__(
        self,
        folder: Path,
        *,
        day: dt.date,
        position: Position,
        software: str,
        reserve: DiskReserve | None = None,
        linger_s: float = 0.002,
        on_trouble: Callable[[Trouble, str], None] | None = None,
        connect: Connect = connect,
    ) -> None:
        self._folder = folder
        self._software = software
        self._reserve = reserve
        self._linger_s = linger_s
        self._on_trouble = on_trouble
        self._connect = connect
        self._lock = threading.Lock()
        self._entries: list[_Entry] = []
        self._next_seq = position.next_seq
        self._next_n = position.next_n
        self._durable_seq = position.next_seq - 1
        self._incarnations: dict[str, int] = {}
        self._waiters: list[tuple[int, int, threading.Lock]] = []
        self._failure: str | None = None
        self._refusal: str | None = None
        self._oldest_ns = 0
        self._calls: SimpleQueue[None] = SimpleQueue()
        self._urgent = False
        self._stopping = False
        path = day_path(folder, day)
        try:
            self._store = self._open_store(path, position.next_seq, position.next_n)
        except (sqlite3.Error, OSError) as error:
            raise UnwritableLogError(path, str(error)) from error
        self._thread = threading.Thread(target=self._run, name="message-log", daemon=True)
        self._thread.start()

    def say(  # keywords cost a tenth of a hop
        self, body: Message, sender: str, incarnation: int, cause_seq: int | None, at_ns: UnixNs
    ) -> Envelope[Message]:
        """Give a message its place in the order."""
        with self._lock:
            if incarnation and self._incarnations.get(sender, incarnation) != incarnation:
                raise FencedError(sender, incarnation)
            envelope = Envelope(self._next_seq, at_ns, sender, incarnation, cause_seq, body)
            self._next_seq += 1
            self._append(envelope)
        return envelope

    def record(
        self, delivery: Delivery, answers: tuple[Message, ...]
    ) -> tuple[Envelope[Message], ...]:
        """Write a delivery and all its answers as one step."""
        actor, incarnation = delivery.actor, delivery.incarnation
        at_ns, cause = delivery.at_ns, delivery.envelope.seq
        with self._lock:
            fenced = self._incarnations.get(actor, incarnation) != incarnation
            if fenced and delivery.outcome is Outcome.HANDLED:
                raise FencedError(actor, incarnation)
            self._append(_Numbered(self._next_n, delivery))
            self._next_n += 1
            if not answers:
                return ()
            said = tuple(
                Envelope(seq, at_ns, actor, incarnation, cause, answer)
                for seq, answer in enumerate(answers, self._next_seq)
            )
            self._next_seq += len(said)
            self._entries.extend(said)
        return said

    def snapshot(self, *, actor: str, incarnation: int, at_ns: int, state: bytes) -> None:
        """Write an actor's state as it is after all its deliveries so far."""
        with self._lock:
            self._append(_Snapshot(self._next_n - 1, actor, incarnation, at_ns, state))

    def fence(self, actor: str, incarnation: int) -> None:
        """From now on only this incarnation of the actor may speak."""
        with self._lock:
            self._incarnations[actor] = incarnation

    def wait_durable(self, seq: int, timeout_s: float) -> None:
        """Return once the message is on disk."""
        with self._lock:
            if self._durable_seq >= seq:
                return
            if self._failure is not None:
                raise LogFailedError(self._failure)
            ready = threading.Lock()
            ready.acquire()
            heapq.heappush(self._waiters, (seq, id(ready), ready))
            urgent, self._urgent = self._urgent, True
        if not urgent:
            self._calls.put(None)
        if not ready.acquire(timeout=timeout_s):
            raise NotDurableInTimeError(seq, timeout_s)
        if not self._is_durable(seq):
            raise LogFailedError(self._why_failed())

    def turn_page(self, day: dt.date) -> None:
        """Let everything recorded from now on go to that day's file."""
        with self._lock:
            self._append(_TurnPage(day, self._next_seq, self._next_n))

    def lag_ns(self) -> int:
        """How long the oldest record that is not yet durable has been waiting."""
        oldest = self._oldest_ns
        return time.monotonic_ns() - oldest if oldest else 0

    @property
    def last_seq(self) -> int:
        """The number of the latest message."""
        return self._next_seq - 1

    def close(self) -> None:
        """Commit everything and close the file."""
        with self._lock:
            self._stopping = True
            self._refusal = self._refusal or "it is closed"
        self._calls.put(None)
        self._thread.join()

    def _open_store(self, path: Path, first_seq: int, first_n: int) -> DayStore:
        return DayStore(
            path,
            first_seq=first_seq,
            first_n=first_n,
            software=self._software,
            connect=self._connect,
        )

    def _is_durable(self, seq: int) -> bool:
        return self._durable_seq >= seq

    def _why_failed(self) -> str:
        return self._failure or "ended before the message was on disk"

    def _append(self, entry: _Entry) -> None:
        entries = self._entries
        if self._refusal is not None:
            raise LogFailedError(self._refusal)
        if not entries:
            self._oldest_ns = time.monotonic_ns()
            self._calls.put(None)
        entries.append(entry)

    def _run(self) -> None:
        while True:
            self._calls.get()
            self._gather()
            with self._lock:
                self._urgent = False
                entries, self._entries = self._entries, []
                stopping = self._stopping
            try:
                self._write(entries)
            except Exception as error:  # noqa: BLE001  # a writer that ends unseen loses everything
                self._fail(error)
                return
            self._acknowledge(entries)
            if stopping:
                self._end()
                return

    def _gather(self) -> None:
        """Let more come for one commit: a while when nobody waits, else whoever is on the way."""
        if self._stopping:
            return
        if not self._waiters:
            with contextlib.suppress(Empty):
                self._calls.get(timeout=self._linger_s)
        gathered = 0
        while len(self._waiters) > gathered:
            gathered = len(self._waiters)
            time.sleep(0)

    def _end(self) -> None:
        with self._lock:
            self._failure = "it is closed"
            self._let_go()
        with contextlib.suppress(sqlite3.Error):
            self._store.seal()
        self._store.close()

    def _write(self, entries: list[_Entry]) -> None:
        start = 0
        for position, entry in enumerate(entries):
            if isinstance(entry, _TurnPage):
                self._commit(entries[start:position])
                self._open_page(entry)
                start = position + 1
        self._commit(entries[start:] if start else entries)
        if self._store.wal_bytes() > CHECKPOINT_ABOVE_BYTES:
            self._checkpoint()

    def _commit(self, entries: list[_Entry]) -> None:
        messages: list[Any] = []
        deliveries: list[Any] = []
        snapshots: list[Any] = []
        for entry in entries:
            if isinstance(entry, Envelope):
                messages.append(rows.message_row(entry))
            elif isinstance(entry, _Numbered):
                self._carry_over(entry.delivery.envelope, messages)
                deliveries.append(rows.delivery_row(entry.n, entry.delivery))
            elif isinstance(entry, _Snapshot):
                snapshots.append(_snapshot_row(entry))
        if entries:
            self._with_reserve(lambda: self._store.write(messages, deliveries, snapshots))

    def _checkpoint(self) -> None:
        """Fold the write-ahead file in; on a full disk it just goes on growing where it is."""
        try:
            self._with_reserve(self._store.checkpoint)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_FULL:
                raise

    def _with_reserve(self, work: Callable[[], None]) -> None:
        try:
            work()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_FULL or not self._release_reserve():
                raise
            work()

    def _carry_over(self, envelope: Envelope[Message], messages: list[Any]) -> None:
        """A message from yesterday's page that is handled on this one is copied here."""
        store = self._store
        if envelope.seq < store.first_seq and envelope.seq not in store.carried:
            store.carried.add(envelope.seq)
            messages.append(rows.message_row(envelope))

    def _open_page(self, page: _TurnPage) -> None:
        """Go over to a later day's file; a clock that was set back turns no page."""
        path = day_path(self._folder, page.day)
        if path.name <= self._store.path.name:
            return
        self._with_reserve(self._store.seal)
        self._store.close()

        def open_store() -> None:
            self._store = self._open_store(path, page.first_seq, page.first_n)

        self._with_reserve(open_store)

    def _release_reserve(self) -> bool:
        if self._reserve is None or not self._reserve.release():
            return False
        self._report(Trouble.DISK_FULL, f"disk full; reserve {self._reserve.path} released")
        return True

    def _acknowledge(self, entries: list[_Entry]) -> None:
        with self._lock:
            for entry in reversed(entries):
                if type(entry) is Envelope:
                    self._durable_seq = entry.seq
                    break
            self._oldest_ns = time.monotonic_ns() if self._entries else 0
            while self._waiters and self._waiters[0][0] <= self._durable_seq:
                heapq.heappop(self._waiters)[2].release()

    def _fail(self, error: Exception) -> None:
        with self._lock:
            words = f"{self._store.path}: {str(error) or type(error).__name__}"
            self._failure = self._refusal = words
            self._let_go()
        # not closed: that would write again, and after a failed sync a second one may lie
        self._report(Trouble.FAILED, words)

    def _let_go(self) -> None:
        """Tell all who still wait that it will never be."""
        for _, _, ready in self._waiters:
            ready.release()
        self._waiters.clear()

    def _report(self, trouble: Trouble, words: str) -> None:
        if self._on_trouble is not None:
            self._on_trouble(trouble, words)


def _snapshot_row(entry: _Snapshot) -> rows.SnapshotRow:
    return rows.snapshot_row(
        n=entry.n,
        actor=entry.actor,
        incarnation=entry.incarnation,
        at_ns=entry.at_ns,
        body=entry.body,
    )
