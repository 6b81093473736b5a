"""The notifier: sees that every alert leaves the desk at least once."""

from __future__ import annotations

from typing import assert_never

import msgspec

from thetawarden.domain.instants import UnixNs
from thetawarden.messages.books import PositionExplained
from thetawarden.messages.lifecycle import ActorPaused, ActorUnpaused, Begin, Quiesce
from thetawarden.messages.operations import AlertDelivered, DeliverAlert, NotifyPerson, Urgency
from thetawarden.messages.trading import ResumeRefused

Hears = (
    Begin
    | Quiesce
    | NotifyPerson
    | AlertDelivered
    | ActorPaused
    | ActorUnpaused
    | ResumeRefused
    | PositionExplained
)
Says = DeliverAlert


class NotifierState(msgspec.Struct, kw_only=True):
    """The outbox: what has been asked for and has not yet left."""

    next_number: int = 1
    outbox: dict[int, DeliverAlert] = msgspec.field(default_factory=dict)


class Notifier:
    """Numbers each alert and holds it until its delivery is reported.

    Restart: what is still in the outbox is said again, so a person may read it twice, never not.
    """

    def __init__(self) -> None:
        self.state = NotifierState()

    def receive(self, message: Hears, now: UnixNs) -> tuple[Says, ...]:  # noqa: ARG002  # the shape of every actor
        """Answer one message."""
        match message:
            case Begin():
                return tuple(self.state.outbox.values())
            case NotifyPerson(urgency=urgency, topic=topic, text=text):
                return self._send(urgency, topic, text)
            case AlertDelivered(number=number):
                self.state.outbox.pop(number, None)
                return ()
            case ActorPaused(actor=actor, by=by):
                return self._send(Urgency.NORMAL, f"pause:{actor}", f"{actor} paused by {by}")
            case ActorUnpaused(actor=actor, by=by):
                return self._send(Urgency.LOW, f"pause:{actor}", f"{actor} goes on, by {by}")
            case ResumeRefused(refusal=refusal, by=by, current_epoch=epoch):
                text = f"resume by {by} refused: {refusal.replace('_', ' ')} (epoch is {epoch})"
                return self._send(Urgency.NORMAL, "resume", text)
            case PositionExplained(cause=cause, words=words, contract=contract):
                return self._send(
                    Urgency.HIGH,
                    f"position:{contract or 'cash'}",
                    f"{words} ({cause.replace('_', ' ')})",
                )
            case Quiesce():
                return ()
            case _:
                assert_never(message)

    def _send(self, urgency: Urgency, topic: str, text: str) -> tuple[Says, ...]:
        number = self.state.next_number
        self.state.next_number += 1
        alert = DeliverAlert(number=number, urgency=urgency, topic=topic, text=text)
        self.state.outbox[number] = alert
        return (alert,)
