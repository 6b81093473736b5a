"""A post: everything of an actor that outlives its incarnations.

A post has the name others send to, the mailbox, the memory to rebuild from, and the pulse by which
idle, stuck and flooded look different from outside.
"""

from __future__ import annotations

import enum
import threading
from collections import deque
from typing import Any

import msgspec

from thetawarden.actors.mailbox import Bounds, Mailbox
from thetawarden.actors.memory import Timers
from thetawarden.domain.restart import Ending, Restart
from thetawarden.messages.base import Envelope, Message
from thetawarden.ports import Actor, Delivery


class ActorSpec(msgspec.Struct, frozen=True, kw_only=True):
    """How one actor is made, fed and stopped; what it hears and says is read off its `receive`."""

    name: str
    kind: type[Any]
    settings: dict[str, Any] = {}
    restart: Restart = Restart.PERMANENT
    bounds: Bounds = Bounds()
    stop_deadline_ns: int = 5_000_000_000
    fatal_if_hung: bool = False

    def make(self) -> Actor:
        """A new actor as it is on its first day."""
        actor: Actor = self.kind(**self.settings)
        return actor


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """An incarnation is over; `envelope` is what it was handling if that ended it."""

    actor: str
    incarnation: int
    ending: Ending
    error: BaseException | None = None
    envelope: Envelope[Message] | None = None


class Status(enum.StrEnum):
    """What the supervisor knows of a post."""

    DOWN = "down"
    RUNNING = "running"
    RESTARTING = "restarting"
    FAILED = "failed"


class Pulse:
    """Written by the one thread that runs the actor, read by anybody; each write is one store."""

    __slots__ = ("busy_since_ns", "envelope", "handled", "last_handled_ns", "recent_ns")

    def __init__(self) -> None:
        self.busy_since_ns = 0
        self.envelope: Envelope[Message] | None = None
        self.handled = 0
        self.last_handled_ns = 0
        self.recent_ns: deque[int] = deque(maxlen=1024)

    def handler_ns_p99(self) -> int:
        """The 99th percentile of the latest handling times."""
        recent = sorted(self.recent_ns)
        return recent[min(len(recent) - 1, len(recent) * 99 // 100)] if recent else 0


class Post:
    """One name in the desk and all that belongs to it.

    `lock` makes recording a step and remembering it one act, so that a fence falls between two
    steps and never inside one.
    """

    def __init__(self, spec: ActorSpec) -> None:
        self.spec = spec
        self.name = spec.name
        self.mailbox = Mailbox(spec.bounds)
        self.lock = threading.Lock()
        self.incarnation = 0
        self.restarts = 0
        self.pulse = Pulse()
        self.status = Status.DOWN
        self.snapshot: bytes | None = None
        self.steps: list[Delivery] = []
        self.timers: Timers = {}
        self.kills: dict[int, int] = {}

    @property
    def remembers(self) -> bool:
        """Whether there is anything to come back to."""
        return self.snapshot is not None or bool(self.steps)
