"""The scheduler: tells the desk when a trading day begins."""

from __future__ import annotations

import datetime as dt
from typing import assert_never

import msgspec

from thetawarden.domain.instants import UnixNs, trading_day, trading_day_start_ns
from thetawarden.messages.lifecycle import Begin, Quiesce
from thetawarden.messages.operations import TradingDayStarted
from thetawarden.messages.timers import CancelTimer, StartTimer, TimerFired

NEXT_DAY = "next trading day"
Hears = Begin | Quiesce | TimerFired
Says = TradingDayStarted | StartTimer | CancelTimer


class NextEvent(msgspec.Struct, frozen=True, kw_only=True):
    """Something that will happen."""

    name: str
    at_ns: UnixNs


class SchedulerState(msgspec.Struct, kw_only=True):
    """The day that has been announced, and what comes next."""

    day: str | None = None
    next_events: tuple[NextEvent, ...] = ()


class Scheduler:
    """Announces each trading day once, also when the desk was down as it began.

    Restart: safe; the announced day is remembered.
    """

    def __init__(self, *, turns_at: dt.time = dt.time()) -> None:
        self.state = SchedulerState()
        self._turns_at = turns_at

    def receive(self, message: Hears, now: UnixNs) -> tuple[Says, ...]:
        """Answer one message."""
        match message:
            case Begin() | TimerFired():
                return self._look_at_calendar(now)
            case Quiesce():
                return (CancelTimer(name=NEXT_DAY),)
            case _:
                assert_never(message)

    def _look_at_calendar(self, now: UnixNs) -> tuple[Says, ...]:
        today = trading_day(now, self._turns_at)
        tomorrow = today + dt.timedelta(days=1)
        starts = trading_day_start_ns(tomorrow, self._turns_at)
        self.state.next_events = (NextEvent(name=f"trading day {tomorrow}", at_ns=starts),)
        timer = StartTimer(name=NEXT_DAY, after_ns=max(1, starts - now))
        if today.isoformat() == self.state.day:
            return (timer,)
        self.state.day = today.isoformat()
        return (TradingDayStarted(day=today.isoformat()), timer)
