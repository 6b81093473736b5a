"""How a taken stress becomes rows: one a scenario for the whole book, one more a position."""

from __future__ import annotations

import math

import msgspec

from thetawarden.domain.risk.stress import ScenarioLoss, StressResult
from thetawarden.infra.lake.frames import Row
from thetawarden.messages.base import Envelope, Message
from thetawarden.messages.risk import StressTaken

_LIMITS = {"over_leveraged": "risk.stress.entry_loss", "reduce": "risk.stress.reduce_loss"}


def stress_rows(body: StressTaken, _: Envelope[Message]) -> list[Row]:
    """The rows of one run; a loss that is not known is null."""
    result = body.result
    whole = [_whole(body.run, one, result) for one in result.scenarios]
    parts = [
        _row(body.run, scenario.name, one.underlying, pnl=-loss, position=one.name)
        for one in result.positions
        # of a run that says less of a position than of the whole, what it says is kept
        for scenario, loss in zip(result.scenarios, one.losses_usd, strict=False)
    ]
    grid = () if body.grid is None else (_grid_row(body),)
    return [*whole, *parts, *grid]


def _whole(run: str, one: ScenarioLoss, result: StressResult) -> Row:
    worst = result.worst is not None and result.worst.name == one.name
    limit = _LIMITS.get(result.verdict.value) if worst else None
    return (
        "",
        run,
        one.name,
        *(None, None, None),
        _known(-one.loss_with_pending_usd),
        None,
        _known(-one.fraction),
        limit is not None,
        limit,
        "",
        _known(-one.loss_usd),
        result.verdict.value,
        None,
    )


def _row(run: str, scenario: str, underlying: str, *, pnl: float, position: str) -> Row:
    nothing = (None,) * 3
    return (
        *(underlying, run, scenario, *nothing, _known(pnl), *nothing),
        *(None, position, None, None, None),
    )


def _grid_row(body: StressTaken) -> Row:
    text = msgspec.json.encode(body.grid).decode()
    nothing = (None,) * 3
    return ("", body.run, "grid", *nothing, None, *nothing, None, "", None, None, text)


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None
