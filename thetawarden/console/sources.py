"""What the console needs of the world: a desk to ask, hands to act with, a message log to read.

`cli/console.py` fills these with the control client and the log's files, tests with fakes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

import msgspec

from thetawarden.console.grid import Column
from thetawarden.messages.base import Envelope, Message
from thetawarden.messages.control import Done, Inspection, Status

if TYPE_CHECKING:  # slow to load
    from thetawarden.infra.journal.follow import Batch
    from thetawarden.infra.journal.reader import Wanted


class Eyes(Protocol):
    """Asks a desk; raises ThetawardenError when there is no answer."""

    def status(self) -> Status:
        """The desk in one look."""
        ...

    def inspect(self, name: str | None = None) -> Inspection:
        """All actors, or one with its state."""
        ...


class Hands(Protocol):
    """Does what a person confirmed; raises ThetawardenError when it was not done."""

    def halt(self, reason: str) -> Done:
        """Halt trading; where no desk answers, by the flag file."""
        ...

    def resume(self, reason: str, epoch: int | None) -> Done:
        """Lift the halt of this epoch."""
        ...

    def flatten(self, reason: str, /) -> Done:
        """Cancel everything and close all positions."""
        ...

    def restart(self, name: str, reason: str) -> Done:
        """Restart an actor."""
        ...

    def pause(self, name: str, reason: str) -> Done:
        """Let an actor take control messages only."""
        ...

    def unpause(self, name: str, reason: str) -> Done:
        """Let a paused actor go on."""
        ...


class Log(Protocol):
    """Reads the message log; one thread uses it."""

    def read(self, wanted: Wanted, *, limit: int | None = None) -> Batch:
        """What is new."""
        ...

    def causes(self, seq: int) -> tuple[Envelope[Message], ...]:
        """A message, and what it was said because of."""
        ...

    def answers(self, seq: int) -> tuple[Envelope[Message], ...]:
        """What was said because of it."""
        ...


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """A table to look at, and in one line what it shows; `choices` are what it can be of."""

    words: str
    columns: tuple[Column, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    choices: tuple[str, ...] = ()


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """One screen of the console: its name and how it is looked up, given one of its choices."""

    title: str
    show: Callable[[Eyes, str], Sheet]


class World(msgspec.Struct, frozen=True, kw_only=True):
    """Everything outside; `open_log` is called late and once, because reading is slow to load."""

    store: str
    eyes: Eyes
    hands: Hands
    open_log: Callable[[], Log]
    kinds: Callable[[], tuple[str, ...]]
    looks: tuple[Look, ...]
