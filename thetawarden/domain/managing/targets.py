"""Decides at which prices a trade is to be bought back as the market's state changes."""

from __future__ import annotations

from thetawarden.domain.managing.limits import ExitLimits, TargetLimits
from thetawarden.domain.market.ticks import TickRule, step_at
from thetawarden.domain.orders.proposal import Exits
from thetawarden.domain.regime.derived import DerivedRegime
from thetawarden.domain.strategy.targets import exits_of, profit_target
from thetawarden.domain.units import to_float


def target_of(strategy: str, regime: DerivedRegime | None, targets: TargetLimits) -> float:
    """Return the part of the premium aimed at: the strategy's own, or the regime's if less."""
    return profit_target(targets.of(strategy), regime, targets.regimes)


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
    wanted = exits_of(
        premium_usd,
        target_fraction=target_fraction,
        stop_multiple=exits.stop_multiple,
        ticks=ticks,
    )
    if wanted is None or wanted.take_profit_usd is None:
        return None
    away = abs(to_float(wanted.take_profit_usd - working.take_profit_usd))
    tick = to_float(step_at(working.take_profit_usd, ticks))
    is_near = away <= max(targets.change_min * premium_usd, 1.001 * tick)
    if is_near or wanted.take_profit_usd == working.take_profit_usd:
        return None
    return Exits(take_profit_usd=wanted.take_profit_usd, stop_usd=None)
