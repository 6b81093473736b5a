"""Puts a lake together for a desk: writer, housekeeping and rebuilding behind one adapter."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from queue import SimpleQueue

import msgspec

from thetawarden.infra.journal.store import day_files
from thetawarden.infra.lake.errors import LakeError, NotRebuildableError, first_line
from thetawarden.infra.lake.household import Household
from thetawarden.infra.lake.projection import FEEDS
from thetawarden.infra.lake.rebuilding import archive_anew, begin_anew
from thetawarden.infra.lake.spool import Spool
from thetawarden.infra.lake.tables.desk import MESSAGE_ARCHIVE
from thetawarden.infra.lake.upkeep import data_files
from thetawarden.infra.lake.writer import LakeWriter, WriterSettings
from thetawarden.messages.base import Message
from thetawarden.messages.lake import (
    FlushLake,
    LakeMaintained,
    LakeRebuilt,
    LakeTrouble,
    LakeUnavailable,
    MaintainLake,
    RebuildTable,
)
from thetawarden.ports import Clock

SETTLE_FLUSHES = 60
Keep = Callable[[dt.date], LakeMaintained]


class LakeWork:
    """What the lake's thread does; housekeeping goes on beside it and reports when it is done."""

    def __init__(
        self,
        household: Household,
        *,
        clock: Clock,
        settings: WriterSettings,
        keep: Keep,
    ) -> None:
        self._household = household
        self._clock = clock
        self._keep = keep
        self._archive = household.archive()
        self._spool = Spool(household.log_folder, older=self._archive.messages)
        self._kept: SimpleQueue[LakeMaintained] = SimpleQueue()
        self._keeper: threading.Thread | None = None
        self._flushes = 0
        stores = [household.store(name) for name in sorted(FEEDS)]
        self.writer = LakeWriter(
            stores,
            spool=self._spool,
            clock=clock,
            log=household.log,
            settings=msgspec.structs.replace(
                settings, turns_at=household.turns_at, views_per_kept=household.views_per_kept
            ),
        )

    def carry_out(self, command: Message, /) -> tuple[Message, ...]:
        """Do what an actor asked for."""
        match command:
            case FlushLake():
                return (*self._flush(), *self._what_was_kept())
            case MaintainLake(day=day):
                said = self.writer.flush()
                self.writer.settle()
                self._begin_keeping(day)
                return said
            case RebuildTable(table=table):
                return self._rebuild(table)
            case _:
                return ()

    def close(self) -> None:
        """Let go of the message log."""
        self._spool.close()

    def _flush(self) -> tuple[Message, ...]:
        """Now and then a table that nothing came for notes how far it is all the same."""
        said = self.writer.flush()
        self._flushes += 1
        if self._flushes % SETTLE_FLUSHES == 0:
            self.writer.settle()
        return said

    def _what_was_kept(self) -> tuple[LakeMaintained, ...]:
        return tuple(self._kept.get() for _ in range(self._kept.qsize()))

    def _begin_keeping(self, day: dt.date) -> None:
        if self._keeper is not None and self._keeper.is_alive():
            return  # it is still at the day before, and what it leaves is done the next day

        def keep() -> None:
            try:
                self._kept.put(self._keep(day))
            except Exception as error:  # noqa: BLE001  # housekeeping may fail in any way
                self._kept.put(_nothing_done(day, error))

        self._keeper = threading.Thread(target=keep, name="lake-keeping", daemon=True)
        self._keeper.start()

    def _rebuild(self, table: str) -> tuple[Message, ...]:
        line = self.writer.lines.get(table)
        if line is None:
            words = f"no lake table {table} is fed by messages; see `lake info`"
            return (LakeUnavailable(table=table, trouble=LakeTrouble.NEWER, error=words),)
        try:
            from_seq = begin_anew(
                line.store,
                spool=self._spool,
                archive=self._archive,
                log=self._household.log,
                now_ns=self._clock.now_ns(),
            )
        except LakeError as error:
            trouble = LakeTrouble.DAMAGED
            return (LakeUnavailable(table=table, trouble=trouble, error=first_line(error)),)
        line.begin_again()
        return (LakeRebuilt(table=table, from_seq=from_seq), *self.writer.flush())


def rebuild_table(household: Household, table: str, *, clock: Clock) -> int:
    """Write a table anew while no desk runs, and return its rows; raises LakeError."""
    if table == MESSAGE_ARCHIVE.name:
        return _rebuild_archive(household, clock=clock)
    if table not in FEEDS:
        names = ", ".join(sorted((*FEEDS, MESSAGE_ARCHIVE.name)))
        raise NotRebuildableError(
            f"lake table {table} is not made from the message log; these are: {names}"
        )
    work = LakeWork(household, clock=clock, settings=WriterSettings(), keep=_no_keeping)
    try:
        said = work.carry_out(RebuildTable(table=table))
        line = work.writer.lines[table]
        while True:
            for trouble in said:
                if isinstance(trouble, LakeUnavailable) and trouble.table == table:
                    raise NotRebuildableError(trouble.error)
            if not line.behind:
                break
            said = work.writer.flush()
        return sum(file.rows for file in data_files(line.store))
    finally:
        work.close()


def _no_keeping(day: dt.date) -> LakeMaintained:
    raise AssertionError(f"housekeeping of {day} was not asked for")


def _rebuild_archive(household: Household, *, clock: Clock) -> int:
    store = household.archive_store()
    archive_anew(store, folder=household.log_folder, log=household.log, now_ns=clock.now_ns())
    archive = household.archive()
    for path in day_files(household.log_folder)[:-1]:
        archive.add_day(path)
    store.let_go()
    return sum(file.rows for file in data_files(store))


def _nothing_done(day: dt.date, error: Exception) -> LakeMaintained:
    return LakeMaintained(
        day=day,
        files=0,
        files_removed=0,
        archived=(),
        logs_removed=(),
        faults=(first_line(error),),
    )
