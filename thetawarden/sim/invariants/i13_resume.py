"""I13: only a person's resume with the halt's own epoch resumes; a restart keeps the halt."""

from __future__ import annotations

from thetawarden.domain.instants import NS_PER_SECOND
from thetawarden.messages.base import Envelope
from thetawarden.messages.trading import Resume, TradingHalted, TradingResumed
from thetawarden.sim.disk import Entry
from thetawarden.sim.invariants.scene import Check, Scene, Words

FLAGGED_WITHIN_NS = NS_PER_SECOND
"""So soon after a halt its flag is a file."""


class _Resumed:
    def __init__(self) -> None:
        self._asked: dict[int, tuple[str, int]] = {}
        self._epoch = 0
        self._halted = False
        self._since_ns = 0

    def entry(self, entry: Entry, scene: Scene) -> Words:
        """Find who asked for a resume that happened, and a halt that stood without its flag."""
        now = scene.world.clock.monotonic_ns()
        if not isinstance(entry, Envelope):
            return
        match entry.body:
            case Resume(epoch=epoch):
                self._asked[entry.seq] = (entry.sender, epoch)
            case TradingHalted(halt=halt):
                self._since_ns = self._since_ns if self._halted else now
                self._epoch, self._halted = halt.epoch, True
            case TradingResumed() if self._halted:
                self._halted = False
                stood_ns = now - self._since_ns
                if stood_ns > FLAGGED_WITHIN_NS and scene.world.flag.read() is None:
                    yield f"a halt stood for {stood_ns / NS_PER_SECOND:.0f} s without its flag"
                sender, epoch = self._asked.get(entry.cause_seq or 0, ("nobody", -1))
                if sender != "person":
                    yield f"trading was resumed by {sender}"
                elif epoch != self._epoch:
                    yield f"trading was resumed by a resume of epoch {epoch}, not {self._epoch}"
            case _:
                pass


def _end(scene: Scene) -> Words:
    latch = scene.world.latch()
    if latch is not None and (latch.halt is None) != (scene.world.flag.read() is None):
        yield f"halt flag and governor differ: the latch is {latch}"


def make() -> Check:
    """The check, with a memory of its own."""
    return Check(
        id="I13",
        says="only a person with the right epoch resumes",
        hears=(Resume, TradingHalted, TradingResumed),
        entry=_Resumed().entry,
        end=_end,
    )
