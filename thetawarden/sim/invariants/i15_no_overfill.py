"""I15: no order is filled beyond its size."""

from __future__ import annotations

from decimal import Decimal

from thetawarden.domain.broker.instrument import InstrumentKind
from thetawarden.domain.broker.orders import execution_stem
from thetawarden.messages.base import Envelope
from thetawarden.messages.books import ExecutionReported
from thetawarden.sim.disk import Entry
from thetawarden.sim.invariants.scene import Check, Scene, Words


class _Filled:
    def __init__(self) -> None:
        self._fills: dict[str, dict[str, Decimal]] = {}

    def entry(self, entry: Entry, scene: Scene) -> Words:
        """Sum the fills of every order, corrections applied."""
        if not isinstance(entry, Envelope) or not isinstance(entry.body, ExecutionReported):
            return
        fill = entry.body.execution
        known = scene.submitted.get(fill.order_ref)
        single = known is not None and len(known.intent.legs) == 1
        if known is None or (not single and fill.instrument.kind is not InstrumentKind.COMBO):
            return
        fills = self._fills.setdefault(fill.order_ref, {})
        fills[execution_stem(fill.execution_id)] = abs(fill.quantity)
        ratio = abs(known.intent.legs[0].ratio) if single else 1
        asked = [known, *scene.changes.get(fill.order_ref, ())]  # an exit grows with its entry
        units = max(one.intent.units for one in asked)
        if sum(fills.values()) > units * ratio:
            yield f"{fill.order_ref}: {sum(fills.values())} filled of {units}"


def make() -> Check:
    """The check, with a memory of its own."""
    return Check(
        id="I15",
        says="no order fills beyond its size",
        hears=(ExecutionReported,),
        entry=_Filled().entry,
    )
