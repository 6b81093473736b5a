"""Keeps the volatility indices' books: value now, and the session's open, high, low and close.

Values are computed from quotes of SPX options by `volindex` on a fixed grid of instants, so that
they are the same whoever asks and whenever. Outside regular hours the last value stands.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from thetawarden.domain.instants import NS_PER_DAY, new_york_date
from thetawarden.domain.market.contracts import OptionClass, Settlement
from thetawarden.domain.market.listings import monthly_expiry
from thetawarden.domain.surface.vix import Strip as VixStrip
from thetawarden.practice.market.carry import RATE_ANNUAL
from thetawarden.practice.market.ladder import Ladders
from thetawarden.practice.market.options import Pricer, Strip, greeks
from thetawarden.practice.market.pace import Pace
from thetawarden.practice.market.quoting import quote_options
from thetawarden.practice.market.roster import CLASSES, VOL_INDEX_DAYS, VolIndex
from thetawarden.practice.market.timeline import Timeline
from thetawarden.practice.market.volindex import STEP_NS, index_value

Floats: TypeAlias = NDArray[np.float64]
_YEAR_NS = 365 * NS_PER_DAY
_NEAR_DAYS_MIN = {VolIndex.VIX: 23.0, VolIndex.VIX9D: 2.0, VolIndex.VIX3M: 60.0}
_CACHED_MAX = 20_000
_DAILY_DAYS = 31
Term: TypeAlias = tuple[int, str, dt.date]
"""Settlement, trading class and expiry of one strip."""


class VolSession(msgspec.Struct, frozen=True, kw_only=True):
    """An index's session so far."""

    last: float
    last_at_ns: int
    open: float
    high: float
    low: float
    close: float


class VolBook:
    """Values of the volatility indices."""

    def __init__(
        self, *, seed: int, timeline: Timeline, pricer: Pricer, ladders: Ladders, pace: Pace
    ) -> None:
        self._seed, self._timeline = seed, timeline
        self._pricer, self._ladders, self._pace = pricer, ladders, pace
        self._values: dict[tuple[VolIndex, int], float] = {}

    def forget(self) -> None:
        """Drop what was cached."""
        self._values.clear()

    def value(self, index: VolIndex, now_ns: int) -> float:
        """Return an index as last published."""
        return self._value_at(index, self.published_ns(now_ns))

    def knows(self, index: VolIndex, now_ns: int) -> bool:
        """Whether the value at an instant is at hand without computing."""
        return (index, self.published_ns(now_ns)) in self._values

    def session(self, index: VolIndex, now_ns: int) -> VolSession:
        """Return an index's session so far; highs and lows are those of a two-minute grid."""
        at = self.published_ns(now_ns)
        row = self._timeline.row_of(at)
        opens = int(self._timeline.open_ns[row])
        grid = [self._value_at(index, one) for one in range(opens, at, 64 * STEP_NS)]
        last = self._value_at(index, at)
        first = self._value_at(index, opens)
        return VolSession(
            last=last,
            last_at_ns=at,
            open=first,
            high=max(*grid, last, first),
            low=min(*grid, last, first),
            close=self._value_at(index, int(self._timeline.close_ns[row - 1])),
        )

    def published_ns(self, now_ns: int) -> int:
        """Return the latest instant of the grid: every fifteen seconds from open to close."""
        row = self._timeline.row_of(now_ns)
        opens = int(self._timeline.open_ns[row])
        if now_ns < opens:
            return int(self._timeline.close_ns[row - 1])
        return opens + (now_ns - opens) // STEP_NS * STEP_NS

    def _value_at(self, index: VolIndex, at_ns: int) -> float:
        key = (index, at_ns)
        known = self._values.get(key)
        if known is None:
            if len(self._values) >= _CACHED_MAX:
                self._values.clear()
            known = self._values[key] = self._compute(index, at_ns)
        return known

    def _compute(self, index: VolIndex, at_ns: int) -> float:
        near, far = self._terms(index, at_ns)
        value = index_value(
            near=self._strip(near, at_ns),
            far=self._strip(far, at_ns),
            target_days=VOL_INDEX_DAYS[index],
        )
        if isinstance(value, float):
            return round(value, 2)
        raise ArithmeticError(f"{index} has no value at {at_ns}: {value}")

    def _terms(self, index: VolIndex, at_ns: int) -> tuple[Term, Term]:
        """The last term not beyond the target and the first beyond it, one class per instant."""
        day = self._timeline.date(self._timeline.row_of(at_ns))
        target_ns = at_ns + int(VOL_INDEX_DAYS[index] * NS_PER_DAY)
        earliest_ns = at_ns + int(_NEAR_DAYS_MIN[index] * NS_PER_DAY)
        terms: list[Term] = []
        for name in ("SPX", "SPXW"):
            for expiry in self._expiries(CLASSES[name], day, target_ns):
                ends = self._pricer.terms(CLASSES[name], expiry)
                if ends is not None and ends.settlement_ns >= min(earliest_ns, target_ns):
                    terms.append((ends.settlement_ns, name, expiry))
        near = max(one for one in terms if one[0] <= target_ns)
        far = min(one for one in terms if one[0] > target_ns)
        return near, far

    def _expiries(self, terms: OptionClass, day: dt.date, target_ns: int) -> Iterable[dt.date]:
        """The class's expiries that matter: while there is one a day, those around the target."""
        target = new_york_date(target_ns)
        if terms.settlement is Settlement.AM:
            sessions = self._timeline.sessions
            return (monthly_expiry(year=target.year, month=target.month, sessions=sessions),)
        if (target - day).days > _DAILY_DAYS:
            return self._ladders.expiries(terms, day)
        row = self._timeline.row_of(target_ns)
        return tuple(self._timeline.date(one) for one in (row - 2, row - 1, row, row + 1))

    def _strip(self, term: Term, at_ns: int) -> VixStrip:
        settlement_ns, name, expiry = term
        terms, row = CLASSES[name], self._timeline.begun_row(at_ns)
        strikes = self._ladders.strikes(name, expiry, row)
        count = len(strikes)
        strip = Strip(
            symbol="SPX",
            settlement_ns=np.array([settlement_ns]),
            expiry_at=np.zeros(2 * count, dtype=np.intp),
            strike=np.concatenate([strikes, strikes]),
            is_call=np.repeat([True, False], count),
            american=False,
        )
        valued = self._pricer.value(strip, at_ns)
        model = greeks(strip, valued, valued.iv_annual)
        sides = quote_options(
            terms=terms,
            value=valued.value,
            spot=valued.spot,
            delta=model.delta_per_share,
            vega=model.vega_usd_per_vol_point,
            factor=self._pace.factor(hours=terms.hours, symbol="SPX", at_ns=at_ns),
            codes=np.arange(2 * count),
            now_ns=at_ns,
            seed=self._seed,
        )
        return VixStrip(
            strike_usd=strikes,
            call_bid_usd=sides.bid[:count],
            call_ask_usd=sides.ask[:count],
            put_bid_usd=sides.bid[count:],
            put_ask_usd=sides.ask[count:],
            rate_annual=RATE_ANNUAL,
            tau_years=(settlement_ns - at_ns) / _YEAR_NS,
        )
