"""Finds the cheapest protection that brings every scenario back inside its limit, and its end.

Losses come from the governor, limit by limit; what an option or a spread brings in a scenario is
revalued here. Wanted is what brings every scenario back inside and removes most of the worst loss
for a dollar. Where the budget does not pay for that, it is what removes most, if that is a part of
the excess worth having. The budget is a part of the premium of the trailing quarter, less what was
spent on hedges in it.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

import msgspec
import numpy as np

from thetawarden.domain.chains.view import ChainRows, ChainView
from thetawarden.domain.managing.limits import HedgeLimits
from thetawarden.domain.managing.ordering import Leg, option_row
from thetawarden.domain.managing.sight import TradeSight
from thetawarden.domain.managing.stressing import SCENARIOS, Stand, contract_profits
from thetawarden.domain.market.ticks import Rounding, round_price
from thetawarden.domain.orders.building import ticks_for
from thetawarden.domain.pricing.arrays import FloatArray
from thetawarden.domain.risk.finding import RuleId
from thetawarden.domain.risk.usage import LimitUse
from thetawarden.domain.trades.changes import recent
from thetawarden.domain.units import to_decimal, to_float

_PUTS_MAX = 30
_PLACES = 6
_SMALL_MOVES: Final = {"index_drop": "index -1 %", "vix_rise": "VIX +1"}
_PLACE_OF: Final = {one.name: place for place, one in enumerate(SCENARIOS)}


class Excess(msgspec.Struct, frozen=True, kw_only=True):
    """One limited scenario: what the book loses in it and may lose, in USD; its place here."""

    name: str
    place: int | None
    loss_usd: float
    limit_usd: float

    @property
    def over_usd(self) -> float:
        """How much too much is lost."""
        return self.loss_usd - self.limit_usd


class Hedge(msgspec.Struct, frozen=True, kw_only=True):
    """Protection to be bought: so many units at no more than this price a share.

    It is whole when it brings every scenario back inside its limit.
    """

    legs: tuple[Leg, ...]
    units: int
    worst_usd: Decimal
    cost_usd: float
    removed_usd: float
    whole: bool
    words: str


class _Choice(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    legs: tuple[Leg, ...]
    profits: FloatArray
    price: Decimal
    unit_usd: float


def excesses_of(uses: Sequence[LimitUse], *, nlv_usd: float) -> tuple[Excess, ...]:
    """Return every limited scenario and small move, by what is held alone."""
    found = []
    for one in uses:
        name = _SMALL_MOVES.get(one.name, "") if one.rule is RuleId.R2 else one.name
        if one.rule is RuleId.R6 or name in _PLACE_OF:
            found.append(
                Excess(
                    name=one.name,
                    place=_PLACE_OF.get(name),
                    loss_usd=one.held * nlv_usd,
                    limit_usd=one.limit * nlv_usd,
                )
            )
    return tuple(found)


def budget_usd(
    income: Mapping[str, Decimal],
    spent: Mapping[str, Decimal],
    *,
    today: dt.date,
    limits: HedgeLimits,
) -> float:
    """Return what of a part of the quarter's premium was not spent in it; days are ISO."""
    earned, gone = (
        sum(recent(sums, today=today, days=limits.quarter_days).values(), Decimal())
        for sums in (income, spent)
    )
    return max(limits.budget_fraction * to_float(earned) - to_float(gone), 0.0)


def find_hedge(
    excesses: Sequence[Excess],
    *,
    view: ChainView,
    rows: ChainRows,
    stand: Stand,
    budget: float,
    limits: HedgeLimits,
    today: dt.date,
) -> Hedge | str:
    """Return the protection to buy, or in words why none is bought."""
    over = [one for one in excesses if one.over_usd > 0.0]
    if not over:
        return "every scenario is inside its limit"
    if not (math.isfinite(budget) and budget > 0.0):
        return "the hedge budget of this quarter is spent, or nothing was earned yet"
    worst = max(over, key=lambda one: one.over_usd)
    if worst.place is None:
        return f"no option of {view.underlying} is revalued in {worst.name}"
    choices = _choices(view, rows, stand, limits=limits, today=today)
    hedges = [
        one
        for choice in choices
        if (one := _sized(choice, over, worst, budget=budget, limits=limits)) is not None
    ]
    if not hedges:
        return f"no protection on {view.underlying} is to be had for {budget:,.0f}"
    whole = [one for one in hedges if one.whole]
    if whole:
        return max(whole, key=lambda one: (one.removed_usd / one.cost_usd, -one.cost_usd))
    most = max(hedges, key=lambda one: (one.removed_usd, -one.cost_usd))
    if most.removed_usd < limits.part_min_fraction * worst.over_usd:
        return (
            f"for {budget:,.0f} no protection on {view.underlying} removes more than"
            f" {most.removed_usd:,.0f} of the {worst.over_usd:,.0f} too much in: {worst.name}"
        )
    return most


def is_unneeded(
    sight: TradeSight, excesses: Sequence[Excess], *, stand: Stand, limits: HedgeLimits
) -> bool:
    """Whether every scenario would stay well inside its limit without a hedge that is held.

    Of a scenario that is not revalued here the hedge is taken to bring as much as in any.
    """
    if not excesses:
        return False
    profits = contract_profits([one.instrument for one in sight.legs], stand)
    ratios = np.array([one.ratio for one in sight.legs], dtype=np.float64) * sight.units
    bring = ratios @ profits
    if not np.isfinite(bring).all():
        return False
    most = max(float(bring.max()), 0.0)
    for one in excesses:
        without = one.loss_usd + (most if one.place is None else float(bring[one.place]))
        if not without <= limits.unneeded_fraction * one.limit_usd:
            return False
    return True


def _choices(
    view: ChainView, rows: ChainRows, stand: Stand, *, limits: HedgeLimits, today: dt.date
) -> list[_Choice]:
    """Puts below the market, and spreads of each with every one further down of its series."""
    series = [
        number
        for number, one in enumerate(view.series)
        if limits.dte_min <= (one.expiry - today).days <= limits.dte_max
    ]
    fits = rows.usable & ~rows.is_call & np.isin(rows.series, series)
    fits &= rows.strike_usd <= stand.spot_usd
    found = np.flatnonzero(fits)
    found = found[np.argsort(-rows.strike_usd[found], kind="stable")]
    if found.size > _PUTS_MAX:
        found = found[np.linspace(0, found.size - 1, _PUTS_MAX).round().astype(np.intp)]
    places = [int(row) for row in found]
    bought = [option_row(view, rows, row, 1) for row in places]
    sold = [msgspec.structs.replace(one, ratio=-1) for one in bought]
    profits = contract_profits([one.instrument for one in bought], stand)
    choices = [_choice((one,), own) for one, own in zip(bought, profits, strict=True)]
    for near, high in enumerate(places):
        for far in range(near + 1, len(places)):
            low = places[far]
            if (
                rows.series[low] == rows.series[high]
                and rows.strike_usd[low] < rows.strike_usd[high]
            ):
                choices.append(_choice((bought[near], sold[far]), profits[near] - profits[far]))
    return [one for one in choices if one is not None]


def _choice(legs: tuple[Leg, ...], profits: FloatArray) -> _Choice | None:
    natural = to_decimal(math.fsum(one.natural for one in legs), places=_PLACES)
    if natural is None or not np.isfinite(profits).all():
        return None
    ticks = ticks_for(tuple(one.instrument for one in legs))
    price = round_price(price=natural, rule=ticks, rounding=Rounding.UP)
    unit = to_float(price) * legs[0].instrument.multiplier
    return _Choice(legs=legs, profits=profits, price=price, unit_usd=unit) if unit > 0.0 else None


def _sized(
    choice: _Choice,
    over: Sequence[Excess],
    worst: Excess,
    *,
    budget: float,
    limits: HedgeLimits,
) -> Hedge | None:
    """As many units as bring every scenario inside, as far as they can be paid for."""
    if worst.place is None:
        return None
    own = float(choice.profits[worst.place])
    least = 0.0 if worst.name in _SMALL_MOVES else choice.unit_usd
    if not own > least:  # in a crash it has to bring more than it costs; a small move moves a part
        return None
    needed, helps = 1, True
    for one in over:
        bring = 0.0 if one.place is None else float(choice.profits[one.place])
        if bring > 0.0:
            needed = max(needed, math.ceil(one.over_usd / bring))
        else:
            helps = False
    units = min(needed, math.floor(budget / choice.unit_usd), limits.units_max)
    if units <= 0:
        return None
    cost, removed = units * choice.unit_usd, units * own
    names = " less the ".join(f"{leg.instrument.strike}" for leg in choice.legs)
    words = (
        f"{units} of the {names} put of {choice.legs[0].instrument.expiry} for {cost:,.0f} remove"
        f" {removed:,.0f} of {worst.loss_usd:,.0f} lost in: {worst.name}"
    )
    return Hedge(
        legs=choice.legs,
        units=units,
        worst_usd=choice.price,
        cost_usd=cost,
        removed_usd=removed,
        whole=helps and units >= needed,
        words=words,
    )
