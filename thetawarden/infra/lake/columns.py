"""What a table of the lake is made of: columns with a type, words and the version they came with.

Data only, so that the writer, the reader and the reference page follow one declaration; refuses to
know the libraries. Every table begins with the same columns: the trading day it is partitioned by,
the instant, and where in which message log the row comes from. A released column is never renamed,
retyped or removed: a new one is added with the next version, and is null in what was before it.
"""

from __future__ import annotations

import enum

import msgspec

SORTED_BY_UNDERLYING = ("underlying", "at")
SORTED_BY_TIME = ("at",)


class Kind(enum.StrEnum):
    """What a column holds."""

    DAY = "day"
    INSTANT = "instant"
    WHOLE = "whole"
    NUMBER = "number"
    MONEY = "money"
    TRUTH = "truth"
    TEXT = "text"
    BYTES = "bytes"


class Column(msgspec.Struct, frozen=True):
    """One column; `since` is the version of the table that brought it."""

    name: str
    kind: Kind
    words: str
    since: int = 1


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """One table; rows lie in the order of `sort` within a file, so that readers skip the rest."""

    name: str
    words: str
    columns: tuple[Column, ...]
    sort: tuple[str, ...] = SORTED_BY_UNDERLYING
    version: int = 1

    def __post_init__(self) -> None:
        """Refuse a declaration that contradicts itself."""
        names = [column.name for column in self.all_columns]
        if len(set(names)) != len(names) or not set(self.sort) <= set(names):
            raise ValueError(f"table {self.name}: a column twice, or sorted by none of its own")
        if max(column.since for column in self.all_columns) != self.version:
            raise ValueError(f"table {self.name}: version {self.version} brought no column")

    @property
    def all_columns(self) -> tuple[Column, ...]:
        """The columns every table has, then its own."""
        return (*COMMON, *self.columns)


def day(name: str, words: str, since: int = 1) -> Column:
    """A column of dates."""
    return Column(name, Kind.DAY, words, since)


def instant(name: str, words: str, since: int = 1) -> Column:
    """A column of instants, UTC, to the microsecond."""
    return Column(name, Kind.INSTANT, words, since)


def whole(name: str, words: str, since: int = 1) -> Column:
    """A column of 64-bit integers."""
    return Column(name, Kind.WHOLE, words, since)


def number(name: str, words: str, since: int = 1) -> Column:
    """A column of model numbers and quotes: doubles, null where unknown, never NaN."""
    return Column(name, Kind.NUMBER, words, since)


def money(name: str, words: str, since: int = 1) -> Column:
    """A column of exact amounts: decimals with eight places."""
    return Column(name, Kind.MONEY, words, since)


def truth(name: str, words: str, since: int = 1) -> Column:
    """A column of yes, no and unknown."""
    return Column(name, Kind.TRUTH, words, since)


def text(name: str, words: str, since: int = 1) -> Column:
    """A column of text."""
    return Column(name, Kind.TEXT, words, since)


def raw(name: str, words: str, since: int = 1) -> Column:
    """A column of bytes."""
    return Column(name, Kind.BYTES, words, since)


COMMON = (
    day("day", "Trading day (New York); the partition."),
    instant("at", "When it was said, market time, UTC, cut to the microsecond."),
    text("log", "Which message log it comes from: one name a store."),
    whole("seq", "Its number in that message log; rows of one message share it."),
)
INSTRUMENT = (
    whole("conid", "The broker's number of the instrument."),
    text("kind", "stock, index, option, future, combo or other."),
    text("contract", "The instrument in words."),
    text("trading_class", "Option class, such as SPXW; empty for others."),
    day("expiry", "Expiry as its symbol carries it; null for what has none."),
    number("strike_usd", "Strike; null for what has none."),
    text("option_right", "C, P, or null."),
    whole("multiplier", "USD per point."),
)
