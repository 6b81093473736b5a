"""Sees the market as an order does: best prices and sizes, for a combination made from its legs.

Buying a combination buys its BUY legs at their asks and sells its SELL legs at their bids; sizes
are whole combinations. None means that this side has no price now.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from thetawarden.practice.model import Action, Contract, Leg, Quote

if TYPE_CHECKING:
    from thetawarden.practice.exchange.floor import Floor

_PLACES = 8


class Touch(msgspec.Struct, frozen=True, kw_only=True):
    """The best bid and ask of a contract or combination."""

    bid: float | None = None
    ask: float | None = None
    bid_size: int = 0
    ask_size: int = 0
    last: float | None = None
    volume: int | None = None
    halted: bool = False

    @property
    def mid(self) -> float | None:
        """Half way between bid and ask, when both exist."""
        if self.bid is None or self.ask is None:
            return None
        return (self.bid + self.ask) / 2.0


NO_MARKET = Touch()


def touch_of(floor: Floor, contract: Contract) -> Touch:
    """Return what can be traded against now."""
    if not contract.legs:
        quote = floor.quote(contract.con_id)
        return NO_MARKET if quote is None else _single(quote)
    quotes = [floor.quote(leg.con_id) for leg in contract.legs]
    sides = [_leg(leg, quote) for leg, quote in zip(contract.legs, quotes, strict=True) if quote]
    return _combine(sides) if len(sides) == len(contract.legs) else NO_MARKET


def mirrored(touch: Touch) -> Touch:
    """Return the market as a buyer of the opposite sees it: selling at 5 is buying at -5."""
    return Touch(
        bid=None if touch.ask is None else -touch.ask,
        ask=None if touch.bid is None else -touch.bid,
        bid_size=touch.ask_size,
        ask_size=touch.bid_size,
        last=None if touch.last is None else -touch.last,
        volume=touch.volume,
        halted=touch.halted,
    )


def as_buyer(touch: Touch, action: Action) -> Touch:
    """Return the market so that the order buys in it."""
    return touch if action is Action.BUY else mirrored(touch)


def _single(quote: Quote) -> Touch:
    return Touch(
        bid=quote.bid if quote.bid_size > 0 else None,
        ask=quote.ask if quote.ask_size > 0 else None,
        bid_size=quote.bid_size,
        ask_size=quote.ask_size,
        last=quote.last,
        volume=quote.volume,
        halted=quote.halted,
    )


def _leg(leg: Leg, quote: Quote) -> Touch:
    one = as_buyer(_single(quote), Action(leg.action))
    return Touch(
        bid=None if one.bid is None else one.bid * leg.ratio,
        ask=None if one.ask is None else one.ask * leg.ratio,
        bid_size=one.bid_size // leg.ratio,
        ask_size=one.ask_size // leg.ratio,
        last=None if one.last is None else one.last * leg.ratio,
        halted=one.halted,
    )


def _combine(sides: list[Touch]) -> Touch:
    return Touch(
        bid=_sum([one.bid for one in sides]),
        ask=_sum([one.ask for one in sides]),
        bid_size=min(one.bid_size for one in sides),
        ask_size=min(one.ask_size for one in sides),
        last=_sum([one.last for one in sides]),
        halted=any(one.halted for one in sides),
    )


def _sum(prices: list[float | None]) -> float | None:
    known = [one for one in prices if one is not None]
    return round(sum(known), _PLACES) if len(known) == len(prices) else None
