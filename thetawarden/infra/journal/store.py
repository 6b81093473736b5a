"""Opens a day's file, new or old, and writes batches of rows to it.

WAL with `synchronous=FULL`: a committed batch survives power loss. Rows go in many to a statement,
because each SQLite step lets go of the interpreter lock and a busy desk is slow to give it back.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import re
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec

from thetawarden.infra.journal.errors import DamagedLogError
from thetawarden.infra.journal.rows import (
    DDL,
    FORMAT,
    DeliveryRow,
    MessageRow,
    SnapshotRow,
    meta_crc,
    vocabulary,
)
from thetawarden.infra.journal.wal import wal_path

Connect = Callable[[Path], sqlite3.Connection]
SUFFIX = ".db"
_DAY_FILE = re.compile(r"\d{4}-\d{2}-\d{2}\.db")
_CHUNKS = (256, 32)
_EXACT_BELOW = 32  # as few rows as wait for an acknowledgement go in one statement


class Seal(msgspec.Struct, frozen=True, array_like=True):
    """Written when a file is closed in order: its last numbers, so that a lost tail is noticed."""

    last_seq: int
    last_n: int
    snapshots: int


def connect(path: Path) -> sqlite3.Connection:
    """A connection as the writer needs it."""
    connection = sqlite3.connect(
        path, isolation_level=None, check_same_thread=False, cached_statements=128
    )
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA wal_autocheckpoint=0")
    # after a checkpoint the file is cut, not overwritten: that is how `wal` knows a torn tail
    connection.execute("PRAGMA journal_size_limit=0")
    return connection


def day_path(folder: Path, day: dt.date) -> Path:
    """The file of a day."""
    return folder / f"{day.isoformat()}{SUFFIX}"


def day_files(folder: Path) -> tuple[Path, ...]:
    """All files of the log, oldest first; what is named otherwise is not of the log."""
    return tuple(sorted(path for path in folder.glob(f"*{SUFFIX}") if _is_day_file(path.name)))


class DayStore:
    """One day's file, open for writing by one thread.

    A new file is made under another name and put in place when it is whole, so that no crash leaves
    half of one. Raises sqlite3.Error and OSError as they come.
    """

    def __init__(
        self,
        path: Path,
        *,
        first_seq: int,
        first_n: int,
        software: str,
        connect: Connect = connect,
    ) -> None:
        self.path = path
        if not path.exists():
            self._create(connect, first_seq=first_seq, first_n=first_n)
        self._connection = connect(path)
        try:
            # whatever a crash left in the write-ahead file moves into the main one
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            _set_meta(
                self._connection,
                {
                    "format": str(FORMAT),
                    "vocabulary": json.dumps(vocabulary()),
                    "software": software,
                    "sealed": "",
                },
            )
            self.first_seq = int(_read_meta(self._connection)["first_seq"])
            query = "SELECT seq FROM messages WHERE seq < ?"
            carried = self._connection.execute(query, [self.first_seq])
            self.carried = {seq for (seq,) in carried}
        except BaseException:
            self._connection.close()
            raise

    def write(
        self,
        messages: Sequence[MessageRow],
        deliveries: Sequence[DeliveryRow],
        snapshots: Sequence[SnapshotRow],
    ) -> None:
        """Commit these rows as one; raises sqlite3.Error, and then none of them is there."""
        with _transaction(self._connection):
            self._insert("INSERT INTO messages", 8, messages)
            self._insert("INSERT INTO deliveries", 8, deliveries)
            # two snapshots of an actor between which nothing was handled are one
            self._insert("INSERT OR REPLACE INTO snapshots", 6, snapshots)

    def checkpoint(self) -> None:
        """Move what is in the write-ahead file into the main one, without waiting for readers."""
        self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    def wal_bytes(self) -> int:
        """The size of the write-ahead file."""
        try:
            return wal_path(self.path).stat().st_size
        except FileNotFoundError:
            return 0

    def seal(self) -> None:
        """Note the last numbers, as the last thing before the file is closed."""
        counts = self._connection.execute(
            "SELECT (SELECT max(seq) FROM messages), (SELECT max(n) FROM deliveries),"
            " (SELECT count(*) FROM snapshots)"
        )
        last_seq, last_n, snapshots = counts.fetchone()
        seal = Seal(last_seq or 0, last_n or 0, snapshots)
        _set_meta(self._connection, {"sealed": msgspec.json.encode(seal).decode()})

    def close(self) -> None:
        """Close the file; SQLite folds the write-ahead file in when nobody else reads."""
        self._connection.close()

    def _create(self, connect: Connect, *, first_seq: int, first_n: int) -> None:
        orphan = wal_path(self.path)
        if orphan.exists() and orphan.stat().st_size:
            raise DamagedLogError(self.path, "the file is gone and its write-ahead file is not")
        draft = self.path.with_name(self.path.name + ".new")
        for leftover in self.path.parent.glob(f"{draft.name}*"):
            leftover.unlink()
        meta = {
            "format": str(FORMAT),
            "first_seq": str(first_seq),
            "first_n": str(first_n),
            "vocabulary": json.dumps(vocabulary()),
            "software": "",
            "sealed": "",
        }
        with contextlib.closing(connect(draft)) as connection:
            connection.executescript(f"BEGIN IMMEDIATE;{DDL}COMMIT;")
            _set_meta(connection, meta)
        draft.rename(self.path)
        _sync_folder(self.path.parent)
        _sync_folder(self.path.parent.parent)

    def _insert(self, verb: str, columns: int, rows: Sequence[tuple[Any, ...]]) -> None:
        execute, start = self._connection.execute, 0
        for chunk in (*_CHUNKS, max(1, len(rows) % _EXACT_BELOW)):
            statement = _statement(verb, columns, chunk)
            while len(rows) - start >= chunk:
                values = chain.from_iterable(rows[start : start + chunk])
                execute(statement, tuple(values))
                start += chunk


@lru_cache(maxsize=256)
def _statement(verb: str, columns: int, rows: int) -> str:
    row = "(" + ",".join("?" * columns) + ")"
    return f"{verb} VALUES {','.join([row] * rows)}"


@contextlib.contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _read_meta(connection: sqlite3.Connection) -> dict[str, str]:
    return dict(connection.execute("SELECT key, value FROM meta"))


def _set_meta(connection: sqlite3.Connection, values: dict[str, str]) -> None:
    with _transaction(connection):
        meta = _read_meta(connection) | values
        meta["crc"] = str(meta_crc(meta))
        connection.executemany("INSERT OR REPLACE INTO meta VALUES(?, ?)", meta.items())


def _is_day_file(name: str) -> bool:
    if not _DAY_FILE.fullmatch(name):
        return False
    try:
        dt.date.fromisoformat(name.removesuffix(SUFFIX))
    except ValueError:
        return False
    return True


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
