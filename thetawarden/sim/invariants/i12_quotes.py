"""I12: no entry leaves on a quote that is old, of another link, not live, crossed or one-sided.

What was told of a contract last is never older than what a decision rests on, so that its age at
the bytes has no need of a margin.
"""

from __future__ import annotations

from thetawarden.domain.broker.quote import DataType
from thetawarden.domain.instants import NS_PER_SECOND
from thetawarden.practice.model import OrderRequest
from thetawarden.sim.invariants.scene import Check, Scene, Words


def make() -> Check:
    """The check."""
    return Check(id="I12", says="no entry rests on a quote that must not be used", sent=_sent)


def _sent(ticket: OrderRequest, scene: Scene) -> Words:
    known = scene.submitted.get(ticket.order_ref)
    if known is None or known.intent.reducing or known.intent.parent_ref:
        return
    world = scene.world
    oldest_s = world.settings.config.risk.orders.quote_age_s_max * world.clock.speed
    jumped = world.clock_was_set or world.clock.was_set_within(round(2 * oldest_s * NS_PER_SECOND))
    for leg in known.intent.legs:
        conid = leg.instrument.conid
        known_quote = scene.quoted(conid)
        if known_quote is None:
            yield f"{ticket.order_ref} left, and {conid} was never quoted"
            continue
        quote, epoch = known_quote
        age_s = (world.clock.now_ns() - quote.at_ns) / NS_PER_SECOND
        if epoch != world.broker.epoch:
            yield f"{ticket.order_ref} left on a quote of {conid} of link {epoch}"
        elif quote.data_type is not DataType.LIVE:
            yield f"{ticket.order_ref} left on a quote of {conid} that is {quote.data_type}"
        elif age_s > oldest_s and not jumped:
            yield f"{ticket.order_ref} left on a quote of {conid} {age_s:.0f} s old"
