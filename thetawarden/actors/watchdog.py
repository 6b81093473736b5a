"""The watchdog: halts trading when the desk itself is unwell, or when nobody reports."""

from __future__ import annotations

from typing import assert_never

import msgspec

from thetawarden.domain.instants import UnixNs
from thetawarden.domain.restart import Ending
from thetawarden.domain.vitals import Finding, VitalLimits, examine
from thetawarden.messages.base import Lane
from thetawarden.messages.lifecycle import (
    ActorEnded,
    ActorStarted,
    Begin,
    EffectFailed,
    GroupGaveUp,
    MailboxOverflowed,
    MessageParked,
    MessageUnclaimed,
    Quiesce,
)
from thetawarden.messages.operations import HealthChanged, NotifyPerson, Urgency, VitalsTaken
from thetawarden.messages.timers import CancelTimer, StartTimer, TimerFired
from thetawarden.messages.trading import Halt

SILENCE, DOUBT = "vitals overdue", "still no vitals"
Hears = (
    Begin
    | Quiesce
    | VitalsTaken
    | ActorStarted
    | ActorEnded
    | GroupGaveUp
    | MessageParked
    | MailboxOverflowed
    | MessageUnclaimed
    | EffectFailed
    | TimerFired
)
Says = Halt | NotifyPerson | HealthChanged | StartTimer | CancelTimer


class WatchdogState(msgspec.Struct, kw_only=True):
    """What was wrong when last looked, and how often each actor has ended abnormally."""

    findings: tuple[Finding, ...] = ()
    abnormal_endings: dict[str, int] = msgspec.field(default_factory=dict)
    doubting: bool = False


class Watchdog:
    """Turns bad vital signs, lost messages and silence into a halt; never resumes anything.

    Restart: safe; at worst one matter is reported twice.
    """

    def __init__(self, *, limits: VitalLimits, silence_ns_max: int) -> None:
        self.state = WatchdogState()
        self._limits = limits
        self._silence_ns_max = silence_ns_max

    def receive(self, message: Hears, now: UnixNs) -> tuple[Says, ...]:  # noqa: ARG002  # the shape of every actor
        """Answer one message."""
        match message:
            case Begin():
                return (self._rearm(),)
            case Quiesce():
                return (CancelTimer(name=SILENCE), CancelTimer(name=DOUBT))
            case VitalsTaken(vitals=vitals):
                calm = (CancelTimer(name=DOUBT),) if self.state.doubting else ()
                self.state.doubting = False
                return (self._rearm(), *calm, *self._judge(examine(vitals, self._limits)))
            case TimerFired(name=name):
                return self._miss_vitals(name)
            case ActorStarted():
                return ()
            case ActorEnded():
                return self._note_ending(message)
            case GroupGaveUp(group=group, last_actor=actor):
                return _halt(f"group {group} gave up restarting ({actor} ended last)")
            case MessageParked(actor=actor, kind=kind, message_seq=seq):
                text = f"{kind} {seq} crashed {actor} twice and was put aside"
                return (NotifyPerson(urgency=Urgency.HIGH, topic=f"parked:{actor}", text=text),)
            case MailboxOverflowed(actor=actor, lane=lane, depth=depth):
                return _halt(f"mailbox of {actor} overflowed: {depth} waiting in lane {lane}")
            case MessageUnclaimed():
                return _unclaimed(message)
            case EffectFailed(adapter=adapter, kind=kind, error=error):
                text = f"{adapter} could not carry out {kind}: {error}"
                return (NotifyPerson(urgency=Urgency.HIGH, topic=f"effect:{adapter}", text=text),)
            case _:
                assert_never(message)

    def _miss_vitals(self, name: str) -> tuple[Says, ...]:
        """Doubt first: a clock that jumped looks like silence, but is followed by vital signs."""
        if name == SILENCE:
            self.state.doubting = True
            return (StartTimer(name=DOUBT, after_ns=self._silence_ns_max // 2),)
        self.state.doubting = False
        seconds = self._silence_ns_max / 1e9
        return (self._rearm(), *_halt(f"no vital signs for {seconds:g} s"))

    def _rearm(self) -> StartTimer:
        return StartTimer(name=SILENCE, after_ns=self._silence_ns_max)

    def _judge(self, findings: tuple[Finding, ...]) -> tuple[Says, ...]:
        before = {finding.ailment for finding in self.state.findings}
        self.state.findings = findings
        if {finding.ailment for finding in findings} == before:
            return ()
        changed = HealthChanged(findings=findings)
        if not findings:
            return (changed,)
        return (changed, *_halt("; ".join(finding.words for finding in findings)))

    def _note_ending(self, ended: ActorEnded) -> tuple[Says, ...]:
        if ended.ending in {Ending.STOPPED, Ending.REPLACED_BY_HAND}:
            return ()
        counts = self.state.abnormal_endings
        counts[ended.actor] = counts.get(ended.actor, 0) + 1
        text = f"{ended.actor} {ended.ending.replace('_', ' ')}: {ended.error}"
        topic = f"ended:{ended.actor}"
        return (NotifyPerson(urgency=Urgency.NORMAL, topic=topic, text=text),)


def _unclaimed(message: MessageUnclaimed) -> tuple[Says, ...]:
    """An order or a control message that nobody took may leave a position unwatched."""
    text = f"{message.kind} {message.message_seq} is for {message.actor}, which is not there"
    if message.lane in {Lane.CONTROL.name.lower(), Lane.ORDERS.name.lower()}:
        return _halt(text)
    topic = f"unclaimed:{message.actor}"
    return (NotifyPerson(urgency=Urgency.NORMAL, topic=topic, text=text),)


def _halt(reason: str) -> tuple[Says, ...]:
    return (Halt(reason=reason, by="watchdog"),)
