"""The work of a day that is over: fold, sweep, archive the message log, delete what is proven safe.

Runs beside the writer, in a process of its own when a desk asks for it: Delta's own rules keep the
two apart. What cannot be done is named and tried again the next day; the rest is done all the same.
"""

from __future__ import annotations

import datetime as dt
from itertools import pairwise
from pathlib import Path

from thetawarden.errors import ThetawardenError
from thetawarden.infra.journal.reader import DayLog
from thetawarden.infra.journal.store import day_files
from thetawarden.infra.journal.wal import wal_path
from thetawarden.infra.lake.errors import DamagedTableError, LakeError, first_line
from thetawarden.infra.lake.household import Household
from thetawarden.infra.lake.projection import FEEDS
from thetawarden.infra.lake.spool import Spool
from thetawarden.infra.lake.tables import TABLES
from thetawarden.infra.lake.tables.desk import MESSAGE_ARCHIVE
from thetawarden.infra.lake.upkeep import data_files, fold_past, sweep
from thetawarden.messages.lake import LakeMaintained
from thetawarden.ports import Clock

NEVER_REMOVED = 2  # recovery looks this many day files back


def maintain(household: Household, *, day: dt.date, clock: Clock) -> LakeMaintained:
    """Do all of it for the days before this one; never raises for what a table or a day has."""
    faults: list[str] = []
    files = removed = 0
    for name in TABLES:
        try:
            now_has, gone = _keep_twice(household, name, before=day, clock=clock)
        except LakeError as error:
            faults.append(first_line(error))
            continue
        files, removed = files + now_has, removed + gone
    archived = _archive_days(household, faults)
    logs_removed = _remove_days(household, before=day, faults=faults)
    return LakeMaintained(
        day=day,
        files=files,
        files_removed=removed,
        archived=archived,
        logs_removed=logs_removed,
        faults=tuple(faults),
    )


def _keep_twice(
    household: Household, name: str, *, before: dt.date, clock: Clock
) -> tuple[int, int]:
    """The writer goes on meanwhile: a file that went while it was looked for is no damage."""
    try:
        return _keep_table(household, name, before=before, clock=clock)
    except DamagedTableError:
        return _keep_table(household, name, before=before, clock=clock)


def _keep_table(
    household: Household, name: str, *, before: dt.date, clock: Clock
) -> tuple[int, int]:
    store = household.store(name)
    if not store.exists():
        return 0, 0
    if name != MESSAGE_ARCHIVE.name:  # whose files are large and in order as they are
        fold_past(store, before, now_ns=clock.now_ns())
    gone = sweep(store)
    return len(data_files(store)), gone


def _archive_days(household: Household, faults: list[str]) -> tuple[dt.date, ...]:
    archived = []
    archive = household.archive()
    for path in day_files(household.log_folder)[:-1]:
        try:
            if archive.add_day(path):
                archived.append(dt.date.fromisoformat(path.stem))
        except ThetawardenError as error:
            faults.append(first_line(error))
            break  # days are archived in order: what comes later waits
    return tuple(archived)


def _remove_days(
    household: Household, *, before: dt.date, faults: list[str]
) -> tuple[dt.date, ...]:
    if not household.log_kept_days:
        return ()
    oldest_kept = before - dt.timedelta(days=household.log_kept_days)
    files, removed = day_files(household.log_folder), []
    for path, following in pairwise(files[: 1 - NEVER_REMOVED]):
        day = dt.date.fromisoformat(path.stem)
        if day >= oldest_kept:
            break
        try:
            why_not = _why_kept(household, path, following)
        except ThetawardenError as error:
            why_not = first_line(error)
        if why_not is not None:
            faults.append(f"message log {path.name} was kept: {why_not}")
            break
        for each in (path, wal_path(path), path.with_name(f"{path.name}-shm")):
            each.unlink(missing_ok=True)
        removed.append(day)
    return tuple(removed)


def _why_kept(household: Household, path: Path, following: Path) -> str | None:
    """What still hangs on a day's file, or None when it may go."""
    if not household.archive().holds(path):
        return "the archive does not hold every row of it"
    later = DayLog(following)
    try:
        last_seq = later.first_seq - 1
    finally:
        later.close()
    spool = Spool(household.log_folder)
    try:
        for name, kinds in FEEDS.items():
            mark = household.store(name).watermark()
            missing = spool.count(tuple(sorted(kinds)), after_seq=mark, until_seq=last_seq)
            if sum(missing.values()):
                return f"lake table {name} does not hold all of it yet"
    finally:
        spool.close()
    return None
