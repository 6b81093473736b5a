"""How actors, who have no clock, ask to be woken."""

from __future__ import annotations

from thetawarden.messages.base import Command, Event


class StartTimer(Command, frozen=True, kw_only=True):
    """Wake me once after this long; a running timer of mine with the same name is replaced."""

    name: str
    after_ns: int


class CancelTimer(Command, frozen=True, kw_only=True):
    """Forget the timer of mine with this name; no matter if there is none."""

    name: str


class TimerFired(Event, frozen=True, kw_only=True):
    """The time has come; goes to the actor who asked and to nobody else."""

    name: str
