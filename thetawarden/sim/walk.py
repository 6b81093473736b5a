"""Walks through what one actor handled, forwards and back, message by message.

Going back costs no more than a page: each page begins with a snapshot, and only the page one stands
on is kept message by message.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import msgspec

from thetawarden.actors.memory import encode_snapshot
from thetawarden.actors.post import ActorSpec
from thetawarden.infra.journal.steps import Step
from thetawarden.messages.base import Message
from thetawarden.ports import Delivery
from thetawarden.sim.cast import Replayed

PAGE = 64
Read = Callable[[int], Iterator[Step]]
"""The actor's steps after a delivery's number."""


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """One message handled: the states around it, and what the actor said."""

    n: int
    delivery: Delivery
    before: dict[str, Any]
    after: dict[str, Any]
    said: tuple[Message, ...]

    def changed(self) -> dict[str, dict[str, Any]]:
        """The fields of the state that it changed."""
        return {
            name: {"before": self.before.get(name), "after": value}
            for name, value in self.after.items()
            if self.before.get(name) != value
        }


class _Page(msgspec.Struct, frozen=True):
    """Where a page begins: the last delivery before it, and the actor then."""

    after_n: int
    snapshot: bytes
    spec: ActorSpec


def moments(replayed: Replayed, steps: Iterator[Step]) -> Iterator[Moment]:
    """What happens to an actor on its way through these steps."""
    before = replayed.state()
    for step in steps:
        said = replayed.take(step)
        after = replayed.state()
        yield Moment(n=step.n, delivery=step.delivery, before=before, after=after, said=said)
        before = after


class Walk:
    """One actor between two of its messages."""

    def __init__(self, begin: Replayed, read: Read) -> None:
        self._processes = begin.processes
        self._read = read
        self._pages = [_page_after(0, begin)]
        self._number = 0
        self._moments: list[Moment] = []
        self._place = 0
        self._open(0)

    @property
    def state(self) -> dict[str, Any]:
        """The state here."""
        if self._place:
            return self._moments[self._place - 1].after
        return self._moments[0].before if self._moments else self._begin().state()

    def forward(self) -> Moment | None:
        """Let the actor handle its next message; None at the end."""
        if self._place == len(self._moments) and not self._turn(self._number + 1):
            return None
        self._place += 1
        return self._moments[self._place - 1]

    def back(self) -> Moment | None:
        """Take the latest message back, and return it; None at the beginning."""
        if self._place == 0:
            if self._number == 0:
                return None
            self._open(self._number - 1)
            self._place = len(self._moments)
        self._place -= 1
        return self._moments[self._place]

    @property
    def latest(self) -> Moment | None:
        """The message this is right behind; None at the beginning."""
        if self._place == 0 and self._number:
            self._open(self._number - 1)
            self._place = len(self._moments)
        return self._moments[self._place - 1] if self._place else None

    def go_to(self, n: int) -> None:
        """Stand behind the last message up to and with this delivery."""
        self._seek(lambda moment: moment.n <= n)

    def go_to_message(self, seq: int) -> None:
        """Stand behind the last delivery of the messages up to and with this one."""
        self._seek(lambda moment: moment.delivery.envelope.seq <= seq)

    def go_to_end(self) -> None:
        """Stand behind the last message of all."""
        while self.forward() is not None:
            pass

    def _seek(self, is_before: Callable[[Moment], bool]) -> None:
        while (latest := self.latest) is not None and not is_before(latest):
            self.back()
        while (ahead := self.forward()) is not None:
            if not is_before(ahead):
                self.back()
                return

    def _turn(self, number: int) -> bool:
        """Open the next page, if there is anything on it."""
        if number == len(self._pages):
            return False
        self._open(number)
        return bool(self._moments)

    def _begin(self) -> Replayed:
        page = self._pages[self._number]
        return Replayed(page.spec, page.snapshot, self._processes)

    def _open(self, number: int) -> None:
        self._number, self._place = number, 0
        page, replayed = self._pages[number], self._begin()
        steps = islice(self._read(page.after_n), PAGE)
        self._moments = list(moments(replayed, steps))
        if len(self._moments) == PAGE and number + 1 == len(self._pages):
            self._pages.append(_page_after(self._moments[-1].n, replayed))


def _page_after(n: int, replayed: Replayed) -> _Page:
    return _Page(n, encode_snapshot(replayed.actor, replayed.timers), replayed.spec)
