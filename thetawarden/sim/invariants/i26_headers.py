"""I26: every process says what it is before any actor speaks."""

from __future__ import annotations

from thetawarden.messages.base import Envelope
from thetawarden.messages.lifecycle import DeskStarted
from thetawarden.sim.disk import Entry
from thetawarden.sim.invariants.scene import Check, Scene, Words


class _Headers:
    def __init__(self) -> None:
        self._log: object = None
        self._named = False

    def entry(self, entry: Entry, scene: Scene) -> Words:
        """Before an incarnation speaks, the run has a header."""
        if scene.world.log is not self._log:
            self._log, self._named = scene.world.log, False
        if not isinstance(entry, Envelope):
            return
        if isinstance(entry.body, DeskStarted):
            self._named = bool(entry.body.config_fingerprint and entry.body.software)
        elif entry.incarnation and not self._named:
            self._named = True
            yield f"{entry.sender} spoke before the process had said what it is"


def make() -> Check:
    """The check, with a memory of its own."""
    return Check(id="I26", says="every run has a header", entry=_Headers().entry)
