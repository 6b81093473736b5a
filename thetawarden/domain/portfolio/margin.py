"""Projects what a book's margin would be after a shock, strategy-based or risk-based.

Pure. The risk-based (portfolio-margin style) requirement is the worst loss of each underlying over
a range of its own moves, no underlying helping another, never less than a minimum per short
option. Utilisation is requirement over net liquidation value, both as they would stand after the
shock; a book that the shock ruins has an infinite one. Estimates: the broker's answer outranks
them wherever it can be had.
"""

from __future__ import annotations

import enum
import math
from typing import TYPE_CHECKING, Protocol

import msgspec
import numpy as np

from thetawarden.domain.portfolio.book import Book, PositionKind, Underlyings
from thetawarden.domain.portfolio.regt import RegTRates, regt_requirement
from thetawarden.domain.portfolio.revaluation import position_worths, scenario_profits
from thetawarden.domain.portfolio.scenario import ShockGrid, ShockRules, shocked_book
from thetawarden.domain.portfolio.shock import Scenario

if TYPE_CHECKING:
    from thetawarden.domain.pricing.arrays import BoolArray, FloatArray

_AS_IS = (Scenario(name="as it stands"),)


class Requirement(Protocol):
    """What margin a book needs as it stands; its worths are computed where nobody has them."""

    def __call__(
        self, book: Book, underlyings: Underlyings, worth_usd: FloatArray | None = None, /
    ) -> float:
        """Return it in USD; `worth_usd` is what each position is worth."""


class StressRanges(msgspec.Struct, frozen=True, kw_only=True):
    """How far underlyings are moved, down and up, and the minimum per share of a short option."""

    broad_index_down: float = -0.08
    broad_index_up: float = 0.06
    other_down: float = -0.15
    other_up: float = 0.15
    steps: int = 11
    minimum_usd_per_share: float = 0.375


class MarginGap(enum.StrEnum):
    """Why a margin cannot be projected."""

    NOT_FINITE = "not_finite"


class MarginProjection(msgspec.Struct, frozen=True, kw_only=True):
    """A book's margin after a shock."""

    net_liquidation_usd: float
    requirement_usd: float
    utilisation_fraction: float


def project_margin(
    book: Book,
    underlyings: Underlyings,
    *,
    requirement: Requirement,
    net_liquidation_usd: float,
    vix_now: float,
    scenario: Scenario,
    rules: ShockRules,
) -> MarginProjection | MarginGap:
    """Net liquidation value, requirement and utilisation as they would be after the scenario."""
    profits = scenario_profits(
        book, underlyings, vix_now=vix_now, scenarios=(scenario,), rules=rules
    )
    left = net_liquidation_usd + float(profits.sum())
    then = shocked_book(book, underlyings, vix_now=vix_now, scenario=scenario, rules=rules)
    needed = requirement(*then)
    if not (math.isfinite(left) and math.isfinite(needed)):
        return MarginGap.NOT_FINITE
    ruined = math.inf if needed > 0.0 else 0.0
    return MarginProjection(
        net_liquidation_usd=left,
        requirement_usd=needed,
        utilisation_fraction=needed / left if left > 0.0 else ruined,
    )


def strategy_based(
    *, broad_index: BoolArray, rates: RegTRates, other_usd: float = 0.0
) -> Requirement:
    """The Reg-T style requirement of a whole book, `other_usd` (futures, say) added."""

    def requirement(
        book: Book, underlyings: Underlyings, worth_usd: FloatArray | None = None, /
    ) -> float:
        per_underlying = regt_requirement(
            book,
            underlyings,
            worth_usd=_worths(book, underlyings) if worth_usd is None else worth_usd,
            broad_index=broad_index,
            rates=rates,
        )
        return float(per_underlying.sum()) + other_usd

    return requirement


def risk_based(
    *, broad_index: BoolArray, ranges: StressRanges, other_usd: float = 0.0
) -> Requirement:
    """The portfolio-margin style requirement of a whole book, `other_usd` added."""

    def requirement(
        book: Book, underlyings: Underlyings, worth_usd: FloatArray | None = None, /
    ) -> float:
        now = _worths(book, underlyings) if worth_usd is None else worth_usd
        return float(_stress(book, underlyings, now, broad_index, ranges).sum()) + other_usd

    return requirement


def _worths(book: Book, underlyings: Underlyings) -> FloatArray:
    return position_worths(book, underlyings, vix_now=0.0, scenarios=_AS_IS, rules=ShockRules())[
        :, 0, 0, 0
    ]


def _stress(
    book: Book,
    underlyings: Underlyings,
    now: FloatArray,
    broad_index: BoolArray,
    ranges: StressRanges,
) -> FloatArray:
    """Requirement per underlying: its worst loss over its range, or the minimum."""
    alone = msgspec.structs.replace(underlyings, beta=np.ones_like(underlyings.beta))
    size = len(underlyings.spot_usd)
    worst = _minimum(book, size, ranges)
    for kind, low, high in (
        (True, ranges.broad_index_down, ranges.broad_index_up),
        (False, ranges.other_down, ranges.other_up),
    ):
        rows = np.flatnonzero(broad_index[book.underlying] == kind)
        grid = ShockGrid(index_returns=np.linspace(low, high, ranges.steps), vix_points=np.zeros(1))
        then = position_worths(
            book.take(rows), alone, vix_now=0.0, scenarios=_AS_IS, grid=grid, rules=ShockRules()
        )[:, 0, :, 0]
        for step in range(ranges.steps):
            profit = np.bincount(
                book.underlying[rows], weights=then[:, step] - now[rows], minlength=size
            )
            worst = np.maximum(worst, -profit)
    return worst


def _minimum(book: Book, size: int, ranges: StressRanges) -> FloatArray:
    short = np.minimum(book.contracts * book.multiplier, 0.0)
    short[book.rows(PositionKind.LINEAR)] = 0.0
    charge = -short * ranges.minimum_usd_per_share
    return np.bincount(book.underlying, weights=charge, minlength=size).astype(np.float64)
