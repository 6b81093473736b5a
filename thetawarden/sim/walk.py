"""Walks through what one actor handled, forwards and back, message by message.

Going back costs no more than a page: each page begins with a snapshot, and only the page one stands
on is kept message by message.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice, takewhile
from typing import Any

import msgspec

from thetawarden.actors.memory import encode_snapshot
from thetawarden.actors.post import ActorSpec
from thetawarden.infra.journal.reader import StoredSnapshot
from thetawarden.infra.journal.steps import Step
from thetawarden.messages.base import Message
from thetawarden.ports import Delivery
from thetawarden.sim.cast import Kept, Replayed
from thetawarden.sim.changes import Change, changes

PAGE = 64
Read = Callable[[int], Iterator[Step | StoredSnapshot]]
"""The actor's steps after a delivery's number, and its states where they were written."""


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """One message handled: the states around it, bytes kept, and what the actor said."""

    n: int
    delivery: Delivery
    before: dict[str, Any]
    after: dict[str, Any]
    said: tuple[Message, ...]

    def changed(self) -> tuple[Change, ...]:
        """The places of the state that it changed."""
        return tuple(changes(self.before, self.after))


class _Page(msgspec.Struct, frozen=True):
    """Where a page begins: the last delivery before it, and the actor then.

    `kept` is what the next process begins with, None where no other is to come.
    """

    after_n: int
    state: bytes
    spec: ActorSpec
    kept: Kept | None


def moments(replayed: Replayed, items: Iterable[Step | StoredSnapshot]) -> Iterator[Moment]:
    """What happens to an actor on its way through these steps."""
    before = _state(replayed)
    for item in items:
        said = replayed.go_on(item)
        if isinstance(item, StoredSnapshot):
            continue
        after = _state(replayed)
        yield Moment(n=item.n, delivery=item.delivery, before=before, after=after, said=said)
        before = after


class Walk:
    """One actor between two of its messages."""

    def __init__(self, begin: Replayed, read: Read) -> None:
        self._processes = begin.processes
        self._first, self._since = begin.kept, tuple(begin.since)
        self._read = read
        self._pages = [_page_after(0, begin)]
        self._number = 0
        self._moments: list[Moment] = []
        self._place = 0
        self._heard: list[tuple[int, int]] | None = None
        self._open(0)

    @property
    def state(self) -> dict[str, Any]:
        """The state here."""
        if self._place:
            return self._moments[self._place - 1].after
        return self._moments[0].before if self._moments else _state(self._begin())

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
        while (latest := self.latest) is not None and latest.n > n:
            self.back()
        while (ahead := self.forward()) is not None:
            if ahead.n > n:
                self.back()
                return

    def go_to_message(self, seq: int) -> bool:
        """Stand behind the last delivery of this message, whatever was handled before it.

        False where it was not handled: then before the first delivery of a later message.
        """
        if self._heard is None:
            self._heard = [(step.n, step.delivery.envelope.seq) for step in self._steps(0)]
        found = [n for n, each in self._heard if each == seq]
        later = (n - 1 for n, each in self._heard if each > seq)
        self.go_to(found[-1] if found else next(later, self._heard[-1][0] if self._heard else 0))
        return bool(found)

    def go_to_end(self) -> None:
        """Stand behind the last message of all."""
        while self.forward() is not None:
            pass

    def _turn(self, number: int) -> bool:
        """Open the next page, if there is anything on it."""
        if number == len(self._pages):
            return False
        self._open(number)
        return bool(self._moments)

    def _steps(self, after_n: int) -> Iterator[Step]:
        return (item for item in self._read(after_n) if isinstance(item, Step))

    def _begin(self) -> Replayed:
        page = self._pages[self._number]
        replayed = Replayed(page.spec, None, self._processes)
        replayed.begins_again = page.kept is not None
        replayed.stand(page.state, page.kept or Kept(n=0, body=None), self._handled_since(page))
        return replayed

    def _handled_since(self, page: _Page) -> list[Delivery]:
        """What was handled up to a page since the state was kept that is begun with again."""
        if page.kept is None:
            return []
        is_first = page.kept is self._first  # what came before this walk is known of it only
        steps = takewhile(
            lambda one: one.n <= page.after_n, self._steps(0 if is_first else page.kept.n)
        )
        return [*(self._since if is_first else ()), *(step.delivery for step in steps)]

    def _open(self, number: int) -> None:
        self._number, self._place = number, 0
        page, replayed = self._pages[number], self._begin()
        self._moments = list(islice(moments(replayed, self._read(page.after_n)), PAGE))
        if len(self._moments) == PAGE and number + 1 == len(self._pages):
            self._pages.append(_page_after(self._moments[-1].n, replayed))


def _state(replayed: Replayed) -> dict[str, Any]:
    state: dict[str, Any] = msgspec.to_builtins(replayed.actor.state, builtin_types=(bytes,))
    return state


def _page_after(n: int, replayed: Replayed) -> _Page:
    state = encode_snapshot(replayed.actor, replayed.timers)
    kept = replayed.kept if replayed.begins_again else None
    return _Page(n, state, replayed.spec, kept)
