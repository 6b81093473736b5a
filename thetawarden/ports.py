"""The holes in the hull: what the desk needs of the world, said as protocols.

Actors and the supervisor know these; `infra/` and `sim/` fill them.
"""

from __future__ import annotations

import enum
from typing import Any, Protocol, runtime_checkable

import msgspec

from thetawarden.domain.halt import HaltRecord
from thetawarden.domain.instants import UnixNs
from thetawarden.messages.base import Envelope, Message


class Clock(Protocol):
    """Where instants come from; the only one who may ask the operating system.

    Market time is what actors and records know; with a practice market it runs at any speed.
    Machine time is for how long the desk's own work takes.
    """

    @property
    def speed(self) -> float:
        """Market seconds a machine second; about 1 but for a practice market."""
        ...

    def now_ns(self) -> UnixNs:
        """The market's instant: never back; may leap ahead when the machine's clock is set."""
        ...

    def elapsed_ns(self) -> int:
        """A count of market time that never goes back, for timers only."""
        ...

    def monotonic_ns(self) -> int:
        """A count of machine time that never goes back, for durations only."""
        ...


class Actor(Protocol):
    """A plain object that answers messages; deterministic in (state, message, now)."""

    state: Any

    def receive(self, message: Any, now: UnixNs, /) -> tuple[Message, ...]:
        """Handle one message; what is returned is said only after this has returned."""
        ...


class Adapter(Protocol):
    """Carries out one kind of effect on the world, on a thread of its own."""

    def perform(self, envelope: Envelope[Message], /) -> tuple[Message, ...]:
        """Do it and say what came of it; called only once the message is durable."""
        ...


class DeskPort(Protocol):
    """What the desk offers an adapter that lives on; may be used from any thread."""

    def say(self, message: Message, /, cause_seq: int | None = None) -> Envelope[Message]:
        """Record and deliver what was observed, in the adapter's own name."""
        ...

    def backlog(self, actor: str, /) -> int:
        """How much market data the actor has not taken yet; 0 for one that is not there."""
        ...


@runtime_checkable
class Source(Protocol):
    """An adapter that also speaks unasked, from its start until its stop.

    Both are called on the thread that performs its effects: `start` before the first of them,
    `stop` after all that were asked for until then. What is asked for later may be refused.
    """

    def start(self, desk: DeskPort, /) -> None:
        """Begin to observe; one that raises is reported and goes on performing effects."""
        ...

    def stop(self) -> None:
        """Say nothing more; returns once nothing of it runs, within the desk's deadline."""
        ...


class Outcome(enum.IntEnum):
    """How a delivery ended; only a handled one changed the actor's state.

    A waiting one is still to come: a new page of the log begins with what nobody has handled yet.
    """

    HANDLED = 0
    CRASHED = 1
    HUNG = 2
    PARKED = 3
    WAITING = 4


class Delivery(msgspec.Struct, frozen=True, gc=False):
    """Who handled which message: `merged` counts the quotes this one stands for."""

    envelope: Envelope[Message]
    actor: str
    incarnation: int
    at_ns: UnixNs
    outcome: Outcome = Outcome.HANDLED
    merged: int = 1


class FencedError(Exception):
    """An old incarnation spoke. Nothing of it is recorded or routed; its host must end."""


class MessageLog(Protocol):
    """Where everything said and handled is written, in one order.

    One whose `keeps` is false only numbers and fences: deliveries are not given to it, and an
    actor that fails comes back empty.
    """

    keeps: bool

    def say(  # keywords cost a tenth of a hop
        self, body: Message, sender: str, incarnation: int, cause_seq: int | None, at_ns: UnixNs
    ) -> Envelope[Message]:
        """Give a message its place in the order; raises FencedError for an old incarnation."""
        ...

    def record(
        self, delivery: Delivery, answers: tuple[Message, ...]
    ) -> tuple[Envelope[Message], ...]:
        """Write a delivery with all its answers as one step.

        A handled one of an old incarnation raises FencedError; that one crashed or hung may be
        written by the supervisor at any time.
        """
        ...

    def snapshot(self, *, actor: str, incarnation: int, at_ns: UnixNs, state: bytes) -> None:
        """Write an actor's state as it is after all its deliveries so far."""
        ...

    def fence(self, actor: str, incarnation: int) -> None:
        """From now on only this incarnation of the actor may speak."""
        ...

    def wait_durable(self, seq: int, timeout_s: float) -> None:
        """Return once the message is safe on disk; raises when it cannot be made so in time."""
        ...


class HaltFlag(Protocol):
    """The halt flag: a file of its own, readable when nothing else is."""

    def read(self) -> HaltRecord | None:
        """The halt in force, or None. An unreadable flag is a halt."""
        ...

    def raise_flag(self, halt: HaltRecord) -> None:
        """Make the halt durable; no matter if one stands already."""
        ...

    def lower(self, epoch: int) -> None:
        """Remove the flag of this epoch or an older one."""
        ...
