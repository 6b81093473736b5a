"""I22: an incarnation that is over, or fenced off as it hung, changes nothing.

In the log nobody speaks or handles anything once it was recorded that a message had ended him, or
that another had begun in his name. Beside the log nothing looks different for the return of a
handler that had hung: no mailbox, timer or effect, and not the memory and state of his successor.
"""

from __future__ import annotations

from collections.abc import Iterator

from thetawarden.messages.base import Envelope
from thetawarden.messages.lifecycle import Begin, DeskStarted
from thetawarden.ports import Delivery, Outcome
from thetawarden.sim.disk import Entry, Numbered
from thetawarden.sim.invariants.scene import Check, Scene, Words

ENDED = frozenset({Outcome.CRASHED, Outcome.HUNG, Outcome.PARKED})


class _Fence:
    def __init__(self) -> None:
        self._first: dict[str, int] = {}

    def entry(self, entry: Entry, scene: Scene) -> Words:
        """Only who has not ended, and nobody began after, may speak."""
        if isinstance(entry, Numbered):
            yield from self._delivered(entry.delivery)
        elif isinstance(entry, Envelope):
            if isinstance(entry.body, DeskStarted):
                self._first.clear()
            if entry.incarnation < self._first.get(entry.sender, 0) and entry.incarnation:
                yield f"{entry.sender} {entry.incarnation} spoke when it was over"
            yield from _trespasses(scene)

    def _delivered(self, delivery: Delivery) -> Words:
        name, number = delivery.actor, delivery.incarnation
        first = self._first.get(name, 0)
        if delivery.outcome in ENDED:
            self._first[name] = max(first, number + 1)
        elif isinstance(delivery.envelope.body, Begin):
            self._first[name] = number
        elif delivery.outcome is Outcome.HANDLED and number < first:
            yield f"{name} {number} handled a message when it was over"


def _trespasses(scene: Scene) -> Iterator[str]:
    trespassed = scene.world.desk.late.trespassed
    while trespassed:
        yield f"{trespassed.pop()} when it was over"


def make() -> Check:
    """The check, with a memory of its own."""
    return Check(
        id="I22",
        says="old incarnations change nothing",
        entry=_Fence().entry,
        end=_trespasses,
    )
