"""Revalues a whole book in every scenario, in full: no Taylor expansion anywhere.

Pure. European options by Black-76, American ones by the boundary method of `pricing.american`,
shares and futures by their price. A profit is the shocked worth less today's worth by the same
method, so that a mark that disagrees with the model does not show up as a profit; in USD, gains
positive. A position whose inputs are not finite makes the results it enters NaN.
"""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from thetawarden.domain.portfolio.american import Americans, american_lattice, are_few, one_by_one
from thetawarden.domain.portfolio.book import Book, PositionKind, Underlyings
from thetawarden.domain.portfolio.european import european_lattice
from thetawarden.domain.portfolio.scenario import (
    NO_GRID,
    ShockedInputs,
    ShockGrid,
    ShockRules,
    shocked_inputs,
)
from thetawarden.domain.portfolio.shock import Scenario
from thetawarden.domain.pricing.arrays import FloatArray

_TODAY = (Scenario(name="today"),)


class HeatMap(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Profit of the book: scenario x index return x VIX shock."""

    profit_usd: FloatArray
    grid: ShockGrid


def scenario_profits(
    book: Book,
    underlyings: Underlyings,
    *,
    vix_now: float,
    scenarios: tuple[Scenario, ...],
    rules: ShockRules,
) -> FloatArray:
    """Profit in USD of every position in every scenario: position x scenario."""
    worth = position_worths(
        book, underlyings, vix_now=vix_now, scenarios=_TODAY + scenarios, rules=rules
    )[:, :, 0, 0]
    profit: FloatArray = worth[:, 1:] - worth[:, :1]
    return profit


def heat_map(
    book: Book,
    underlyings: Underlyings,
    *,
    vix_now: float,
    scenarios: tuple[Scenario, ...],
    grid: ShockGrid,
    rules: ShockRules,
) -> HeatMap:
    """Profit in USD of the book in every scenario, shocked further by every step of the grid."""
    now = position_worths(book, underlyings, vix_now=vix_now, scenarios=_TODAY, rules=rules)
    then = position_worths(
        book, underlyings, vix_now=vix_now, scenarios=scenarios, grid=grid, rules=rules
    )
    return HeatMap(profit_usd=then.sum(axis=0) - now.sum(), grid=grid)


def position_worths(
    book: Book,
    underlyings: Underlyings,
    *,
    vix_now: float,
    scenarios: tuple[Scenario, ...],
    grid: ShockGrid = NO_GRID,
    rules: ShockRules,
) -> FloatArray:
    """Worth in USD, signed: position x scenario x index return x VIX shock."""
    inputs = shocked_inputs(
        book, underlyings, vix_now=vix_now, scenarios=scenarios, grid=grid, rules=rules
    )
    shape = (book.size, len(scenarios), len(grid.index_returns), len(grid.vix_points))
    worth = np.empty(shape)
    linear = book.rows(PositionKind.LINEAR)
    worth[linear] = inputs.spot_usd[linear][..., None]
    for kind, price in ((PositionKind.EUROPEAN, _european), (PositionKind.AMERICAN, _american)):
        rows = book.rows(kind)
        if rows.size:
            worth[rows] = price(book, inputs, rows)
    worth *= (book.contracts * book.multiplier)[:, None, None, None]
    return worth


def _european(book: Book, inputs: ShockedInputs, rows: NDArray[np.intp]) -> FloatArray:
    tau, rate = inputs.tau_years[rows], inputs.rate_annual[rows]
    carry = np.exp((rate - inputs.yield_annual[rows]) * tau)
    scenarios = tau.shape[1]
    spot, iv = inputs.spot_usd[rows], inputs.iv_annual[rows]
    worth = european_lattice(
        forward_usd=(spot * carry[..., None]).reshape(-1, spot.shape[2]),
        strike_usd=np.repeat(book.strike_usd[rows], scenarios),
        discount=np.exp(-rate * tau).ravel(),
        deviation=(iv * np.sqrt(tau)[..., None]).reshape(-1, iv.shape[2]),
        is_call=np.repeat(book.is_call[rows], scenarios),
    )
    return worth.reshape(*spot.shape, iv.shape[2])


def _american(book: Book, inputs: ShockedInputs, rows: NDArray[np.intp]) -> FloatArray:
    """Scenarios that share time, rate and yield are priced together, and few of any kind."""
    spot, iv = inputs.spot_usd[rows], inputs.iv_annual[rows]
    terms = np.stack([inputs.tau_years[rows], inputs.rate_annual[rows], inputs.yield_annual[rows]])
    if are_few(spot_usd=spot, iv_annual=iv):
        return one_by_one(_options(book, rows, terms), spot_usd=spot, iv_annual=iv)
    worth = np.empty((*spot.shape, iv.shape[2]))
    _, group = np.unique(terms.transpose(2, 0, 1), axis=0, return_inverse=True)
    for number in range(group.max() + 1):
        members = np.flatnonzero(group.ravel() == number)
        options = _options(book, rows, terms[:, :, members[0]])
        worth[:, members] = american_lattice(
            options, spot_usd=spot[:, members], iv_annual=iv[:, members]
        )
    return worth


def _options(book: Book, rows: NDArray[np.intp], terms: FloatArray) -> Americans:
    tau, rate, dividends = terms
    return Americans(
        strike_usd=book.strike_usd[rows],
        is_call=book.is_call[rows],
        tau_years=tau,
        rate_annual=rate,
        yield_annual=dividends,
    )
