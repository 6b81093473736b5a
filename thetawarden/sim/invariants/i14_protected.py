"""I14: what was sold with an exit has its exit at the broker, or a person has been told."""

from __future__ import annotations

from thetawarden.domain.orders.intent import OrderRole
from thetawarden.domain.orders.proposal import Exits, OrderLeg
from thetawarden.sim.invariants.scene import Check, Scene, Words


def make() -> Check:
    """The check."""
    return Check(id="I14", says="what is sold is protected, or a person knows", end=_end)


def _end(scene: Scene) -> Words:
    """Every trade that is held and wants exits has as many of them working as it holds units."""
    world = scene.world
    executor = world.desk.state_of("executor")
    if executor is None or scene.halt is not None or world.flag.read() is not None:
        return
    exchange = world.gateway.exchange
    working: dict[str, set[OrderRole]] = {}
    for view in exchange.open_orders():
        known = scene.submitted.get(view.request.order_ref)
        if known is not None and (known.intent.reducing or known.intent.parent_ref):
            working.setdefault(known.intent.trade, set()).add(known.intent.role)
    for name, trade in executor.trades.items():
        unprotected = trade.exits is not None and _lacks(trade.exits, working.get(name, set()))
        if unprotected and _held(scene, name) and not trade.alarmed:
            yield f"{name} is held without an exit, and nobody was told"


def _lacks(exits: Exits, working: set[OrderRole]) -> bool:
    """Whether an exit that is wanted does not work; what is being closed needs none."""
    wanted = {
        OrderRole.TAKE_PROFIT: exits.take_profit_usd is not None,
        OrderRole.STOP: exits.stop_usd is not None,
    }
    missing = [role for role, is_wanted in wanted.items() if is_wanted and role not in working]
    return bool(missing) and working <= set(wanted)


def _held(scene: Scene, trade: str) -> bool:
    """Whether, by the exchange's own fills, more was opened than closed, and is sold still.

    What was bought beside it needs no exit: where another trade bought what this one had sold,
    nothing of it is short in the account.
    """
    units = 0
    legs: list[OrderLeg] = []
    for ref, known in scene.submitted.items():
        if known.intent.trade != trade:
            continue
        filled = sum(scene.fills.get(ref, {}).values())
        closes = known.intent.reducing or bool(known.intent.parent_ref)
        units += -filled if closes else filled
        legs += [] if closes else [one for one in known.intent.legs if one.ratio < 0]
    held = {one.contract.con_id: one.quantity for one in scene.world.gateway.exchange.positions()}
    return units > 0 and any(held.get(leg.instrument.conid, 0) * leg.ratio > 0 for leg in legs)
