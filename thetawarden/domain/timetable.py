"""The trading day as data: what is due when, and until when it is still worth doing late.

Pure. Every instant is derived from the exchange's own sessions, so that holidays, half days and the
two nights a year on which New York's clocks change need no rule of their own. A thing that was
missed is made up as long as its `until_ns` is ahead, and skipped from then on.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from thetawarden.domain.instants import NS_PER_MINUTE, UnixNs, new_york_date
from thetawarden.domain.market.calendar import (
    next_session,
    previous_session,
    session_on_or_after,
    session_row,
)

if TYPE_CHECKING:
    from thetawarden.domain.market.sessions import Sessions


class DayEvent(enum.StrEnum):
    """What a trading day is made of, in its order."""

    PRE_MARKET = "pre_market"
    OPEN = "open"
    INTRADAY = "intraday"
    CLOSE = "close"
    RECONCILE = "reconcile"
    STRESS = "stress"
    LEARN = "learn"


class DayPlan(msgspec.Struct, frozen=True, kw_only=True):
    """How far from the bell each thing is due; an `intraday_ns` of 0 means never."""

    pre_market_ns: int = 45 * NS_PER_MINUTE
    intraday_ns: int = 30 * NS_PER_MINUTE
    reconcile_ns: int = 20 * NS_PER_MINUTE
    stress_ns: int = 60 * NS_PER_MINUTE
    learn_ns: int = 90 * NS_PER_MINUTE


class Appointment(msgspec.Struct, frozen=True, kw_only=True):
    """One thing on one day, due at an instant and void from another one on."""

    what: DayEvent
    day: dt.date
    due_ns: UnixNs
    until_ns: UnixNs


def appointments(day: dt.date, *, plan: DayPlan, sessions: Sessions) -> tuple[Appointment, ...]:
    """Everything on a day's timetable in order of time; nothing on a day without a session.

    What prepares the session is worth doing until it is over, what follows it until the next one
    is prepared. The rounds of the day are void when the next one is due: they are never made up.
    """
    row = session_row(day, sessions)
    if row is None:
        return ()
    open_ns, close_ns = int(sessions.open_ns[row]), int(sessions.close_ns[row])
    following = session_row(next_session(day, sessions), sessions)
    next_ns = int(sessions.open_ns[following]) - plan.pre_market_ns if following else close_ns
    found = [
        (DayEvent.PRE_MARKET, open_ns - plan.pre_market_ns, close_ns),
        (DayEvent.OPEN, open_ns, close_ns),
        *_rounds(open_ns, close_ns, plan.intraday_ns),
        (DayEvent.CLOSE, close_ns, next_ns),
        (DayEvent.RECONCILE, close_ns + plan.reconcile_ns, next_ns),
        (DayEvent.STRESS, close_ns + plan.stress_ns, next_ns),
        (DayEvent.LEARN, close_ns + plan.learn_ns, next_ns),
    ]
    return tuple(
        Appointment(what=what, day=day, due_ns=UnixNs(due_ns), until_ns=UnixNs(until_ns))
        for what, due_ns, until_ns in sorted(found, key=lambda each: each[1])
    )


def due_since(
    done_ns: UnixNs, now: UnixNs, *, plan: DayPlan, sessions: Sessions
) -> tuple[tuple[Appointment, ...], tuple[Appointment, ...]]:
    """What came due after `done_ns` and until now: what is worth doing, and what is not any more.

    However long nobody looked, only the last two sessions are gone through: of those before,
    nothing is worth doing.
    """
    late: list[Appointment] = []
    void: list[Appointment] = []
    for each in _around(now, plan, sessions):
        if done_ns < each.due_ns <= now:
            (late if now < each.until_ns else void).append(each)
    return tuple(late), tuple(void)


def coming(
    now: UnixNs, *, plan: DayPlan, sessions: Sessions, count: int
) -> tuple[Appointment, ...]:
    """The next so many things that are not due yet, each kind of round once."""
    found: list[Appointment] = []
    for each in _around(now, plan, sessions):
        rounds = sum(one.what is DayEvent.INTRADAY for one in found)
        if each.due_ns > now and not (each.what is DayEvent.INTRADAY and rounds):
            found.append(each)
    return tuple(found[:count])


def _around(now: UnixNs, plan: DayPlan, sessions: Sessions) -> Iterator[Appointment]:
    """The appointments of the session before, of today's or the next one, and of that after."""
    today = session_on_or_after(new_york_date(now), sessions)
    for day in (previous_session(today, sessions), today, next_session(today, sessions)):
        yield from appointments(day, plan=plan, sessions=sessions)


def _rounds(open_ns: int, close_ns: int, every_ns: int) -> Iterator[tuple[DayEvent, int, int]]:
    if every_ns <= 0:
        return
    due_ns = open_ns + every_ns
    while due_ns < close_ns:
        yield DayEvent.INTRADAY, due_ns, min(due_ns + every_ns, close_ns)
        due_ns += every_ns
