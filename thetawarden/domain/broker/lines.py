"""Defines who wants which market data, how much it matters, and in which manner it is served."""

from __future__ import annotations

import enum

import msgspec

from thetawarden.domain.broker.instrument import Instrument


class LinePriority(enum.IntEnum):
    """What a line is for, most important first; the ledger gives in this order."""

    POSITION = 0
    ORDER = 1
    ENTRY = 2
    CONTEXT = 3
    SCAN = 4


class LineManner(enum.StrEnum):
    """A stream holds a line as long as it is wanted; a snapshot holds none."""

    STREAM = "stream"
    SNAPSHOT = "snapshot"


class LineWant(msgspec.Struct, frozen=True, kw_only=True):
    """One actor's wish for one instrument; a stream that cannot be had is rotated or snapshot.

    `refresh_ns` is how old the quote may become before it is asked for again.
    """

    instrument: Instrument
    priority: LinePriority
    manner: LineManner
    refresh_ns: int


class LineUse(msgspec.Struct, frozen=True, kw_only=True):
    """How many lines one priority holds and how many wishes of it wait."""

    priority: LinePriority
    streaming: int
    waiting: int
    snapshots: int
