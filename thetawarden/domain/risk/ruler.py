"""Lays out the market and some rows in columns, as the portfolio's mathematics reads them.

Pure. A row is so many contracts of an instrument with its marks; whose underlying the market does
not know stands beside one without a price, so that whatever is measured of it is unknown.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from thetawarden.domain.portfolio.book import KINDS, Book, Underlyings
from thetawarden.domain.pricing.arrays import FloatArray
from thetawarden.domain.remembering import remembered
from thetawarden.domain.risk.holdings import MarketView
from thetawarden.domain.risk.instrument import Instrument, Marks, UnderlyingView
from thetawarden.domain.risk.limits import MarginModel, RiskLimits
from thetawarden.domain.risk.scenarios import ScenarioSet, sector_numbers

COLUMNS_KEPT = 16


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """So many contracts of an instrument, and to which position or order they belong."""

    instrument: Instrument
    contracts: float
    marks: Marks
    owner: str


class Ruler(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Everything about the market that measuring needs, in columns.

    `measured` is what was measured by it before: the same rows again give the same numbers.
    """

    market: MarketView
    scenarios: ScenarioSet
    underlyings: Underlyings
    place: dict[str, int]
    model: MarginModel
    broad_index: NDArray[np.bool_]
    measured: dict[Any, Any] = msgspec.field(default_factory=dict)


def ruler_of(market: MarketView, limits: RiskLimits) -> Ruler:
    """Lay a market's underlyings out in columns; one more stands for those it does not know."""
    known = market.underlyings
    numbers = sector_numbers(known)

    def column(read: Callable[[UnderlyingView], float]) -> FloatArray:
        return np.array([*(read(one) for one in known), math.nan], dtype=float)

    return Ruler(
        market=market,
        scenarios=ScenarioSet.of(known, own=limits.stress.own),
        underlyings=Underlyings(
            spot_usd=column(lambda one: one.spot_usd),
            beta=column(lambda one: one.beta),
            iv_beta=column(lambda one: one.iv_beta),
            sector=np.array(
                [*(0 if one.broad_index else numbers[one.sector] for one in known), 0],
                dtype=np.intp,
            ),
        ),
        place={one.symbol: number for number, one in enumerate(known)},
        model=limits.margin.model,
        broad_index=np.array([*(one.broad_index for one in known), False]),
    )


@remembered(COLUMNS_KEPT)
def columns(rows: tuple[Row, ...], ruler: Ruler) -> Book:
    """Rows as the columns that the portfolio's mathematics reads; nobody changes rows or these."""
    elsewhere = len(ruler.place)

    def column(read: Callable[[Row], float]) -> FloatArray:
        return np.array([read(row) for row in rows], dtype=float)

    return Book(
        kind=np.array([KINDS.index(row.instrument.kind) for row in rows], dtype=np.int8),
        underlying=np.array(
            [ruler.place.get(row.instrument.underlying, elsewhere) for row in rows], dtype=np.intp
        ),
        contracts=column(lambda row: row.contracts),
        multiplier=column(lambda row: row.instrument.multiplier),
        strike_usd=column(lambda row: row.instrument.strike_usd),
        is_call=np.array([row.instrument.is_call for row in rows], dtype=np.bool_),
        tau_years=column(lambda row: row.marks.tau_years),
        iv_annual=column(lambda row: row.marks.iv_annual),
        rate_annual=column(lambda row: row.marks.rate_annual),
        yield_annual=column(lambda row: row.marks.yield_annual),
    )
