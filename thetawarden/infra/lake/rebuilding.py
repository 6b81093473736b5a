"""Writes a table anew from what its rows were made of: the message log, and the archive behind it.

One atomic step removes the rows from the oldest message on that can still be read, and takes the
table's position back to before it; what follows is ordinary catching up. Rows older than that are
left as they are. A table too damaged to be opened is set aside, never deleted.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from thetawarden.infra.journal.store import day_files
from thetawarden.infra.lake.archive import MessageArchive, whole_mark
from thetawarden.infra.lake.errors import LakeAwayError, LakeError, NotRebuildableError
from thetawarden.infra.lake.spool import Spool
from thetawarden.infra.lake.store import TableStore


def begin_anew(
    store: TableStore, *, spool: Spool, archive: MessageArchive, log: str, now_ns: int
) -> int:
    """Make a table that messages feed ready to catch up; returns the first message to be read."""
    try:
        archived = archive.first_seq()
    except LakeError:
        archived = None
    first = spool.first() if archived is None else min(archived, spool.first())
    _empty(store, f"log = '{log}' AND seq >= {first}", through_seq=first - 1, now_ns=now_ns)
    return first


def archive_anew(store: TableStore, *, folder: Path, log: str, now_ns: int) -> dt.date:
    """Make the archive ready to take all days again that the log still has; returns the first."""
    files = day_files(folder)
    if not files:
        raise NotRebuildableError(
            f"lake table {store.table.name} cannot be written anew: no message log in {folder}"
        )
    first = dt.date.fromisoformat(files[0].stem)
    before = first - dt.timedelta(days=1)
    _empty(
        store,
        f"log = '{log}' AND day >= '{first}'",
        through_seq=whole_mark(before),
        now_ns=now_ns,
    )
    return first


def _empty(store: TableStore, predicate: str, *, through_seq: int, now_ns: int) -> None:
    try:
        store.mend()
        store.cut(predicate, through_seq=through_seq)
    except LakeAwayError:
        raise
    except LakeError:
        _set_aside(store, now_ns=now_ns)
        store.cut(predicate, through_seq=through_seq)


def _set_aside(store: TableStore, *, now_ns: int) -> None:
    folder = store.place.folder
    if folder is None:
        raise NotRebuildableError(
            f"lake table {store.table.name} at {store.url} is too damaged to be opened."
            " Move that prefix elsewhere in the object store, then rebuild again"
        )
    damaged = folder / store.table.name
    store.let_go()
    damaged.rename(damaged.with_name(f"{damaged.name}.damaged-{now_ns}"))
