"""I03: an intent reaches the broker once at most, over all processes."""

from __future__ import annotations

from thetawarden.practice.model import OrderKey, OrderRequest
from thetawarden.sim.invariants.scene import Check, Scene, Words


class _Once:
    def __init__(self) -> None:
        self._keys: dict[str, set[OrderKey]] = {}

    def sent(self, ticket: OrderRequest, scene: Scene) -> Words:
        """Count the orders under one reference, and the living attempts of one purpose."""
        keys = self._keys.setdefault(ticket.order_ref, set())
        keys.add(ticket.key)
        if len(keys) > 1:
            yield f"{ticket.order_ref} left {len(keys)} times"
        purpose = ticket.order_ref.rpartition(".")[0]
        for view in scene.world.gateway.exchange.open_orders():
            other = view.request.order_ref
            if other != ticket.order_ref and purpose and other.rpartition(".")[0] == purpose:
                yield f"{ticket.order_ref} left while {other} works"


def make() -> Check:
    """The check, with a memory of its own."""
    once = _Once()
    return Check(id="I03", says="an intent reaches the broker once at most", sent=once.sent)
