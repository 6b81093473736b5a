"""I06: filled, working and on the way together stay within the limits at every step.

Judged by hand and apart from the rules: the notional of all that is sold, by its strikes, against
the account's worth and the configured limit. Which orders open is not for them to say.
"""

from __future__ import annotations

from thetawarden.practice.model import OrderRequest
from thetawarden.sim.invariants.adding import adds_risk
from thetawarden.sim.invariants.scene import Check, Scene, Words

NEAR = 1.03
"""The account's worth moves between the decision and the look; strikes do not."""


def make() -> Check:
    """The check."""
    return Check(id="I06", says="filled + working + on the way stay within limits", sent=_sent)


def _sent(ticket: OrderRequest, scene: Scene) -> Words:
    known = scene.submitted.get(ticket.order_ref)
    if known is None or not adds_risk(known.intent, scene):
        return
    world = scene.world
    rows = world.gateway.exchange.account_rows(world.gateway.account)
    worth = next((float(one.value) for one in rows if one.key == "NetLiquidation"), 0.0)
    working = {
        view.request.order_ref: view.remaining for view in world.gateway.exchange.open_orders()
    }
    working.setdefault(ticket.order_ref, known.intent.units)
    short = _held_short(scene) + sum(units * _of(ref, scene) for ref, units in working.items())
    limit = world.settings.config.risk.greeks.notional_max_nlv
    if worth > 0 and short > limit * NEAR * worth:
        yield f"with {ticket.order_ref} {short:.0f} USD are sold, {short / worth:.2f} x NLV"


def _held_short(scene: Scene) -> float:
    held = scene.world.gateway.exchange.positions()
    return sum(
        (one.contract.strike or 0.0) * one.contract.multiplier * -one.quantity
        for one in held
        if one.quantity < 0 and one.contract.strike
    )


def _of(ref: str, scene: Scene) -> float:
    """What a unit of an order that opens sells."""
    known = scene.submitted.get(ref)
    if known is None or not adds_risk(known.intent, scene):
        return 0.0
    return sum(
        float(leg.instrument.strike or 0) * leg.instrument.multiplier * -leg.ratio
        for leg in known.intent.legs
        if leg.ratio < 0
    )
