"""States a taken stress as scripts and people read it: unknown is null, never zero."""

from __future__ import annotations

import math

from thetawarden.domain.instants import iso
from thetawarden.messages.control import GridView, PositionStressView, ScenarioView, StressView
from thetawarden.messages.risk import StressTaken


def stress_view(taken: StressTaken) -> StressView:
    """Return the view of a run."""
    result, grid = taken.result, taken.grid
    return StressView(
        run=taken.run,
        at=iso(result.at_ns),
        nlv_usd=_known(result.nlv_usd),
        verdict=result.verdict.value,
        unknown=result.unknown,
        scenarios=tuple(
            ScenarioView(
                name=one.name,
                loss_usd=_known(one.loss_usd),
                with_pending_usd=_known(one.loss_with_pending_usd),
                percent_of_nlv=_known(one.fraction * 100.0),
            )
            for one in result.scenarios
        ),
        positions=tuple(
            PositionStressView(
                name=one.name,
                underlying=one.underlying,
                losses_usd=tuple(_known(loss) for loss in one.losses_usd),
            )
            for one in result.positions
        ),
        grid=None
        if grid is None
        else GridView(
            index_returns=grid.index_returns,
            vix_points=grid.vix_points,
            profit_usd=grid.profit_usd,
        ),
    )


def _known(value: float) -> float | None:
    return round(value, 4) if math.isfinite(value) else None
