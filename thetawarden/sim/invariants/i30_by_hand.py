"""I30: what was traded by hand is left alone."""

from __future__ import annotations

from thetawarden.domain.orders.intent import OrderRole
from thetawarden.practice.model import OrderRequest
from thetawarden.sim.invariants.scene import Check, Scene, Words

OPENING = frozenset({OrderRole.ENTRY, OrderRole.HEDGE, OrderRole.ROLL})


def make() -> Check:
    """The check."""
    return Check(id="I30", says="manual positions are never closed by us", sent=_sent)


def _sent(ticket: OrderRequest, scene: Scene) -> Words:
    """Only what an intent of ours opened is closed by one; a hedge may open as it reduces."""
    known = scene.submitted.get(ticket.order_ref)
    if known is None or not known.intent.reducing:
        return
    opened = {
        leg.instrument.conid
        for ref, one in scene.submitted.items()
        if one.intent.role in OPENING and ref != ticket.order_ref
        for leg in one.intent.legs
    }
    exchange = scene.world.gateway.exchange
    held = {one.contract.con_id: one.quantity for one in exchange.positions()}
    for leg in known.intent.legs:
        conid = leg.instrument.conid
        if held.get(conid, 0) * leg.ratio < 0 and conid not in opened:
            yield f"{ticket.order_ref} closes {conid}, which we never opened"
