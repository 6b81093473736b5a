"""I21: one process at a time holds a store; another is refused before it touches anything."""

from __future__ import annotations

from thetawarden.messages.operations import VitalsTaken
from thetawarden.sim.disk import Entry
from thetawarden.sim.invariants.scene import Check, Scene, Words


class _OneDesk:
    def __init__(self) -> None:
        self._seen = 0

    def entry(self, _entry: Entry, scene: Scene) -> Words:
        """Look whether another was let in since the last sign of life."""
        yield from self.end(scene)

    def end(self, scene: Scene) -> Words:
        """Tell of each once."""
        if scene.world.doubled > self._seen:
            self._seen = scene.world.doubled
            yield "another desk took the store while one was running on it"


def make() -> Check:
    """The check, with a memory of its own."""
    check = _OneDesk()
    return Check(
        id="I21",
        says="one process holds the store",
        hears=(VitalsTaken,),
        entry=check.entry,
        end=check.end,
    )
