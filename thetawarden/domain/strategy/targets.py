"""Decides at which prices a trade is to be bought back: at a profit, and perhaps at a loss."""

from __future__ import annotations

from decimal import Decimal

from thetawarden.domain.market.ticks import Rounding, TickRule, round_price, step_at
from thetawarden.domain.orders.proposal import Exits
from thetawarden.domain.regime.derived import DerivedRegime
from thetawarden.domain.strategy.settings import ProfitTargets
from thetawarden.domain.units import to_decimal

_PLACES = 6
_ZERO = Decimal(0)


def profit_target(own: float, regime: DerivedRegime | None, targets: ProfitTargets) -> float:
    """Return the part of the credit aimed at: the strategy's own, less where the regime says so."""
    return own if regime is None else min(own, targets.fraction(regime))


def exits_of(
    credit_usd: float, *, target_fraction: float, stop_multiple: float, ticks: TickRule
) -> Exits | None:
    """Return the exits of a credit per share, None where there is no such price.

    The profit is rounded our way, and never below one tick: at nothing nobody sells.
    """
    profit = to_decimal(credit_usd * (1.0 - target_fraction), places=_PLACES)
    if profit is None or not credit_usd > 0.0:
        return None
    target = round_price(price=profit, rule=ticks, rounding=Rounding.DOWN)
    least = step_at(_ZERO, ticks)
    stop = None
    if stop_multiple > 0.0:
        loss = to_decimal(credit_usd * stop_multiple, places=_PLACES)
        stop = None if loss is None else round_price(price=loss, rule=ticks, rounding=Rounding.UP)
    return Exits(take_profit_usd=max(target, least), stop_usd=stop)
