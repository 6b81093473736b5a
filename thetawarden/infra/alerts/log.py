"""Carries alerts to the log: the channel that is always there."""

from __future__ import annotations

import logging

from thetawarden.messages.base import Envelope, Message
from thetawarden.messages.operations import AlertDelivered, DeliverAlert, Urgency

_LEVELS = {
    Urgency.LOW: logging.INFO,
    Urgency.NORMAL: logging.WARNING,
    Urgency.HIGH: logging.ERROR,
    Urgency.CRITICAL: logging.CRITICAL,
}


class LogAlerts:
    """Performs `DeliverAlert` by writing a log line."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log

    def perform(self, envelope: Envelope[Message], /) -> tuple[Message, ...]:
        """Write the alert and report that it has left."""
        message = envelope.body
        if not isinstance(message, DeliverAlert):
            return ()
        values = {"topic": message.topic, "number": message.number, "text": message.text}
        self._log.log(_LEVELS[message.urgency], "alert", extra=values)
        return (AlertDelivered(number=message.number),)
