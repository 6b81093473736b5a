"""Knows for which looks an order cannot meet anybody, so that no quote has to be made for them.

An order that rests away from the market is looked at every second for days, and nothing comes of
it. The bids and asks of the looks to come are asked for in one piece; where they cannot reach the
order's price, looking changes nothing. Whatever is not certain is looked at with a quote.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from thetawarden.practice.exchange.hours import con_ids_of
from thetawarden.practice.exchange.limits import BY_LAST, BY_MID, sign_of
from thetawarden.practice.exchange.views import is_waiting_stop
from thetawarden.practice.model import Action, OrderType, SecType, Tif

if TYPE_CHECKING:
    from thetawarden.practice.exchange.floor import Floor
    from thetawarden.practice.exchange.state import LiveOrder
    from thetawarden.practice.model import Contract

LOOKS_AHEAD = 128
_KEPT_MAX = 2_000
_MARGIN = 1e-6
"""Of a price: sums of legs are rounded."""
_TYPES = (OrderType.LIMIT, OrderType.STOP, OrderType.STOP_LIMIT)


class Sides(msgspec.Struct, frozen=True, kw_only=True):
    """Best prices of a contract or combination at so many looks, NaN where not known.

    `turns` is how often the future had changed by then.
    """

    turns: int
    contract: Contract
    first_ns: int
    step_ns: int
    bid: list[float]
    ask: list[float]

    def at(self, now_ns: int) -> tuple[float, float] | None:
        """Return bid and ask at an instant, None when it is none of the looks."""
        row, beside = divmod(now_ns - self.first_ns, self.step_ns)
        if beside or not 0 <= row < len(self.bid):
            return None
        return self.bid[row], self.ask[row]


class Outlook:
    """What is known of the looks to come, by order; a copy of the future, never a state."""

    def __init__(self) -> None:
        self._sides: dict[int, Sides] = {}

    def nothing_happens(self, floor: Floor, order: LiveOrder) -> bool:
        """Whether the order, looked at now, certainly meets nobody and no stop is reached."""
        if not _is_foreseeable(floor, order):
            return False
        known = self._now(floor, order)
        if known is None:
            return False
        bid, ask = known
        sign = sign_of(order)
        if is_waiting_stop(order):
            watched = bid if order.request.action is Action.BUY else ask
            stop = order.stop_price
            return stop is not None and sign * watched < sign * stop - _MARGIN
        limit = order.request.limit_price
        best = bid if order.request.action is Action.BUY else -ask
        return limit is not None and sign * limit < best - _MARGIN

    def _now(self, floor: Floor, order: LiveOrder) -> tuple[float, float] | None:
        known = self._sides.get(order.perm_id)
        if known is not None and (known.turns, known.contract) == (
            floor.market.turns,
            order.contract,
        ):
            found = known.at(floor.now_ns)
            if found is not None:
                return found
        if len(self._sides) >= _KEPT_MAX:
            self._sides.clear()
        fresh = self._sides[order.perm_id] = _ask(floor, order)
        return fresh.at(floor.now_ns)


def _is_foreseeable(floor: Floor, order: LiveOrder) -> bool:
    """Whether price alone decides: a plain order on options that stands in the book, or waits."""
    request = order.request
    waits = is_waiting_stop(order)
    return (
        order.order_type in _TYPES
        and order.contract.sec_type in {SecType.OPTION, SecType.COMBO}
        and order.acknowledged
        and (order.resting or waits)
        and not (waits and request.trigger_method in (*BY_MID, *BY_LAST))
        and (order.conditions_met or not request.conditions)
        and not (request.algo_strategy or order.leg_by_leg or order.legging)
        and request.tif not in {Tif.IOC, Tif.FOK}
        and floor.state.adjusted.keys().isdisjoint(con_ids_of(order.contract))
    )


def _ask(floor: Floor, order: LiveOrder) -> Sides:
    """Look ahead along the grid the order is looked at on."""
    market, contract, now_ns = floor.market, order.contract, floor.now_ns
    step_ns = floor.terms.rhythm.step_ns(max(now_ns - order.changed_at_ns, 0))
    instants = range(now_ns, now_ns + LOOKS_AHEAD * step_ns, step_ns)
    found = market.sides_ahead(con_ids_of(contract), instants)
    bid = ask = np.full(len(instants), np.nan)
    if found is not None:
        bid, ask = (side[:, 0] for side in found)
        if contract.legs:
            ratios = np.array([leg.ratio for leg in contract.legs])
            buys = np.array([Action(leg.action) is Action.BUY for leg in contract.legs])
            bid = np.where(buys, found[0], -found[1]) @ ratios
            ask = np.where(buys, found[1], -found[0]) @ ratios
    return Sides(
        turns=market.turns,
        contract=contract,
        first_ns=now_ns,
        step_ns=step_ns,
        bid=bid.tolist(),
        ask=ask.tolist(),
    )
