"""Instants as the protocol writes them, and dates as clients write them.

Inside, instants are UTC nanoseconds; on the wire they are text, mostly in New York time.
"""

from __future__ import annotations

import datetime as dt
import re
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

EXCHANGE_ZONE = "US/Eastern"
NS_PER_S = 1_000_000_000
_NEW_YORK = ZoneInfo("America/New_York")
_STAMP = re.compile(r"(\d{8})(?:[ -]+(\d{1,2}):(\d{2})(?::(\d{2}))?)?(?: +(\S+))?")


def new_york(at_ns: int) -> dt.datetime:
    """Return an instant in New York, to the microsecond."""
    seconds, rest_ns = divmod(at_ns, NS_PER_S)
    return dt.datetime.fromtimestamp(seconds, _NEW_YORK).replace(microsecond=rest_ns // 1000)


def utc(at_ns: int) -> dt.datetime:
    """Return an instant in UTC, to the second."""
    return dt.datetime.fromtimestamp(at_ns // NS_PER_S, dt.UTC)


def stamp(at_ns: int) -> str:
    """`20260928 09:32:25 US/Eastern`: executions, bars, completed orders."""
    return f"{new_york(at_ns):%Y%m%d %H:%M:%S} {EXCHANGE_ZONE}"


def day(date: dt.date | None) -> str:
    """`20260928`, or empty."""
    return "" if date is None else f"{date:%Y%m%d}"


def epoch(at_ns: int) -> str:
    """Whole seconds since 1970."""
    return str(at_ns // NS_PER_S)


def parse_stamp(text: str) -> tuple[int, bool] | None:
    """Read a client's date-time; also say whether it named a zone. None when it is no date-time.

    `YYYYMMDD HH:MM:SS ZONE`; with `-` between day and time it is UTC; without a zone New York's.
    """
    match = _STAMP.fullmatch(text.strip())
    if match is None:
        return None
    zone = _zone(match[5], dashed=match[2] is not None and text.strip()[8] == "-")
    if zone is None:
        return None
    try:
        date = dt.datetime.strptime(match[1], "%Y%m%d").replace(tzinfo=zone)
        moment = date.replace(
            hour=int(match[2] or 0), minute=int(match[3] or 0), second=int(match[4] or 0)
        )
        at_ns = int(moment.timestamp()) * NS_PER_S
    except (ValueError, OverflowError):
        return None
    return at_ns, match[5] is not None or zone is dt.UTC


def _zone(name: str | None, *, dashed: bool) -> dt.tzinfo | None:
    if name is None:
        return dt.UTC if dashed else _NEW_YORK
    if name.upper() in ("UTC", "GMT"):
        return dt.UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return {"EST": _NEW_YORK, "EDT": _NEW_YORK}.get(name.upper())
