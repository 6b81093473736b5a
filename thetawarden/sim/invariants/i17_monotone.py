"""I17: what has ended lives again only by the broker's own word.

What a process said and did not write is lost with it: the next one never heard of that end.
"""

from __future__ import annotations

from thetawarden.domain.orders.stages import ENDS, Stage
from thetawarden.messages.base import Envelope
from thetawarden.messages.books import BookFetched, ExecutionReported, OrderReported
from thetawarden.messages.lifecycle import DeskStarted
from thetawarden.messages.orders import OrderStageChanged
from thetawarden.sim.disk import Entry
from thetawarden.sim.invariants.scene import Check, Scene, Words

BROKERS_WORD = (BookFetched, ExecutionReported, OrderReported)


class _Stages:
    def __init__(self) -> None:
        self._stages: dict[str, Stage] = {}
        self._words: set[int] = set()
        self._steps: list[tuple[int, str, Stage | None]] = []

    def entry(self, entry: Entry, scene: Scene) -> Words:
        """Follow every order from stage to stage."""
        if not isinstance(entry, Envelope):
            return
        if isinstance(entry.body, DeskStarted):
            self._forget(after_seq=scene.world.durable_seq)
        if isinstance(entry.body, BROKERS_WORD):
            self._words.add(entry.seq)
        if not isinstance(entry.body, OrderStageChanged):
            return
        changed = entry.body
        before = self._stages.get(changed.order_ref)
        self._stages[changed.order_ref] = changed.stage
        self._steps.append((entry.seq, changed.order_ref, before))
        lives_again = before in ENDS and changed.stage not in ENDS
        if lives_again and entry.cause_seq not in self._words:
            yield f"{changed.order_ref} went from {before} to {changed.stage}: {changed.words}"

    def _forget(self, *, after_seq: int) -> None:
        """Go back to what was written."""
        self._words = {seq for seq in self._words if seq <= after_seq}
        while self._steps and self._steps[-1][0] > after_seq:
            _, order_ref, before = self._steps.pop()
            if before is None:
                del self._stages[order_ref]
            else:
                self._stages[order_ref] = before


def make() -> Check:
    """The check, with a memory of its own."""
    return Check(
        id="I17",
        says="ended orders stay ended",
        hears=(*BROKERS_WORD, DeskStarted, OrderStageChanged),
        entry=_Stages().entry,
    )
