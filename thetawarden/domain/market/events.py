"""Looks up what is scheduled: central bank, releases, earnings, dividends, the calendar's oddities.

Pure over dates handed in. Every source says until when and from when it is known; outside that
span, and for a symbol nobody has dates for, the answer is "unknown", never "nothing". What an
event does to size is decided in `regime`.
"""

from __future__ import annotations

import datetime as dt
import enum
from typing import TYPE_CHECKING

import msgspec

from thetawarden.domain.market.calendar import (
    is_half_day,
    next_session,
    previous_session,
    session_on_or_after,
)
from thetawarden.domain.market.listings import is_triple_witching
from thetawarden.domain.remembering import remembered

if TYPE_CHECKING:
    from thetawarden.domain.market.sessions import Sessions

DAYS_KEPT = 64


class MacroKind(enum.StrEnum):
    """The scheduled announcements that move the whole market."""

    FOMC = "fomc"
    CPI = "cpi"
    NFP = "nfp"


class Nearness(enum.StrEnum):
    """Where a session stands towards the event that touches it."""

    DAY_BEFORE = "day_before"
    DAY_OF = "day_of"
    UNKNOWN = "unknown"


class DayNote(enum.StrEnum):
    """What is peculiar about a session by the calendar alone."""

    TRIPLE_WITCHING = "triple_witching"
    BEFORE_HOLIDAY = "before_holiday"
    AFTER_HOLIDAY = "after_holiday"
    HALF_DAY = "half_day"


class EarningsTime(enum.StrEnum):
    """When on its day a company reports."""

    BEFORE_OPEN = "before_open"
    AFTER_CLOSE = "after_close"
    UNKNOWN = "unknown"


class EarningsRisk(enum.StrEnum):
    """Whether a company reports while a position would live."""

    CLEAR = "clear"
    REPORTS = "reports"
    UNKNOWN = "unknown"


class MacroSchedule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One announcement's days, complete from the first of them to `known_until`."""

    known_until: dt.date
    days: tuple[dt.date, ...]


class MacroDates(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The schedule of every announcement; field names are the kinds' values."""

    fomc: MacroSchedule
    cpi: MacroSchedule
    nfp: MacroSchedule

    def schedule(self, kind: MacroKind) -> MacroSchedule:
        """Return one kind's schedule."""
        return {MacroKind.FOMC: self.fomc, MacroKind.CPI: self.cpi, MacroKind.NFP: self.nfp}[kind]


class MacroNote(msgspec.Struct, frozen=True, kw_only=True):
    """One announcement touching a session, or one whose dates nobody knows."""

    kind: MacroKind
    nearness: Nearness


class Earnings(msgspec.Struct, frozen=True, kw_only=True):
    """One report."""

    day: dt.date
    time: EarningsTime = EarningsTime.UNKNOWN


class EarningsCalendar(msgspec.Struct, frozen=True, kw_only=True):
    """One company's reports, complete from `known_from` to `known_until`."""

    known_from: dt.date
    known_until: dt.date
    reports: tuple[Earnings, ...]


class ExDividend(msgspec.Struct, frozen=True, kw_only=True):
    """One cash dividend: who holds before `ex_day` gets it."""

    ex_day: dt.date
    amount_usd: float


def macro_notes(*, day: dt.date, macro: MacroDates, sessions: Sessions) -> tuple[MacroNote, ...]:
    """Return the announcements made on a session or on the next; on a Sunday counts as Monday."""
    return _macro_notes(macro, sessions, day=day)


@remembered(DAYS_KEPT)
def _macro_notes(
    macro: MacroDates, sessions: Sessions, /, *, day: dt.date
) -> tuple[MacroNote, ...]:
    following = next_session(day, sessions)
    notes = []
    for kind in MacroKind:
        schedule = macro.schedule(kind)
        felt_on = {session_on_or_after(one, sessions) for one in schedule.days}
        if day in felt_on:
            notes.append(MacroNote(kind=kind, nearness=Nearness.DAY_OF))
        if following in felt_on:
            notes.append(MacroNote(kind=kind, nearness=Nearness.DAY_BEFORE))
        if not _is_known(day, following, schedule):
            notes.append(MacroNote(kind=kind, nearness=Nearness.UNKNOWN))
    return tuple(notes)


def day_notes(day: dt.date, sessions: Sessions) -> tuple[DayNote, ...]:
    """Return what is peculiar about a session; a plain weekend is no holiday."""
    return _day_notes(sessions, day=day)


@remembered(DAYS_KEPT)
def _day_notes(sessions: Sessions, /, *, day: dt.date) -> tuple[DayNote, ...]:
    notes = []
    if is_triple_witching(day, sessions):
        notes.append(DayNote.TRIPLE_WITCHING)
    if _weekdays_between(day, next_session(day, sessions)):
        notes.append(DayNote.BEFORE_HOLIDAY)
    if _weekdays_between(previous_session(day, sessions), day):
        notes.append(DayNote.AFTER_HOLIDAY)
    if is_half_day(day, sessions):
        notes.append(DayNote.HALF_DAY)
    return tuple(notes)


def earnings_risk(
    *, entry_day: dt.date, expiry: dt.date, calendar: EarningsCalendar | None
) -> EarningsRisk:
    """Return whether a position opened in a session lives through a report.

    A report before the open of the entry day is over; one after the close of expiry day still
    counts, because holders decide about exercise after it.
    """
    if calendar is None:
        return EarningsRisk.UNKNOWN
    for report in calendar.reports:
        over = report.day == entry_day and report.time is EarningsTime.BEFORE_OPEN
        if entry_day <= report.day <= expiry and not over:
            return EarningsRisk.REPORTS
    if entry_day < calendar.known_from or expiry > calendar.known_until:
        return EarningsRisk.UNKNOWN
    return EarningsRisk.CLEAR


def next_ex_dividend(
    *, day: dt.date, dividends: tuple[ExDividend, ...], sessions: Sessions
) -> ExDividend | None:
    """Return the dividend whose ex day is the next session: tonight is when calls are exercised."""
    following = next_session(day, sessions)
    return next((one for one in dividends if day < one.ex_day <= following), None)


def _is_known(day: dt.date, following: dt.date, schedule: MacroSchedule) -> bool:
    return bool(schedule.days) and day >= min(schedule.days) and following <= schedule.known_until


def _weekdays_between(first: dt.date, last: dt.date) -> bool:
    """Whether a weekday lies strictly between the two days."""
    gap = (last - first).days
    return any((first + dt.timedelta(days=n)).weekday() < 5 for n in range(1, gap))
