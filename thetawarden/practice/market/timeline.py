"""Places instants in the market's own time: which day's row, how far into its night or its day.

A row covers the night before a session and the session itself: (previous close, close]. Variance
time runs faster at the open and the close, slowly overnight, hardly at all on a closed day; its
unit is an average session's worth, and a year has 252 of them. Pure over a table of sessions.
"""

from __future__ import annotations

import datetime as dt
from typing import TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from thetawarden.domain.instants import NS_PER_DAY, NS_PER_HOUR, NS_PER_SECOND
from thetawarden.domain.market.sessions import Sessions

Floats: TypeAlias = NDArray[np.float64]
Instants: TypeAlias = NDArray[np.int64]
Rows: TypeAlias = NDArray[np.int64]

SLOT_NS = 5 * NS_PER_SECOND
NIGHT_SLOTS = 1024
SESSIONS_PER_YEAR = 252.0
_NIGHT_SHARE = 0.26
_CLOSED_DAY_SHARE = 0.07
_TRADED_NIGHT_NS = 15 * NS_PER_HOUR + NS_PER_HOUR // 2
_QUIET_SHARE = 0.08
_CALENDAR_YEAR_NS = 365.25 * NS_PER_DAY


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where an instant lies: a row, in its night or its day, and how many slots into it."""

    row: int
    by_day: bool
    slots: float


class Timeline:
    """The sessions' table seen as one continuous axis."""

    def __init__(self, sessions: Sessions) -> None:
        self.sessions = sessions
        self.open_ns, self.close_ns = sessions.open_ns, sessions.close_ns
        self.previous_close_ns = np.concatenate(
            ([self.open_ns[0] - NS_PER_DAY], self.close_ns[:-1])
        )
        length = (self.close_ns - self.open_ns) / (6.5 * NS_PER_HOUR)
        dates = sessions.dates.astype(np.int64)
        closed_days = np.diff(dates, prepend=int(dates[0]) - 1) - 1
        self.night_share = _NIGHT_SHARE + _CLOSED_DAY_SHARE * closed_days
        self.day_share = (1.0 - _NIGHT_SHARE) * length**0.8
        total = self.night_share + self.day_share
        scale = SESSIONS_PER_YEAR / (SESSIONS_PER_YEAR * float(np.mean(total)))
        self.night_share *= scale
        self.day_share *= scale
        self.variance_before = np.concatenate(
            ([0.0], np.cumsum(self.night_share + self.day_share)[:-1])
        )
        self._shapes: dict[int, Floats] = {}

    def row_of(self, instant_ns: int) -> int:
        """Return the row an instant belongs to."""
        return int(np.searchsorted(self.close_ns, instant_ns, side="left"))

    def begun_row(self, instant_ns: int) -> int:
        """Return the row of the session that is on, or of the last one that was."""
        row = self.row_of(instant_ns)
        return row if instant_ns >= int(self.open_ns[row]) else row - 1

    def date(self, row: int) -> dt.date:
        """Return a row's day."""
        day: dt.date = self.sessions.dates[row].item()
        return day

    def row_on_or_after(self, day: dt.date) -> int:
        """Return the first row whose day is not before the day."""
        return int(np.searchsorted(self.sessions.dates, np.datetime64(day, "D")))

    def slots_of(self, row: int) -> int:
        """Return how many slots the row's session has."""
        return int((self.close_ns[row] - self.open_ns[row]) // SLOT_NS)

    def place(self, instant_ns: int) -> Place:
        """Return where an instant lies."""
        row = self.row_of(instant_ns)
        opens = int(self.open_ns[row])
        if instant_ns >= opens:
            return Place(row=row, by_day=True, slots=(instant_ns - opens) / SLOT_NS)
        done = float(
            night_done(
                instant_ns, previous_close_ns=int(self.previous_close_ns[row]), open_ns=opens
            )
        )
        return Place(row=row, by_day=False, slots=done * NIGHT_SLOTS)

    def day_shape(self, slots: int) -> Floats:
        """Return the share of a session's variance done at each of its slots' edges."""
        shape = self._shapes.get(slots)
        if shape is None:
            shape = self._shapes[slots] = _u_shape(slots)
        return shape

    def variance_time(self, instants_ns: Instants) -> Floats:
        """Return the time that options are priced by, in sessions from the table's beginning.

        Half of it is what really happens, half is the calendar's: in options, too, a weekend costs
        more than it brings.
        """
        instants = np.atleast_1d(instants_ns)
        calendar = (instants - int(self.close_ns[0])) * (SESSIONS_PER_YEAR / _CALENDAR_YEAR_NS)
        result: Floats = 0.5 * (self._business_time(instants) + calendar)
        return result

    def _business_time(self, instants: Instants) -> Floats:
        rows = np.searchsorted(self.close_ns, instants, side="left")
        row = np.minimum(rows, len(self.close_ns) - 1)
        opens = self.open_ns[row]
        night = night_done(instants, previous_close_ns=self.previous_close_ns[row], open_ns=opens)
        through = np.clip((instants - opens) / (self.close_ns[row] - opens), 0.0, 1.0)
        day = np.interp(through * 4680.0, np.arange(4681.0), self.day_shape(4680))
        result: Floats = (
            self.variance_before[row] + night * self.night_share[row] + day * self.day_share[row]
        )
        return result


def night_done(
    instant_ns: int | Instants, *, previous_close_ns: int | Instants, open_ns: int | Instants
) -> Floats:
    """Return how much of a night's variance is done: little at first, most while futures trade."""
    first_hour = np.clip((np.asarray(instant_ns) - previous_close_ns) / NS_PER_HOUR, 0.0, 1.0)
    traded = np.clip(1.0 - (np.asarray(open_ns) - instant_ns) / _TRADED_NIGHT_NS, 0.0, 1.0)
    done: Floats = _QUIET_SHARE * first_hour + (1.0 - _QUIET_SHARE) * traded
    return done


def _u_shape(slots: int) -> Floats:
    minute = (np.arange(slots) + 0.5) / 12.0
    left = slots / 12.0 - minute
    pace = 1.0 + 1.6 * np.exp(-minute / 22.0) + 0.7 * np.exp(-left / 18.0)
    return np.concatenate(([0.0], np.cumsum(pace) / np.sum(pace)))
