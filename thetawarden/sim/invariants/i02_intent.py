"""I02: every order and every change that leaves has an earlier durable intent that it equals.

The intent is that of the message that is performed: an order changed back to what it once was, by
nobody's wish, equals one that is of the past.
"""

from __future__ import annotations

import msgspec

from thetawarden.practice.model import OrderRequest
from thetawarden.sim.broker.tickets import ticket_of
from thetawarden.sim.invariants.performed import Performed
from thetawarden.sim.invariants.scene import Check, Scene, Submitted, Words


class _Intended:
    def __init__(self) -> None:
        self._performed = Performed()

    def sent(self, ticket: OrderRequest, scene: Scene) -> Words:
        """Compare what leaves with what was asked for."""
        ref = ticket.order_ref
        known = self._performed.of(ticket, scene)
        if known is None:
            again = " again, and no change was asked for" if ref in scene.submitted else ""
            yield f"{ref or 'an order without a reference'} left{again or ' without an intent'}"
        elif not _equals(ticket, known):
            yield f"{ref} left as another order than was intended"
        elif not scene.world.log.is_durable(known.seq):
            yield f"{ref} left before its intent was on disk"


def make() -> Check:
    """The check, with a memory of its own."""
    return Check(
        id="I02", says="what leaves has a durable intent equal to it", sent=_Intended().sent
    )


def _equals(ticket: OrderRequest, known: Submitted) -> bool:
    wanted = ticket_of(
        known.intent,
        key=ticket.key,
        account=ticket.account,
        parent_id=ticket.parent_id,
        transmit=ticket.transmit,
        oca=(ticket.oca_group, ticket.oca_type),
    )
    return bool(msgspec.structs.replace(wanted) == ticket)
