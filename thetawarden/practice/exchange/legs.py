"""Decides at which prices the legs of a combination trade, so that together they make its price.

Every leg starts from its midpoint and moves towards the side it trades on, all by the same share of
their spreads; what rounding leaves goes to one leg of the smallest ratio. Legs may then lie between
ticks, as they may in real combinations.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from thetawarden.practice.model import Action, Contract

if TYPE_CHECKING:
    from thetawarden.practice.exchange.floor import Floor
    from thetawarden.practice.exchange.state import LiveOrder
    from thetawarden.practice.model import Execution, Leg, Quote

_CENTS = 2
_PLACES = 6


class LegFill(msgspec.Struct, frozen=True, kw_only=True):
    """One leg's part of a combination's fill."""

    contract: Contract
    side: Action
    quantity: int
    price: float


class _Side(msgspec.Struct, frozen=True, kw_only=True):
    leg: Leg
    contract: Contract
    sign: int
    mid: float
    far: float


def leg_fills(floor: Floor, order: LiveOrder, execution: Execution) -> list[LegFill]:
    """Return what every leg trades, and at what price, for one fill of the combination."""
    sides = [side for side in _sides(floor, order) if side is not None]
    direction = 1 if execution.side is Action.BUY else -1
    prices = _split(sides, net=direction * execution.price)
    return [
        LegFill(
            contract=side.contract,
            side=Action.BUY if side.sign > 0 else Action.SELL,
            quantity=side.leg.ratio * execution.quantity,
            price=price,
        )
        for side, price in zip(sides, prices, strict=True)
    ]


def _sides(floor: Floor, order: LiveOrder) -> list[_Side | None]:
    legs = order.contract.legs
    quotes = [floor.quote(leg.con_id) for leg in legs]
    return [_side(floor, order, leg, quote) for leg, quote in zip(legs, quotes, strict=True)]


def _side(floor: Floor, order: LiveOrder, leg: Leg, quote: Quote | None) -> _Side | None:
    details = floor.details(leg.con_id)
    if details is None:
        return None
    action = Action.BUY if leg_buys(order, leg) else Action.SELL
    fallback = (quote.mark or quote.last or quote.close or 0.0) if quote else 0.0
    bid = quote.bid if quote and quote.bid is not None else fallback
    ask = quote.ask if quote and quote.ask is not None else max(fallback, bid)
    return _Side(
        leg=leg,
        contract=details.contract,
        sign=1 if action is Action.BUY else -1,
        mid=(bid + ask) / 2.0,
        far=ask if action is Action.BUY else bid,
    )


def leg_buys(order: LiveOrder, leg: Leg) -> bool:
    """Whether a leg is bought: selling a combination turns every leg round."""
    return (leg.action == Action.BUY.value) == (order.request.action is Action.BUY)


def _split(sides: list[_Side], *, net: float) -> list[float]:
    mid = sum(side.sign * side.leg.ratio * side.mid for side in sides)
    far = sum(side.sign * side.leg.ratio * side.far for side in sides)
    share = (net - mid) / (far - mid) if abs(far - mid) > 1e-9 else 0.0
    prices = [max(round(side.mid + share * (side.far - side.mid), _CENTS), 0.0) for side in sides]
    left = net - sum(
        side.sign * side.leg.ratio * price for side, price in zip(sides, prices, strict=True)
    )
    order = sorted(range(len(sides)), key=lambda index: (sides[index].leg.ratio, -prices[index]))
    index = order[0]
    side = sides[index]
    prices[index] = round(prices[index] + side.sign * left / side.leg.ratio, _PLACES)
    return prices
