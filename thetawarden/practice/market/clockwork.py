"""Knows when each product trades: whether it is open now, and its hours as texts."""

from __future__ import annotations

import datetime as dt

from thetawarden.domain.instants import new_york_clock, new_york_date
from thetawarden.domain.market.hours import Phase, Segment, TradingHours, segments_on
from thetawarden.domain.market.sessions import load_sessions
from thetawarden.practice.model import Session

_DAY = dt.timedelta(days=1)
_REMEMBERED_MAX = 4000


class Clockwork:
    """Trading phases by product hours, remembered by the day."""

    def __init__(self) -> None:
        self._segments: dict[tuple[int, dt.date], tuple[Segment, ...]] = {}
        self._texts: dict[tuple[int, dt.date, bool], str] = {}

    def segments(self, hours: TradingHours, day: dt.date) -> tuple[Segment, ...]:
        """Return a product's phases on a trading day."""
        key = (id(hours), day)
        known = self._segments.get(key)
        if known is None:
            sessions = load_sessions(hours.exchange)
            if len(self._segments) >= _REMEMBERED_MAX:
                self._segments.clear()
            known = segments_on(trading_day=day, hours=hours, sessions=sessions)
            self._segments[key] = known
        return known

    def segment_at(self, hours: TradingHours, now_ns: int) -> Segment | None:
        """Return the phase being traded at an instant, or None."""
        today = new_york_date(now_ns)
        for day in (today, today + _DAY):
            for segment in self.segments(hours, day):
                if segment.open_ns <= now_ns < segment.close_ns:
                    return segment
        return None

    def live_ns(self, hours: TradingHours, now_ns: int) -> int:
        """Return the instant itself while a product trades, else the end of its last trading."""
        if self.segment_at(hours, now_ns) is not None:
            return now_ns
        today = new_york_date(now_ns)
        for back in range(12):
            ended = [
                one.close_ns
                for one in self.segments(hours, today - back * _DAY)
                if one.close_ns <= now_ns
            ]
            if ended:
                return ended[-1]
        return now_ns

    def text(self, hours: TradingHours, *, day: dt.date, days: int, regular: bool) -> str:
        """Return the hours of some days from one on, `20260928:0930-20260928:1600;...`."""
        key = (id(hours), day, regular)
        if key not in self._texts:
            if len(self._texts) >= _REMEMBERED_MAX:
                self._texts.clear()
            self._texts[key] = self._write(hours, day=day, days=days, regular=regular)
        return self._texts[key]

    def _write(self, hours: TradingHours, *, day: dt.date, days: int, regular: bool) -> str:
        parts = []
        for n in range(days):
            one = day + n * _DAY
            spans = [
                f"{new_york_clock(segment.open_ns):%Y%m%d:%H%M}-"
                f"{new_york_clock(segment.close_ns):%Y%m%d:%H%M}"
                for segment in self.segments(hours, one)
                if not regular or segment.phase is Phase.REGULAR
            ]
            parts.extend(spans or [f"{one:%Y%m%d}:CLOSED"])
        return ";".join(parts)

    def sessions(
        self, hours: TradingHours | None, *, first: dt.date, last: dt.date, regular: bool
    ) -> tuple[Session, ...]:
        """Return trading sessions of some days; phases that meet are one session."""
        found: list[Session] = []
        days = 0 if hours is None else (last - first).days + 1
        for n in range(days):
            day = first + n * _DAY
            spans = [
                one
                for one in self.segments(hours, day)  # type: ignore[arg-type]  # no days without hours
                if not regular or one.phase is Phase.REGULAR
            ]
            if spans:
                found.append(
                    Session(day=day, open_ns=spans[0].open_ns, close_ns=spans[-1].close_ns)
                )
        return tuple(found)
