"""What all screens of the console have in common: they are looked up again while they are seen."""

from __future__ import annotations

from textual.containers import Vertical

from thetawarden.console.sources import World
from thetawarden.console.worker import Worker


class Pane(Vertical):
    """One screen; `look` is called again and again while it is the one that is seen."""

    every_s = 1.0

    def __init__(self, *, title: str, world: World, worker: Worker) -> None:
        super().__init__(id=f"pane-{title.lower()}")
        self.title, self.world, self.worker = title, world, worker

    async def look(self) -> None:
        """Ask, and show the answer; may raise ThetawardenError, which the console shows."""

    def take_focus(self) -> None:
        """Put the cursor where a person expects it."""
