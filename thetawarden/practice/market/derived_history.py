"""Draws the past of what has no path of its own: options, futures and volatility indices.

Values are taken at the edges of bars and at some instants inside them; where the market publishes
a value only every so often (a volatility index), open and close are the published ones. Before the
market began nobody saw any published: there some are computed, and the model leads between them.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from thetawarden.domain.market.futures import FutureMonth
from thetawarden.practice.market.futures import Futures
from thetawarden.practice.market.option_board import OptionBoard, Plan
from thetawarden.practice.market.options import Pricer
from thetawarden.practice.market.path import Paths
from thetawarden.practice.market.roster import VOL_INDEX_DAYS, VolIndex
from thetawarden.practice.market.volbook import VolBook
from thetawarden.practice.market.volmodel import VolModel

Floats: TypeAlias = NDArray[np.float64]
Instants: TypeAlias = NDArray[np.int64]
Span: TypeAlias = tuple[int, int]
"""Start and end of a bar."""

_NODES = 7
_HOUR_NS = 3_600_000_000_000
_MONTH_NS = 30 * 24 * _HOUR_NS
_ANCHORS_MAX = 30
_RECENT_ANCHORS, _OLD_ANCHORS_EVERY = 20, 10
"""How many daily edges before the market's start are all computed, and of how many older ones."""


class DerivedHistory:
    """Prices inside spans of time, one row a span."""

    def __init__(
        self,
        *,
        paths: Paths,
        pricer: Pricer,
        options: OptionBoard,
        futures: Futures,
        vol_book: VolBook,
        vol_model: VolModel,
        began_ns: int,
    ) -> None:
        self._began_ns = began_ns
        self._paths, self._pricer, self._options = paths, pricer, options
        self._futures, self._vol_book, self._vol_model = futures, vol_book, vol_model

    def plan(self, con_id: int, now_ns: int) -> Plan | None:
        """Return how an option is priced, or None for what is none."""
        return self._options.plan(con_id, now_ns)

    def option(self, plan: Plan, spans: list[Span]) -> Floats:
        """Return an option's fair values within each span."""
        at = _nodes(spans)
        values = self._pricer.values_over_time(plan.strip, at.ravel())[:, 0]
        return values.reshape(at.shape)

    def option_volatility(self, symbol: str, spans: list[Span]) -> Floats:
        """Return an underlying's thirty-day volatility at the money within each span."""
        at = _nodes(spans)
        flat = at.ravel()
        total = self._pricer.at_the_money(symbol, at_ns=flat, settlement_ns=flat + _MONTH_NS)
        shown: Floats = np.sqrt(total / (30.0 / 365.0)).reshape(at.shape)
        return shown

    def future(self, month: FutureMonth, spans: list[Span]) -> Floats:
        """Return a future's values within each span that lies before its last trade."""
        rows = [
            [self._futures.fair(month, at).rounded for at in (start, (start + end) // 2, end)]
            for start, end in spans
            if end <= month.last_trade_ns
        ]
        return np.array(rows).reshape(-1, 3)

    def vol_index(self, index: VolIndex, spans: list[Span]) -> Floats:
        """Return a volatility index within each span: ends as published, the way as modelled."""
        if not spans:
            return np.zeros((0, _NODES))
        at = _nodes(spans)
        flat = at.ravel()
        model = self._vol_model.index(
            self._paths.states(flat), flat, days=VOL_INDEX_DAYS[index]
        ).reshape(at.shape)
        anchors = self._anchors(spans)
        published = np.array([self._vol_book.value(index, one) for one in anchors.tolist()])
        modelled = self._vol_model.index(
            self._paths.states(anchors), anchors, days=VOL_INDEX_DAYS[index]
        )
        ratio = np.interp(flat, anchors, published / modelled).reshape(at.shape)
        shown: Floats = np.round(model * ratio, 2)
        return shown

    def prepare_vol_index(self, index: VolIndex, spans: list[Span], *, most: int) -> bool:
        """Compute at most so many of the values that bars need; return whether all are there."""
        anchors = self._anchors(spans).tolist() if spans else []
        missing = [one for one in anchors if not self._vol_book.knows(index, one)]
        for one in missing[:most]:
            self._vol_book.value(index, one)
        return len(missing) <= most

    def _anchors(self, spans: list[Span]) -> Instants:
        """Instants at which the published value is computed.

        All ends, but of short bars some, and of those from before the market's start fewer.
        """
        edges = np.unique(np.array(spans, dtype=np.int64))
        if spans[0][1] - spans[0][0] < _HOUR_NS:
            kept = edges[:: max(len(edges) // _ANCHORS_MAX, 1)]
        else:
            began = int(np.searchsorted(edges, self._began_ns))
            old = max(began - _RECENT_ANCHORS, 0)
            kept = np.append(edges[:old:_OLD_ANCHORS_EVERY], edges[old:])
        anchors: Instants = np.unique(np.append(kept, edges[-1]))
        return anchors


def _nodes(spans: list[Span]) -> Instants:
    edges = np.array(spans, dtype=np.int64).reshape(-1, 2)
    steps = np.linspace(0.0, 1.0, _NODES)
    inside = edges[:, :1] + (edges[:, 1:] - edges[:, :1]) * steps
    at: Instants = inside.astype(np.int64)
    at[:, 0], at[:, -1] = edges[:, 0], edges[:, 1]
    return at
