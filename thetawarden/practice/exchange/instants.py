"""Reads date-times as clients write them, New York's unless they say otherwise; writes them too."""

from __future__ import annotations

import datetime as dt
import re
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from thetawarden.domain.instants import NS_PER_SECOND, new_york_clock

_STAMP = re.compile(r"(\d{8})(?:([ -]+)(\d{1,2}):(\d{2})(?::(\d{2}))?)?(?: +(\S+))?")
_NEW_YORK = ZoneInfo("America/New_York")


def parse_instant(text: str) -> int | None:
    """Return the instant of `YYYYMMDD[ HH:MM[:SS]][ ZONE]`; None when the text is none.

    With `-` between day and time it is UTC; a day without a time means its last second.
    """
    match = _STAMP.fullmatch(text.strip())
    if match is None:
        return None
    day, between, hour, minute, second, name = match.groups()
    zone = _zone(name, utc=between == "-")
    if zone is None:
        return None
    clock = (int(hour), int(minute), int(second or 0)) if hour else (23, 59, 59)
    try:
        date = dt.datetime.strptime(day, "%Y%m%d").replace(tzinfo=zone)
        moment = date.replace(hour=clock[0], minute=clock[1], second=clock[2])
        return int(moment.timestamp()) * NS_PER_SECOND
    except (ValueError, OverflowError):
        return None


def stamp(at_ns: int) -> str:
    """Return an instant as the broker writes it: `20260928 09:32:25 US/Eastern`."""
    return f"{new_york_clock(at_ns):%Y%m%d %H:%M:%S} US/Eastern"


def _zone(name: str | None, *, utc: bool) -> dt.tzinfo | None:
    if name is None:
        return dt.UTC if utc else _NEW_YORK
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
