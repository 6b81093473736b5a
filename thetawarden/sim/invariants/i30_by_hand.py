"""I30: what was traded by hand is left alone."""

from __future__ import annotations

from thetawarden.practice.model import OrderRequest
from thetawarden.sim.invariants.scene import Check, Scene, Words


def make() -> Check:
    """The check."""
    return Check(id="I30", says="manual positions are never closed by us", sent=_sent)


def _sent(ticket: OrderRequest, scene: Scene) -> Words:
    """Only what some intent of ours opened is ever closed by one."""
    known = scene.submitted.get(ticket.order_ref)
    if known is None or not known.intent.reducing:
        return
    opened = {
        leg.instrument.conid
        for one in scene.submitted.values()
        if not one.intent.reducing and not one.intent.parent_ref
        for leg in one.intent.legs
    }
    for leg in known.intent.legs:
        if leg.instrument.conid not in opened:
            yield f"{ticket.order_ref} closes {leg.instrument.conid}, which we never opened"
