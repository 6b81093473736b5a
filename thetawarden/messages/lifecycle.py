"""What the supervisor tells an actor, and what it reports of its actors."""

from __future__ import annotations

from thetawarden.domain.restart import Ending
from thetawarden.messages.base import Command, Event


class Begin(Command, frozen=True, kw_only=True):
    """First thing an incarnation hears: its state is in place, arm timers and say what is due.

    `resumed` is true when the state came back from the log.
    """

    incarnation: int
    resumed: bool


class Quiesce(Command, frozen=True, kw_only=True):
    """The desk is about to stop: take on nothing new."""


class WatchUnderlyings(Command, frozen=True, kw_only=True):
    """Have a watcher for each of these underlyings, and for no other; order is start order."""

    underlyings: tuple[str, ...]


class ChildrenChanged(Event, frozen=True, kw_only=True):
    """From now on these are the instances of a role; said again on every new page of the log."""

    role: str
    keys: tuple[str, ...]


class DeskStarted(Event, frozen=True, kw_only=True):
    """A process took the store: with which configuration and software, and if after another.

    `speed` is that of market time when it began; durations of machine time were taken times it.
    `shapes` tells whether another version writes the same fields; empty before it was said.
    """

    config_fingerprint: str
    software: str
    resumed: bool
    speed: float = 1.0
    shapes: str = ""


class ActorStarted(Event, frozen=True, kw_only=True):
    """An incarnation has handled `Begin` and takes messages."""

    actor: str
    incarnation: int
    resumed: bool


class ActorEnded(Event, frozen=True, kw_only=True):
    """An incarnation is over; `message_seq` is what it was handling when it crashed or hung."""

    actor: str
    incarnation: int
    ending: Ending
    error: str
    message_seq: int | None


class GroupGaveUp(Event, frozen=True, kw_only=True):
    """A group used up its restarts; its actors stay down."""

    group: str
    last_actor: str


class MessageParked(Event, frozen=True, kw_only=True):
    """A message that killed two incarnations was put aside and will not be delivered again."""

    actor: str
    message_seq: int
    kind: str


class MailboxOverflowed(Event, frozen=True, kw_only=True):
    """A lane went over its bound. Orders were kept all the same; anything else was refused."""

    actor: str
    lane: str
    depth: int
    kind: str


class MessageUnclaimed(Event, frozen=True, kw_only=True):
    """A message was for one instance of a role, and there is none; it stands in the log only."""

    actor: str
    lane: str
    kind: str
    message_seq: int


class ActorPaused(Event, frozen=True, kw_only=True):
    """A person stopped an actor from taking anything but control messages."""

    actor: str
    by: str


class ActorUnpaused(Event, frozen=True, kw_only=True):
    """A person let a paused actor go on."""

    actor: str
    by: str


class EffectFailed(Event, frozen=True, kw_only=True):
    """An adapter could not carry out an effect; who asked for it decides whether to ask again."""

    adapter: str
    kind: str
    error: str
