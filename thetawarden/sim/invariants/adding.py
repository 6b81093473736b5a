"""Says whether an order adds risk, by what the exchange has filled and holds.

That an intent calls itself reducing is believed only where there is something to be reduced: less
what other working orders of ours take of it already. Who decides hears of a fill a while after it
happened, so whatever was held within `HEARD_NS` may still be meant.
"""

from __future__ import annotations

from collections.abc import Iterator

from thetawarden.domain.instants import NS_PER_SECOND
from thetawarden.domain.orders.intent import Intent, OrderRole
from thetawarden.domain.orders.proposal import OrderLeg
from thetawarden.practice.model import OrderView
from thetawarden.sim.invariants.scene import Scene

HEARD_NS = 20 * NS_PER_SECOND
"""Of the machine: a link may be lost with word of a fill, and is made again within so long."""


def adds_risk(intent: Intent, scene: Scene) -> bool:
    """Whether an order may open something; what leaves with it to end it again does not."""
    if intent.parent_ref:
        return False
    return not intent.reducing or _opens(intent, scene)


def _opens(intent: Intent, scene: Scene) -> bool:
    """Whether an order sells more than it buys back, or takes nothing of what is held.

    A roll sells as many anew as it buys back. A hedge is bought, and takes nothing; what it sells
    to cost less is covered by what it buys.
    """
    if intent.role is OrderRole.HEDGE and _is_bought(intent):
        return False
    sold = bought_back = taken = 0
    for leg in intent.legs:
        done = abs(scene.dealt.by_order(intent.order_ref).get(leg.instrument.conid, 0))
        size = intent.units * abs(leg.ratio) - done
        takes = min(size, _can_take(leg, intent, scene))
        taken += takes
        sold += size - takes if leg.ratio < 0 else 0
        bought_back += takes if leg.ratio > 0 else 0
    return sold > bought_back or not taken


def _is_bought(intent: Intent) -> bool:
    """Whether nobody pays us for it, and it buys as many of each right and expiry as it sells."""
    counts: dict[tuple[object, object], int] = {}
    for leg in intent.legs:
        key = (leg.instrument.right, leg.instrument.expiry)
        counts[key] = counts.get(key, 0) + leg.ratio
    paid = intent.limit_usd is None or intent.limit_usd >= 0
    return paid and all(count >= 0 for count in counts.values())


def _can_take(leg: OrderLeg, intent: Intent, scene: Scene) -> int:
    """How many contracts are there to be taken: of its trade by its fills, or of the account."""
    conid, sign = leg.instrument.conid, 1 if leg.ratio > 0 else -1
    exchange = scene.world.gateway.exchange
    since_ns = scene.world.clock.monotonic_ns() - HEARD_NS
    refs = [ref for ref, one in scene.submitted.items() if one.intent.trade == intent.trade]
    of_trade = max(-sign * held for held in scene.dealt.lately(refs, conid, since_ns=since_ns))
    of_account = sum(
        -sign * one.quantity for one in exchange.positions() if one.contract.con_id == conid
    )
    others = tuple(_others(conid, sign, intent, scene))
    own = sum(count for trade, count in others if trade == intent.trade)
    everybody = sum(count for _, count in others)
    return max(0, of_trade - own, of_account - everybody)


def _others(conid: int, sign: int, intent: Intent, scene: Scene) -> Iterator[tuple[str, int]]:
    """What other working orders take of a contract, each group of exits once."""
    groups: dict[tuple[str, str], int] = {}
    for view in scene.world.gateway.exchange.open_orders():
        known = scene.submitted.get(view.request.order_ref)
        if known is None or _shares(known.intent, intent):
            continue
        other = known.intent
        key = (other.trade, other.oca_group or other.order_ref)
        groups[key] = max(groups.get(key, 0), _takes(view, other, conid, sign))
    for (trade, _), count in groups.items():
        yield trade, count


def _shares(one: Intent, other: Intent) -> bool:
    """Whether two orders are the same, or of one group of which one fills."""
    in_group = bool(one.oca_group) and one.oca_group == other.oca_group
    return one.order_ref == other.order_ref or in_group


def _takes(view: OrderView, intent: Intent, conid: int, sign: int) -> int:
    whole = sum(
        abs(leg.ratio)
        for leg in intent.legs
        if leg.instrument.conid == conid and leg.ratio * sign > 0
    )
    combination = len(intent.legs) > 1
    return view.remaining * (whole if combination else min(whole, 1))
