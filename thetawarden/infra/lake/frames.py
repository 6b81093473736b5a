"""Turns declared tables and rows into typed frames, sorted as the table is."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

import polars as pl
from deltalake import Field, Schema
from deltalake.schema import PrimitiveType

from thetawarden.infra.lake.columns import Column, Kind, Table

MONEY_DIGITS = 28
MONEY_PLACES = 8
_PLACES = Decimal(1).scaleb(-MONEY_PLACES)
_TOO_MUCH = Decimal(10) ** (MONEY_DIGITS - MONEY_PLACES)
_TOO_FAR = 2**63
_END_NS = 2**63 - 1
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)

Row = tuple[Any, ...]

_TYPES: dict[Kind, tuple[pl.DataType, str]] = {
    Kind.DAY: (pl.Date(), "date"),
    Kind.INSTANT: (pl.Datetime("us", "UTC"), "timestamp"),
    Kind.WHOLE: (pl.Int64(), "long"),
    Kind.NUMBER: (pl.Float64(), "double"),
    Kind.MONEY: (
        pl.Decimal(MONEY_DIGITS, MONEY_PLACES),
        f"decimal({MONEY_DIGITS},{MONEY_PLACES})",
    ),
    Kind.TRUTH: (pl.Boolean(), "boolean"),
    Kind.TEXT: (pl.String(), "string"),
    Kind.BYTES: (pl.Binary(), "binary"),
}


def frame_schema(table: Table) -> dict[str, pl.DataType]:
    """The table's columns as a frame has them."""
    return {column.name: _TYPES[column.kind][0] for column in table.all_columns}


def delta_fields(columns: Iterable[Column]) -> list[Field]:
    """Columns as the Delta log describes them, words included."""
    return [
        Field(
            column.name,
            PrimitiveType(_TYPES[column.kind][1]),
            nullable=True,
            metadata={"comment": column.words},
        )
        for column in columns
    ]


def delta_schema(table: Table) -> Schema:
    """The table as the Delta log describes it."""
    return Schema(delta_fields(table.all_columns))


def frame_of(table: Table, rows: list[Row]) -> pl.DataFrame:
    """Rows with values in the order of all the table's columns, sorted as the table is.

    What a column cannot hold, be it NaN or beyond all measure, is null.
    """
    schema = frame_schema(table)
    columns = {
        column.name: pl.Series(column.name, _values(column, rows, at), dtype=schema[column.name])
        for at, column in enumerate(table.all_columns)
    }
    return pl.DataFrame(columns, schema=schema).sort("day", *table.sort, maintain_order=True)


def instant_of(at_ns: int | None) -> dt.datetime | None:
    """An instant as columns hold it; what is no instant of these centuries is none."""
    if at_ns is None or not 0 < at_ns < _END_NS:
        return None
    return _EPOCH + dt.timedelta(microseconds=at_ns // 1_000)


def _values(column: Column, rows: list[Row], at: int) -> list[Any]:
    match column.kind:
        case Kind.MONEY:
            return [_exact(row[at]) for row in rows]
        case Kind.NUMBER:
            return [_finite(row[at]) for row in rows]
        case Kind.WHOLE:
            return [_fitting(row[at]) for row in rows]
        case _:
            return [row[at] for row in rows]


def _exact(value: Decimal | None) -> Decimal | None:
    if value is None or not value.is_finite() or abs(value) >= _TOO_MUCH:
        return None
    return value.quantize(_PLACES, rounding=ROUND_HALF_EVEN)


def _fitting(value: int | None) -> int | None:
    return value if value is not None and abs(value) < _TOO_FAR else None


def _finite(value: float | Decimal | None) -> float | None:
    if value is None or (isinstance(value, Decimal) and not value.is_finite()):
        return None
    number = float(value)
    return number if math.isfinite(number) else None
