"""I01: nothing that adds risk leaves while trading is halted.

Whether an order does is asked of what the exchange holds: to call itself reducing is no leave.
"""

from __future__ import annotations

from thetawarden.practice.model import OrderRequest
from thetawarden.sim.invariants.adding import adds_risk
from thetawarden.sim.invariants.scene import Check, Scene, Words


def make() -> Check:
    """The check, with a memory of its own."""
    return Check(
        id="I01", says="no order that adds risk leaves while trading is halted", sent=_sent
    )


def _sent(ticket: OrderRequest, scene: Scene) -> Words:
    known = scene.submitted.get(ticket.order_ref)
    halt = scene.halt
    if halt is None or known is None or not adds_risk(known.intent, scene):
        return
    said_before = known.seq < scene.halt_seq
    if not said_before or scene.world.flag.read() is not None:
        yield f"{ticket.order_ref} left while halted: {halt.reason}"
