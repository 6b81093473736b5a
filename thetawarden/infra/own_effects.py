"""Effects of the desk upon itself: watchers started and stopped, the log's page turned.

The adapters of process and simulation alike; what is really done is handed in.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from thetawarden.messages.base import Envelope, Message
from thetawarden.messages.lifecycle import WatchUnderlyings
from thetawarden.messages.operations import TradingDayStarted


class ChildStarter:
    """Has the watchers started and stopped that an actor asks for."""

    def __init__(self, ensure: Callable[[tuple[str, ...]], None]) -> None:
        self._ensure = ensure

    def perform(self, envelope: Envelope[Message], /) -> tuple[Message, ...]:
        """Return once those asked for are up or have failed, and the others are gone."""
        if isinstance(envelope.body, WatchUnderlyings):
            self._ensure(envelope.body.underlyings)
        return ()


class PageTurner:
    """Turns the message log's page when a trading day starts."""

    def __init__(self, turn: Callable[[dt.date], None]) -> None:
        self._turn = turn

    def perform(self, envelope: Envelope[Message], /) -> tuple[Message, ...]:
        """Let what follows go to the new day's file."""
        message = envelope.body
        if isinstance(message, TradingDayStarted):
            self._turn(dt.date.fromisoformat(message.day))
        return ()
