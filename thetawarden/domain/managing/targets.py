"""Decides at which prices a trade is to be bought back as the market's state changes."""

from __future__ import annotations

import math

from thetawarden.domain.managing.limits import ExitLimits, TargetLimits
from thetawarden.domain.market.ticks import Rounding, TickRule, round_price, step_at
from thetawarden.domain.orders.proposal import Exits
from thetawarden.domain.regime.derived import DerivedRegime
from thetawarden.domain.units import to_decimal, to_float

_PLACES = 6


def target_of(strategy: str, regime: DerivedRegime | None, targets: TargetLimits) -> float:
    """Return the part of the premium aimed at: the strategy's own, or the regime's if less."""
    own = targets.of(strategy)
    return own if regime is None else min(own, targets.regimes.fraction(regime))


def exits_for(
    premium_usd: float, *, target_fraction: float, exits: ExitLimits, ticks: TickRule
) -> Exits | None:
    """Return the exits of a premium per share, None where there is no such price.

    The profit is rounded our way, and never below one tick: at nothing nobody sells.
    """
    if not (math.isfinite(premium_usd) and premium_usd > 0.0):
        return None
    aim = to_decimal(premium_usd * (1.0 - target_fraction), places=_PLACES)
    if aim is None:
        return None
    profit = round_price(price=aim, rule=ticks, rounding=Rounding.DOWN)
    least = step_at(aim * 0, ticks)
    stop = None
    if exits.stop_fraction > 0.0:
        loss = to_decimal(premium_usd * (1.0 + exits.stop_fraction), places=_PLACES)
        stop = None if loss is None else round_price(price=loss, rule=ticks, rounding=Rounding.UP)
    return Exits(take_profit_usd=max(profit, least), stop_usd=stop)


def revised_exits(
    working: Exits | None,
    premium_usd: float,
    *,
    target_fraction: float,
    targets: TargetLimits,
    exits: ExitLimits,
    ticks: TickRule,
) -> Exits | None:
    """Return the exits in place of those that work, or None when they are near enough.

    A single tick is near enough, however small the premium: the fill differs from what was asked.
    Exits that are not known yet are nobody's to move.
    """
    if working is None or working.take_profit_usd is None:
        return None
    wanted = exits_for(premium_usd, target_fraction=target_fraction, exits=exits, ticks=ticks)
    if wanted is None or wanted.take_profit_usd is None:
        return None
    away = abs(to_float(wanted.take_profit_usd - working.take_profit_usd))
    tick = to_float(step_at(working.take_profit_usd, ticks))
    is_near = away <= max(targets.change_min * premium_usd, 1.001 * tick)
    if is_near or wanted.take_profit_usd == working.take_profit_usd:
        return None
    return Exits(take_profit_usd=wanted.take_profit_usd, stop_usd=None)
