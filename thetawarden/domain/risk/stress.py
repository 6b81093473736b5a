"""Tells what each scenario would cost (R6, L12): by position and in all, before and after an order.

Pure. The plain structs are what is stored, shown and compared night by night. Losses are positive.
The heat map moves the index and the VIX on a grid, everything else following as in any scenario.
"""

from __future__ import annotations

import enum
import math

import msgspec
import numpy as np

from thetawarden.domain.instants import UnixNs
from thetawarden.domain.portfolio.revaluation import HeatMap, heat_map
from thetawarden.domain.portfolio.scenario import ShockGrid, ShockRules
from thetawarden.domain.portfolio.shock import Scenario
from thetawarden.domain.risk.holdings import HeldBook, MarketView, PendingOrder
from thetawarden.domain.risk.limits import RiskLimits, StressLimits
from thetawarden.domain.risk.measure import AddedMeasure, BookMeasure, measure_book
from thetawarden.domain.risk.ruler import Row, Ruler, columns, ruler_of

MAP_STEPS = 21
MAP_VIX_DOWN_POINTS = -10.0


class StressVerdict(enum.StrEnum):
    """What the worst scenario asks for."""

    FINE = "fine"
    OVER_LEVERAGED = "over_leveraged"
    REDUCE = "reduce"
    UNKNOWN = "unknown"


class ScenarioLoss(msgspec.Struct, frozen=True, kw_only=True):
    """One scenario: what is held would lose, and with all that may yet fill; NaN when unknown."""

    name: str
    loss_usd: float
    loss_with_pending_usd: float
    loss_with_candidate_usd: float
    fraction: float


class PositionLoss(msgspec.Struct, frozen=True, kw_only=True):
    """One position or pending order: its loss in each scenario, in their order."""

    name: str
    losses_usd: tuple[float, ...]
    underlying: str = ""


class StressGrid(msgspec.Struct, frozen=True, kw_only=True):
    """What the whole book would make: a row an index return, a column a shock in VIX points."""

    index_returns: tuple[float, ...]
    vix_points: tuple[float, ...]
    profit_usd: tuple[tuple[float, ...], ...]


class StressJob(msgspec.Struct, frozen=True, kw_only=True):
    """All that a revaluation needs, to be done anywhere."""

    market: MarketView
    held: HeldBook
    pending: tuple[PendingOrder, ...]
    nlv_usd: float
    limits: RiskLimits


class StressResult(msgspec.Struct, frozen=True, kw_only=True):
    """A whole revaluation, by its name and instant, which approvals refer to.

    Each sector's fall is a scenario of its own: the worst sector is the dearest of them.
    """

    key: str
    at_ns: UnixNs
    nlv_usd: float
    scenarios: tuple[ScenarioLoss, ...]
    positions: tuple[PositionLoss, ...]
    unknown: tuple[str, ...]
    verdict: StressVerdict
    over_usd: float = 0.0
    """How much less the dearest scenario would have to lose for nothing to be demanded."""

    @property
    def worst(self) -> ScenarioLoss | None:
        """The dearest scenario, all that may fill included."""
        known = [one for one in self.scenarios if math.isfinite(one.loss_with_candidate_usd)]
        return max(known, key=lambda one: one.loss_with_candidate_usd, default=None)


def stress_result(
    book: BookMeasure,
    *,
    nlv_usd: float,
    limits: StressLimits,
    added: AddedMeasure | None = None,
    units: int = 0,
) -> StressResult:
    """Return the losses of a book, with so many units of a candidate in it."""
    losses = tuple(
        _loss(book, place, scenario, nlv_usd=nlv_usd, extra=_extra_usd(added, units, place))
        for place, scenario in enumerate(book.scenarios.limited)
    )
    return StressResult(
        key=book.key,
        at_ns=book.at_ns,
        nlv_usd=nlv_usd,
        scenarios=losses,
        positions=_by_position(book),
        unknown=book.unknown,
        verdict=_verdict(losses, limits),
        over_usd=_over_usd(losses, nlv_usd, limits),
    )


def stress_map(rows: tuple[Row, ...], ruler: Ruler, *, limits: StressLimits) -> HeatMap:
    """Return the profit of some rows over a grid of index returns and VIX points."""
    reach = limits.map_spot_fraction
    grid = ShockGrid(
        index_returns=np.linspace(-reach, reach, MAP_STEPS),
        vix_points=np.linspace(MAP_VIX_DOWN_POINTS, limits.map_vix_points, MAP_STEPS),
    )
    return heat_map(
        columns(rows, ruler),
        ruler.underlyings,
        vix_now=ruler.market.vix_points,
        scenarios=(Scenario(name="as it stands"),),
        grid=grid,
        rules=ShockRules(),
    )


def stress_grid(book: BookMeasure, ruler: Ruler, *, limits: StressLimits) -> StressGrid | None:
    """Return the grid of what is held and may yet be; None while it cannot be valued."""
    if book.unknown:
        return None
    found = stress_map(book.rows, ruler, limits=limits)
    return StressGrid(
        index_returns=tuple(found.grid.index_returns.tolist()),
        vix_points=tuple(found.grid.vix_points.tolist()),
        profit_usd=tuple(tuple(line) for line in found.profit_usd[0].round(2).tolist()),
    )


def do_stress(job: StressJob) -> tuple[StressResult, StressGrid | None]:
    """Return what a job asks for."""
    ruler = ruler_of(job.market, job.limits)
    book = measure_book(held=job.held, pending=job.pending, ruler=ruler)
    limits = job.limits.stress
    result = stress_result(book, nlv_usd=job.nlv_usd, limits=limits)
    return result, stress_grid(book, ruler, limits=limits)


def _loss(
    book: BookMeasure, place: int, scenario: Scenario, *, nlv_usd: float, extra: float
) -> ScenarioLoss:
    pending = -float(book.worst[place])
    with_candidate = pending + extra
    return ScenarioLoss(
        name=scenario.name,
        loss_usd=-float(book.filled[place]),
        loss_with_pending_usd=pending,
        loss_with_candidate_usd=with_candidate,
        fraction=with_candidate / nlv_usd if nlv_usd > 0.0 else math.nan,
    )


def _extra_usd(added: AddedMeasure | None, units: int, place: int) -> float:
    return 0.0 if added is None else -units * float(added.profits[place])


def _by_position(book: BookMeasure) -> tuple[PositionLoss, ...]:
    limited = len(book.scenarios.limited)
    totals: dict[str, list[float]] = {}
    of = {row.owner: row.instrument.underlying for row in book.rows}
    for row, profits in zip(book.rows, book.profits_usd[:, :limited].tolist(), strict=True):
        held = totals.get(row.owner, [0.0] * limited)
        totals[row.owner] = [loss - profit for loss, profit in zip(held, profits, strict=True)]
    return tuple(
        PositionLoss(name=name, losses_usd=tuple(losses), underlying=of[name])
        for name, losses in totals.items()
    )


def _over_usd(losses: tuple[ScenarioLoss, ...], nlv_usd: float, limits: StressLimits) -> float:
    worst = max((one.loss_with_candidate_usd for one in losses), default=0.0)
    over = worst - limits.reduce_loss_fraction * nlv_usd
    return max(over, 0.0) if math.isfinite(over) else 0.0


def _verdict(losses: tuple[ScenarioLoss, ...], limits: StressLimits) -> StressVerdict:
    fractions = [one.fraction for one in losses]
    if not all(map(math.isfinite, fractions)):
        return StressVerdict.UNKNOWN
    worst = max(fractions, default=0.0)
    if worst > limits.reduce_loss_fraction:
        return StressVerdict.REDUCE
    if worst > limits.entry_loss_fraction:
        return StressVerdict.OVER_LEVERAGED
    return StressVerdict.FINE
