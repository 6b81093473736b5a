"""Defines the shocks a book is revalued under, and what they do to each position's inputs.

Pure. An index return moves every underlying by its beta, unless a sector has a return of its own.
A shock in VIX points is added to the volatility of every strike of the index 30 days out: other
tenors move by (30 days / tenor) ** exponent of it, other underlyings by their `iv_beta`. (A fall
along a skewed smile raises the VIX by itself; `consistency` leaves that part out of the shock.)
Shocked inputs stay sane: a price keeps at least a hundredth of itself, a volatility at least its
floor. Time passes for all positions alike, and stops at their expiry.
"""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np

from thetawarden.domain.portfolio.book import Book, Underlyings
from thetawarden.domain.portfolio.shock import Scenario
from thetawarden.domain.pricing.arrays import FloatArray

DAYS_PER_YEAR: Final = 365.0
_PRICE_FRACTION_MIN: Final = 0.01


class ShockRules(msgspec.Struct, frozen=True, kw_only=True):
    """How VIX points reach a volatility of another tenor, and its floor."""

    tau_years_reference: float = 30.0 / 365.0
    tenor_exponent: float = 0.5
    tenor_factor_max: float = 2.0
    iv_annual_min: float = 0.03


class ShockGrid(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Further index returns and VIX points, every one combined with every other."""

    index_returns: FloatArray
    vix_points: FloatArray


NO_GRID: Final = ShockGrid(index_returns=np.zeros(1), vix_points=np.zeros(1))


class ShockedInputs(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Per position and scenario; spots also per index return, volatilities per VIX shock."""

    spot_usd: FloatArray
    iv_annual: FloatArray
    tau_years: FloatArray
    rate_annual: FloatArray
    yield_annual: FloatArray


def sector_scenarios(
    underlyings: Underlyings, *, sector_return: float = -0.15, vix_points: float = 10.0
) -> tuple[Scenario, ...]:
    """One scenario per sector held; the worst of their losses is R6's worst sector."""
    return tuple(
        Scenario(
            name=f"sector {sector} {sector_return:+.0%}, VIX {vix_points:+g}",
            sector_returns={int(sector): sector_return},
            vix_points=vix_points,
        )
        for sector in np.unique(underlyings.sector)
    )


def shocked_inputs(
    book: Book,
    underlyings: Underlyings,
    *,
    vix_now: float,
    scenarios: tuple[Scenario, ...],
    grid: ShockGrid = NO_GRID,
    rules: ShockRules,
) -> ShockedInputs:
    """Every position's inputs in every scenario, at every step of the grid."""
    spot = underlyings.spot_usd[:, None, None] * _growth(underlyings, scenarios, grid)
    points = np.array([s.vix_points + vix_now * (s.vix_factor - 1.0) for s in scenarios])
    shock = (points[:, None] + grid.vix_points) / 100.0
    days = np.array([s.days_forward for s in scenarios])
    tenor = np.maximum(book.tau_years, 1e-9)
    reach = (rules.tau_years_reference / tenor) ** rules.tenor_exponent
    reach = np.minimum(reach, rules.tenor_factor_max) * underlyings.iv_beta[book.underlying]
    iv = book.iv_annual[:, None, None] + reach[:, None, None] * shock
    floor = np.minimum(rules.iv_annual_min, book.iv_annual)[:, None, None]
    return ShockedInputs(
        spot_usd=spot[book.underlying],
        iv_annual=np.maximum(iv, floor),
        tau_years=np.maximum(book.tau_years[:, None] - days / DAYS_PER_YEAR, 0.0),
        rate_annual=book.rate_annual[:, None] + np.array([s.rate_shift_annual for s in scenarios]),
        yield_annual=book.yield_annual[:, None]
        + np.array([s.yield_shift_annual for s in scenarios]),
    )


def shocked_book(
    book: Book,
    underlyings: Underlyings,
    *,
    vix_now: float,
    scenario: Scenario,
    rules: ShockRules,
) -> tuple[Book, Underlyings]:
    """The same positions as they would stand in a scenario, to be judged like any book."""
    inputs = shocked_inputs(book, underlyings, vix_now=vix_now, scenarios=(scenario,), rules=rules)
    growth = _growth(underlyings, (scenario,), NO_GRID)[:, 0, 0]
    shocked = msgspec.structs.replace(
        book,
        tau_years=inputs.tau_years[:, 0],
        iv_annual=inputs.iv_annual[:, 0, 0],
        rate_annual=inputs.rate_annual[:, 0],
        yield_annual=inputs.yield_annual[:, 0],
    )
    return shocked, msgspec.structs.replace(underlyings, spot_usd=underlyings.spot_usd * growth)


def _growth(
    underlyings: Underlyings, scenarios: tuple[Scenario, ...], grid: ShockGrid
) -> FloatArray:
    """Factor on every underlying's price: underlying x scenario x index return."""
    index = np.array([s.index_return for s in scenarios])
    beta = underlyings.beta[:, None]
    growth = 1.0 + beta * index
    for column, scenario in enumerate(scenarios):
        for sector, own_return in sorted(scenario.sector_returns.items()):
            growth[underlyings.sector == sector, column] = 1.0 + own_return
    stepped = growth[:, :, None] * (1.0 + beta * grid.index_returns)[:, None, :]
    kept: FloatArray = np.maximum(stepped, _PRICE_FRACTION_MIN)
    return kept
