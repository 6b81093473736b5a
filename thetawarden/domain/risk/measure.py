"""Measures a book and a candidate in the numbers the limits are stated in, by full revaluation.

Every measured number is written as a profit in USD, so that smaller is worse: scenario profits,
what small moves bring, and, with their signs turned, income of a day and controlled notional. Small
moves are revalued too: in an option's last hours its Greeks promise what no price can keep. What
may yet fill counts wherever it makes a number worse and nowhere else, order by order, so the sum
is a bound whatever fills. A candidate is measured per unit and alone. Unknown inputs give NaN.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Callable
from typing import Final, TypeVar

import msgspec
import numpy as np

from thetawarden.domain.instants import UnixNs
from thetawarden.domain.portfolio.book import Book, PositionKind, Underlyings
from thetawarden.domain.portfolio.margin import (
    Requirement,
    StressRanges,
    risk_based,
    strategy_based,
)
from thetawarden.domain.portfolio.regt import RegTRates
from thetawarden.domain.portfolio.revaluation import position_worths
from thetawarden.domain.portfolio.scenario import ShockRules, shocked_book
from thetawarden.domain.portfolio.shock import MARGIN_STRESS, Scenario
from thetawarden.domain.pricing.arrays import FloatArray
from thetawarden.domain.risk.candidate import Candidate
from thetawarden.domain.risk.holdings import HeldBook, MarketView, PendingOrder
from thetawarden.domain.risk.instrument import Instrument, Marks
from thetawarden.domain.risk.limits import MarginModel
from thetawarden.domain.risk.ruler import Row, Ruler, columns
from thetawarden.domain.risk.scenarios import SMALL_MOVES, ScenarioSet
from thetawarden.domain.risk.standing import Standing, standing_of, with_order

T = TypeVar("T")
_SHOCKS: Final = ShockRules()
_UNKNOWN: Final = Marks(
    tau_years=math.nan, iv_annual=math.nan, rate_annual=math.nan, yield_annual=math.nan
)
_TODAY: Final = Scenario(name="today")


class Figure(enum.IntEnum):
    """The measured numbers that follow the scenarios, by place; all as profits in USD."""

    INDEX_DROP = 0
    INDEX_RISE = 1
    VIX_RISE = 2
    GAMMA = 3
    """What an index move of 1 % brings on the average of both ways: curvature alone."""
    INCOME = 4
    """What a day that passes brings, with its sign turned: selling more is what costs."""
    NOTIONAL = 5
    """Controlled notional with its sign turned."""


class BookMeasure(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """What a book stands for at an instant; the part of a decision that any candidate shares.

    `filled` is the account alone, `worst` with all that may yet fill. `rows` and `profits_usd` (row
    x scenario) are there to tell by position. `broad` are the symbols that are no single names.
    """

    key: str
    at_ns: UnixNs
    scenarios: ScenarioSet
    held: HeldBook
    pending: tuple[PendingOrder, ...]
    standing: Standing
    rows: tuple[Row, ...]
    profits_usd: FloatArray
    filled: FloatArray
    worst: FloatArray
    stressed_requirement_usd: float
    held_requirement_usd: float
    unknown: tuple[str, ...]
    broad: frozenset[str]


class AddedMeasure(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """What one unit of a candidate adds; `worth_usd` is what its legs are worth by the model."""

    profits: FloatArray
    stressed_requirement_usd: float
    worth_usd: float
    unknown: tuple[str, ...]

    @property
    def adverse(self) -> FloatArray:
        """Only what makes a number worse: the rest may never fill."""
        return np.minimum(self.profits, 0.0)


def measure_book(*, held: HeldBook, pending: tuple[PendingOrder, ...], ruler: Ruler) -> BookMeasure:
    """Measure what is held and what may yet be."""
    rows = _held_rows(held, ruler.market)
    profits = _once(_value, rows, ruler).profits
    filled, requirement = profits.sum(axis=0), _requirement_usd(rows, ruler)
    book = BookMeasure(
        key=f"{held.version}@{ruler.market.at_ns}",
        at_ns=UnixNs(min(held.at_ns, ruler.market.at_ns)),
        scenarios=ruler.scenarios,
        held=held,
        pending=(),
        standing=standing_of(held, ruler.market),
        rows=rows,
        profits_usd=profits[:, : ruler.scenarios.size],
        filled=filled,
        worst=filled,
        stressed_requirement_usd=requirement,
        held_requirement_usd=requirement,
        unknown=_unknown(rows, ruler),
        broad=frozenset(one.symbol for one in ruler.market.underlyings if one.broad_index),
    )
    for order in pending:
        book = with_pending(book, order, ruler)
    return book


def with_pending(book: BookMeasure, order: PendingOrder, ruler: Ruler) -> BookMeasure:
    """Count one more order that may yet fill, where it makes a number worse.

    What only takes away from what is held controls nothing more, and needs no margin of its own.
    """
    rows = _order_rows(order, ruler.market, units=order.units)
    unit = _order_rows(order, ruler.market, units=1)
    profits = order.units * _once(_value, unit, ruler).profits
    adverse = np.minimum(profits.sum(axis=0), 0.0)
    requirement = 0.0
    if order.takes_away(book.held):
        adverse[ruler.scenarios.size + Figure.NOTIONAL] = 0.0
    else:
        requirement = order.units * _once(_requirement_usd, unit, ruler)
    return msgspec.structs.replace(
        book,
        key=f"{book.key}+{order.key}",
        pending=(*book.pending, order),
        standing=with_order(book.standing, order, held=book.held, market=ruler.market),
        rows=(*book.rows, *rows),
        profits_usd=np.vstack([book.profits_usd, profits[:, : ruler.scenarios.size]]),
        worst=book.worst + adverse,
        stressed_requirement_usd=book.stressed_requirement_usd + requirement,
        unknown=tuple(dict.fromkeys((*book.unknown, *_unknown(rows, ruler)))),
    )


def measure_candidate(candidate: Candidate, ruler: Ruler) -> AddedMeasure:
    """Measure one unit of a candidate, by the market's marks as for all else that may fill.

    The marks it brings stand in where the market has none: judged by other marks than the book
    will be, it could be let in at a size that breaks a limit.
    """
    rows = tuple(
        Row(
            instrument=leg.instrument,
            contracts=leg.ratio,
            marks=marks_in(leg.instrument, ruler.market, fallback=leg.marks),
            owner=candidate.key,
        )
        for leg in candidate.legs
    )
    value = _once(_value, rows, ruler)
    return AddedMeasure(
        profits=value.profits.sum(axis=0),
        stressed_requirement_usd=_once(_requirement_usd, rows, ruler),
        worth_usd=float(value.worth_usd.sum()),
        unknown=_unknown(rows, ruler),
    )


def requirement_now_usd(rows: tuple[Row, ...], ruler: Ruler) -> float:
    """Margin of some rows as the market stands, by the model."""
    return _once(_requirement_now_usd, rows, ruler) if rows else 0.0


def held_rows_of(book: BookMeasure, *, underlying: str) -> tuple[Row, ...]:
    """What is held in one underlying; orders that may yet fill stand behind what is held."""
    held = book.rows[: len(book.held.holdings)]
    return tuple(row for row in held if row.instrument.underlying == underlying)


def _held_rows(held: HeldBook, market: MarketView) -> tuple[Row, ...]:
    return tuple(
        Row(
            instrument=one.instrument,
            contracts=one.contracts,
            marks=marks_in(one.instrument, market, fallback=_UNKNOWN),
            owner=one.position,
        )
        for one in held.holdings
    )


def _order_rows(order: PendingOrder, market: MarketView, *, units: int) -> tuple[Row, ...]:
    return tuple(
        Row(
            instrument=leg.instrument,
            contracts=leg.ratio * units,
            marks=marks_in(leg.instrument, market, fallback=leg.marks),
            owner=order.key,
        )
        for leg in order.legs
    )


def marks_in(instrument: Instrument, market: MarketView, *, fallback: Marks) -> Marks:
    """The market's marks of an option, or those at hand where it has none."""
    return market.marks.get(instrument.con_id, fallback) if instrument.is_option else Marks()


def _once(measure: Callable[[tuple[Row, ...], Ruler], T], rows: tuple[Row, ...], ruler: Ruler) -> T:
    """Measure rows, but never the same ones twice by one ruler: a revaluation is dear."""
    key = (measure, tuple((row.instrument, row.contracts, row.marks) for row in rows))
    if key not in ruler.measured:
        ruler.measured[key] = measure(rows, ruler)
    found: T = ruler.measured[key]
    return found


class _Value(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """What rows gain, row x (scenarios, then figures), and are worth: now, in the margin stress."""

    profits: FloatArray
    worth_usd: FloatArray
    stressed_usd: FloatArray


def _value(rows: tuple[Row, ...], ruler: Ruler) -> _Value:
    width = ruler.scenarios.size + len(Figure)
    if not rows:
        nothing = np.zeros(0)
        return _Value(profits=np.zeros((0, width)), worth_usd=nothing, stressed_usd=nothing)
    book = columns(rows, ruler)
    with np.errstate(all="ignore"):
        worths = position_worths(
            book,
            ruler.underlyings,
            vix_now=ruler.market.vix_points,
            scenarios=(_TODAY, *ruler.scenarios.all),
            rules=_SHOCKS,
        )[:, :, 0, 0]
        today = worths[:, 0]
        moved = worths[:, 1:] - today[:, None]
        drop, rise, vix, day = worths[:, -len(SMALL_MOVES) :].T - today
        gamma = (drop + rise) / 2.0
    profits = np.empty((len(rows), width))
    profits[:, : ruler.scenarios.size] = moved
    figures = profits[:, ruler.scenarios.size :]
    figures[:, Figure.INDEX_DROP] = drop
    figures[:, Figure.INDEX_RISE] = rise
    figures[:, Figure.VIX_RISE] = vix
    figures[:, Figure.GAMMA] = gamma
    figures[:, Figure.INCOME] = -day
    figures[:, Figure.NOTIONAL] = -_notional_usd(book, ruler)
    stress = 1 + ruler.scenarios.all.index(MARGIN_STRESS)
    return _Value(profits=profits, worth_usd=today, stressed_usd=worths[:, stress])


def _notional_usd(book: Book, ruler: Ruler) -> FloatArray:
    """Strikes of options and prices of everything else, times shares, without sign."""
    each = book.strike_usd.copy()
    linear = book.rows(PositionKind.LINEAR)
    each[linear] = ruler.underlyings.spot_usd[book.underlying[linear]]
    notional: FloatArray = np.abs(book.contracts * book.multiplier) * each
    return notional


def _requirement_usd(rows: tuple[Row, ...], ruler: Ruler) -> float:
    """Margin of some rows by themselves after the margin stress; NaN when any input is unknown."""
    if not rows:
        return 0.0
    if _unknown(rows, ruler):
        return math.nan
    then = shocked_book(
        columns(rows, ruler),
        ruler.underlyings,
        vix_now=ruler.market.vix_points,
        scenario=MARGIN_STRESS,
        rules=_SHOCKS,
    )
    return _by_model(ruler)(*then, _once(_value, rows, ruler).stressed_usd)


def _requirement_now_usd(rows: tuple[Row, ...], ruler: Ruler) -> float:
    return _by_model(ruler)(columns(rows, ruler), ruler.underlyings)  # the VIX does not matter


def _by_model(ruler: Ruler) -> Requirement:
    if ruler.model is MarginModel.STRATEGY:
        return strategy_based(broad_index=ruler.broad_index, rates=RegTRates())
    return risk_based(broad_index=ruler.broad_index, ranges=StressRanges())


def _unknown(rows: tuple[Row, ...], ruler: Ruler) -> tuple[str, ...]:
    """What of these rows cannot be valued, by name, each once."""
    market = ruler.market
    names = [] if math.isfinite(market.index_usd) and market.index_usd > 0.0 else ["index"]
    names += [] if math.isfinite(market.vix_points) and market.vix_points > 0.0 else ["vix"]
    for row in rows:
        instrument = row.instrument
        place = ruler.place.get(instrument.underlying)
        if place is None or not _is_priced(place, ruler.underlyings):
            names.append(instrument.underlying)
        if not _is_marked(row):
            names.append(f"marks of {row.owner} ({instrument.con_id})")
    return tuple(dict.fromkeys(names))


def _is_priced(place: int, underlyings: Underlyings) -> bool:
    spot = float(underlyings.spot_usd[place])
    follows = (float(underlyings.beta[place]), float(underlyings.iv_beta[place]))
    return math.isfinite(spot) and spot > 0.0 and all(map(math.isfinite, follows))


def _is_marked(row: Row) -> bool:
    if not row.instrument.is_option:
        return math.isfinite(row.contracts)
    marks = row.marks
    numbers = (row.contracts, marks.tau_years, marks.iv_annual, marks.rate_annual)
    finite = all(map(math.isfinite, (*numbers, marks.yield_annual)))
    return finite and marks.iv_annual > 0.0 and marks.tau_years >= 0.0
