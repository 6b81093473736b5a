"""I23: a supervisor that gives up leaves a halted desk."""

from __future__ import annotations

from thetawarden.messages.base import Envelope
from thetawarden.messages.lifecycle import DeskStarted
from thetawarden.messages.trading import AdoptHaltFlag
from thetawarden.sim.disk import Entry
from thetawarden.sim.invariants.scene import Check, Scene, Words


class _GaveUp:
    def __init__(self) -> None:
        self._seen = 0
        self._must_adopt = False

    def entry(self, entry: Entry, scene: Scene) -> Words:
        """The first thing a process after that hears of is the halt."""
        if not isinstance(entry, Envelope):
            return
        if self._must_adopt:
            self._must_adopt = False
            if not isinstance(entry.body, AdoptHaltFlag):
                yield "a process began without a halt after the supervisor had given up"
        if isinstance(entry.body, DeskStarted) and len(scene.world.gave_up) > self._seen:
            self._seen, self._must_adopt = len(scene.world.gave_up), True


def make() -> Check:
    """The check, with a memory of its own."""
    return Check(id="I23", says="giving up ends halted", entry=_GaveUp().entry)
