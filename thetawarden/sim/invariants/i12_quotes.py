"""I12: no entry leaves on a quote that is old, of another link, not live, crossed or one-sided.

What was told of a contract last is never older than what a decision rests on, so that its age at
the bytes has no need of a margin. Whether it has two sides is asked of what was told since the
instant that the order says it rests on: what became of a quote later is no fault of a decision.
"""

from __future__ import annotations

from thetawarden.domain.broker.quote import DataType
from thetawarden.domain.instants import NS_PER_SECOND
from thetawarden.practice.model import OrderRequest
from thetawarden.sim.invariants.adding import adds_risk
from thetawarden.sim.invariants.performed import Performed
from thetawarden.sim.invariants.scene import Check, Scene, Submitted, Words


class _Quotes:
    def __init__(self) -> None:
        self._performed = Performed()

    def sent(self, ticket: OrderRequest, scene: Scene) -> Words:
        """Look at every leg of what opens."""
        known = self._performed.of(ticket, scene)
        if known is None or not adds_risk(known.intent, scene):
            return
        for leg in known.intent.legs:
            words = _fault(leg.instrument.conid, known, scene)
            if words:
                yield f"{ticket.order_ref} left{words}"


def make() -> Check:
    """The check, with a memory of its own."""
    return Check(
        id="I12", says="no entry rests on a quote that must not be used", sent=_Quotes().sent
    )


def _fault(conid: int, known: Submitted, scene: Scene) -> str:
    """What is wrong with the quote of a leg; empty for nothing."""
    world, last = scene.world, scene.quoted(conid)
    if last is None:
        return f", and {conid} was never quoted"
    quote, epoch = last
    if epoch != world.broker.epoch:
        return f" on a quote of {conid} of link {epoch}"
    if quote.data_type is not DataType.LIVE:
        return f" on a quote of {conid} that is {quote.data_type}"
    now, machine_ns = world.clock.now_ns(), world.clock.speed * NS_PER_SECOND
    age_ns_max = round(world.settings.config.risk.orders.quote_age_s_max * machine_ns)
    if world.clock.was_set_within(2 * age_ns_max):
        return ""  # instants of before and after cannot be compared
    if now - quote.at_ns > age_ns_max:
        return f" on a quote of {conid} {(now - quote.at_ns) / NS_PER_SECOND:.0f} s old"
    rests_ns = max(min(known.asked.gate.quoted_ns, quote.at_ns), now - age_ns_max)
    if scene.told.sound_ns(conid, epoch=epoch) < rests_ns:
        return f" on a quote of {conid} without two sides: {quote.bid_usd} to {quote.ask_usd}"
    return ""
