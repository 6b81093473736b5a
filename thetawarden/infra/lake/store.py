"""One table: opened, made or brought up to date, and appended to so that no row is lost or doubled.

Each commit carries, in the same atomic step as its rows, the number of the last message it holds
(the watermark). A commit that seems to have failed may have succeeded all the same: the watermark
tells. A handle gets slower with every commit it has seen, so it is opened anew now and then; that
reads the latest checkpoint and the few commits since.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
import polars as pl
from deltalake import (
    CommitProperties,
    DeltaTable,
    PostCommitHookProperties,
    Transaction,
    WriterProperties,
    write_deltalake,
)
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError

from thetawarden.infra.lake.columns import Table
from thetawarden.infra.lake.errors import (
    DamagedTableError,
    LakeAwayError,
    LakeError,
    NewerTableError,
)
from thetawarden.infra.lake.frames import delta_fields, delta_schema
from thetawarden.infra.lake.place import LakePlace

VERSION_KEY = "thetawarden.schemaVersion"
ROW_GROUP_ROWS = 50_000
_DAMAGE = (
    "json error",
    "parquet error",
    "invalid json",
    "expected",
    "corrupt",
    "eof while parsing",
    "no such file",
    "not found",
    "notfound",
    "missing",
    "invalid checkpoint",
    "trailing characters",
    "gap in",
)


class Tuning(msgspec.Struct, frozen=True, kw_only=True):
    """How a table is written and kept; measured in docs/decisions/0005."""

    reopen_commits: int = 50
    checkpoint_commits: int = 50
    fold_files: int = 64
    file_rows: int = 500_000
    keep_removed: dt.timedelta = dt.timedelta(hours=2)


class TableStore:
    """One table of the lake as its one writer holds it; for one thread."""

    def __init__(
        self, table: Table, place: LakePlace, *, app: str, tuning: Tuning | None = None
    ) -> None:
        self.table = table
        self.place = place
        self.url = place.table(table.name)
        self.tuning = tuning or Tuning()
        self._app = app
        self._handle: DeltaTable | None = None
        self._commits = 0

    @property
    def handle(self) -> DeltaTable:
        """The open table, made or brought up to date if need be."""
        if self._handle is None:
            self._handle = self._open()
            self._commits = 0
        return self._handle

    def exists(self) -> bool:
        """Whether anything was ever written here; makes nothing."""
        with translated(self.table.name):
            try:
                DeltaTable(self.url, storage_options=self.place.writing)
            except TableNotFoundError:
                return False
            return True

    def let_go(self) -> None:
        """Open it anew when it is next needed."""
        self._handle = None

    def scan(self) -> pl.LazyFrame:
        """The table as it is now, to be read lazily."""
        handle = self.handle
        if self.place.reading != self.place.writing:
            options = self.place.reading
            handle = DeltaTable(self.url, version=handle.version(), storage_options=options)
        return pl.scan_delta(handle)

    def watermark(self) -> int:
        """The last message that is in the table, 0 for none; as storage has it now."""
        with translated(self.table.name):
            self.let_go()
            return self.handle.transaction_version(self._app) or 0

    def append(self, frame: pl.DataFrame, *, through_seq: int) -> None:
        """Commit rows together with the position they reach; raises LakeError, and may be retried.

        A retry of what is there already does nothing.
        """
        with translated(self.table.name):
            if self._commits >= self.tuning.reopen_commits:
                self.let_go()
            try:
                self._commit(frame, through_seq)
            except (DeltaError, OSError) as error:
                if not self._came_through(through_seq, error):
                    raise
            self._commits += 1

    def advance(self, through_seq: int) -> None:
        """Note that up to this message there was nothing for this table."""
        with translated(self.table.name):
            handle = self.handle
            handle.create_write_transaction(
                [],
                mode="append",
                schema=handle.schema(),
                partition_by=["day"],
                commit_properties=self._properties(through_seq),
            )
            self.let_go()

    def cut(self, predicate: str, *, through_seq: int) -> None:
        """Remove rows, and in the same step take the position back to before them."""
        with translated(self.table.name):
            self.let_go()
            self.handle.delete(predicate, commit_properties=self._properties(through_seq))
            self.let_go()

    def remove(self, predicate: str) -> None:
        """Remove the rows for which this holds."""
        with translated(self.table.name):
            self.let_go()
            self.handle.delete(predicate)
            self.let_go()

    def mend(self) -> int:
        """Take files that are gone out of the table's books; returns how many there were."""
        with translated(self.table.name):
            self.let_go()
            gone = self.handle.repair().get("files_removed", [])
            self.let_go()
            return len(gone)

    def _commit(self, frame: pl.DataFrame, through_seq: int) -> None:
        write_deltalake(
            self.handle,
            frame,
            mode="append",
            writer_properties=writing(),
            commit_properties=self._properties(through_seq),
            post_commithook_properties=PostCommitHookProperties(
                create_checkpoint=True, cleanup_expired_logs=True
            ),
        )

    def _properties(self, through_seq: int) -> CommitProperties:
        return CommitProperties(
            app_transactions=[Transaction(self._app, through_seq)],
            custom_metadata={"through_seq": through_seq},
        )

    def _came_through(self, through_seq: int, error: Exception) -> bool:
        """Whether the commit is there although it raised."""
        try:
            return self.watermark() >= through_seq
        except LakeError:
            raise error from None

    def _open(self) -> DeltaTable:
        try:
            handle = DeltaTable(self.url, storage_options=self.place.writing)
        except TableNotFoundError:
            return self._create()
        written = written_version(handle, self.table)
        if written < self.table.version:
            handle = self._evolve(handle)
        return handle

    def _create(self) -> DeltaTable:
        return DeltaTable.create(
            self.url,
            schema=delta_schema(self.table),
            mode="ignore",
            partition_by=["day"],
            name=self.table.name,
            description=self.table.words,
            configuration=self._configuration(),
            storage_options=self.place.writing,
            raise_if_key_not_exists=False,
        )

    def _evolve(self, handle: DeltaTable) -> DeltaTable:
        """Add the columns of later versions; half done by a crash, the rest is added next time."""
        there = {field.name for field in handle.schema().fields}
        new = [column for column in self.table.all_columns if column.name not in there]
        if new:
            handle.alter.add_columns(delta_fields(new))
        handle.alter.set_table_properties(self._configuration(), raise_if_not_exists=False)
        return DeltaTable(self.url, storage_options=self.place.writing)

    def _configuration(self) -> dict[str, str]:
        kept = f"interval {round(self.tuning.keep_removed.total_seconds())} seconds"
        indexed = dict.fromkeys((*self.table.sort, "at", "seq"))
        return {
            VERSION_KEY: str(self.table.version),
            "delta.checkpointInterval": str(self.tuning.checkpoint_commits),
            "delta.dataSkippingStatsColumns": ",".join(indexed),
            "delta.logRetentionDuration": kept,
            "delta.deletedFileRetentionDuration": kept,
        }


def log_app(log: str) -> str:
    """Under which name a table remembers how far it holds a message log."""
    return f"log/{log}"


def writing() -> WriterProperties:
    """How rows are laid down in a file: row groups small enough that skipping them pays."""
    return WriterProperties(
        compression="ZSTD", compression_level=1, max_row_group_size=ROW_GROUP_ROWS
    )


def written_version(handle: DeltaTable, table: Table) -> int:
    """The version a table was last written with; raises NewerTableError when we know less."""
    written = handle.metadata().configuration.get(VERSION_KEY, "")
    if not written.isdecimal() or int(written) > table.version:
        raise NewerTableError(table.name, found=written or "unknown", ours=table.version)
    return int(written)


@contextmanager
def translated(table: str) -> Iterator[None]:
    """Whatever the libraries raise comes out as a LakeError: away, unless damage shows."""
    try:
        yield
    except LakeError:
        raise
    except FileNotFoundError as error:
        raise DamagedTableError(table, error) from error
    except CommitFailedError as error:
        raise LakeAwayError(table, error) from error
    except (DeltaError, OSError, pl.exceptions.PolarsError) as error:
        damaged = any(mark in str(error).lower() for mark in _DAMAGE)
        raise (DamagedTableError if damaged else LakeAwayError)(table, error) from error
