"""Knows what holding costs and pays: the rate, dividends, and so every forward.

The rate is continuous and flat. An index yields a flow. Shares and ETFs pay cash on known ex days,
in amounts the calendar alone decides, so that the past never changes; until its ex day a dividend
builds up evenly in the price. Amounts are USD per share.
"""

from __future__ import annotations

import datetime as dt
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from thetawarden.domain.instants import NS_PER_DAY
from thetawarden.domain.market.contracts import UnderlyingKind
from thetawarden.domain.market.events import ExDividend
from thetawarden.practice.market.levers import Levers
from thetawarden.practice.market.roster import UNDERLYINGS
from thetawarden.practice.market.timeline import Timeline

Floats: TypeAlias = NDArray[np.float64]
Instants: TypeAlias = NDArray[np.int64]

RATE_ANNUAL = 0.0405
_YEAR_NS = 365 * NS_PER_DAY
_GROWTH_QUARTERLY = 0.012
_YEARS_BACK, _YEARS_AHEAD = 12, 12


class Carry:
    """Rates, dividends and forwards of every underlying."""

    def __init__(self, *, timeline: Timeline, start_row: int, levers: Levers) -> None:
        self._timeline, self._levers = timeline, levers
        self._start = timeline.date(start_row)
        self._dividends: dict[str, tuple[ExDividend, ...]] = {}
        self._ex_ns: dict[str, tuple[Instants, Floats]] = {}

    def dividends(self, symbol: str) -> tuple[ExDividend, ...]:
        """Return every cash dividend of an underlying, oldest first, many years ahead."""
        known = self._dividends.get(symbol)
        if known is None:
            known = self._dividends[symbol] = self._schedule(symbol)
        return known

    def accrued(self, symbol: str, instants_ns: Instants) -> Floats:
        """Return how much of the next dividend is in the price, per share of the start."""
        ex_ns, amount = self._table(symbol)
        if not len(ex_ns):
            return np.zeros(len(instants_ns))
        at = np.clip(np.searchsorted(ex_ns, instants_ns, side="right"), 1, len(ex_ns) - 1)
        since = (instants_ns - ex_ns[at - 1]) / (ex_ns[at] - ex_ns[at - 1])
        result: Floats = amount[at] * np.clip(since, 0.0, 1.0)
        return result

    def forward(
        self, *, symbol: str, spot: Floats, at_ns: Instants, settlement_ns: Instants
    ) -> tuple[Floats, Floats]:
        """Return forward and discount factor for each pair of an instant and a settlement."""
        years = np.maximum(settlement_ns - at_ns, 0) / _YEAR_NS
        discount = np.exp(-RATE_ANNUAL * years)
        if UNDERLYINGS[symbol].kind is UnderlyingKind.INDEX:
            return spot * np.exp(-UNDERLYINGS[symbol].yield_annual * years) / discount, discount
        ex_ns, amount = self._table(symbol)
        now = at_ns[:, None]
        counts = (ex_ns > now) & (ex_ns <= settlement_ns[:, None])
        worth = self._levers.unit(symbol) * amount * np.exp(-RATE_ANNUAL * (ex_ns - now) / _YEAR_NS)
        return (spot - np.sum(np.where(counts, worth, 0.0), axis=1)) / discount, discount

    def dividends_until(self, symbol: str, now_ns: int, settlement_ns: Instants) -> Floats:
        """Return the present value of cash dividends between now and each settlement."""
        ex_ns, amount = self._table(symbol)
        ahead = ex_ns > now_ns
        worth = (
            self._levers.unit(symbol)
            * amount[ahead]
            * np.exp(-RATE_ANNUAL * (ex_ns[ahead] - now_ns) / _YEAR_NS)
        )
        running = np.concatenate(([0.0], np.cumsum(worth)))
        result: Floats = running[np.searchsorted(ex_ns[ahead], settlement_ns, side="right")]
        return result

    def payments(self, symbol: str) -> tuple[Instants, Floats]:
        """Return when each cash dividend goes ex, and its amount as things stand."""
        ex_ns, amount = self._table(symbol)
        return ex_ns, self._levers.unit(symbol) * amount

    def _table(self, symbol: str) -> tuple[Instants, Floats]:
        table = self._ex_ns.get(symbol)
        if table is None:
            dividends = self.dividends(symbol)
            rows = [self._timeline.row_on_or_after(one.ex_day) for one in dividends]
            ex_ns = self._timeline.open_ns[rows] if rows else np.zeros(0, dtype=np.int64)
            table = (ex_ns, np.array([one.amount_usd for one in dividends]))
            self._ex_ns[symbol] = table
        return table

    def _schedule(self, symbol: str) -> tuple[ExDividend, ...]:
        one = UNDERLYINGS.get(symbol)
        if one is None or one.pays_in < 0:
            return ()
        first = self._start.year - _YEARS_BACK
        months = [
            (year, month)
            for year in range(max(first, 1991), min(self._start.year + _YEARS_AHEAD, 2048))
            for month in range(1 + one.pays_in, 13, 3)
        ]
        day_of_month = 10 if one.kind is UnderlyingKind.STOCK else 19
        base = one.price * one.yield_annual / 4.0
        return tuple(
            ExDividend(
                ex_day=self._ex_day(year, month, day_of_month),
                amount_usd=round(
                    base * (1.0 + _GROWTH_QUARTERLY) ** self._quarters(year, month), 3
                ),
            )
            for year, month in months
        )

    def _ex_day(self, year: int, month: int, day: int) -> dt.date:
        return self._timeline.date(self._timeline.row_on_or_after(dt.date(year, month, day)))

    def _quarters(self, year: int, month: int) -> int:
        return ((year - self._start.year) * 12 + month - self._start.month) // 3
