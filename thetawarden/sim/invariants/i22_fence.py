"""I22: an actor of an old incarnation says nothing."""

from __future__ import annotations

from thetawarden.messages.base import Envelope
from thetawarden.messages.lifecycle import Begin
from thetawarden.ports import Outcome
from thetawarden.sim.disk import Entry, Numbered
from thetawarden.sim.invariants.scene import Check, Scene, Words


class _Fence:
    def __init__(self) -> None:
        self._latest: dict[str, int] = {}

    def entry(self, entry: Entry, scene: Scene) -> Words:
        """The latest incarnation that began is the only one that speaks."""
        del scene
        if isinstance(entry, Numbered):
            delivery = entry.delivery
            if isinstance(delivery.envelope.body, Begin):
                self._latest[delivery.actor] = delivery.incarnation
            elif delivery.outcome is Outcome.HANDLED:
                latest = self._latest.get(delivery.actor, delivery.incarnation)
                if delivery.incarnation < latest:
                    yield f"{delivery.actor} {delivery.incarnation} handled after {latest} began"
        elif isinstance(entry, Envelope) and entry.incarnation:
            latest = self._latest.get(entry.sender, entry.incarnation)
            if entry.incarnation < latest:
                yield f"{entry.sender} {entry.incarnation} spoke after {latest} had begun"


def make() -> Check:
    """The check, with a memory of its own."""
    return Check(id="I22", says="old incarnations change nothing", entry=_Fence().entry)
