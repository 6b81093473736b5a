"""Opens a day's file, new or old, and writes batches of rows to it.

WAL with `synchronous=FULL`: a committed batch survives power loss. Rows go in many to a statement,
because each SQLite step lets go of the interpreter lock and a busy desk is slow to give it back.
"""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
from collections.abc import Callable, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from thetawarden.infra.journal.errors import UnwritableLogError
from thetawarden.infra.journal.rows import (
    DDL,
    FORMAT,
    DeliveryRow,
    MessageRow,
    SnapshotRow,
    vocabulary,
)

Connect = Callable[[Path], sqlite3.Connection]
SUFFIX = ".db"
_CHUNKS = (256, 32, 4, 1)


def connect(path: Path) -> sqlite3.Connection:
    """A connection as the writer needs it."""
    connection = sqlite3.connect(
        path, isolation_level=None, check_same_thread=False, cached_statements=64
    )
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA wal_autocheckpoint=0")
    return connection


def day_path(folder: Path, day: dt.date) -> Path:
    """The file of a day."""
    return folder / f"{day.isoformat()}{SUFFIX}"


def day_files(folder: Path) -> tuple[Path, ...]:
    """All files of the log, oldest first."""
    return tuple(sorted(folder.glob(f"[0-9]*{SUFFIX}")))


class DayStore:
    """One day's file, open for writing by one thread."""

    def __init__(self, path: Path, *, connect: Connect = connect) -> None:
        self.path = path
        try:
            self._connection = connect(path)
        except sqlite3.Error as error:
            raise UnwritableLogError(path, str(error)) from error

    def begin(self, *, first_seq: int, first_n: int, software: str) -> None:
        """Make the tables and say who writes here, unless that was done before."""
        tables = self._connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        meta: dict[str, Any] = {"vocabulary": json.dumps(vocabulary()), "software": software}
        if tables == 0:
            meta |= {"format": str(FORMAT), "first_seq": str(first_seq), "first_n": str(first_n)}
            script = "".join(
                f"INSERT INTO meta VALUES('{key}', '{value}');" for key, value in meta.items()
            )
            self._connection.executescript(f"BEGIN IMMEDIATE;{DDL}{script}COMMIT;")
        else:
            self._connection.executemany("UPDATE meta SET value=?2 WHERE key=?1", meta.items())

    def write(
        self,
        messages: Sequence[MessageRow],
        deliveries: Sequence[DeliveryRow],
        snapshots: Sequence[SnapshotRow],
    ) -> None:
        """Commit these rows as one; raises sqlite3.Error, and then none of them is there."""
        execute = self._connection.execute
        execute("BEGIN IMMEDIATE")
        try:
            self._insert("messages", 8, messages)
            self._insert("deliveries", 8, deliveries)
            self._insert("snapshots", 6, snapshots)
            execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                execute("ROLLBACK")
            raise

    def checkpoint(self) -> None:
        """Move what is in the write-ahead file into the main one, without waiting for readers."""
        self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    def wal_bytes(self) -> int:
        """The size of the write-ahead file."""
        try:
            return self.path.with_name(self.path.name + "-wal").stat().st_size
        except FileNotFoundError:
            return 0

    def close(self) -> None:
        """Close the file; SQLite folds the write-ahead file in when nobody else reads."""
        self._connection.close()

    def _insert(self, table: str, columns: int, rows: Sequence[tuple[Any, ...]]) -> None:
        execute, start = self._connection.execute, 0
        for chunk in _CHUNKS:
            statement = _statement(table, columns, chunk)
            while len(rows) - start >= chunk:
                values = chain.from_iterable(rows[start : start + chunk])
                execute(statement, tuple(values))
                start += chunk


def _statement(table: str, columns: int, rows: int) -> str:
    row = "(" + ",".join("?" * columns) + ")"
    # the table's name is one of three literals above, never a person's word
    return f"INSERT INTO {table} VALUES {','.join([row] * rows)}"  # noqa: S608
