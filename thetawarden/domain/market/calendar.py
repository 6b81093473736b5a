"""Answers questions about trading days: is it one, which is next, how many lie between.

Pure over a `Sessions` table, which the caller loads. A day outside the table's years has no answer
and is refused with an error: a wrong expiry is worse than a stop.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from thetawarden.errors import ThetawardenError

if TYPE_CHECKING:
    from thetawarden.domain.market.sessions import Sessions

TABLES_MAX = 16
_made: dict[int, tuple[Any, Sequence[dt.date]]] = {}


class DateOutsideCalendarError(ThetawardenError):
    """Somebody asked about a day our calendars do not reach. Bad input or our bug: let it crash."""

    def __init__(self, *, day: dt.date, first: dt.date, last: dt.date) -> None:
        super().__init__(f"no sessions known around {day}, only from {first} to {last}")
        self.day, self.first, self.last = day, first, last


def session_row(day: dt.date, sessions: Sessions) -> int | None:
    """Return the day's row in the table, or None when nothing is traded on it."""
    row = _first_row_from(day, sessions)
    return row if _date(row, sessions) == day else None


def is_session(day: dt.date, sessions: Sessions) -> bool:
    """Whether the exchange opens on the day."""
    return session_row(day, sessions) is not None


def is_half_day(day: dt.date, sessions: Sessions) -> bool:
    """Whether the exchange opens on the day but closes early."""
    row = session_row(day, sessions)
    return row is not None and bool(sessions.is_half[row])


def session_on_or_before(day: dt.date, sessions: Sessions) -> dt.date:
    """Return the day itself when it is traded, else the nearest trading day before it."""
    row = _first_row_from(day, sessions)
    return day if _date(row, sessions) == day else _date_within(row - 1, sessions, day)


def session_on_or_after(day: dt.date, sessions: Sessions) -> dt.date:
    """Return the day itself when it is traded, else the nearest trading day after it."""
    return _date(_first_row_from(day, sessions), sessions)


def previous_session(day: dt.date, sessions: Sessions) -> dt.date:
    """Return the last trading day strictly before the day."""
    return _date_within(_first_row_from(day, sessions) - 1, sessions, day)


def next_session(day: dt.date, sessions: Sessions) -> dt.date:
    """Return the first trading day strictly after the day."""
    return session_on_or_after(day + dt.timedelta(days=1), sessions)


def sessions_between(first: dt.date, last: dt.date, sessions: Sessions) -> tuple[dt.date, ...]:
    """Return the trading days from `first` to `last`, both included."""
    if last < first:
        return ()
    start, end = _first_row_from(first, sessions), _first_row_from(last, sessions)
    return tuple(sessions.dates[start : end + is_session(last, sessions)].tolist())


def _first_row_from(day: dt.date, sessions: Sessions) -> int:
    days = _days(sessions)
    if not days[0] <= day <= days[-1]:
        raise DateOutsideCalendarError(day=day, first=days[0], last=days[-1])
    return bisect_left(days, day)


def _date(row: int, sessions: Sessions) -> dt.date:
    return _days(sessions)[row]


def _days(sessions: Sessions) -> Sequence[dt.date]:
    """The table's days as dates; asked so often that they are made once a table."""
    known = _made.get(id(sessions.dates))
    if known is None or known[0] is not sessions.dates:
        if len(_made) >= TABLES_MAX:
            _made.clear()
        known = _made[id(sessions.dates)] = (sessions.dates, sessions.dates.tolist())
    return known[1]


def _date_within(row: int, sessions: Sessions, asked: dt.date) -> dt.date:
    if row < 0:
        raise DateOutsideCalendarError(
            day=asked, first=_date(0, sessions), last=_date(-1, sessions)
        )
    return _date(row, sessions)
