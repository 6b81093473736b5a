"""I07: what is built of the log is what was alive, byte for byte.

Compared wherever an actor ended between two messages, in order or by a fault, and begins again:
in the same process, or in the next one from what is on disk.
"""

from __future__ import annotations

from thetawarden.messages.lifecycle import Begin
from thetawarden.sim.disk import Entry
from thetawarden.sim.invariants.scene import Check, Scene, Words


def make() -> Check:
    """The check."""
    return Check(id="I07", says="replay equals what was live", hears=(Begin,), entry=_entry)


def _entry(_entry: Entry, scene: Scene) -> Words:
    """An incarnation that begins has just been built."""
    differing = scene.world.desk.differing
    while differing:
        yield f"{differing.pop()} was built of the log as another than it had been"
