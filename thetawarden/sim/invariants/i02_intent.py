"""I02: every order that leaves has an earlier durable intent that it equals."""

from __future__ import annotations

import msgspec

from thetawarden.practice.model import OrderRequest
from thetawarden.sim.broker.tickets import ticket_of
from thetawarden.sim.invariants.scene import Check, Scene, Submitted, Words


def make() -> Check:
    """The check."""
    return Check(id="I02", says="what leaves has a durable intent equal to it", sent=_sent)


def _sent(ticket: OrderRequest, scene: Scene) -> Words:
    ref = ticket.order_ref
    known = [*scene.changes.get(ref, ()), *_first(scene, ref)]
    if not known:
        yield f"{ref or 'an order without a reference'} left without an intent"
        return
    fitting = [one for one in known if _equals(ticket, one)]
    if not fitting:
        yield f"{ref} left as another order than was intended"
    elif not any(scene.world.log.is_durable(one.seq) for one in fitting):
        yield f"{ref} left before its intent was on disk"


def _first(scene: Scene, ref: str) -> tuple[Submitted, ...]:
    known = scene.submitted.get(ref)
    return () if known is None else (known,)


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
