"""Draws the past: bars of any length from the same path that quotes come from.

A share's bar is made of the path at its slots' edges; an option's of its fair value on a grid, as a
quiet contract's last price would run. Daily and longer bars cover the regular session and begin at
New York's midnight.
"""

from __future__ import annotations

import datetime as dt
from itertools import pairwise
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from thetawarden.domain.instants import new_york_ns
from thetawarden.domain.market.contracts import UnderlyingKind
from thetawarden.domain.market.hours import Phase
from thetawarden.practice.market.board import Board
from thetawarden.practice.market.catalog import Catalog
from thetawarden.practice.market.clockwork import Clockwork
from thetawarden.practice.market.derived_history import DerivedHistory, Span
from thetawarden.practice.market.path import Paths
from thetawarden.practice.market.roster import UNDERLYINGS, VOL_INDEX_CON_IDS
from thetawarden.practice.market.tape import Tape
from thetawarden.practice.market.timeline import SLOT_NS, Timeline
from thetawarden.practice.model import Bar, BarRequest, Quote, QuoteTick, TickRequest, TradeTick

Floats: TypeAlias = NDArray[np.float64]
Instants: TypeAlias = NDArray[np.int64]

_DAY_S, _WEEK_S = 86_400, 604_800
_NS = 1_000_000_000
_MIDNIGHT = dt.time(0)
_VOLATILITIES = frozenset({"HISTORICAL_VOLATILITY", "OPTION_IMPLIED_VOLATILITY"})
_QUOTED = frozenset({"MIDPOINT", "BID", "ASK", "BID_ASK"})


class History:
    """Bars and ticks of everything."""

    def __init__(
        self,
        *,
        timeline: Timeline,
        paths: Paths,
        tape: Tape,
        board: Board,
        derived: DerivedHistory,
        catalog: Catalog,
        clockwork: Clockwork,
        first_row: int,
    ) -> None:
        self._timeline, self._paths, self._tape = timeline, paths, tape
        self._board, self._first_row = board, first_row
        self._derived, self._catalog, self._clockwork = derived, catalog, clockwork
        self._vol_indices = {number: index for index, number in VOL_INDEX_CON_IDS.items()}
        self._symbols = {one.con_id: one.symbol for one in UNDERLYINGS.values()}

    def bars(self, request: BarRequest, now_ns: int) -> list[Bar]:
        """Return bars of anything listed, oldest first."""
        symbol = self._symbols.get(request.con_id)
        if symbol is not None and request.what in _VOLATILITIES:
            return self._volatility_bars(symbol, request, now_ns)
        if symbol is not None:
            return self.share_bars(symbol, request, now_ns)
        return self.quoted_bars(request, now_ns)

    def prepare(self, request: BarRequest, now_ns: int, *, most: int) -> bool:
        """Compute at most so many of the dear values that bars need; return whether all are there.

        Only volatility indices are dear: each value takes two whole strips of options.
        """
        index = self._vol_indices.get(request.con_id)
        if index is None:
            return True
        _, spans = self._spans(request, now_ns)
        return self._derived.prepare_vol_index(index, spans, most=most)

    def quoted_bars(self, request: BarRequest, now_ns: int) -> list[Bar]:
        """Return bars of what has no path of its own: options, futures, volatility indices."""
        plan = self._derived.plan(request.con_id, now_ns)
        index = self._vol_indices.get(request.con_id)
        month = self._catalog.future_month(request.con_id, now_ns)
        starts, spans = self._spans(request, now_ns)
        if plan is not None:
            prices = np.round(self._derived.option(plan, spans), 2)
        elif index is not None:
            prices = self._derived.vol_index(index, spans)
        elif month is not None:
            prices = self._derived.future(month, spans)
        else:
            return []
        return [
            _bar(start, row, volume=0.0, what=request.what, symbol="")
            for start, row in zip(starts, prices, strict=False)
        ]

    def _volatility_bars(self, symbol: str, request: BarRequest, now_ns: int) -> list[Bar]:
        """Historical or implied volatility of an underlying, annual, one value a bar."""
        starts, spans = self._spans(request, now_ns)
        if request.what == "OPTION_IMPLIED_VOLATILITY":
            rows = self._derived.option_volatility(symbol, spans)
        else:
            rows = np.array([[self.realised(symbol, end)] for _, end in spans]).reshape(-1, 1)
        return [
            _bar(start, row, volume=0.0, what=request.what, symbol="", places=5)
            for start, row in zip(starts, rows, strict=True)
        ]

    def realised(self, symbol: str, now_ns: int) -> float:
        """Return the annual volatility of the last thirty daily returns."""
        row = self._timeline.row_of(now_ns + 1)
        first = max(row - 31, self._first_row)
        closes = np.array([self._paths.close(symbol, one) for one in range(first, row)])
        return float(np.std(np.diff(np.log(closes))) * np.sqrt(252.0))

    def _spans(self, request: BarRequest, now_ns: int) -> tuple[list[int], list[Span]]:
        """Starts of bars as stamped, and what each covers of its product's trading."""
        hours = self._catalog.hours_of(request.con_id, now_ns)
        if hours is None:
            return [], []
        found: list[tuple[int, Span]] = []
        for row in self._rows(request):
            day = self._timeline.date(row)
            long = request.bar_s >= _DAY_S
            for segment in self._clockwork.segments(hours, day):
                opens, closes = int(segment.open_ns), min(int(segment.close_ns), now_ns)
                regular = segment.phase is Phase.REGULAR
                if closes <= opens or ((long or request.regular_hours_only) and not regular):
                    continue
                if long:
                    found.append((int(new_york_ns(day, _MIDNIGHT)), (opens, closes)))
                    continue
                edges = self._edges(opens, closes, request.bar_s * _NS).tolist()
                found += [(start, (start, end)) for start, end in pairwise(edges)]
        kept = [one for one in found if request.start_ns <= one[0] < request.end_ns]
        return [start for start, _ in kept], [span for _, span in kept]

    def trades(self, request: TickRequest) -> tuple[TradeTick, ...]:
        """Return prints, oldest first."""
        seen = 0
        ticks: list[TradeTick] = []
        for one in self._quotes_of(request):
            if one.last is not None and one.last_at_ns is not None and one.last_at_ns > seen:
                seen = one.last_at_ns
                ticks.append(TradeTick(at_ns=one.at_ns, price=one.last, size=one.last_size))
        return tuple(ticks)

    def quote_ticks(self, request: TickRequest) -> tuple[QuoteTick, ...]:
        """Return changes of bid and ask, oldest first."""
        ticks: list[QuoteTick] = []
        before = None
        for one in self._quotes_of(request):
            sides = (one.bid, one.ask, one.bid_size, one.ask_size)
            if one.bid is None or one.ask is None or sides == before:
                continue
            before = sides
            ticks.append(
                QuoteTick(
                    at_ns=one.at_ns,
                    bid=one.bid,
                    ask=one.ask,
                    bid_size=one.bid_size,
                    ask_size=one.ask_size,
                )
            )
        return tuple(ticks)

    def _quotes_of(self, request: TickRequest) -> list[Quote]:
        """Quotes at whole seconds of the interval, the latest or the first so many."""
        first, last = request.start_ns // _NS + 1, request.end_ns // _NS
        if request.first:
            last = min(last, first + request.count_max - 1)
        else:
            first = max(first, last - request.count_max + 1)
        found = (
            self._board.quotes((request.con_id,), second * _NS)[0]
            for second in range(first, last + 1)
        )
        return [one for one in found if one is not None]

    def share_bars(self, symbol: str, request: BarRequest, now_ns: int) -> list[Bar]:
        """Return an underlying's bars, oldest first."""
        if request.bar_s >= _DAY_S:
            return self._long_bars(symbol, request, now_ns)
        line = self._timeline
        rows = self._rows(request)
        bars: list[Bar] = []
        for row in rows:
            bars.extend(
                self._session_bars(symbol, row, request, min(now_ns, int(line.close_ns[row])))
            )
        return bars

    def _rows(self, request: BarRequest) -> range:
        line = self._timeline
        first = max(line.row_of(request.start_ns), self._first_row + 1)
        last = line.row_of(max(request.end_ns - 1, 0))
        return range(first, last + 1)

    def _session_bars(self, symbol: str, row: int, request: BarRequest, until_ns: int) -> list[Bar]:
        line = self._timeline
        opens, width = int(line.open_ns[row]), request.bar_s * _NS
        if until_ns < opens:
            return []
        edges = self._edges(opens, until_ns, width)
        at = np.unique(np.concatenate([edges, np.arange(opens, until_ns + 1, SLOT_NS)]))
        at = at[at <= until_ns]
        price = self._paths.spots(symbol, at)
        count = line.slots_of(row)
        share_done = np.interp(
            (edges - opens) / SLOT_NS, np.arange(count + 1), line.day_shape(count)
        )
        volume = self._tape.day_volume(symbol, row) * np.diff(share_done, append=share_done[-1])
        bars = []
        for n, start in enumerate(edges[:-1].tolist()):
            if not request.start_ns <= start < request.end_ns:
                continue
            first = int(np.searchsorted(at, start))
            last = int(np.searchsorted(at, edges[n + 1], side="right"))
            bars.append(
                _bar(
                    start,
                    price[first:last],
                    volume=float(volume[n]),
                    what=request.what,
                    symbol=symbol,
                )
            )
        return bars

    def _edges(self, opens: int, until_ns: int, width: int) -> Instants:
        """Starts of bars from the open on, whole hours aligned to the clock, and the last end."""
        first_end = opens + width - opens % width
        starts = np.concatenate(([opens], np.arange(first_end, until_ns, width)))
        return np.append(starts, until_ns).astype(np.int64)

    def _long_bars(self, symbol: str, request: BarRequest, now_ns: int) -> list[Bar]:
        line = self._timeline
        days = []
        for row in self._rows(request):
            start = new_york_ns(line.date(row), _MIDNIGHT)
            if start < request.start_ns - _DAY_S * _NS or start >= request.end_ns:
                continue
            until = min(now_ns, int(line.close_ns[row]))
            if until <= int(line.open_ns[row]):
                continue
            days.append((line.date(row), self._daily(symbol, row, until, request.what)))
        if request.bar_s == _DAY_S:
            return [bar for day, bar in days if new_york_ns(day, _MIDNIGHT) >= request.start_ns]
        weekly = request.bar_s == _WEEK_S
        groups: dict[tuple[int, int], list[Bar]] = {}
        for day, bar in days:
            year, week, _ = day.isocalendar()
            groups.setdefault((year, week) if weekly else (day.year, day.month), []).append(bar)
        return [_merged(bars) for bars in groups.values()]

    def _daily(self, symbol: str, row: int, until_ns: int, what: str) -> Bar:
        traded = self._tape.traded(symbol, until_ns)
        start = new_york_ns(self._timeline.date(row), _MIDNIGHT)
        prices = np.array([traded.open, traded.high, traded.low, traded.last])
        return _bar(start, prices, volume=float(traded.volume), what=what, symbol=symbol)


def _bar(
    start_ns: int, prices: Floats, *, volume: float, what: str, symbol: str, places: int = 2
) -> Bar:
    quoted = what in _QUOTED
    traded = symbol in UNDERLYINGS and UNDERLYINGS[symbol].kind is not UnderlyingKind.INDEX
    return Bar(
        start_ns=start_ns,
        open=round(float(prices[0]), places),
        high=round(float(prices.max()), places),
        low=round(float(prices.min()), places),
        close=round(float(prices[-1]), places),
        volume=-1.0 if quoted else float(round(volume)),
        wap=-1.0 if quoted else round(float(prices.mean()), 3) if traded else 0.0,
        count=-1 if quoted else int(volume / 140.0) + 1 if traded else 0,
    )


def _merged(bars: list[Bar]) -> Bar:
    quoted = bars[0].volume < 0.0
    return Bar(
        start_ns=bars[0].start_ns,
        open=bars[0].open,
        high=max(one.high for one in bars),
        low=min(one.low for one in bars),
        close=bars[-1].close,
        volume=-1.0 if quoted else sum(one.volume for one in bars),
        wap=-1.0 if quoted else sum(one.wap for one in bars) / len(bars),
        count=-1 if quoted else sum(one.count for one in bars),
    )
