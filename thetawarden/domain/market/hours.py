"""Decides in which phase of its day a product is: overnight, regular, curb, or closed.

Clock times are New York's. A phase belongs to a trading day; one that opens the evening before says
so. A half day cuts everything short a fixed number of minutes after the exchange's early close;
what would begin later than that does not take place.
"""

from __future__ import annotations

import datetime as dt
import enum
from typing import TYPE_CHECKING

import msgspec

from thetawarden.domain.instants import NS_PER_MINUTE, UnixNs, new_york_date, new_york_ns
from thetawarden.domain.market.calendar import session_row
from thetawarden.domain.market.sessions import Exchange

if TYPE_CHECKING:
    from thetawarden.domain.market.sessions import Sessions


class Phase(enum.StrEnum):
    """What kind of trading takes place."""

    CLOSED = "closed"
    OVERNIGHT = "overnight"
    REGULAR = "regular"
    CURB = "curb"


class HoursRule(msgspec.Struct, frozen=True, kw_only=True):
    """One phase of a trading day by the clock of New York."""

    phase: Phase
    opens: dt.time
    closes: dt.time
    opens_evening_before: bool = False


class TradingHours(msgspec.Struct, frozen=True, kw_only=True):
    """A product's phases in order, and how long it outlives an early close of its exchange."""

    exchange: Exchange
    phases: tuple[HoursRule, ...]
    half_day_lag_minutes: int = 0


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """One phase on one trading day; the opening instant belongs to it, the closing one does not."""

    phase: Phase
    trading_day: dt.date
    open_ns: UnixNs
    close_ns: UnixNs


def segments_on(
    *, trading_day: dt.date, hours: TradingHours, sessions: Sessions
) -> tuple[Segment, ...]:
    """Return the phases of one trading day in order; none when the exchange stays closed."""
    row = session_row(trading_day, sessions)
    if row is None:
        return ()
    cut_ns = None
    if sessions.is_half[row]:
        cut_ns = int(sessions.close_ns[row]) + hours.half_day_lag_minutes * NS_PER_MINUTE
    segments = (_segment(rule, trading_day, cut_ns) for rule in hours.phases)
    return tuple(segment for segment in segments if segment.open_ns < segment.close_ns)


def segment_at(*, now_ns: int, hours: TradingHours, sessions: Sessions) -> Segment | None:
    """Return the phase that is being traded at the instant, or None when all is closed."""
    today = new_york_date(now_ns)
    for day in (today, today + dt.timedelta(days=1)):
        for segment in segments_on(trading_day=day, hours=hours, sessions=sessions):
            if segment.open_ns <= now_ns < segment.close_ns:
                return segment
    return None


def phase_at(*, now_ns: int, hours: TradingHours, sessions: Sessions) -> Phase:
    """Return the phase at the instant."""
    segment = segment_at(now_ns=now_ns, hours=hours, sessions=sessions)
    return Phase.CLOSED if segment is None else segment.phase


def _segment(rule: HoursRule, trading_day: dt.date, cut_ns: int | None) -> Segment:
    opening_day = trading_day - dt.timedelta(days=1) if rule.opens_evening_before else trading_day
    close_ns = new_york_ns(trading_day, rule.closes)
    return Segment(
        phase=rule.phase,
        trading_day=trading_day,
        open_ns=new_york_ns(opening_day, rule.opens),
        close_ns=close_ns if cut_ns is None else UnixNs(min(close_ns, cut_ns)),
    )
