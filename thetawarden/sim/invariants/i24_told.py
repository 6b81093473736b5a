"""I24: a person is told of every halt."""

from __future__ import annotations

from thetawarden.messages.base import Envelope
from thetawarden.messages.operations import DeliverAlert
from thetawarden.messages.trading import TradingHalted
from thetawarden.sim.disk import Entry
from thetawarden.sim.invariants.scene import Check, Scene, Words


class _Told:
    def __init__(self) -> None:
        self._untold: dict[int, str] = {}

    def entry(self, entry: Entry, scene: Scene) -> Words:
        """Count halts against attempts to tell."""
        del scene
        if isinstance(entry, Envelope):
            if isinstance(entry.body, TradingHalted):
                halt = entry.body.halt
                self._untold.setdefault(halt.epoch, halt.reason)
            elif isinstance(entry.body, DeliverAlert):
                self._untold.clear()
        return ()

    def end(self, scene: Scene) -> Words:
        """Nothing may be left that nobody was told of."""
        del scene
        for epoch, reason in self._untold.items():
            yield f"nobody was told of halt {epoch}: {reason}"


def make() -> Check:
    """The check, with a memory of its own."""
    told = _Told()
    return Check(
        id="I24",
        says="every halt is told",
        hears=(TradingHalted, DeliverAlert),
        entry=told.entry,
        end=told.end,
    )
