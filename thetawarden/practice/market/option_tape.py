"""Tells what has been traded in options: prints on a grid of minutes, volume, open interest.

Whether a contract prints in a minute is drawn by address, more often near the money and near
expiry; a print is at fair value on the nearest tick. What a day's figures are follows from its
minutes, so that bars and quotes agree.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from thetawarden.domain.instants import NS_PER_DAY, NS_PER_MINUTE
from thetawarden.domain.market.contracts import OptionClass, UnderlyingKind
from thetawarden.domain.market.ticks import Rounding, round_prices
from thetawarden.practice.market.ids import strike_grid
from thetawarden.practice.market.noise import uniforms
from thetawarden.practice.market.options import Pricer, Strip
from thetawarden.practice.market.roster import UNDERLYINGS
from thetawarden.practice.market.timeline import Timeline

Floats: TypeAlias = NDArray[np.float64]
Codes: TypeAlias = NDArray[np.int64]

_PRINT_SALT, _VOLUME_SALT, _INTEREST_SALT = 71, 72, 73
_BUSIEST = {"SPX": 1500.0, "SPXW": 15_000.0, "SPY": 40_000.0, "QQQ": 25_000.0, "IWM": 8000.0}
_BUSIEST_INDEX = 250.0
_SHARES_PER_CONTRACT = 6000.0
_LOT = 6.0
_FEW, _COURSES_MAX = 16, 1000
_NOTHING: Floats = np.empty(0)
_NEVER: Codes = np.empty(0, dtype=np.int64)


class Day(msgspec.Struct, kw_only=True, eq=False):
    """A strip's session so far, column by column; NaN where nothing has traded."""

    opens_ns: int
    closes_ns: int
    done: Floats
    """Share of the day's variance, and volume, done at each minute's end."""
    usual: Floats
    interest: NDArray[np.int64]
    close: Floats
    row: int
    minutes: int = 0
    open: Floats = _NOTHING
    high: Floats = _NOTHING
    low: Floats = _NOTHING
    last: Floats = _NOTHING
    last_at_ns: Codes = _NEVER


class Course(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """One contract's whole session: open, high, low, last and its minute, after every minute."""

    usual: float
    interest: int
    close: float
    figures: Floats


class OptionTape:
    """Session figures of strips."""

    def __init__(self, *, seed: int, timeline: Timeline, pricer: Pricer) -> None:
        self._seed, self._timeline, self._pricer = seed, timeline, pricer
        self._courses: dict[tuple[int, int], Course] = {}

    def forget(self) -> None:
        """Drop what was remembered."""
        self._courses.clear()

    def begin(self, strip: Strip, terms: OptionClass, codes: Codes, row: int) -> Day:
        """Return the figures before the first minute of a row's session."""
        if len(codes) > _FEW:
            return self._begin(strip, terms, codes, row)
        courses = self._courses_of(strip, terms, codes, row)
        return self._day(
            row,
            usual=np.array([one.usual for one in courses]),
            interest=np.array([one.interest for one in courses], dtype=np.int64),
            close=np.array([one.close for one in courses]),
        )

    def _begin(self, strip: Strip, terms: OptionClass, codes: Codes, row: int) -> Day:
        before_ns = int(self._timeline.close_ns[row - 1])
        valued = self._pricer.value(strip, before_ns)
        usual, interest = self._busyness(strip, terms, codes, row)
        close = _on_tick(valued.value, terms)
        return self._day(row, usual=usual, interest=interest, close=close)

    def _day(self, row: int, *, usual: Floats, interest: NDArray[np.int64], close: Floats) -> Day:
        line = self._timeline
        slots = line.day_shape(line.slots_of(row))
        day = Day(
            row=row,
            opens_ns=int(line.open_ns[row]),
            closes_ns=int(line.close_ns[row]),
            done=slots[::12],
            usual=usual,
            interest=interest,
            close=close,
        )
        _begin_anew(day)
        return day

    def forward(
        self, day: Day, *, strip: Strip, terms: OptionClass, codes: Codes, to_ns: int
    ) -> None:
        """Carry a day's figures on to the last whole minute before an instant, or back to it."""
        until = min(to_ns, day.closes_ns)
        minutes = int(max((until - day.opens_ns) // NS_PER_MINUTE, 0))
        if minutes == day.minutes:
            return
        if len(codes) <= _FEW:
            _take_over(day, self._courses_of(strip, terms, codes, day.row), minutes)
            return
        if minutes < day.minutes:
            _begin_anew(day)
        if not minutes:
            return
        at = day.opens_ns + NS_PER_MINUTE * np.arange(day.minutes + 1, minutes + 1)
        prices = self.prints(day, strip=strip, terms=terms, codes=codes, at_ns=at)
        traded = ~np.isnan(prices)
        some = traded.any(axis=0)
        first = np.where(some, prices[np.argmax(traded, axis=0), np.arange(len(codes))], np.nan)
        final = len(at) - 1 - np.argmax(traded[::-1], axis=0)
        day.open = np.where(np.isnan(day.open), first, day.open)
        day.high = np.fmax(day.high, np.fmax.reduce(prices, axis=0))
        day.low = np.fmin(day.low, np.fmin.reduce(prices, axis=0))
        day.last = np.where(some, prices[final, np.arange(len(codes))], day.last)
        day.last_at_ns = np.where(some, at[final], day.last_at_ns)
        day.minutes = minutes

    def _courses_of(self, strip: Strip, terms: OptionClass, codes: Codes, row: int) -> list[Course]:
        keys = [(code, row) for code in codes.tolist()]
        known = self._courses
        missing = [place for place, key in enumerate(keys) if key not in known]
        found = {key: known[key] for key in keys if key in known}
        if missing:
            new = self._draw(_some_of(strip, missing), terms, codes[missing], row)
            found |= {keys[place]: course for place, course in zip(missing, new, strict=True)}
            known |= found
            for oldest in list(known)[: max(len(known) - _COURSES_MAX, 0)]:
                del known[oldest]
        return [found[key] for key in keys]

    def _draw(self, strip: Strip, terms: OptionClass, codes: Codes, row: int) -> list[Course]:
        """Whole days, of contracts together."""
        day = self._begin(strip, terms, codes, row)
        minutes = np.arange(1, (day.closes_ns - day.opens_ns) // NS_PER_MINUTE + 1)
        at = day.opens_ns + NS_PER_MINUTE * minutes
        prices = self.prints(day, strip=strip, terms=terms, codes=codes, at_ns=at)
        figures = _minute_by_minute(prices, minutes)
        return [
            Course(
                usual=float(day.usual[place]),
                interest=int(day.interest[place]),
                close=float(day.close[place]),
                figures=figures[:, place].copy(),
            )
            for place in range(len(codes))
        ]

    def prints(
        self, day: Day, *, strip: Strip, terms: OptionClass, codes: Codes, at_ns: Codes
    ) -> Floats:
        """Return each option's print (columns) in the minute ending at each instant, or NaN."""
        values = self._pricer.values_over_time(strip, at_ns)
        minute = (at_ns - day.opens_ns) // NS_PER_MINUTE
        amount = day.usual * np.diff(day.done)[minute - 1][:, None]
        chance = 1.0 - np.exp(-amount / _LOT)
        drawn = uniforms(
            codes * 1_000_003 + (at_ns // NS_PER_MINUTE)[:, None], seed=self._seed, salt=_PRINT_SALT
        )
        priced = np.maximum(_on_tick(values, terms), float(terms.ticks.bands[0].step))
        result: Floats = np.where(drawn < chance, priced, np.nan)
        return result

    def volume(self, day: Day) -> NDArray[np.int64]:
        """Return contracts traded so far; at least one where there was a print."""
        amount = np.floor(day.usual * float(day.done[day.minutes])).astype(np.int64)
        traded = ~np.isnan(day.last)
        return np.where(traded, np.maximum(amount, 1), 0)

    def _busyness(
        self, strip: Strip, terms: OptionClass, codes: Codes, row: int
    ) -> tuple[Floats, NDArray[np.int64]]:
        """A day's usual volume and the open interest of each option."""
        before_ns = int(self._timeline.close_ns[row - 1])
        valued = self._pricer.value(strip, before_ns)
        left_days = np.maximum(strip.settlement_ns - before_ns, 0)[strip.expiry_at] / NS_PER_DAY
        reach = np.log(strip.strike / valued.forward) / (valued.iv_annual * np.sqrt(valued.years))
        top = _busiest(terms)
        round_step = 5.0 * strike_grid(terms.trading_class).unit
        roundness = np.where(strip.strike % round_step == 0.0, 1.0, 0.35)
        noise = [
            np.exp(0.7 * (2.0 * uniforms(codes * 4099 + when, seed=self._seed, salt=salt) - 1.0))
            for when, salt in ((row, _VOLUME_SALT), (row // 5, _INTEREST_SALT))
        ]
        usual = top * np.exp(-left_days / 22.0 - 0.5 * (reach / 1.3) ** 2) * roundness * noise[0]
        kept = 6.0 * top * np.exp(-left_days / 120.0 - 0.5 * (reach / 2.2) ** 2) * roundness
        return usual, np.floor(kept * noise[1]).astype(np.int64)


def _some_of(strip: Strip, places: list[int]) -> Strip:
    return msgspec.structs.replace(
        strip,
        expiry_at=strip.expiry_at[places],
        strike=strip.strike[places],
        is_call=strip.is_call[places],
    )


def _minute_by_minute(prices: Floats, minutes: Codes) -> Floats:
    """Open, high, low, last and the minute of the last: after each minute (rows), by option."""
    traded = ~np.isnan(prices)
    last_minute = np.maximum.accumulate(np.where(traded, minutes[:, None], 0), axis=0)
    options = np.arange(prices.shape[1])
    begun = last_minute > 0
    figures = np.full((len(minutes) + 1, prices.shape[1], 5), np.nan)
    figures[1:, :, 0] = np.where(begun, prices[np.argmax(traded, axis=0), options], np.nan)
    figures[1:, :, 1] = np.fmax.accumulate(prices, axis=0)
    figures[1:, :, 2] = np.fmin.accumulate(prices, axis=0)
    figures[1:, :, 3] = np.where(begun, prices[last_minute - 1, options], np.nan)
    figures[:, :, 4] = np.vstack([np.zeros_like(last_minute[:1]), last_minute])
    return figures


def _take_over(day: Day, courses: list[Course], minutes: int) -> None:
    """Have a day stand where its contracts are after so many minutes."""
    figures = np.array([one.figures[minutes] for one in courses])
    day.open, day.high, day.low, day.last = figures[:, :4].T
    minute = figures[:, 4].astype(np.int64)
    day.last_at_ns = np.where(minute > 0, day.opens_ns + NS_PER_MINUTE * minute, 0)
    day.minutes = minutes


def _begin_anew(day: Day) -> None:
    """Have a day stand before its first minute."""
    count = len(day.usual)
    day.open = day.high = day.low = day.last = np.full(count, np.nan)
    day.last_at_ns = np.zeros(count, dtype=np.int64)
    day.minutes = 0


def _busiest(terms: OptionClass) -> float:
    """Contracts a day at the money of an expiring series."""
    if terms.underlying_kind is UnderlyingKind.STOCK:
        return UNDERLYINGS[terms.underlying].volume_daily / _SHARES_PER_CONTRACT
    return _BUSIEST.get(terms.trading_class, _BUSIEST_INDEX)


def _on_tick(values: Floats, terms: OptionClass) -> Floats:
    return round_prices(prices=values, rule=terms.ticks, rounding=Rounding.NEAREST)
