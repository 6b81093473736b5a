"""Vital signs, the course of the day, and words to people."""

from __future__ import annotations

from thetawarden.domain.alerts.matters import Urgency
from thetawarden.domain.instants import UnixNs
from thetawarden.domain.timetable import DayEvent
from thetawarden.domain.vitals import Finding, Vitals
from thetawarden.messages.base import Command, Event

__all__ = (
    "AlertDelivered",
    "AlertFailed",
    "DayEventCame",
    "DeliverAlert",
    "HealthChanged",
    "NotifyPerson",
    "TradingDayStarted",
    "Urgency",
    "VitalsTaken",
)


class VitalsTaken(Event, frozen=True, kw_only=True):
    """The supervisor looked at every actor, the message log and the disk."""

    vitals: Vitals


class HealthChanged(Event, frozen=True, kw_only=True):
    """What is wrong with the desk is no longer what it was; no findings means all is well."""

    findings: tuple[Finding, ...]


class TradingDayStarted(Event, frozen=True, kw_only=True):
    """A trading day began in New York; `day` is ISO. The message log turns a page on it."""

    day: str


class NotifyPerson(Command, frozen=True, kw_only=True):
    """Tell the person; `topic` groups repetitions of one matter."""

    urgency: Urgency
    topic: str
    text: str


class DeliverAlert(Command, frozen=True, kw_only=True):
    """Carry this alert out of the desk by one channel, the log when it names none.

    May be said again after a restart or a failure: `number` is the same.
    """

    number: int
    urgency: Urgency
    topic: str
    text: str
    channel: str = ""


class AlertDelivered(Event, frozen=True, kw_only=True):
    """The alert with this number has left the desk by this channel."""

    number: int
    channel: str = ""


class AlertFailed(Event, frozen=True, kw_only=True):
    """A channel did not take an alert; whether and when to try again the notifier decides."""

    number: int
    channel: str
    words: str


class DayEventCame(Event, frozen=True, kw_only=True):
    """Something on the desk's timetable is due; `late_ns` is how long after its time it came."""

    what: DayEvent
    day: str
    due_ns: UnixNs
    late_ns: int
