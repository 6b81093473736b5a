"""Decides which expiries and strikes of a class exist on a day.

Strikes stand finely around every price the underlying has closed at since the series' finer strikes
began, coarsely around every price of its whole life; so ladders grow as the spot moves and nothing
that was listed ever goes before it expires.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from thetawarden.domain.market.contracts import OptionClass
from thetawarden.domain.market.listings import listed_expiries
from thetawarden.practice.market.ids import strike_grid
from thetawarden.practice.market.levers import Levers
from thetawarden.practice.market.roster import CLASSES
from thetawarden.practice.market.timeline import Timeline

Floats: TypeAlias = NDArray[np.float64]
Range: TypeAlias = Callable[[str, int, int], tuple[float, float]]
"""Lowest and highest close of an underlying from a row to before another."""


class Tier(msgspec.Struct, frozen=True, kw_only=True):
    """Strikes in one step, over a range around past prices, from so many days before expiry."""

    step: float
    low_fraction: float
    high_fraction: float
    days_before: int


def _tiers(*rows: tuple[float, float, float, int]) -> tuple[Tier, ...]:
    return tuple(
        Tier(step=step, low_fraction=low, high_fraction=high, days_before=days)
        for step, low, high, days in rows
    )


_SPX = _tiers((5.0, 0.86, 1.08, 70), (25.0, 0.60, 1.20, 400), (100.0, 0.30, 1.50, 1900))
_XSP = _tiers((1.0, 0.86, 1.08, 70), (5.0, 0.60, 1.20, 400), (10.0, 0.30, 1.50, 1900))
_NDX = _tiers((10.0, 0.93, 1.05, 35), (50.0, 0.75, 1.15, 120), (200.0, 0.40, 1.50, 1900))
_RUT = _tiers((5.0, 0.86, 1.12, 70), (10.0, 0.70, 1.20, 400), (50.0, 0.30, 1.60, 1900))
_VIX_STRIKES: Floats = np.unique(
    np.concatenate([np.arange(10.0, 20.0, 0.5), np.arange(20.0, 40.0), np.arange(40.0, 121.0, 5.0)])
)
"""The VIX comes back, so its ladder stands still."""
_ETF = _tiers((1.0, 0.82, 1.12, 100), (5.0, 0.40, 1.50, 1900))
_FIXED = {
    "SPX": _SPX,
    "XSP": _XSP,
    "NDX": _NDX,
    "RUT": _RUT,
    "SPY": _ETF,
    "QQQ": _ETF,
    "IWM": _ETF,
}
_REMEMBERED_MAX = 4000
_STOCK_STEPS = ((30.0, 0.5), (110.0, 1.0), (400.0, 2.5), (np.inf, 5.0))


class Ladders:
    """Expiries and strikes of every class, cached by the day."""

    def __init__(
        self, *, timeline: Timeline, first_row: int, closes: Range, levers: Levers
    ) -> None:
        self._timeline, self._first_row = timeline, first_row
        self._closes, self._levers = closes, levers
        self._expiries: dict[tuple[str, dt.date], tuple[dt.date, ...]] = {}
        self._strikes: dict[tuple[str, dt.date, int], Floats] = {}

    def forget(self) -> None:
        """Drop what was cached."""
        self._strikes.clear()

    def expiries(self, terms: OptionClass, day: dt.date) -> tuple[dt.date, ...]:
        """Return the expiries listed on a day, the day's own included."""
        key = (terms.trading_class, day)
        known = self._expiries.get(key)
        if known is None:
            if len(self._expiries) >= _REMEMBERED_MAX:
                self._expiries.clear()
            known = listed_expiries(as_of=day, option_class=terms, sessions=self._timeline.sessions)
            self._expiries[key] = known
        return known

    def strikes(self, trading_class: str, expiry: dt.date, row: int) -> Floats:
        """Return the strikes of an expiry on the day of a row, rising."""
        key = (trading_class, expiry, row)
        known = self._strikes.get(key)
        if known is None:
            if len(self._strikes) >= _REMEMBERED_MAX:
                self._strikes.clear()
            known = self._strikes[key] = self._ladder(trading_class, expiry, row)
        return known

    def has(self, *, trading_class: str, expiry: dt.date, strike: float, row: int) -> bool:
        """Whether a strike is listed on the day of a row."""
        strikes = self.strikes(trading_class, expiry, row)
        at = int(np.searchsorted(strikes, strike - 1e-9))
        return at < len(strikes) and abs(float(strikes[at]) - strike) < 1e-6

    def _ladder(self, trading_class: str, expiry: dt.date, row: int) -> Floats:
        grid = strike_grid(trading_class)
        symbol = CLASSES[trading_class].underlying
        parts = []
        if symbol == "VIX":
            return _VIX_STRIKES
        for tier in self._tiers_of(symbol, expiry):
            begins = expiry - dt.timedelta(days=tier.days_before)
            first = max(self._timeline.row_on_or_after(begins), self._first_row + 1)
            if first <= row:
                parts.append(_steps(tier, *self._closes(symbol, first, row)))
        if not parts:
            return np.zeros(0)
        parts += self._divided(symbol, parts, expiry, row)
        strikes: Floats = np.unique(np.round(np.concatenate(parts), 4))
        kept: Floats = strikes[(strikes > 0.0) & (strikes < grid.unit * grid.steps)]
        return kept

    def _divided(self, symbol: str, parts: list[Floats], expiry: dt.date, row: int) -> list[Floats]:
        """Strikes of before a split, divided, as far as they fall on the class's grid."""
        splits = self._levers.splits(symbol)
        if not splits or not parts:
            return []
        first = max(
            self._timeline.row_on_or_after(expiry - dt.timedelta(days=900)), self._first_row + 1
        )
        low, high = self._closes(symbol, first, row)
        unit = self._levers.unit(symbol)
        old = [
            _steps(tier, low / unit, high / unit)
            for tier in _stock_tiers(self._closes(symbol, first, first)[0] / unit)
        ]
        divided = np.concatenate(old) * unit
        grid = strike_grid(symbol).unit
        kept: Floats = divided[np.abs(divided / grid - np.rint(divided / grid)) < 1e-9]
        return [kept]

    def _tiers_of(self, symbol: str, expiry: dt.date) -> tuple[Tier, ...]:
        fixed = _FIXED.get(symbol)
        if fixed is not None:
            return fixed
        first = self._timeline.row_on_or_after(expiry - dt.timedelta(days=900))
        first = max(first, self._first_row + 1)
        price, _ = self._closes(symbol, first, first)
        return _stock_tiers(price)


def _stock_tiers(price: float) -> tuple[Tier, ...]:
    step = next(step for edge, step in _STOCK_STEPS if price < edge)
    return _tiers((step, 0.75, 1.25, 120), (4.0 * step, 0.40, 1.80, 1900))


def _steps(tier: Tier, low: float, high: float) -> Floats:
    """The tier's strikes around prices from low to high."""
    first = np.ceil(low * tier.low_fraction / tier.step)
    last = np.floor(high * tier.high_fraction / tier.step)
    steps: Floats = np.arange(first, last + 1.0) * tier.step
    return steps
