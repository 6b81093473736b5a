"""Reads the lake, lazily: only the files and columns that a question needs are opened.

Readers take no lock and make nothing: a table that is not there is said to be so. What they see is
one version of a table, whole, whatever is written meanwhile.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import msgspec
import polars as pl
from deltalake import DeltaTable
from deltalake.exceptions import TableNotFoundError

from thetawarden.infra.lake.errors import LakeError, NoTableError, QueryError
from thetawarden.infra.lake.household import Household
from thetawarden.infra.lake.place import LakePlace
from thetawarden.infra.lake.projection import FEEDS
from thetawarden.infra.lake.spool import Spool
from thetawarden.infra.lake.store import log_app, translated, written_version
from thetawarden.infra.lake.tables import TABLES


class TableInfo(msgspec.Struct, frozen=True, kw_only=True):
    """One table in figures; `lag` counts messages that belong in it and are not there yet.

    `error` says why a table cannot be read; its figures are then null.
    """

    table: str
    rows: int | None
    files: int | None
    bytes: int | None
    first_day: dt.date | None
    last_day: dt.date | None
    schema_version: int | None
    watermark: int | None
    lag: int | None
    error: str | None = None


def open_table(place: LakePlace, name: str) -> DeltaTable:
    """A table as it is now; raises NoTableError, NewerTableError or another LakeError."""
    if name not in TABLES:
        raise NoTableError(name, place=place.root)
    with translated(name):
        try:
            handle = DeltaTable(place.table(name), storage_options=place.reading)
        except TableNotFoundError:
            raise NoTableError(name, place=place.root) from None
        written_version(handle, TABLES[name])
        return handle


def scan(place: LakePlace, name: str) -> pl.LazyFrame:
    """A table to be asked: filters on `day` and on the sort columns skip the rest."""
    handle = open_table(place, name)
    with translated(name):
        return pl.scan_delta(handle)


def query(place: LakePlace, sql: str) -> pl.DataFrame:
    """Answer one SELECT over the tables by their names; raises QueryError for what is refused."""
    statement = sql.strip().lower()
    if not statement.startswith(("select", "with")):
        raise QueryError("only SELECT and WITH ... SELECT are answered; the lake is read only")
    context = pl.SQLContext()
    for name in TABLES:
        if name in statement:
            context.register(name, scan(place, name))
    try:
        return context.execute(sql, eager=True)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise QueryError(error) from None
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # how polars says that it cannot do this
            raise
        raise QueryError(error) from None


def info(household: Household) -> tuple[TableInfo, ...]:
    """All tables in figures; one that is not there yet has nothing in it."""
    spool = Spool(household.log_folder)
    try:
        return tuple(_info(household, name, spool) for name in TABLES)
    finally:
        spool.close()


def _info(household: Household, name: str, spool: Spool) -> TableInfo:
    try:
        handle = open_table(household.place, name)
    except NoTableError:
        return _figures(name, rows=0, files=0, size=0, lag=_lag(name, 0, spool))
    except LakeError as error:
        return _figures(name, error=str(error))
    with translated(name):
        adds = pl.DataFrame(handle.get_add_actions(flatten=True))
        mark = handle.transaction_version(log_app(household.log)) or 0
        days = adds["partition.day"] if adds.height else pl.Series([], dtype=pl.Date)
        return _figures(
            name,
            rows=int(adds["num_records"].sum()) if adds.height else 0,
            files=adds.height,
            size=int(adds["size_bytes"].sum()) if adds.height else 0,
            days=(days.min(), days.max()),
            version=written_version(handle, TABLES[name]),
            mark=mark if name in FEEDS else None,
            lag=_lag(name, mark, spool),
        )


def _lag(name: str, mark: int, spool: Spool) -> int | None:
    if name not in FEEDS:
        return None
    kinds = tuple(sorted(FEEDS[name]))
    return sum(spool.count(kinds, after_seq=mark, until_seq=spool.top()).values())


def _figures(
    name: str,
    *,
    rows: int | None = None,
    files: int | None = None,
    size: int | None = None,
    days: tuple[Any, Any] = (None, None),
    version: int | None = None,
    mark: int | None = None,
    lag: int | None = None,
    error: str | None = None,
) -> TableInfo:
    return TableInfo(
        table=name,
        rows=rows,
        files=files,
        bytes=size,
        first_day=days[0],
        last_day=days[1],
        schema_version=version,
        watermark=mark,
        lag=lag,
        error=error,
    )


def plain(value: Any) -> Any:
    """A cell as JSON has it: exact amounts as text, instants as ISO, bytes as hexadecimal."""
    match value:
        case Decimal():
            return f"{value.normalize():f}"
        case dt.datetime():
            return value.isoformat().replace("+00:00", "Z")
        case dt.date() | dt.time():
            return value.isoformat()
        case dt.timedelta():
            return value.total_seconds()
        case bytes():
            return value.hex()
        case list():
            return [plain(each) for each in value]
        case dict():
            return {key: plain(each) for key, each in value.items()}
        case _:
            return value
