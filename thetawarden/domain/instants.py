"""Instants and trading days.

An instant is an integer count of UTC nanoseconds since 1970; a duration is an integer count of
nanoseconds. Nothing here reads a clock.
"""

from __future__ import annotations

import datetime as dt
from typing import NewType
from zoneinfo import ZoneInfo

UnixNs = NewType("UnixNs", int)

SECOND_NS = 1_000_000_000
NEW_YORK = ZoneInfo("America/New_York")
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def seconds_ns(seconds: float) -> int:
    """A duration given in seconds, as nanoseconds."""
    return round(seconds * SECOND_NS)


def to_utc(instant: UnixNs) -> dt.datetime:
    """The instant as an aware datetime, truncated to microseconds."""
    return _EPOCH + dt.timedelta(microseconds=instant // 1000)


def from_utc(moment: dt.datetime) -> UnixNs:
    """The instant of an aware datetime."""
    return UnixNs((moment - _EPOCH) // dt.timedelta(microseconds=1) * 1000)


def iso(instant: UnixNs) -> str:
    """The instant for people and JSON: UTC, milliseconds."""
    return to_utc(instant).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def trading_day(instant: UnixNs) -> dt.date:
    """The New York calendar day an instant falls on: one message log file a day."""
    return to_utc(instant).astimezone(NEW_YORK).date()


def day_start_ns(day: dt.date) -> UnixNs:
    """The first instant of a trading day."""
    return from_utc(dt.datetime.combine(day, dt.time(), NEW_YORK))
