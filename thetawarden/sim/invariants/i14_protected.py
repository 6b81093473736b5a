"""I14: what was sold with an exit has its exit at the broker, or a person has been told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from thetawarden.domain.orders.intent import OrderRole
from thetawarden.domain.orders.proposal import Exits
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
    working: dict[str, dict[OrderRole, int]] = {}
    for view in world.gateway.exchange.open_orders():
        known = scene.submitted.get(view.request.order_ref)
        if known is not None and (known.intent.reducing or known.intent.parent_ref):
            roles = working.setdefault(known.intent.trade, {})
            roles[known.intent.role] = roles.get(known.intent.role, 0) + view.remaining
    bare = {
        name
        for name, trade in executor.trades.items()
        if trade.exits is not None and _lacks(trade.exits, set(working.get(name, ())))
    }
    short = _short_of_others(scene, executor.trades.keys() - bare, working)
    for name in sorted(bare):
        units, legs = _opened(scene, name)
        is_held = units > 0 and any(short.get(conid, 0) > 0 for conid in legs)
        if is_held and not executor.trades[name].alarmed:
            yield f"{name} is held without an exit, and nobody was told"


def _short_of_others(
    scene: Scene, fine: Iterable[str], working: Mapping[str, Mapping[OrderRole, int]]
) -> dict[int, int]:
    """What the account is short of each contract, beyond what the trades that are fine hold.

    Of one with exits that is as much as these close; of one that wants none, what it has sold.
    """
    held = scene.world.gateway.exchange.positions()
    short = {one.contract.con_id: max(0, -one.quantity) for one in held}
    for name in fine:
        units, legs = _opened(scene, name)
        units = max(working[name].values()) if working.get(name) else units
        for conid, sold in legs.items():
            short[conid] = short.get(conid, 0) - max(units, 0) * sold
    return short


def _lacks(exits: Exits, working: set[OrderRole]) -> bool:
    """Whether an exit that is wanted does not work; what is being closed needs none."""
    wanted = {
        OrderRole.TAKE_PROFIT: exits.take_profit_usd is not None,
        OrderRole.STOP: exits.stop_usd is not None,
    }
    missing = [role for role, is_wanted in wanted.items() if is_wanted and role not in working]
    return bool(missing) and working <= set(wanted)


def _opened(scene: Scene, trade: str) -> tuple[int, dict[int, int]]:
    """The units that were opened and not closed, by the exchange's own fills, and what one sells.

    What was bought beside it needs no exit: where another trade bought what this one had sold,
    nothing of it is short in the account.
    """
    units, legs = 0, dict[int, int]()
    for ref, known in scene.submitted.items():
        if known.intent.trade != trade:
            continue
        filled = sum(scene.fills.get(ref, {}).values())
        closes = known.intent.reducing or bool(known.intent.parent_ref)
        units += -filled if closes else filled
        if not closes:
            legs |= {one.instrument.conid: -one.ratio for one in known.intent.legs if one.ratio < 0}
    return units, legs
