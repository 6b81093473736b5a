"""I17: what has ended lives again only by the broker's own word."""

from __future__ import annotations

from thetawarden.domain.orders.stages import ENDS, Stage
from thetawarden.messages.base import Envelope
from thetawarden.messages.books import BookFetched, ExecutionReported, OrderReported
from thetawarden.messages.orders import OrderStageChanged
from thetawarden.sim.disk import Entry
from thetawarden.sim.invariants.scene import Check, Scene, Words

BROKERS_WORD = (BookFetched, ExecutionReported, OrderReported)


class _Stages:
    def __init__(self) -> None:
        self._stages: dict[str, Stage] = {}
        self._words: set[int] = set()

    def entry(self, entry: Entry, scene: Scene) -> Words:
        """Follow every order from stage to stage."""
        del scene
        if not isinstance(entry, Envelope):
            return
        if isinstance(entry.body, BROKERS_WORD):
            self._words.add(entry.seq)
        if not isinstance(entry.body, OrderStageChanged):
            return
        changed = entry.body
        before = self._stages.get(changed.order_ref)
        self._stages[changed.order_ref] = changed.stage
        lives_again = before in ENDS and changed.stage not in ENDS
        if lives_again and entry.cause_seq not in self._words:
            yield f"{changed.order_ref} went from {before} to {changed.stage}: {changed.words}"


def make() -> Check:
    """The check, with a memory of its own."""
    return Check(
        id="I17",
        says="ended orders stay ended",
        hears=(*BROKERS_WORD, OrderStageChanged),
        entry=_Stages().entry,
    )
