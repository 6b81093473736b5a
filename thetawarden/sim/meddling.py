"""Where a simulated process can be made to fail: at each write, each effect, each message handled.

The runtime asks a meddler at every such point. Points are counted, so that a scenario can be run
again and killed at each one in turn.
"""

from __future__ import annotations

import enum
from typing import Protocol

from thetawarden.messages.base import Envelope, Message


class Point(enum.StrEnum):
    """A moment at which a process may die and leave different things behind."""

    BEFORE_COMMIT = "before_commit"
    AFTER_COMMIT = "after_commit"
    BEFORE_EFFECT = "before_effect"
    AFTER_EFFECT = "after_effect"
    BEFORE_STEP = "before_step"
    AFTER_STEP = "after_step"


class Mishap(enum.StrEnum):
    """What may happen to an actor while it handles a message."""

    CRASH = "crash"
    HANG = "hang"


class MeddledError(Exception):
    """What an actor raises that was made to crash."""


class ProcessKilledError(Exception):
    """The process is gone at once, with all that was not on disk. The world starts another."""

    def __init__(self, point: Point, number: int) -> None:
        super().__init__(f"killed at point {number} ({point})")
        self.point, self.number = point, number


class Meddler(Protocol):
    """Decides who fails where; deterministic in what it is asked."""

    def reach(self, point: Point, envelope: Envelope[Message] | None, /) -> None:
        """Let the process go on, or raise ProcessKilledError."""
        ...

    def mishap(self, actor: str, envelope: Envelope[Message], /) -> Mishap | None:
        """What happens to the actor while it handles this; None lets it."""
        ...


class NoMeddling:
    """Nothing fails."""

    def reach(self, _point: Point, _envelope: Envelope[Message] | None, /) -> None:
        """Go on."""

    def mishap(self, _actor: str, _envelope: Envelope[Message], /) -> Mishap | None:
        """Nothing happens."""
        return None
