"""Decides where a working order's price goes next, and when to give up.

It starts where its proposal says, goes towards what the market asks for the whole unit, by ticks on
a schedule, and never past the worst price allowed. Without a fresh quote of every leg it stays
where it is. Prices are as of buying the unit: up is towards being filled.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from decimal import Decimal

import msgspec

from thetawarden.domain.instants import UnixNs
from thetawarden.domain.market.ticks import Rounding, TickRule, move_price, round_price
from thetawarden.domain.orders.proposal import OrderLeg


class WalkRules(msgspec.Struct, frozen=True, kw_only=True):
    """How fast and how far a price walks; an urgent order takes larger steps, sooner.

    After the last step it rests for `rest_ns`, then it is given up.
    """

    step_ns: int
    ticks: int
    steps_max: int
    rest_ns: int


class LegPrice(msgspec.Struct, frozen=True, kw_only=True):
    """The two sides of one leg as they were last seen; None where there is no side to trade on."""

    bid_usd: Decimal | None
    ask_usd: Decimal | None
    at_ns: UnixNs


class UnitPrice(msgspec.Struct, frozen=True, kw_only=True):
    """What a unit costs by its legs' quotes; `at_ns` is when the oldest of them was seen."""

    natural_usd: Decimal
    mid_usd: Decimal
    at_ns: UnixNs


class Move(enum.StrEnum):
    """What to do with a price that is due to move."""

    GO = "go"
    STAY = "stay"
    GIVE_UP = "give_up"


class Walk(msgspec.Struct, frozen=True, kw_only=True):
    """How far an order has walked; `due_ns` is when it is looked at again."""

    worst_usd: Decimal
    steps: int
    due_ns: UnixNs
    urgent: bool = False
    patient: bool = False
    """Whether it waits at its price alone, as the broker's algorithm walks for it."""


class NextPrice(msgspec.Struct, frozen=True, kw_only=True):
    """Where a price goes, and why."""

    move: Move
    limit_usd: Decimal
    words: str


def unit_price(
    legs: tuple[OrderLeg, ...], quotes: Mapping[int, LegPrice], *, multiplier: int
) -> UnitPrice | None:
    """Return what buying one unit costs a share, None without two good sides of every leg."""
    natural = mid = Decimal()
    oldest = None
    for leg in legs:
        quote = quotes.get(leg.instrument.conid)
        if quote is None or quote.bid_usd is None or quote.ask_usd is None:
            return None
        weight = Decimal(leg.ratio * leg.instrument.multiplier) / multiplier
        natural += weight * (quote.ask_usd if leg.ratio > 0 else quote.bid_usd)
        mid += weight * (quote.bid_usd + quote.ask_usd) / 2
        oldest = quote.at_ns if oldest is None else min(oldest, quote.at_ns)
    return None if oldest is None else UnitPrice(natural_usd=natural, mid_usd=mid, at_ns=oldest)


def next_price(
    *,
    limit_usd: Decimal,
    walk: Walk,
    market: UnitPrice | None,
    ticks: TickRule,
    rules: WalkRules,
) -> NextPrice:
    """Return where a price that is due goes: towards the market's, never past the worst."""
    if walk.patient or walk.steps >= rules.steps_max:
        return NextPrice(move=Move.GIVE_UP, limit_usd=limit_usd, words="it was not filled in time")
    if market is None:
        words = "not every leg has a fresh quote"
        return NextPrice(move=Move.STAY, limit_usd=limit_usd, words=words)
    worst = round_price(price=walk.worst_usd, rule=ticks, rounding=Rounding.DOWN)
    asked = round_price(price=market.natural_usd, rule=ticks, rounding=Rounding.UP)
    aim = min(worst, asked)
    if aim <= limit_usd:
        words = "as far as it may go" if worst <= limit_usd else "at the market's price"
        return NextPrice(move=Move.STAY, limit_usd=limit_usd, words=words)
    stepped = min(move_price(price=limit_usd, rule=ticks, ticks=rules.ticks), aim)
    return NextPrice(move=Move.GO, limit_usd=stepped, words=f"towards {asked}, at most {worst}")


def stepped(walk: Walk, *, now: UnixNs, rules: WalkRules) -> Walk:
    """Return the walk after a step; the last one is followed by a rest."""
    after = msgspec.structs.replace(walk, steps=walk.steps + 1)
    return msgspec.structs.replace(after, due_ns=UnixNs(now + wait_ns(after, rules)))


def wait_ns(walk: Walk, rules: WalkRules) -> int:
    """Return how long a price stays before its next step, or before it is given up."""
    rests = walk.patient or walk.steps >= rules.steps_max
    return rules.rest_ns if rests else rules.step_ns


def begun(
    *, worst_usd: Decimal, now: UnixNs, rules: WalkRules, patient: bool, urgent: bool
) -> Walk:
    """Return the walk of an order that has just been intended."""
    wait = rules.rest_ns if patient else rules.step_ns
    return Walk(
        worst_usd=worst_usd,
        steps=0,
        due_ns=UnixNs(now + wait),
        urgent=urgent,
        patient=patient,
    )
