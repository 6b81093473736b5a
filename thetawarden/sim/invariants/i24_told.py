"""I24: a person is told of every halt."""

from __future__ import annotations

import re

from thetawarden.domain.halt import HaltRecord
from thetawarden.messages.base import Envelope
from thetawarden.messages.lifecycle import DeskStarted, EffectFailed
from thetawarden.messages.operations import AlertDelivered, DeliverAlert
from thetawarden.messages.trading import TradingHalted
from thetawarden.sim.disk import Entry
from thetawarden.sim.invariants.scene import Check, Scene, Words

_EPOCH = re.compile(r"^Trading halted .*\(epoch (\d+)\)", re.DOTALL)


class _Told:
    """A halt counts as told once an alert that names it has gone out, or could not."""

    def __init__(self) -> None:
        self._untold: dict[int, tuple[int, str]] = {}
        self._asked: dict[int, int] = {}
        self._told: set[int] = set()

    def entry(self, entry: Entry, scene: Scene) -> Words:
        """Count halts against attempts to tell."""
        if isinstance(entry, Envelope):
            match entry.body:
                case DeskStarted():
                    self._forget_lost(scene.world.durable_seq)
                case TradingHalted(halt=halt):
                    self._stands(halt, entry.seq)
                case DeliverAlert(text=text):
                    named = _EPOCH.match(text)
                    if named is not None:
                        self._asked[entry.seq] = int(named[1])
                case AlertDelivered() | EffectFailed():
                    self._tried(entry.cause_seq)
                case _:
                    pass
        return ()

    def end(self, scene: Scene) -> Words:
        """Nothing may be left that nobody was told of."""
        del scene
        for epoch, (_, reason) in self._untold.items():
            yield f"nobody was told of halt {epoch}: {reason}"

    def _stands(self, halt: HaltRecord, seq: int) -> None:
        """A process that begins says again what stands; that need not be told again."""
        if halt.epoch not in self._told:
            self._untold.setdefault(halt.epoch, (seq, halt.reason))

    def _forget_lost(self, durable_seq: int) -> None:
        """A halt that was lost with its process, before it was written, never was one."""
        for epoch, (seq, _) in tuple(self._untold.items()):
            if seq > durable_seq:
                del self._untold[epoch]

    def _tried(self, cause_seq: int | None) -> None:
        epoch = self._asked.get(cause_seq or 0)
        if epoch is not None:
            self._told.add(epoch)
            self._untold.pop(epoch, None)


def make() -> Check:
    """The check, with a memory of its own."""
    told = _Told()
    return Check(
        id="I24",
        says="every halt is told",
        hears=(DeskStarted, TradingHalted, DeliverAlert, AlertDelivered, EffectFailed),
        entry=told.entry,
        end=told.end,
    )
