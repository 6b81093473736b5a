"""I08: what was acknowledged as written survives every crash, and the log has no gap."""

from __future__ import annotations

from thetawarden.messages.base import Envelope
from thetawarden.sim.disk import Entry, Numbered
from thetawarden.sim.invariants.scene import Check, Scene, Words


class _Prefix:
    def __init__(self) -> None:
        self._seq = 0
        self._log: object = None

    def entry(self, entry: Entry, scene: Scene) -> Words:
        """Numbers follow each other; a new process goes on where the disk ended."""
        log = scene.world.log
        if isinstance(entry, Numbered) or not isinstance(entry, Envelope):
            return
        if log is not self._log:
            durable, self._log = scene.world.durable_seq, log
            if entry.seq != durable + 1:
                yield f"a process began at message {entry.seq}, written was up to {durable}"
        elif entry.seq != self._seq + 1:
            yield f"message {entry.seq} follows {self._seq}"
        self._seq = entry.seq


def make() -> Check:
    """The check, with a memory of its own."""
    return Check(id="I08", says="the log is a prefix without gaps", entry=_Prefix().entry)
