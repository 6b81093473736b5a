"""A message log that a crash really loses the end of, and the files the next process finds.

What a process says is only in memory until it commits. When the process ends, however it ends, what
was committed is written into day files of the real format, and the next process recovers from them
as any desk does.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import msgspec

from thetawarden.actors.tree import Tree
from thetawarden.domain.instants import UnixNs
from thetawarden.infra.journal import rows
from thetawarden.infra.journal.journal import Position
from thetawarden.infra.journal.recover import Recovered, recover
from thetawarden.infra.journal.store import DayStore, day_files, day_path
from thetawarden.infra.journal.wal import wal_path
from thetawarden.messages.base import Envelope, Message
from thetawarden.ports import Delivery, FencedError, Outcome
from thetawarden.supervisor import actor_names, actor_roles

SOFTWARE = "simulation"
OF_ANOTHER_VERSION = msgspec.msgpack.encode({"actor": "of another version"})


class Numbered(msgspec.Struct, frozen=True, gc=False):
    """A delivery and its place in the order of all of them."""

    n: int
    delivery: Delivery


class StateWritten(msgspec.Struct, frozen=True, gc=False):
    """An actor's state as it was written."""

    n: int
    actor: str
    incarnation: int
    at_ns: int
    body: bytes


class PageTurned(msgspec.Struct, frozen=True):
    """From here on everything is in another day's file."""

    day: dt.date
    first_seq: int
    first_n: int


Entry = Envelope[Message] | Numbered | StateWritten | PageTurned
Watch = Callable[[Entry], None]


def _nobody(_entry: Entry) -> None:
    """Nobody watches."""


def _plenty(_entries: int) -> None:
    """There is room."""


class DiskLog:
    """One process's message log; implements the MessageLog port and says when it writes.

    `watch` hears every entry as it is recorded, `room` how many are about to be written, and raises
    where they have none; `when_written` hears how far the disk has come.
    `durable_seq` and `durable_n` are the last message and the last delivery that were written.
    """

    keeps = True

    def __init__(
        self,
        *,
        position: Position,
        watch: Watch = _nobody,
        room: Callable[[int], None] = _plenty,
    ) -> None:
        self.entries: list[Entry] = []
        self.durable_seq = position.next_seq - 1
        self.durable_n = position.next_n - 1
        self.when_written: Callable[[int], None] = lambda _seq: None
        self._watch, self._room = watch, room
        self._durable = 0
        self._next_seq = position.next_seq
        self._next_n = position.next_n
        self._incarnations: dict[str, int] = {}

    @property
    def last_seq(self) -> int:
        """The number of the latest message."""
        return self._next_seq - 1

    def say(  # keywords cost a tenth of a hop
        self, body: Message, sender: str, incarnation: int, cause_seq: int | None, at_ns: UnixNs
    ) -> Envelope[Message]:
        """Give a message its place in the order."""
        if incarnation and self._incarnations.get(sender, incarnation) != incarnation:
            raise FencedError(sender, incarnation)
        envelope = Envelope(self._next_seq, at_ns, sender, incarnation, cause_seq, body)
        self._next_seq += 1
        self._append(envelope)
        return envelope

    def record(
        self, delivery: Delivery, answers: tuple[Message, ...]
    ) -> tuple[Envelope[Message], ...]:
        """Note a delivery with all its answers as one step."""
        actor, incarnation = delivery.actor, delivery.incarnation
        fenced = self._incarnations.get(actor, incarnation) != incarnation
        if fenced and delivery.outcome is Outcome.HANDLED:
            raise FencedError(actor, incarnation)
        self._append(Numbered(self._next_n, delivery))
        self._next_n += 1
        cause, at_ns = delivery.envelope.seq, delivery.at_ns
        return tuple(self.say(one, actor, incarnation, cause, at_ns) for one in answers)

    def snapshot(self, *, actor: str, incarnation: int, at_ns: UnixNs, state: bytes) -> None:
        """Note an actor's state as it is after all its deliveries so far."""
        self._append(StateWritten(self._next_n - 1, actor, incarnation, at_ns, state))

    def fence(self, actor: str, incarnation: int) -> None:
        """From now on only this incarnation of the actor may speak."""
        self._incarnations[actor] = incarnation

    def wait_durable(self, seq: int, timeout_s: float) -> None:
        """Nobody waits here: what is not durable is committed before an effect is performed."""

    def is_durable(self, seq: int, /) -> bool:
        """Whether the message would survive the end of the process."""
        return seq <= self.durable_seq

    def commit(self) -> None:
        """Write all that was recorded so far."""
        self._room(len(self.entries) - self._durable)
        self._durable = len(self.entries)
        self.durable_seq = self._next_seq - 1
        self.durable_n = self._next_n - 1
        self.when_written(self.durable_seq)

    def turn_page(self, day: dt.date) -> None:
        """Let everything recorded from now on go to that day's file."""
        self._append(PageTurned(day, self._next_seq, self._next_n))

    def written(self) -> list[Entry]:
        """What a crash now would leave behind."""
        return self.entries[: self._durable]

    def unwritten(self) -> list[Entry]:
        """What a crash now would lose, of the day that is written to."""
        lost = self.entries[self._durable :]
        turns = (place for place, entry in enumerate(lost) if isinstance(entry, PageTurned))
        return lost[: next(turns, len(lost))]

    def dump(self) -> bytes:
        """All entries as bytes: equal runs give equal bytes."""
        return msgspec.msgpack.encode(self.entries)

    def _append(self, entry: Entry) -> None:
        self.entries.append(entry)
        self._watch(entry)


class SimDisk:
    """A folder of day files, and what is known of it beyond one process.

    What a process committed is written when somebody looks: of the last process nobody does.
    `torn_read` counts how often a process began with a file whose end was half written, `outdated`
    how often with snapshots of which it could use none.
    """

    def __init__(self, folder: Path, *, first_day: dt.date) -> None:
        self._folder = folder
        self._ended: tuple[DiskLog, Position] | None = None
        self.torn_read = self.outdated = 0
        self._is_torn = False
        self._day = first_day
        self._torn_at: float | None = None
        self._is_outdated = False

    @property
    def folder(self) -> Path:
        """The folder, with all that was committed."""
        self._settle()
        return self._folder

    @folder.setter
    def folder(self, folder: Path) -> None:
        self._folder = folder

    def tear(self, share: float) -> None:
        """Of what the next process leaves unwritten, have this share there all the same."""
        self._torn_at = share

    def outdate(self) -> None:
        """Let the next process find snapshots that it cannot use."""
        self._is_outdated = True

    def keep(self, log: DiskLog, position: Position) -> None:
        """Keep what a process committed, of which `position` was the beginning."""
        self._settle()
        self._ended = log, position

    def _settle(self) -> None:
        """Write what the process that ended last has committed."""
        if self._ended is not None:
            ended, self._ended = self._ended, None
            self._write_down(*ended)

    def _write_down(self, log: DiskLog, position: Position) -> None:
        store = self._open(self._day, position.next_seq, position.next_n)
        batch: list[Entry] = []
        for entry in self._as_kept(log.written()):
            if not isinstance(entry, PageTurned):
                batch.append(entry)
            elif entry.day > self._day:
                _write(store, batch)
                store.seal()
                store.close()
                self._day, batch = entry.day, []
                store = self._open(entry.day, entry.first_seq, entry.first_n)
        _write(store, batch)
        lost, share = log.unwritten(), self._torn_at
        if share is None or not lost:
            store.close()
            return
        self._torn_at, self._is_torn = None, True
        _close_torn(store, lost, share)

    def recover(self, tree: Tree) -> Recovered:
        """What a new process of this tree begins with."""
        folder, names, roles = self.folder, actor_names(tree), actor_roles(tree)
        if not day_files(folder):
            return recover(folder, names, roles)
        found = recover(folder, names, roles, fits=tree.can_begin_with)
        self.torn_read, self._is_torn = self.torn_read + self._is_torn, False
        return found

    def _as_kept(self, entries: list[Entry]) -> list[Entry]:
        if not self._is_outdated or not any(isinstance(one, StateWritten) for one in entries):
            return entries
        self._is_outdated, self.outdated = False, self.outdated + 1
        return [
            msgspec.structs.replace(one, body=OF_ANOTHER_VERSION)
            if isinstance(one, StateWritten)
            else one
            for one in entries
        ]

    def _open(self, day: dt.date, first_seq: int, first_n: int) -> DayStore:
        path = day_path(self._folder, day)
        return DayStore(path, first_seq=first_seq, first_n=first_n, software=SOFTWARE)


def _close_torn(store: DayStore, entries: list[Entry], share: float) -> None:
    """Close it as a crash does in the middle of a write: the last transaction is there in part."""
    wal = wal_path(store.path)
    before = store.wal_bytes()
    _write(store, entries)
    cut = before + max(1, int((store.wal_bytes() - before - 1) * share))
    main, tail = store.path.read_bytes(), wal.read_bytes()[:cut]
    store.close()
    store.path.write_bytes(main)
    wal.write_bytes(tail)


def _write(store: DayStore, entries: list[Entry]) -> None:
    messages: list[rows.MessageRow] = []
    deliveries: list[rows.DeliveryRow] = []
    snapshots: dict[tuple[str, int], rows.SnapshotRow] = {}
    for entry in entries:
        if isinstance(entry, Numbered):
            envelope = entry.delivery.envelope
            if envelope.seq < store.first_seq and envelope.seq not in store.carried:
                store.carried.add(envelope.seq)
                messages.append(rows.message_row(envelope))
            deliveries.append(rows.delivery_row(entry.n, entry.delivery))
        elif isinstance(entry, StateWritten):
            snapshots[entry.actor, entry.n] = rows.snapshot_row(
                n=entry.n,
                actor=entry.actor,
                incarnation=entry.incarnation,
                at_ns=entry.at_ns,
                body=entry.body,
            )
        elif isinstance(entry, Envelope):
            messages.append(rows.message_row(entry))
    store.write(messages, deliveries, tuple(snapshots.values()))
