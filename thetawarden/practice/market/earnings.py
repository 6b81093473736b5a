"""Knows when companies report and how far the price jumps when they do.

A report comes once a quarter, in the company's own month, before the open or after the close; the
jump lies in the night it is felt in. Options whose life holds a report carry its variance.
"""

from __future__ import annotations

import datetime as dt
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from thetawarden.domain.market.events import Earnings, EarningsTime
from thetawarden.practice.market.noise import generator
from thetawarden.practice.market.roster import UNDERLYINGS
from thetawarden.practice.market.timeline import Timeline

Floats: TypeAlias = NDArray[np.float64]
Instants: TypeAlias = NDArray[np.int64]

_EARNINGS_SALT, _JUMP_SALT = 81, 82
_MOVE_PER_OWN_VOL = 0.19
"""Expected size of a report's move, per unit of the company's own annual volatility."""
_PREMIUM = 1.15
"""How much larger options expect the move to be."""
_FIRST_YEAR, _LAST_YEAR = 1991, 2048


class EarningsBook:
    """Reports of every company, any year."""

    def __init__(self, *, seed: int, timeline: Timeline) -> None:
        self._seed, self._timeline = seed, timeline
        self._reports: dict[tuple[str, int], tuple[Earnings, ...]] = {}

    def reports(self, symbol: str, first: dt.date, last: dt.date) -> tuple[Earnings, ...]:
        """Return a company's reports from one day to another, both included."""
        years = range(max(first.year, _FIRST_YEAR), min(last.year, _LAST_YEAR) + 1)
        return tuple(
            report
            for year in years
            for report in self._of_year(symbol, year)
            if first <= report.day <= last
        )

    def move(self, symbol: str, row: int) -> float:
        """Return the log jump in the night of a row: 0 on all but a few."""
        day = self._timeline.date(row)
        before = self._timeline.date(row - 1)
        if not any(self._felt(one) == day for one in self.reports(symbol, before, day)):
            return 0.0
        draw = generator(self._seed, _JUMP_SALT, row, UNDERLYINGS[symbol].con_id)
        return expected_move(symbol) * float(np.clip(draw.standard_normal(), -2.8, 2.8))

    def variance_between(self, symbol: str, at_ns: Instants, settlement_ns: Instants) -> Floats:
        """Return the variance of reports felt between each instant and its settlement."""
        if UNDERLYINGS[symbol].reports_in < 0:
            return np.zeros(len(settlement_ns))
        line = self._timeline
        first = line.date(line.row_of(int(at_ns.min())) - 1)
        last = line.date(line.row_of(int(settlement_ns.max())))
        reports = self.reports(symbol, first, last)
        rows = [line.row_on_or_after(self._felt(one)) for one in reports]
        felt_ns = np.sort(line.open_ns[rows]) if rows else np.zeros(0, dtype=np.int64)
        until = np.searchsorted(felt_ns, settlement_ns, side="right")
        over = np.searchsorted(felt_ns, at_ns, side="right")
        count = np.maximum(until - over, 0).astype(np.float64)
        result: Floats = count * float((_PREMIUM * expected_move(symbol)) ** 2)
        return result

    def _of_year(self, symbol: str, year: int) -> tuple[Earnings, ...]:
        key = (symbol, year)
        known = self._reports.get(key)
        if known is None:
            months = range(UNDERLYINGS[symbol].reports_in + 1, 13, 3)
            has_none = UNDERLYINGS[symbol].reports_in < 0
            known = () if has_none else tuple(self._report(symbol, year, one) for one in months)
            self._reports[key] = known
        return known

    def _report(self, symbol: str, year: int, month: int) -> Earnings:
        con_id = UNDERLYINGS[symbol].con_id
        draw = generator(self._seed, _EARNINGS_SALT, con_id, year, month)
        about = dt.date(year, month, 15 + int(draw.integers(0, 12)))
        early = con_id % 3 == 0
        return Earnings(
            day=self._timeline.date(self._timeline.row_on_or_after(about)),
            time=EarningsTime.BEFORE_OPEN if early else EarningsTime.AFTER_CLOSE,
        )

    def _felt(self, report: Earnings) -> dt.date:
        row = self._timeline.row_on_or_after(report.day)
        return self._timeline.date(row + (report.time is EarningsTime.AFTER_CLOSE))


def expected_move(symbol: str) -> float:
    """Return the standard deviation of a report's log jump."""
    return _MOVE_PER_OWN_VOL * (0.08 + UNDERLYINGS[symbol].own_vol_annual)
