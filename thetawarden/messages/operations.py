"""Vital signs, the course of the day, and words to people."""

from __future__ import annotations

import enum

from thetawarden.domain.vitals import Finding, Vitals
from thetawarden.messages.base import Command, Event


class VitalsTaken(Event, frozen=True, kw_only=True):
    """The supervisor looked at every actor, the message log and the disk."""

    vitals: Vitals


class HealthChanged(Event, frozen=True, kw_only=True):
    """What is wrong with the desk is no longer what it was; no findings means all is well."""

    findings: tuple[Finding, ...]


class TradingDayStarted(Event, frozen=True, kw_only=True):
    """A trading day began in New York; `day` is ISO. The message log turns a page on it."""

    day: str


class Urgency(enum.StrEnum):
    """How soon a person should know."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"
    CRITICAL = "critical"


class NotifyPerson(Command, frozen=True, kw_only=True):
    """Tell the person; `topic` groups repetitions of one matter."""

    urgency: Urgency
    topic: str
    text: str


class DeliverAlert(Command, frozen=True, kw_only=True):
    """Carry this alert out of the desk. May be said again after a restart: `number` is the same."""

    number: int
    urgency: Urgency
    topic: str
    text: str


class AlertDelivered(Event, frozen=True, kw_only=True):
    """The alert with this number has left the desk."""

    number: int
