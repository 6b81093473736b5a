"""Names price ladders by number, as market rules, and writes them for clients."""

from __future__ import annotations

from thetawarden.domain.market.products import (
    CENT,
    CENT_THEN_NICKEL,
    FUTURES,
    NICKEL,
    NICKEL_THEN_DIME,
    SHARE,
)
from thetawarden.domain.market.ticks import TickRule, tick_rule
from thetawarden.domain.units import to_float
from thetawarden.practice.model import PriceBand

INDEX_TICKS = tick_rule(("0", "0.01"))

RULES: dict[int, TickRule] = {
    26: SHARE,
    32: CENT,
    109: CENT_THEN_NICKEL,
    110: NICKEL_THEN_DIME,
    111: NICKEL,
    67: FUTURES["ES"].ticks,
    239: FUTURES["RTY"].ticks,
}


def rule_id(rule: TickRule) -> int:
    """Return the number of a ladder."""
    return next(number for number, known in RULES.items() if known == rule)


def bands(number: int) -> tuple[PriceBand, ...] | None:
    """Return a numbered ladder, or None."""
    rule = RULES.get(number)
    if rule is None:
        return None
    return tuple(
        PriceBand(low_edge=to_float(band.from_price), increment=to_float(band.step))
        for band in rule.bands
    )


def min_tick(rule: TickRule) -> float:
    """Return the smallest step a ladder has."""
    return to_float(min(band.step for band in rule.bands))
