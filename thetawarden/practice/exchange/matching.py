"""Decides what an order gets from the market at one look: how much, at which price, or nothing.

Everything is seen as a buyer sees it; a sale is mirrored before it comes here. Marketable orders
take what is shown, level by level, sometimes a step better than asked. An order that already rested
is met at its own price. One that rests inside the spread is met sooner the more it offers; at the
bid it queues behind what is shown there. Pure: luck comes in as numbers in [0, 1).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from thetawarden.practice.exchange.touch import Touch

LEVELS_MAX = 5
"""How many steps beyond the best price one look may sweep."""

IMPROVEMENT_PROBABILITY = 0.25
WAIT_AT_BID_S = 240.0
EAGERNESS = 4.4
QUEUE_HALVES_AT = 50
ELAPSED_MAX_S = 10.0
_SAME = 1e-9
_PLACES = 8

ADDED_LIQUIDITY = 1
REMOVED_LIQUIDITY = 2


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What the order wants, as a buyer: no limit means at any price."""

    quantity: int
    limit: float | None
    rested: bool
    all_or_nothing: bool = False
    step: float


class Luck(msgspec.Struct, frozen=True, kw_only=True):
    """Independent draws for one look."""

    fill: float
    size: float
    improvement: float


class Match(msgspec.Struct, frozen=True, kw_only=True):
    """One fill, in the buyer's view."""

    quantity: int
    price: float
    liquidity: int


def match(
    *, wish: Wish, touch: Touch, taken: int, elapsed_s: float, luck: Luck
) -> tuple[Match, ...]:
    """Return the fills of this look, best price first.

    `taken` is how much of the shown size earlier orders of ours have used up.
    """
    if touch.halted or touch.ask is None or wish.quantity <= 0:
        return ()
    if is_marketable(wish.limit, touch):
        return _take(wish, touch, taken=taken, luck=luck)
    if wish.limit is None or wish.all_or_nothing:
        return ()
    return _wait(wish, touch, elapsed_s=elapsed_s, luck=luck)


def is_marketable(limit: float | None, touch: Touch) -> bool:
    """Whether a buyer at this limit can trade at once."""
    return touch.ask is not None and (limit is None or limit >= touch.ask - _SAME)


def fill_rate_per_s(*, limit: float, bid: float, ask: float, bid_size: int) -> float:
    """Return how often a second a resting bid is met, given where it stands in the spread."""
    if limit < bid - _SAME or ask <= bid:
        return 0.0
    position = (limit - bid) / (ask - bid)
    rate = math.exp(EAGERNESS * position) / WAIT_AT_BID_S
    return rate if position > _SAME else rate / (1.0 + bid_size / QUEUE_HALVES_AT)


def _take(wish: Wish, touch: Touch, *, taken: int, luck: Luck) -> tuple[Match, ...]:
    best = touch.ask if touch.ask is not None else 0.0
    if wish.rested and wish.limit is not None:
        return _meet_resting(wish, touch, taken=taken)
    improved = _improved(best, touch, step=wish.step, luck=luck)
    matches: list[Match] = []
    left = wish.quantity
    for level in range(LEVELS_MAX):
        price = round(improved if level == 0 else best + level * wish.step, _PLACES)
        if left == 0 or (wish.limit is not None and price > wish.limit + _SAME):
            break
        size = min(left, max(touch.ask_size - taken, 0) if level == 0 else touch.ask_size)
        if size > 0:
            matches.append(Match(quantity=size, price=price, liquidity=REMOVED_LIQUIDITY))
            left -= size
    return () if wish.all_or_nothing and left else tuple(matches)


def _meet_resting(wish: Wish, touch: Touch, *, taken: int) -> tuple[Match, ...]:
    size = min(wish.quantity, max(touch.ask_size - taken, 0))
    if size == 0 or wish.limit is None or (wish.all_or_nothing and size < wish.quantity):
        return ()
    return (Match(quantity=size, price=wish.limit, liquidity=ADDED_LIQUIDITY),)


def _improved(best: float, touch: Touch, *, step: float, luck: Luck) -> float:
    if touch.bid is None or best - touch.bid < 2.0 * step - _SAME:
        return best
    return best - step if luck.improvement < IMPROVEMENT_PROBABILITY else best


def _wait(wish: Wish, touch: Touch, *, elapsed_s: float, luck: Luck) -> tuple[Match, ...]:
    if wish.limit is None or touch.bid is None or touch.ask is None:
        return ()
    rate = fill_rate_per_s(limit=wish.limit, bid=touch.bid, ask=touch.ask, bid_size=touch.bid_size)
    if luck.fill >= 1.0 - math.exp(-rate * min(elapsed_s, ELAPSED_MAX_S)):
        return ()
    size = 1 + int(luck.size * 2.0 * min(wish.quantity, max(touch.ask_size, 1)))
    return (
        Match(
            quantity=min(size, wish.quantity),
            price=wish.limit,
            liquidity=ADDED_LIQUIDITY,
        ),
    )
