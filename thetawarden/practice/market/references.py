"""Tells the slow figures of an underlying: volatilities, usual volume, dividends, size."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np

from thetawarden.domain.instants import NS_PER_DAY, new_york_date
from thetawarden.practice.market.carry import Carry
from thetawarden.practice.market.history import History
from thetawarden.practice.market.noise import generator
from thetawarden.practice.market.options import Pricer
from thetawarden.practice.market.path import Paths
from thetawarden.practice.market.roster import UNDERLYINGS, Underlying, classes_on
from thetawarden.practice.market.tape import Tape
from thetawarden.practice.market.timeline import SLOT_NS, Timeline
from thetawarden.practice.model import Reference

_THIRTY_DAYS_NS = 30 * NS_PER_DAY
_OPTIONS_SALT = 91
_OPTIONS_PER_SHARE = 0.02
_INDEX_OPTIONS = 400_000
_INTEREST_DAYS = 14.0
_YEAR = dt.timedelta(days=365)


class References:
    """Reference data of underlyings."""

    def __init__(
        self,
        *,
        timeline: Timeline,
        carry: Carry,
        tape: Tape,
        pricer: Pricer,
        paths: Paths,
        history: History,
    ) -> None:
        self._timeline, self._carry, self._tape = timeline, carry, tape
        self._pricer, self._paths, self._history = pricer, paths, history
        self._known: dict[tuple[str, int], Reference] = {}

    def of(self, symbol: str, now_ns: int) -> Reference:
        """Return an underlying's figures; they change by the minute."""
        key = (symbol, now_ns // 60_000_000_000)
        known = self._known.get(key)
        if known is None:
            if len(self._known) > 200:
                self._known.clear()
            known = self._known[key] = self._compute(UNDERLYINGS[symbol], now_ns)
        return known

    def _compute(self, one: Underlying, now_ns: int) -> Reference:
        symbol, today = one.symbol, new_york_date(now_ns)
        theta = self._pricer.at_the_money(
            symbol, at_ns=np.array([now_ns]), settlement_ns=np.array([now_ns + _THIRTY_DAYS_NS])
        )
        usual = _INDEX_OPTIONS if not one.volume_daily else one.volume_daily * _OPTIONS_PER_SHARE
        usual = usual if classes_on(symbol) else 0.0
        row = self._timeline.begun_row(now_ns)
        into = (now_ns - int(self._timeline.open_ns[row])) / SLOT_NS
        slots = self._timeline.slots_of(row)
        done = float(np.interp(into, np.arange(slots + 1), self._timeline.day_shape(slots)))
        draw = generator(0, _OPTIONS_SALT, row, one.con_id)
        puts = 0.45 + 0.10 * float(draw.random())
        traded = usual * done * math.exp(0.25 * float(draw.standard_normal()))
        ahead = [cash for cash in self._carry.dividends(symbol) if cash.ex_day > today]
        year = [cash.amount_usd for cash in ahead if cash.ex_day <= today + _YEAR]
        past = [
            cash.amount_usd
            for cash in self._carry.dividends(symbol)
            if today - _YEAR < cash.ex_day <= today
        ]
        shares = one.shares_out
        return Reference(
            hist_vol_annual=round(self._history.realised(symbol, now_ns), 6),
            implied_vol_annual=round(math.sqrt(float(theta[0]) * 365.0 / 30.0), 6),
            avg_volume=one.volume_daily or None,
            avg_option_volume=int(usual) or None,
            call_open_interest=int(usual * _INTEREST_DAYS * 0.52),
            put_open_interest=int(usual * _INTEREST_DAYS * 0.48),
            call_volume=int(traded * (1.0 - puts)),
            put_volume=int(traded * puts),
            trade_count=self._tape.volume(symbol, row, into) // 140 if one.volume_daily else None,
            shortable_shares=shares // 50 or None,
            dividend_past_year=round(sum(past), 4) if past else None,
            dividend_next_year=round(sum(year), 4) if year else None,
            dividend_next_date=ahead[0].ex_day if ahead else None,
            dividend_next_amount=ahead[0].amount_usd if ahead else None,
            sector=one.sector,
            market_cap_usd=self._paths.spot(symbol, now_ns) * shares if shares else None,
        )
