"""Keeps a table small and sorted: folds a day's many files into few, checkpoints, sweeps.

Folding rewrites files in one atomic step that removes the old and adds the new; readers see either.
What a day has is sorted as a whole and cut at the first sort column, so that a file holds few
underlyings and a row group mostly one. `now_ns` is the machine's time, whatever time the market
has, as the sweep goes by it. Files that are no longer part of the table stay for as long
as a reader may need them, then the sweep takes them, and whatever a killed writer left half done.

The tables' library has its own way to write a file, and it holds the interpreter while storage
stalls: every thread of the desk would wait. Nothing here uses it.
"""

from __future__ import annotations

import datetime as dt
import io
import itertools
import json
import os
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import polars as pl
from deltalake.transaction import AddAction, RemoveAction

from thetawarden.infra.lake.errors import DamagedTableError
from thetawarden.infra.lake.store import ROW_GROUP_ROWS, TableStore, translated

_FOLDED = "folded-"
_MILLISECOND = dt.timedelta(milliseconds=1)
_numbers = itertools.count(1)


class DataFile(msgspec.Struct, frozen=True, kw_only=True):
    """One file of a table, as the Delta log tells."""

    path: str
    day: dt.date
    rows: int
    size_bytes: int
    sorted_whole: bool


def data_files(store: TableStore) -> list[DataFile]:
    """All files the table is made of now."""
    actions = pl.DataFrame(store.handle.get_add_actions(flatten=True))
    return [
        DataFile(
            path=row["path"],
            day=row["partition.day"],
            rows=row["num_records"] or 0,
            size_bytes=row["size_bytes"],
            sorted_whole=_FOLDED in row["path"],
        )
        for row in actions.iter_rows(named=True)
    ]


def require_whole(store: TableStore) -> int:
    """Raise DamagedTableError when a file of the table is gone; returns how many there are.

    Only a table on this machine is looked at; an object store is believed until it is read.
    """
    files = data_files(store)
    folder = store.place.folder
    if folder is not None:
        for file in files:
            if not (folder / store.table.name / file.path).exists():
                raise DamagedTableError(store.table.name, f"its file {file.path} is gone")
    return len(files)


def fold_past(store: TableStore, before: dt.date, *, now_ns: int) -> int:
    """Fold every day before this one that is not folded yet."""
    with translated(store.table.name):
        store.let_go()
        days: dict[dt.date, list[DataFile]] = {}
        for file in data_files(store):
            if file.day < before:
                days.setdefault(file.day, []).append(file)
        return sum(
            _fold(store, files, day=day, now_ns=now_ns)
            for day, files in sorted(days.items())
            if not _is_folded(files)
        )


def fold_when_many(store: TableStore, *, now_ns: int) -> int:
    """Fold what a day has gathered in small files, when it is many; returns how many were saved."""
    with translated(store.table.name):
        saved = 0
        by_day: dict[dt.date, list[DataFile]] = {}
        for file in data_files(store):
            by_day.setdefault(file.day, []).append(file)
        for day, files in by_day.items():
            small = [file for file in files if not file.sorted_whole]
            if len(small) >= store.tuning.fold_files:
                folded = len(files) - len(small)
                chosen = files if folded >= store.tuning.fold_files else small
                saved += _fold(store, chosen, day=day, now_ns=now_ns)
        return saved


def sweep(store: TableStore) -> int:
    """Checkpoint, shorten the Delta log, delete files nobody can need; returns how many."""
    with translated(store.table.name):
        store.let_go()
        handle = store.handle
        handle.create_checkpoint()
        handle.cleanup_metadata()
        hours = store.tuning.keep_removed.total_seconds() / 3600
        gone = handle.vacuum(
            retention_hours=int(hours),
            dry_run=False,
            enforce_retention_duration=False,
            full=True,
        )
        store.let_go()
        return len(gone)


def _is_folded(files: Sequence[DataFile]) -> bool:
    return len(files) == 1 or all(file.sorted_whole for file in files)


def _fold(store: TableStore, files: list[DataFile], *, day: dt.date, now_ns: int) -> int:
    if len(files) < 2:  # one file is as few as it gets
        return 0
    adds = [_write(store, frame, day=day, now_ns=now_ns) for frame in _sorted_parts(store, files)]
    removes = [
        RemoveAction(
            path=file.path,
            data_change=False,
            deletion_timestamp=now_ns // 1_000_000,
            size=file.size_bytes,
            partition_values={"day": day.isoformat()},
        )
        for file in files
    ]
    handle = store.handle
    handle.create_write_transaction(
        [*adds, *removes], mode="append", schema=handle.schema(), partition_by=["day"]
    )
    store.let_go()
    return len(files) - len(adds)


def _sorted_parts(store: TableStore, files: list[DataFile]) -> Iterator[pl.DataFrame]:
    """The files' rows in the table's order, in parts no larger than one file should be."""
    first, *_ = store.table.sort
    paths = [f"{store.url}/{file.path}" for file in files]
    lazy = pl.scan_parquet(
        paths,
        storage_options=store.place.reading,
        missing_columns="insert",
        schema=_file_schema(store),
    )
    counts = lazy.group_by(first).len().sort(first, nulls_last=False).collect()
    for lowest, highest in _ranges(list(counts.iter_rows()), store.tuning.file_rows):
        part = lazy.filter(_within(pl.col(first), lowest, highest))
        yield part.collect().sort(*store.table.sort, maintain_order=True)


def _within(column: pl.Expr, lowest: Any, highest: Any) -> pl.Expr:
    """The rows of a range of values; an unknown one comes before all others."""
    if lowest is not None:
        return column.is_between(pl.lit(lowest), pl.lit(highest))
    return column.is_null() if highest is None else column.is_null() | (column <= pl.lit(highest))


def _ranges(counts: list[tuple[Any, int]], rows_max: int) -> Iterator[tuple[Any, Any]]:
    """Neighbouring values put together while they fit one file."""
    lowest = highest = None
    gathered, begun = 0, False
    for value, rows in counts:
        if begun and gathered + rows > rows_max:
            yield lowest, highest
            gathered, begun = 0, False
        if not begun:
            lowest, begun = value, True
        highest = value
        gathered += rows
    if begun:
        yield lowest, highest


def _file_schema(store: TableStore) -> dict[str, Any]:
    schema = store.scan().collect_schema()
    return {name: kind for name, kind in schema.items() if name != "day"}


def _write(store: TableStore, frame: pl.DataFrame, *, day: dt.date, now_ns: int) -> AddAction:
    name = f"{_FOLDED}{now_ns}-{os.getpid()}-{next(_numbers)}.parquet"
    path = f"day={day.isoformat()}/{name}"
    content = io.BytesIO()
    _encode(frame, content)
    if store.place.folder is None:  # encoded again: of all their ways to write, this one lets go
        _encode(frame, f"{store.url}/{path}", options=store.place.reading)
    else:
        file = store.place.folder / store.table.name / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.getbuffer())
    return AddAction(
        path=path,
        size=content.getbuffer().nbytes,
        partition_values={"day": day.isoformat()},
        modification_time=now_ns // 1_000_000,
        data_change=False,
        stats=_statistics(store, frame),
    )


def _encode(
    frame: pl.DataFrame, to: io.BytesIO | str, *, options: dict[str, str] | None = None
) -> None:
    frame.write_parquet(
        to,
        compression="zstd",
        compression_level=1,
        row_group_size=ROW_GROUP_ROWS,
        storage_options=options,
    )


def _statistics(store: TableStore, frame: pl.DataFrame) -> str:
    """What lets a reader skip the file: the ranges of the columns it is looked up by."""
    lows, highs, nulls = {}, {}, {}
    for name in dict.fromkeys((*store.table.sort, "at", "seq")):
        column = frame[name]
        nulls[name] = column.null_count()
        if nulls[name] < len(column):
            lows[name], highs[name] = _plain(column.min()), _plain(column.max(), up=True)
    return json.dumps(
        {"numRecords": frame.height, "minValues": lows, "maxValues": highs, "nullCount": nulls}
    )


def _plain(value: Any, *, up: bool = False) -> Any:
    """A bound as the Delta log writes it: instants to the millisecond, upper ones rounded up."""
    if isinstance(value, dt.datetime):
        cut = value.replace(microsecond=value.microsecond // 1_000 * 1_000)
        bound = cut + _MILLISECOND if up and cut != value else cut
        return bound.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return value.isoformat() if isinstance(value, dt.date) else value
