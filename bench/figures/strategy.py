"""What candidates cost: one view of a chain of four hundred usable quotes, every strategy asked.

CPU time of the domain alone, from the view's packed columns to scored candidates with all reasons.
Beside it the plain loop somebody would write first, that finds one put an expiry and nothing else.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache

import msgspec
import numpy as np

from bench.harness import Figure, Goal
from bench.watched import DAY, NOW, World
from thetawarden.config.schema import Config
from thetawarden.config.selling import strategy_settings
from thetawarden.domain.chains.settings import WatchSettings
from thetawarden.domain.chains.view import ChainView, read_rows
from thetawarden.domain.chains.windows import StrikeWindow
from thetawarden.domain.strategy.catalog import look
from thetawarden.domain.strategy.portfolio import Portfolio
from thetawarden.domain.strategy.scene import open_scene
from thetawarden.domain.strategy.settings import StrategySettings

_LOOKS = 300
_QUOTES_MIN = 400


@cache
def _view() -> ChainView:
    wide = StrikeWindow(delta_min=0.001, strikes_min=60, strikes_max=90)
    board = World("SPX").board(msgspec.structs.replace(WatchSettings(), strikes=wide))
    view = board.look(underlying="SPX", number=1, today=DAY, now=NOW)
    if view.summary.usable < _QUOTES_MIN:
        raise RuntimeError(f"{view.summary.usable} usable quotes, {_QUOTES_MIN} are promised")
    return view


@cache
def _settings() -> StrategySettings:
    """Every strategy on the index."""
    chosen = strategy_settings(Config().strategy)
    every = ("index_puts", "stock_puts", "put_spreads", "strangles", "condors")
    terms = dict.fromkeys(every, chosen.terms["put_spreads"])
    on_index = {
        name: msgspec.structs.replace(one, underlyings=("SPX",)) for name, one in terms.items()
    }
    return msgspec.structs.replace(chosen, terms=on_index)


def _ours(view: ChainView, settings: StrategySettings) -> None:
    scene = open_scene(view, now_ns=NOW, regime=None, figures=None, portfolio=Portfolio())
    if isinstance(scene, str):
        raise TypeError(scene)
    look(scene, settings)


def _another(view: ChainView) -> ChainView:
    """The same once more: what was read of one view is remembered, and every view comes once."""
    return msgspec.structs.replace(view)


def _plainly(view: ChainView) -> list[int]:
    """One put of each expiry next to 6.5 delta, row by row."""
    rows = read_rows(view)
    picked = []
    for number in range(len(view.series)):
        best, nearest = -1, 1.0
        for row in range(len(rows.conid)):
            if rows.series[row] != number or rows.is_call[row] or rows.doubt[row] != 0:
                continue
            middle = (rows.bid_usd[row] + rows.ask_usd[row]) / 2.0
            wide = (rows.ask_usd[row] - rows.bid_usd[row]) / middle
            if wide > 0.25 or rows.open_interest[row] < 100.0 or middle < 0.05:
                continue
            away = abs(abs(rows.delta_per_share[row]) - 0.065)
            if away < nearest:
                best, nearest = row, away
        picked.append(best)
    return picked


def _p99_ms(act: Callable[[], object], times: int) -> float:
    """CPU time of the slowest but one in a hundred."""
    took = []
    for _ in range(times):
        start = time.thread_time_ns()
        act()
        took.append(time.thread_time_ns() - start)
    return float(np.percentile(took, 99)) / 1e6


FIGURES = (
    Figure(
        name="chain view to candidates, p99",
        unit="ms",
        measure=lambda: _p99_ms(lambda: _ours(_another(_view()), _settings()), _LOOKS),
        reference="plain loop: one put an expiry, no reasons, no scores",
        measure_reference=lambda: _p99_ms(lambda: _plainly(_another(_view())), _LOOKS // 10),
        goals=(
            Goal(of="value", relation="<=", limit=10.0),
            Goal(of="ratio", relation="<=", limit=12.0),
        ),
    ),
)
