"""I18: no two orders of ours could trade with each other.

What waits for its trigger trades with nobody; where the market gets there, an entry that still
works has long been filled.
"""

from __future__ import annotations

from thetawarden.practice.model import Action, OrderRequest
from thetawarden.sim.invariants.scene import Check, Scene, Words

STOP = "STP"


def make() -> Check:
    """The check."""
    return Check(id="I18", says="no simultaneous opposite orders that cross", sent=_sent)


def _sent(ticket: OrderRequest, scene: Scene) -> Words:
    known = scene.submitted.get(ticket.order_ref)
    if known is None or len(known.intent.legs) != 1 or ticket.limit_price is None:
        return
    if ticket.order_type.startswith(STOP):
        return
    conid = known.intent.legs[0].instrument.conid
    for view in scene.world.gateway.exchange.open_orders():
        other = view.request
        same = not view.contract.legs and view.contract.con_id == conid
        ours = other.key.client_id == ticket.key.client_id
        if not same or not ours or other.action is ticket.action or other.limit_price is None:
            continue
        buys, sells = (ticket, other) if ticket.action is Action.BUY else (other, ticket)
        if (buys.limit_price or 0.0) >= (sells.limit_price or 0.0) and not view.why_held:
            yield f"{ticket.order_ref} would trade with {other.order_ref}"
