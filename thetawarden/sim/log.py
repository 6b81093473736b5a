"""A message log in memory: same order, same rows, no disk."""

from __future__ import annotations

from typing import Any, Protocol

import msgspec

from thetawarden.domain.instants import UnixNs
from thetawarden.messages.base import Envelope, Message
from thetawarden.ports import Delivery, FencedError, MessageLog, Outcome


class SimLog(MessageLog, Protocol):
    """A message log of the simulation: it says itself when it writes."""

    def is_durable(self, seq: int, /) -> bool:
        """Whether the message would survive the end of the process."""
        ...

    def commit(self) -> None:
        """Make all that was said durable."""
        ...


class MemoryLog:
    """Implements the MessageLog port; keeps every record, or only counts when told so.

    For one thread at a time where it keeps: the simulation's. Counting alone is safe from many.
    """

    def __init__(self, *, keep: bool = True, next_seq: int = 1) -> None:
        self.keeps = keep
        self._next_seq = next_seq
        self._next_n = 1
        self._incarnations: dict[str, int] = {}
        self.records: list[Any] = []

    def say(  # keywords cost a tenth of a hop
        self, body: Message, sender: str, incarnation: int, cause_seq: int | None, at_ns: UnixNs
    ) -> Envelope[Message]:
        """Give a message its place in the order."""
        if incarnation and self._incarnations.get(sender, incarnation) != incarnation:
            raise FencedError(sender, incarnation)
        seq = self._next_seq
        self._next_seq = seq + 1
        envelope = Envelope(seq, at_ns, sender, incarnation, cause_seq, body)
        if self.keeps:
            self.records.append(envelope)
        return envelope

    def record(
        self, delivery: Delivery, answers: tuple[Message, ...]
    ) -> tuple[Envelope[Message], ...]:
        """Note a delivery with all its answers as one step."""
        actor, incarnation = delivery.actor, delivery.incarnation
        fenced = self._incarnations.get(actor, incarnation) != incarnation
        if fenced and delivery.outcome is Outcome.HANDLED:
            raise FencedError(actor, incarnation)
        if self.keeps:
            self.records.append(delivery)
            self._next_n += 1
        if not answers:
            return ()
        return tuple(
            self.say(answer, actor, incarnation, delivery.envelope.seq, delivery.at_ns)
            for answer in answers
        )

    def snapshot(self, *, actor: str, incarnation: int, at_ns: UnixNs, state: bytes) -> None:
        """Note an actor's state."""
        if self.keeps:
            self.records.append((actor, incarnation, at_ns, state))

    def fence(self, actor: str, incarnation: int) -> None:
        """From now on only this incarnation of the actor may speak."""
        self._incarnations[actor] = incarnation

    def wait_durable(self, seq: int, timeout_s: float) -> None:
        """Everything here is as durable as it will ever be."""

    def is_durable(self, _seq: int, /) -> bool:
        """It is."""
        return True

    def commit(self) -> None:
        """Nothing is left to be done."""

    def dump(self) -> bytes:
        """All records as bytes: equal runs give equal bytes."""
        return msgspec.msgpack.encode(self.records)
