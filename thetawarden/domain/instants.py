"""Defines what an instant is and turns New York clock times into instants and back.

An instant is an integer: nanoseconds since 1970 in UTC. This is the one place that knows a time
zone. Every schedule of the desk is written in New York time; Chicago's exchanges change their
clocks on the same nights and are always one hour behind, so they need no zone of their own.
It does not know what time it is now.
"""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from typing import NewType
from zoneinfo import ZoneInfo

UnixNs = NewType("UnixNs", int)

NS_PER_SECOND = 1_000_000_000
NS_PER_MINUTE = 60 * NS_PER_SECOND
NS_PER_HOUR = 60 * NS_PER_MINUTE
NS_PER_DAY = 24 * NS_PER_HOUR

_NEW_YORK = ZoneInfo("America/New_York")
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)
_ONE_DAY = dt.timedelta(days=1)
_NOON = dt.time(12)


def new_york_ns(day: dt.date, at: dt.time) -> UnixNs:
    """Return the instant at which New York's clocks show `at` on `day`."""
    local = dt.datetime.combine(day, at, tzinfo=_NEW_YORK)
    return UnixNs((local - _EPOCH) // _MICROSECOND * 1_000)


def new_york_clock(instant_ns: int) -> dt.datetime:
    """Return New York's wall clock at the instant, zone attached, cut to the microsecond."""
    return (_EPOCH + instant_ns // 1_000 * _MICROSECOND).astimezone(_NEW_YORK)


def new_york_date(instant_ns: int) -> dt.date:
    """Return the date on New York's calendar at the instant."""
    if instant_ns < 0:  # clocks of before 1970 were not set at whole hours
        return new_york_clock(instant_ns).date()
    return _date((instant_ns + _offset_ns(instant_ns // NS_PER_HOUR)) // NS_PER_DAY)


@lru_cache(maxsize=1024)
def _offset_ns(hour: int) -> int:
    """How far New York's clocks are from UTC's within an hour of 1970 or later."""
    offset = new_york_clock(hour * NS_PER_HOUR).utcoffset() or dt.timedelta(0)
    return offset // _MICROSECOND * 1_000


@lru_cache(maxsize=1024)
def _date(days: int) -> dt.date:
    return _EPOCH.date() + days * _ONE_DAY


def trading_day_start_ns(day: dt.date, turns_at: dt.time) -> UnixNs:
    """Return when a trading day begins: from noon on, `turns_at` is meant of the evening before."""
    return new_york_ns(day - dt.timedelta(days=turns_at >= _NOON), turns_at)


def trading_day(instant_ns: int, turns_at: dt.time) -> dt.date:
    """Return the trading day of the instant, when days turn at this time in New York."""
    day = new_york_date(instant_ns) + dt.timedelta(days=turns_at >= _NOON)
    return day if instant_ns >= trading_day_start_ns(day, turns_at) else day - _ONE_DAY


def iso(instant_ns: int) -> str:
    """Return the instant as people and JSON read it: UTC, milliseconds, `Z`."""
    moment = _EPOCH + instant_ns // 1_000 * _MICROSECOND
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
