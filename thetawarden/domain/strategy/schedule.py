"""Decides when entries are tried: staggered times of a session, each open for a while, used once.

Times are New York's. On a half day times after the close do not exist. A slot that went by unused
is over: what was missed is not made up for.
"""

from __future__ import annotations

import datetime as dt

import msgspec

from thetawarden.domain.instants import NS_PER_MINUTE, UnixNs, new_york_date, new_york_ns
from thetawarden.domain.market.calendar import next_session, session_on_or_after, session_row
from thetawarden.domain.market.sessions import Sessions
from thetawarden.domain.remembering import remembered
from thetawarden.domain.strategy.settings import Timing

BEFORE_CLOSE_NS = 5 * NS_PER_MINUTE
DAYS_KEPT = 16


class Slot(msgspec.Struct, frozen=True, kw_only=True):
    """One time of one day at which something may be entered, and until when."""

    day: dt.date
    at: dt.time
    opens_ns: UnixNs
    closes_ns: UnixNs

    @property
    def name(self) -> str:
        """What it is called in the record of a day."""
        return f"{self.at:%H:%M}"


def slots_of(day: dt.date, timing: Timing, sessions: Sessions) -> tuple[Slot, ...]:
    """Return the slots of a day in order; a day without a session has none."""
    return _slots_of(timing, sessions, day=day)


@remembered(DAYS_KEPT)
def _slots_of(timing: Timing, sessions: Sessions, *, day: dt.date) -> tuple[Slot, ...]:
    row = session_row(day, sessions)
    if row is None:
        return ()
    opens, closes = int(sessions.open_ns[row]), int(sessions.close_ns[row]) - BEFORE_CLOSE_NS
    starts = [(at, new_york_ns(day, at)) for at in sorted(set(timing.entry_times))]
    starts = [(at, ns) for at, ns in starts if opens <= ns < closes]
    ends = [*(ns for _, ns in starts), closes][1:]
    return tuple(
        Slot(day=day, at=at, opens_ns=ns, closes_ns=UnixNs(min(ns + timing.open_for_ns, end)))
        for (at, ns), end in zip(starts, ends, strict=True)
    )


def open_slot(now_ns: int, timing: Timing, sessions: Sessions) -> Slot | None:
    """Return the slot that is open at an instant."""
    slots = slots_of(new_york_date(now_ns), timing, sessions)
    return next((one for one in slots if one.opens_ns <= now_ns < one.closes_ns), None)


def closes_after(now_ns: int, sessions: Sessions) -> UnixNs:
    """Return when the session that is open, or the next one, closes."""
    day = session_on_or_after(new_york_date(now_ns), sessions)
    row = session_row(day, sessions)
    if row is not None and now_ns < sessions.close_ns[row] - BEFORE_CLOSE_NS:
        return UnixNs(int(sessions.close_ns[row]))
    following = session_row(next_session(day, sessions), sessions)
    return UnixNs(0 if following is None else int(sessions.close_ns[following]))


def in_session(now_ns: int, sessions: Sessions) -> bool:
    """Whether the exchange is open, but for its last minutes."""
    row = session_row(new_york_date(now_ns), sessions)
    if row is None:
        return False
    return bool(sessions.open_ns[row] <= now_ns < sessions.close_ns[row] - BEFORE_CLOSE_NS)
