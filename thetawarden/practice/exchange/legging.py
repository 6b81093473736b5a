"""Trades a combination that is not guaranteed: one leg at a time, each at its own market.

The first leg trades when the combination as a whole could; the others follow at later looks, by
luck, at whatever their quotes are then. If the order ends in between, the legs done stay.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from thetawarden.practice.exchange import fills
from thetawarden.practice.exchange.draws import Purpose, draw
from thetawarden.practice.exchange.legs import leg_buys
from thetawarden.practice.exchange.matching import REMOVED_LIQUIDITY, Match

if TYPE_CHECKING:
    from thetawarden.practice.exchange.floor import Floor
    from thetawarden.practice.exchange.state import LiveOrder
    from thetawarden.practice.model import Leg

NEXT_LEG_PROBABILITY = 0.2


def begin(floor: Floor, order: LiveOrder, whole: Match) -> None:
    """Trade the first leg of so many combinations and remember the others."""
    order.legging = [leg.con_id for leg in order.contract.legs]
    order.legging_units = whole.quantity
    order.legging_price = 0.0
    _trade_next(floor, order)


def go_on(floor: Floor, order: LiveOrder) -> bool:
    """Perhaps trade the next leg; True when that made the combinations whole."""
    luck = draw(floor.state.seed, Purpose.LEGGING, order.perm_id, floor.now_ns)
    if luck >= NEXT_LEG_PROBABILITY or not _trade_next(floor, order) or order.legging:
        return False
    price = round(order.legging_price, 6)
    whole = Match(quantity=order.legging_units, price=price, liquidity=REMOVED_LIQUIDITY)
    fills.fill_whole(floor, order, whole)
    return True


def _trade_next(floor: Floor, order: LiveOrder) -> bool:
    leg = next(one for one in order.contract.legs if one.con_id == order.legging[0])
    price = _price(floor, order, leg)
    if price is None:
        return False
    order.legging.pop(0)
    sign = 1 if leg.action == "BUY" else -1
    order.legging_price += sign * leg.ratio * price
    fills.fill_leg(floor, order, leg, quantity=leg.ratio * order.legging_units, price=price)
    return True


def _price(floor: Floor, order: LiveOrder, leg: Leg) -> float | None:
    quote = floor.market.quote(leg.con_id)
    if quote is None or quote.halted:
        return None
    return quote.ask if leg_buys(order, leg) else quote.bid
