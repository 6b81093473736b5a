"""The scheduler: says when a trading day begins, and what is due in the course of it."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, assert_never

import msgspec

from thetawarden.domain.instants import UnixNs, trading_day, trading_day_start_ns
from thetawarden.domain.timetable import (
    Appointment,
    DayEvent,
    DayPlan,
    coming,
    due_since,
)
from thetawarden.messages.books import RefreshBook
from thetawarden.messages.lifecycle import Begin, Quiesce
from thetawarden.messages.operations import DayEventCame, TradingDayStarted
from thetawarden.messages.risk import TakeStress
from thetawarden.messages.timers import CancelTimer, StartTimer, TimerFired

if TYPE_CHECKING:
    from thetawarden.domain.market.sessions import Sessions

NEXT = "next on the timetable"
SHOWN = 6
SKIPPED_KEPT = 20
Hears = Begin | Quiesce | TimerFired
Says = TradingDayStarted | DayEventCame | RefreshBook | TakeStress | StartTimer | CancelTimer


class NextEvent(msgspec.Struct, frozen=True, kw_only=True):
    """Something that will happen."""

    name: str
    at_ns: UnixNs


class SchedulerState(msgspec.Struct, kw_only=True):
    """The day that has been announced, the latest thing done, what comes, what was skipped."""

    day: str | None = None
    done_ns: UnixNs | None = None
    next_events: tuple[NextEvent, ...] = ()
    skipped: tuple[NextEvent, ...] = ()


class Scheduler:
    """Announces each trading day, and each thing on its timetable, once.

    After downtime: what is still worth doing is made up, in its order; the rest is noted as
    skipped. Restart: safe; what has been announced is remembered.
    """

    def __init__(
        self,
        *,
        sessions: Sessions,
        turns_at: dt.time = dt.time(),
        plan: DayPlan | None = None,
    ) -> None:
        self.state = SchedulerState()
        self._sessions = sessions
        self._turns_at = turns_at
        self._plan = plan or DayPlan()

    def receive(self, message: Hears, now: UnixNs) -> tuple[Says, ...]:
        """Answer one message."""
        match message:
            case Begin() | TimerFired():
                return self._look_at_calendar(now)
            case Quiesce():
                return (CancelTimer(name=NEXT),)
            case _:
                assert_never(message)

    def _look_at_calendar(self, now: UnixNs) -> tuple[Says, ...]:
        own = self.state
        today = trading_day(now, self._turns_at)
        said = [*self._turn_day(today), *self._do_due(now, today)]
        tomorrow = today + dt.timedelta(days=1)
        turns_ns = trading_day_start_ns(tomorrow, self._turns_at)
        following = [NextEvent(name=f"trading day {tomorrow}", at_ns=turns_ns)]
        ahead = coming(now, plan=self._plan, sessions=self._sessions, count=SHOWN)
        following += [_shown(each) for each in ahead]
        own.next_events = tuple(sorted(following, key=lambda each: each.at_ns))
        wakes_ns = min(event.at_ns for event in own.next_events)
        return (*said, StartTimer(name=NEXT, after_ns=max(1, wakes_ns - now)))

    def _turn_day(self, today: dt.date) -> tuple[Says, ...]:
        if today.isoformat() == self.state.day:
            return ()
        self.state.day = today.isoformat()
        return (TradingDayStarted(day=today.isoformat()),)

    def _do_due(self, now: UnixNs, today: dt.date) -> tuple[Says, ...]:
        """Everything since the last look; a clock that went back brings nothing a second time."""
        own = self.state
        begun_ns = trading_day_start_ns(today, self._turns_at)
        done_ns = begun_ns if own.done_ns is None else own.done_ns
        due, void = due_since(done_ns, now, plan=self._plan, sessions=self._sessions)
        own.done_ns = max([done_ns, *(each.due_ns for each in (*due, *void))])
        own.skipped = (*own.skipped, *map(_shown, void))[-SKIPPED_KEPT:]
        return tuple(said for each in due for said in self._announce(each, now))

    @staticmethod
    def _announce(due: Appointment, now: UnixNs) -> tuple[Says, ...]:
        day = due.day.isoformat()
        came = DayEventCame(what=due.what, day=day, due_ns=due.due_ns, late_ns=now - due.due_ns)
        match due.what:
            case DayEvent.PRE_MARKET | DayEvent.RECONCILE:
                return (came, RefreshBook(reason=f"{due.what.replace('_', '-')} of {day}"))
            case DayEvent.STRESS:
                return (came, TakeStress(run=f"nightly {day}"))
            case _:
                return (came,)


def _shown(each: Appointment) -> NextEvent:
    return NextEvent(name=f"{each.what.replace('_', ' ')} {each.day}", at_ns=each.due_ns)
