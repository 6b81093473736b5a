"""The archivist: decides when the lake is written and tidied, and knows how far each table is."""

from __future__ import annotations

import datetime as dt
from typing import assert_never

import msgspec

from thetawarden.domain.instants import NS_PER_HOUR, NS_PER_MINUTE, NS_PER_SECOND, UnixNs
from thetawarden.messages.lake import (
    FlushLake,
    LakeCommitted,
    LakeFellBehind,
    LakeMaintained,
    LakeRebuilt,
    LakeSkipped,
    LakeTrouble,
    LakeUnavailable,
    MaintainLake,
    RebuildTable,
)
from thetawarden.messages.lifecycle import Begin, Quiesce
from thetawarden.messages.operations import NotifyPerson, TradingDayStarted, Urgency
from thetawarden.messages.timers import CancelTimer, StartTimer, TimerFired

FLUSH = "flush the lake"
MAINTAIN = "maintain the lake"
Hears = (
    Begin
    | Quiesce
    | TimerFired
    | TradingDayStarted
    | LakeCommitted
    | LakeUnavailable
    | LakeFellBehind
    | LakeSkipped
    | LakeRebuilt
    | LakeMaintained
)
Says = FlushLake | MaintainLake | RebuildTable | NotifyPerson | StartTimer | CancelTimer


class ArchivistSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How often the lake is written, and how long after a day turned it is tidied."""

    flush_ns: int = 5 * NS_PER_SECOND
    maintain_after_ns: int = 10 * NS_PER_MINUTE
    rebuild_again_ns: int = NS_PER_HOUR


class TableKept(msgspec.Struct, kw_only=True):
    """How far one table is; `since_ns` is when its trouble began."""

    through_seq: int = 0
    rows: int = 0
    files: int = 0
    committed_ns: UnixNs | None = None
    dropped_rows: int = 0
    trouble: LakeTrouble | None = None
    error: str = ""
    since_ns: UnixNs | None = None
    rebuilt_ns: UnixNs | None = None


class ArchivistState(msgspec.Struct, kw_only=True):
    """All tables by name, and which day's housekeeping is due and done."""

    tables: dict[str, TableKept] = msgspec.field(default_factory=dict)
    due: dt.date | None = None
    maintained: dt.date | None = None
    archived: dt.date | None = None
    faults: tuple[str, ...] = ()


class Archivist:
    """Has what is said kept for good, and says when it is not.

    Restart: safe; what a table holds is written in the table itself, this is what was heard of it.
    """

    def __init__(self, *, settings: ArchivistSettings | None = None) -> None:
        self.state = ArchivistState()
        self._settings = settings or ArchivistSettings()

    def receive(self, message: Hears, now: UnixNs) -> tuple[Says, ...]:
        """Answer one message."""
        match message:
            case Begin():
                return (self._next_flush(), *self._next_housekeeping())
            case TimerFired(name=name):
                return self._wake(name)
            case TradingDayStarted(day=day):
                self.state.due = dt.date.fromisoformat(day)
                return self._next_housekeeping()
            case LakeCommitted():
                return self._note_commit(message, now)
            case LakeUnavailable():
                return self._note_trouble(message, now)
            case LakeFellBehind(table=table, rows=rows):
                self._table(table).dropped_rows += rows
                return ()
            case LakeSkipped(seq=seq, kind=kind, error=error):
                text = f"message {seq} ({kind}) is not in the lake, only in the log: {error}"
                return (_tell(Urgency.NORMAL, f"skipped:{kind}", text),)
            case LakeRebuilt(table=table, from_seq=seq):
                text = f"lake table {table} is being written anew from message {seq} on"
                return (_tell(Urgency.NORMAL, table, text),)
            case LakeMaintained():
                return self._note_housekeeping(message)
            case Quiesce():
                return (CancelTimer(name=FLUSH), CancelTimer(name=MAINTAIN), FlushLake())
            case _:
                assert_never(message)

    def _wake(self, name: str) -> tuple[Says, ...]:
        if name == FLUSH:
            return (FlushLake(), self._next_flush())
        return () if self.state.due is None else (MaintainLake(day=self.state.due),)

    def _next_flush(self) -> StartTimer:
        return StartTimer(name=FLUSH, after_ns=self._settings.flush_ns)

    def _next_housekeeping(self) -> tuple[StartTimer, ...]:
        if self.state.due is None or self.state.due == self.state.maintained:
            return ()
        return (StartTimer(name=MAINTAIN, after_ns=self._settings.maintain_after_ns),)

    def _note_commit(self, message: LakeCommitted, now: UnixNs) -> tuple[Says, ...]:
        table = self._table(message.table)
        recovered = table.trouble is not None
        table.through_seq, table.files = message.through_seq, message.files
        table.rows += message.rows
        table.committed_ns = now
        table.trouble, table.error, table.since_ns = None, "", None
        if not recovered:
            return ()
        return (_tell(Urgency.LOW, message.table, f"lake table {message.table} is written again"),)

    def _note_trouble(self, message: LakeUnavailable, now: UnixNs) -> tuple[Says, ...]:
        table = self._table(message.table)
        news = table.trouble is not message.trouble
        table.trouble, table.error = message.trouble, message.error
        if table.since_ns is None:
            table.since_ns = now
        said: list[Says] = []
        if news:
            text = f"{message.error}. The message log keeps what belongs in the lake"
            said.append(_tell(_URGENCY[message.trouble], message.table, text))
        if message.trouble is LakeTrouble.DAMAGED and self._may_rebuild(table, now):
            table.rebuilt_ns = now
            said.append(RebuildTable(table=message.table))
        return tuple(said)

    def _may_rebuild(self, table: TableKept, now: UnixNs) -> bool:
        last = table.rebuilt_ns
        return last is None or now - last >= self._settings.rebuild_again_ns

    def _note_housekeeping(self, message: LakeMaintained) -> tuple[Says, ...]:
        state = self.state
        state.maintained, state.faults = message.day, message.faults
        if message.archived:
            state.archived = message.archived[-1]
        if not message.faults:
            return ()
        words = f"lake housekeeping of {message.day} left: {'; '.join(message.faults)}"
        return (_tell(Urgency.NORMAL, "housekeeping", words),)

    def _table(self, name: str) -> TableKept:
        return self.state.tables.setdefault(name, TableKept())


_URGENCY = {
    LakeTrouble.AWAY: Urgency.NORMAL,
    LakeTrouble.DAMAGED: Urgency.HIGH,
    LakeTrouble.NEWER: Urgency.HIGH,
    LakeTrouble.AHEAD: Urgency.HIGH,
    LakeTrouble.LOG_UNREADABLE: Urgency.HIGH,
}


def _tell(urgency: Urgency, topic: str, text: str) -> NotifyPerson:
    return NotifyPerson(urgency=urgency, topic=f"lake:{topic}", text=text)
