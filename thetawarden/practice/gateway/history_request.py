"""Turns a client's words for a stretch of history into instants, by the market's calendar.

Durations count trading time: `1 D` is one session, seconds go back through closed hours.
"""

from __future__ import annotations

import datetime as dt
import enum
import re
from typing import TYPE_CHECKING

import msgspec

from thetawarden.practice.model import BarRequest
from thetawarden.practice.wire import times

if TYPE_CHECKING:
    from collections.abc import Callable

    from thetawarden.practice.model import Market
    from thetawarden.practice.wire.requests.special import HistoricalData

DAY_S = 86_400
SMALL_BAR_S = 30
BAR_SIZES_S = {
    "1 sec": 1,
    "1 secs": 1,
    "5 secs": 5,
    "10 secs": 10,
    "15 secs": 15,
    "30 secs": 30,
    "1 min": 60,
    "2 mins": 120,
    "3 mins": 180,
    "5 mins": 300,
    "10 mins": 600,
    "15 mins": 900,
    "20 mins": 1200,
    "30 mins": 1800,
    "1 hour": 3600,
    "2 hours": 7200,
    "3 hours": 10_800,
    "4 hours": 14_400,
    "8 hours": 28_800,
    "1 day": DAY_S,
    "1 week": 7 * DAY_S,
    "1W": 7 * DAY_S,
    "1 month": 30 * DAY_S,
    "1M": 30 * DAY_S,
}
KINDS = frozenset(
    [
        "TRADES",
        "MIDPOINT",
        "BID",
        "ASK",
        "BID_ASK",
        "HISTORICAL_VOLATILITY",
        "OPTION_IMPLIED_VOLATILITY",
        "ADJUSTED_LAST",
        "SCHEDULE",
        "FEE_RATE",
        "AGGTRADES",
        "YIELD_LAST",
    ]
)
_DURATION = re.compile(r"(\d{1,6}) ?([SDWMY])")
_CALENDAR_DAYS = {"W": 7, "M": 30.5, "Y": 365.25}
_YEARS_MAX = 40


class HistoryFault(enum.StrEnum):
    """What is wrong with a request, in the gateway's words."""

    BAR_SIZE = "Invalid bar size"
    DURATION = "Historical data request for invalid duration"
    END = "Invalid end date/time format"
    KIND = "Invalid type of historical data"


class Stretch(msgspec.Struct, frozen=True, kw_only=True):
    """What to ask the market, and whether the end named its time zone."""

    request: BarRequest
    named_zone: bool


def stretch(*, market: Market, con_id: int, asked: HistoricalData) -> Stretch | HistoryFault:
    """Return the bars a client means, or what is wrong with its words."""
    bar_s = BAR_SIZES_S.get(asked.bar_size.strip())
    duration = _DURATION.fullmatch(asked.duration.strip().upper())
    if bar_s is None:
        return HistoryFault.BAR_SIZE
    if asked.what.upper() not in KINDS:
        return HistoryFault.KIND
    if duration is None or int(duration[1]) == 0:
        return HistoryFault.DURATION
    named_zone, end_ns = True, market.now_ns
    if asked.end.strip():
        parsed = times.parse_stamp(asked.end)
        if parsed is None:
            return HistoryFault.END
        end_ns, named_zone = min(parsed[0], market.now_ns), parsed[1]
    back = _Back(market=market, con_id=con_id, regular=asked.regular_hours_only)
    start_ns = back.start_ns(end_ns, count=int(duration[1]), unit=duration[2])
    kind = asked.what.upper()
    request = BarRequest(
        con_id=con_id,
        bar_s=bar_s,
        start_ns=start_ns,
        end_ns=end_ns,
        what="TRADES" if kind in ("ADJUSTED_LAST", "AGGTRADES") else kind,
        regular_hours_only=asked.regular_hours_only,
    )
    return Stretch(request=request, named_zone=named_zone)


def date_writer(*, bar_s: int, format_date: int) -> Callable[[int], str]:
    """Return how bar times are written: days as dates, others as text or as seconds."""
    if bar_s >= DAY_S:
        return lambda at_ns: f"{times.new_york(at_ns):%Y%m%d}"
    return times.epoch if format_date == 2 else times.stamp


class _Back:
    """Counts back through a contract's trading sessions."""

    def __init__(self, *, market: Market, con_id: int, regular: bool) -> None:
        self.market, self.con_id, self.regular = market, con_id, regular

    def start_ns(self, end_ns: int, *, count: int, unit: str) -> int:
        if unit == "D":
            return self._sessions_back(end_ns, count)
        if unit == "S":
            return self._seconds_back(end_ns, count)
        days = min(count * _CALENDAR_DAYS[unit], _YEARS_MAX * 365.25)
        return end_ns - int(days * DAY_S) * times.NS_PER_S

    def _sessions(self, end_ns: int, days: int) -> list[tuple[int, int]]:
        last = times.new_york(end_ns).date() + dt.timedelta(days=1)
        first = last - dt.timedelta(days=min(days, int(_YEARS_MAX * 365.25)))
        found = self.market.sessions(
            con_id=self.con_id, first=first, last=last, regular=self.regular
        )
        return [(one.open_ns, one.close_ns) for one in found if one.open_ns < end_ns]

    def _sessions_back(self, end_ns: int, count: int) -> int:
        found = self._sessions(end_ns, count * 2 + 10)
        return found[-min(count, len(found))][0] if found else end_ns

    def _seconds_back(self, end_ns: int, count: int) -> int:
        left_ns = count * times.NS_PER_S
        start_ns = end_ns
        for open_ns, close_ns in reversed(self._sessions(end_ns, count // 10_000 + 12)):
            start_ns = max(open_ns, min(close_ns, end_ns) - left_ns)
            left_ns -= min(close_ns, end_ns) - start_ns
            if left_ns <= 0:
                break
        return start_ns
