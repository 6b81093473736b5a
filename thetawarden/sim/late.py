"""Handlers that return when it is too late: their incarnation hung and was fenced off meanwhile.

As on a thread that nobody can end, the old cell goes on with the message it hung on, at the instant
it had begun with, and records and says its answers as ever: to refuse them is the log's business.
What came of it is seen from outside, by how the desk looks before and after.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from typing_extensions import override

from thetawarden.actors.cell import Cell, HandlerFailed
from thetawarden.actors.overseer import Overseer
from thetawarden.actors.post import Ended, Post, Pulse
from thetawarden.domain.restart import Ending
from thetawarden.messages.base import Envelope, Message
from thetawarden.ports import FencedError

AT_ONCE, BEFORE_NEXT = 0.25, 0.5
"""Of all that hang so many return before their successor begins, or before it hears anything."""
LATE_NS_MAX = 10_000_000_000
"""Of the machine: the others return within so long."""

Looks = Mapping[str, object]


class LateCell(Cell):
    """A cell whose handler may hang and return later; a thread writes its pulse only before."""

    _hung = False

    def hang(self, envelope: Envelope[Message], merged: int) -> Callable[[], Ended]:
        """Begin the step; what this returns does the rest of it and says how the thread ended."""
        now = self._now_ns()
        self._pulse.envelope = envelope
        self._pulse = Pulse()
        self._now_ns = lambda: now
        self._hung = True
        return partial(self._come_back, envelope, merged)

    def _come_back(self, envelope: Envelope[Message], merged: int) -> Ended:
        ending, error = Ending.STOPPED, None
        try:
            self.step(envelope, merged)
        except FencedError:
            pass
        except HandlerFailed as failure:
            ending, error = Ending.CRASHED, failure.__cause__
        return Ended(
            actor=self.post.name,
            incarnation=self.incarnation,
            ending=ending,
            error=error,
            envelope=None if error is None else envelope,
        )

    @override
    def _is_stale(self, envelope: Envelope[Message]) -> bool:
        """It was not when the handler was asked."""
        return not self._hung and super()._is_stale(envelope)


class LateReturns:
    """Lets those who hang be fenced off and return later; `trespassed` is what they changed.

    That a thread is over is told to the supervisor, who hears it once done with what it does.
    """

    def __init__(
        self,
        *,
        overseer: Overseer,
        after: Callable[[int, Callable[[], None]], None],
        looks: Callable[[Post], Looks],
    ) -> None:
        self.count = 0
        self.trespassed: list[str] = []
        self._overseer = overseer
        self._after = after
        self._looks = looks
        self._when_fenced: Callable[[], None] | None = None

    def hang(self, cell: Cell, rest: Callable[[], Ended], *, draw: float) -> None:
        """Have the supervisor find out; `rest` is done when the draw says."""
        come_back = partial(self._come_back, cell, rest)
        self._when_fenced = come_back if draw < AT_ONCE else None
        self._overseer.hung(cell.post.name)
        if AT_ONCE <= draw < BEFORE_NEXT:
            come_back()
        elif draw >= BEFORE_NEXT:
            share = (draw - BEFORE_NEXT) / (1.0 - BEFORE_NEXT)
            self._after(round(share * LATE_NS_MAX), come_back)

    def fenced(self) -> None:
        """An incarnation has just been fenced off, and no other begun."""
        come_back, self._when_fenced = self._when_fenced, None
        if come_back is not None:
            come_back()

    def _come_back(self, cell: Cell, rest: Callable[[], Ended]) -> None:
        before = self._looks(cell.post)
        ended = rest()
        after = self._looks(cell.post)
        self.count += 1
        self.trespassed += (
            f"{ended.actor} {ended.incarnation} changed the {name}"
            for name, looked in before.items()
            if after[name] != looked
        )
        self._after(0, lambda: self._overseer.ended(ended))
