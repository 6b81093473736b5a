"""The adapter of `effect:alerts`: the log at once, every channel on a thread of its own.

A channel that hangs holds up no other, and nothing of the desk. What is still waiting when the desk
stops is in the notifier's outbox and is said again by the next one.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from queue import SimpleQueue
from typing import Protocol

from thetawarden.domain.alerts.matters import Urgency
from thetawarden.infra.alerts.log import LogAlerts
from thetawarden.messages.base import Envelope, Message
from thetawarden.messages.operations import AlertDelivered, AlertFailed, DeliverAlert
from thetawarden.ports import DeskPort

REFUSED = "the service did not take it"
UNKNOWN = "no such channel is configured"
_log = logging.getLogger("thetawarden.alerts")


class Sender(Protocol):
    """One way to reach a person."""

    def send(self, *, urgency: Urgency, text: str) -> bool:
        """Whether it was taken; may raise."""
        ...


class AlertAdapter:
    """Performs `DeliverAlert`; a `Source`, as deliveries are told when they are done."""

    def __init__(self, channels: Mapping[str, Sender]) -> None:
        self._in_log = LogAlerts(_log)
        self._channels = dict(channels)
        self._queues: dict[str, SimpleQueue[Envelope[Message] | None]] = {
            name: SimpleQueue() for name in channels
        }
        self._desk: DeskPort | None = None

    def start(self, desk: DeskPort, /) -> None:
        """Begin to take alerts."""
        self._desk = desk
        for name, sender in self._channels.items():
            threading.Thread(
                target=self._run, args=(name, sender), name=f"alerts-{name}", daemon=True
            ).start()

    def stop(self) -> None:
        """Say nothing more; one that is being sent may still arrive, and is sent again."""
        self._desk = None
        for queue in self._queues.values():
            queue.put(None)

    def perform(self, envelope: Envelope[Message], /) -> tuple[Message, ...]:
        """Write it to the log, or hand it to its channel's thread; returns at once."""
        message = envelope.body
        if not isinstance(message, DeliverAlert) or not message.channel:
            return self._in_log.perform(envelope)
        queue = self._queues.get(message.channel)
        if queue is None:
            return (_failed(message, UNKNOWN),)
        queue.put(envelope)
        return ()

    def _run(self, name: str, sender: Sender) -> None:
        queue = self._queues[name]
        while (envelope := queue.get()) is not None:
            desk, message = self._desk, envelope.body
            if desk is None or not isinstance(message, DeliverAlert):
                return
            answer = _send(sender, message)
            if self._desk is not None:
                desk.say(answer, envelope.seq)


def _send(sender: Sender, alert: DeliverAlert) -> AlertDelivered | AlertFailed:
    try:
        taken = sender.send(urgency=alert.urgency, text=alert.text)
    except Exception as error:  # noqa: BLE001  # the outside may fail in any way
        return _failed(alert, type(error).__name__)
    if taken:
        return AlertDelivered(number=alert.number, channel=alert.channel)
    return _failed(alert, REFUSED)


def _failed(alert: DeliverAlert, words: str) -> AlertFailed:
    return AlertFailed(number=alert.number, channel=alert.channel, words=words)
