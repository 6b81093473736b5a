"""What every message is: a frozen, tagged struct; and the envelope it travels in.

Bodies are written as msgpack arrays that begin with the type's name. A released message may gain
fields at its end, each with a default; it never loses, renames or reorders one, so that every log
ever written can still be read. Identity and time belong to the envelope, never to the message.
"""

from __future__ import annotations

import enum
from typing import Any, Generic, TypeVar

import msgspec

from thetawarden.domain.instants import UnixNs


class Message(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    tag=True,
    array_like=True,
    forbid_unknown_fields=True,
    gc=False,
):
    """Anything that one actor can say to another."""

    def shown(self) -> dict[str, Any]:
        """Return what it says by name, as people are shown it."""
        return {name: getattr(self, name) for name in self.__struct_fields__}

    def plainly(self) -> dict[str, Any]:
        """Return the same as plain data."""
        return {name: msgspec.to_builtins(value) for name, value in self.shown().items()}


class Command(Message, frozen=True, kw_only=True):
    """Asks for something; may be refused. Named in the imperative."""


class Event(Message, frozen=True, kw_only=True):
    """Reports what has happened; cannot be refused. Named in the past tense."""


class Lane(enum.IntEnum):
    """The lanes of a mailbox, most urgent first."""

    CONTROL = 0
    ORDERS = 1
    TIMER = 2
    MARKET = 3


M_co = TypeVar("M_co", bound=Message, covariant=True)


class Envelope(msgspec.Struct, Generic[M_co], frozen=True, gc=False):
    """One line of the message log: what was said, by whom, when, and because of which line."""

    seq: int
    at_ns: UnixNs
    sender: str
    incarnation: int
    cause_seq: int | None
    body: M_co
