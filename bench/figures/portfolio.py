"""A book over scenarios and a grid of further shocks, beside a QuantLib loop over the same cells.

The loop is QuantLib at its quickest: `blackFormula` for European options, one engine with quotes
set anew (the fast QD+ fixed-point scheme) for American ones. It would take minutes for every
cell, so it is timed on a random sample of each kind and scaled to the cells of that kind.
CPU time, so that a library's own threads would count against us.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from functools import cache
from typing import TypeAlias

import numpy as np
import QuantLib as ql  # noqa: N813 - its own documentation calls it so

from bench.harness import Figure, Goal
from thetawarden.domain.portfolio.book import KINDS, Book, PositionKind, Underlyings
from thetawarden.domain.portfolio.revaluation import heat_map
from thetawarden.domain.portfolio.scenario import (
    ShockedInputs,
    ShockGrid,
    ShockRules,
    shocked_inputs,
)
from thetawarden.domain.portfolio.shock import STANDARD_SCENARIOS, Scenario

_VIX = 18.0
_RULES = ShockRules()
_SCENARIOS = (
    *STANDARD_SCENARIOS,
    Scenario(name="sector -15 %, VIX +10", sector_returns={3: -0.15}, vix_points=10.0),
)
_GRID = ShockGrid(index_returns=np.linspace(-0.2, 0.2, 21), vix_points=np.linspace(-10.0, 30.0, 21))
_CELLS = len(_SCENARIOS) * len(_GRID.index_returns) * len(_GRID.vix_points)
_SAMPLE = {PositionKind.EUROPEAN: 60_000, PositionKind.AMERICAN: 6_000}
_TODAY = ql.Date(7, 2, 2023)
_Cell: TypeAlias = tuple[int, float, float, int, float, float, float]


@cache
def _underlyings() -> Underlyings:
    generator = np.random.default_rng(1)
    return Underlyings(
        spot_usd=np.append(4_100.0, generator.uniform(30.0, 500.0, 39)),
        beta=np.append(1.0, generator.uniform(0.5, 1.8, 39)),
        iv_beta=np.ones(40),
        sector=generator.integers(0, 11, 40),
    )


@cache
def _book(europeans: int, americans: int, shares: int) -> Book:
    """Index options, stock options and shares, days to weeks from expiry."""
    generator = np.random.default_rng(2)
    counts = {
        PositionKind.LINEAR: shares,
        PositionKind.EUROPEAN: europeans,
        PositionKind.AMERICAN: americans,
    }
    kind = np.repeat(np.arange(len(KINDS), dtype=np.int8), [counts[k] for k in KINDS])
    size = len(kind)
    is_index = kind == KINDS.index(PositionKind.EUROPEAN)
    underlying = np.where(is_index, 0, generator.integers(1, 40, size))
    spot = _underlyings().spot_usd[underlying]
    return Book(
        kind=kind,
        underlying=underlying,
        contracts=generator.choice([-3.0, -2.0, -1.0, 1.0, 2.0], size),
        multiplier=np.where(kind == KINDS.index(PositionKind.LINEAR), 1.0, 100.0),
        strike_usd=spot * generator.uniform(0.85, 1.1, size),
        is_call=generator.random(size) < 0.3,
        tau_years=generator.integers(1, 60, size) / 365.0,
        iv_annual=generator.uniform(0.12, 0.4, size),
        rate_annual=np.full(size, 0.045),
        yield_annual=np.full(size, 0.015),
    )


def _ours_s(book: Book) -> float:
    start = time.process_time()
    heat_map(book, _underlyings(), vix_now=_VIX, scenarios=_SCENARIOS, grid=_GRID, rules=_RULES)
    return time.process_time() - start


def _quantlib_s(book: Book, european: Callable[[list[_Cell]], float]) -> float:
    inputs = shocked_inputs(
        book, _underlyings(), vix_now=_VIX, scenarios=_SCENARIOS, grid=_GRID, rules=_RULES
    )
    total = 0.0
    for kind, loop in (
        (PositionKind.EUROPEAN, european),
        (PositionKind.AMERICAN, _american_loop_s),
    ):
        rows = book.rows(kind)
        if rows.size:
            sample = _sample(book, inputs, rows, cells=_SAMPLE[kind])
            total += loop(sample) / len(sample) * rows.size * _CELLS
    return total


def _sample(book: Book, inputs: ShockedInputs, rows: np.ndarray, *, cells: int) -> list[_Cell]:
    """Random cells as plain numbers: type, strike, spot, days, volatility, rate, yield."""
    generator = np.random.default_rng(3)
    row = generator.choice(rows, cells)
    scenario = generator.integers(0, len(_SCENARIOS), cells)
    step = generator.integers(0, len(_GRID.index_returns), cells)
    shock = generator.integers(0, len(_GRID.vix_points), cells)
    columns = (
        np.where(book.is_call[row], ql.Option.Call, ql.Option.Put),
        book.strike_usd[row],
        inputs.spot_usd[row, scenario, step],
        np.rint(inputs.tau_years[row, scenario] * 365.0).astype(int),
        inputs.iv_annual[row, scenario, shock],
        inputs.rate_annual[row, scenario],
        inputs.yield_annual[row, scenario],
    )
    return list(zip(*(column.tolist() for column in columns), strict=True))


def _formula_loop_s(sample: list[_Cell]) -> float:
    start = time.process_time()
    for kind, strike, spot, days, iv, rate, dividends in sample:
        tau = days / 365.0
        forward = spot * math.exp((rate - dividends) * tau)
        ql.blackFormula(kind, strike, forward, iv * math.sqrt(tau), math.exp(-rate * tau))
    return time.process_time() - start


def _calculator_loop_s(sample: list[_Cell]) -> float:
    payoffs = [ql.PlainVanillaPayoff(kind, strike) for kind, strike, *_ in sample]
    start = time.process_time()
    for payoff, (_, _, spot, days, iv, rate, dividends) in zip(payoffs, sample, strict=True):
        tau = days / 365.0
        forward = spot * math.exp((rate - dividends) * tau)
        ql.BlackCalculator(payoff, forward, iv * math.sqrt(tau), math.exp(-rate * tau)).value()
    return time.process_time() - start


def _american_loop_s(sample: list[_Cell]) -> float:
    ql.Settings.instance().evaluationDate = _TODAY
    spot_quote, iv_quote = ql.SimpleQuote(1.0), ql.SimpleQuote(0.2)
    day, calendar = ql.Actual365Fixed(), ql.NullCalendar()
    process = ql.BlackScholesMertonProcess(
        ql.QuoteHandle(spot_quote),
        ql.YieldTermStructureHandle(ql.FlatForward(0, calendar, 0.015, day)),
        ql.YieldTermStructureHandle(ql.FlatForward(0, calendar, 0.045, day)),
        ql.BlackVolTermStructureHandle(
            ql.BlackConstantVol(0, calendar, ql.QuoteHandle(iv_quote), day)
        ),
    )
    engine = ql.QdFpAmericanEngine(process, ql.QdFpAmericanEngine.fastScheme())
    start = time.process_time()
    options: dict[tuple[int, float, int], ql.VanillaOption] = {}
    for kind, strike, spot, days, iv, _, _ in sample:
        option = options.get((kind, strike, days))
        if option is None:
            option = ql.VanillaOption(
                ql.PlainVanillaPayoff(kind, strike), ql.AmericanExercise(_TODAY, _TODAY + days)
            )
            option.setPricingEngine(engine)
            options[kind, strike, days] = option
        spot_quote.setValue(spot)
        iv_quote.setValue(iv)
        option.NPV()
    return time.process_time() - start


def _figure(
    name: str,
    *,
    positions: tuple[int, int, int],
    reference: str,
    european: Callable[[list[_Cell]], float],
    times_faster: float,
) -> Figure:
    return Figure(
        name=name,
        unit="s",
        measure=lambda: _ours_s(_book(*positions)),
        reference=reference,
        measure_reference=lambda: _quantlib_s(_book(*positions), european),
        goals=(Goal(of="ratio", relation="<=", limit=1.0 / times_faster),),
    )


FIGURES = (
    _figure(
        "book of 500 positions x 6 scenarios x 21 x 21 grid",
        positions=(350, 100, 50),
        reference="QuantLib loop, blackFormula and QdFp (fast), sampled",
        european=_formula_loop_s,
        times_faster=50.0,
    ),
    _figure(
        "the same grid, 500 European positions",
        positions=(500, 0, 0),
        reference="QuantLib BlackCalculator loop, sampled",
        european=_calculator_loop_s,
        times_faster=50.0,
    ),
    _figure(
        "the same grid, 500 European positions, bare formula",
        positions=(500, 0, 0),
        reference="QuantLib blackFormula loop, sampled",
        european=_formula_loop_s,
        times_faster=10.0,
    ),
)
