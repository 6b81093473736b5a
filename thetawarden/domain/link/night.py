"""Knows when the broker restarts its servers at night, and what that excuses.

From a while before the window no new risk is taken; inside it a lost link is expected and nobody is
woken; when it has been over for a while and there is still no link, somebody is. Times of day are
New York's; a window may span midnight.
"""

from __future__ import annotations

import datetime as dt
import enum

import msgspec

from thetawarden.domain.instants import UnixNs, new_york_date, new_york_ns


class NightWindow(msgspec.Struct, frozen=True, kw_only=True):
    """From when to when, how long before it we hold back, and how long after it we stay patient."""

    begins: dt.time
    ends: dt.time
    quiet_before_ns: int
    patience_after_ns: int


class NightPhase(enum.StrEnum):
    """Where an instant lies."""

    DAY = "day"
    CLOSING = "closing"
    NIGHT = "night"
    OVERDUE_SOON = "overdue_soon"


class Night(msgspec.Struct, frozen=True, kw_only=True):
    """The phase of an instant and when the next one begins."""

    phase: NightPhase
    until_ns: UnixNs

    @property
    def entries_wait(self) -> bool:
        """Whether new risk should wait for the morning."""
        return self.phase in (NightPhase.CLOSING, NightPhase.NIGHT)

    @property
    def excuses_loss(self) -> bool:
        """Whether a lost link is what was to be expected."""
        return self.phase is not NightPhase.DAY


def look_at(now: UnixNs, window: NightWindow) -> Night:
    """Return where this instant lies."""
    today = new_york_date(now)
    for days in (-1, 0, 1):
        day = today + dt.timedelta(days=days)
        begins = new_york_ns(day, window.begins)
        spans = window.ends <= window.begins
        ends = new_york_ns(day + dt.timedelta(days=int(spans)), window.ends)
        edges = (
            (NightPhase.DAY, begins - window.quiet_before_ns),
            (NightPhase.CLOSING, begins),
            (NightPhase.NIGHT, ends),
            (NightPhase.OVERDUE_SOON, ends + window.patience_after_ns),
        )
        for phase, until in edges:
            if now < until:
                return Night(phase=phase, until_ns=UnixNs(until))
    raise AssertionError("a window of tomorrow lies ahead of any instant of today")
