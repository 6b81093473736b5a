"""Fills days with motion: prices and volatility factors at any instant, from what `days` decided.

Between a day's fixed ends every factor is a Brownian bridge over slots (five seconds by day, a
thousandth of the night's variance by night), drawn by address; inside a slot values run straight,
so that no finer look finds a higher high. Volatility factors lean against the market's bridge by
the day's leverage. A cash dividend builds up in a share's price and leaves it on the ex day.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from thetawarden.domain.market.contracts import UnderlyingKind
from thetawarden.practice.market.carry import Carry
from thetawarden.practice.market.days import SPOT_VOL_ANNUAL, Days, leverage_slopes
from thetawarden.practice.market.earnings import EarningsBook
from thetawarden.practice.market.levers import Levers
from thetawarden.practice.market.noise import normals
from thetawarden.practice.market.roster import (
    SECTOR_VOLS_ANNUAL,
    UNDERLYINGS,
    Underlying,
)
from thetawarden.practice.market.timeline import (
    NIGHT_SLOTS,
    SESSIONS_PER_YEAR,
    SLOT_NS,
    Timeline,
    night_done,
)

Floats: TypeAlias = NDArray[np.float64]
Instants: TypeAlias = NDArray[np.int64]

_SECTORS = tuple(SECTOR_VOLS_ANNUAL)
LEADERS = tuple(one for one in UNDERLYINGS.values() if not one.follows)
"""Underlyings with a path of their own."""
_LEADER_AT = {one.symbol: len(_SECTORS) + n for n, one in enumerate(LEADERS)}
OWN_VOLS_ANNUAL: Floats = np.array(
    [*SECTOR_VOLS_ANNUAL.values(), *(one.own_vol_annual for one in LEADERS)]
)
_REPORT_AT_FRACTION = 0.05
"""Where in a night a report falls: soon after the close."""
_MARKET_SALT, _OWN_SALT, _VOL_SALT = 11, 12, 13
_CACHED_PATHS_MAX = 2000
_VOL_NOISE = np.array([0.045, 0.012, 0.001])
"""What the volatility factors do within a session on their own account, in logs."""


Anchor: TypeAlias = tuple[int, float]
"""A row, and the index level its close has to have."""


class Paths:
    """Prices and volatility states over all time, cached by the day."""

    def __init__(
        self,
        *,
        seed: int,
        timeline: Timeline,
        days: Days,
        carry: Carry,
        earnings: EarningsBook,
        levers: Levers,
        start_row: int,
        anchor: Anchor | None,
    ) -> None:
        self._seed, self._timeline, self._days = seed, timeline, days
        self._carry, self._earnings, self._levers = carry, earnings, levers
        self._start_row, self._anchor = start_row, anchor
        self._cache: dict[tuple[object, ...], Floats] = {}
        self._levels: dict[str, float] = {}
        self._reported: dict[str, list[float]] = {}

    def forget(self) -> None:
        """Drop what was cached; it is drawn again when asked for."""
        self._cache.clear()

    def spot(self, symbol: str, instant_ns: int) -> float:
        """Return the fair price of an underlying, by day and by night."""
        place = self._timeline.place(instant_ns)
        if place.by_day and place.slots in {0.0, self._timeline.slots_of(place.row)}:
            return self._end(symbol, place.row, opening=not place.slots)
        nodes = self.prices(symbol, place.row, by_day=place.by_day)
        price = _at(nodes, place.slots)
        return price * math.exp(self._levers.offset(symbol, instant_ns))

    def spots(self, symbol: str, instants_ns: Instants) -> Floats:
        """Return fair prices at many instants."""
        if len(instants_ns) and np.all(instants_ns == instants_ns[0]):
            return np.full(len(instants_ns), self.spot(symbol, int(instants_ns[0])))
        found = np.empty(len(instants_ns))
        for rows, by_day, slots, row in self._parts(instants_ns):
            nodes = self.prices(symbol, row, by_day=by_day)
            found[rows] = np.interp(slots, np.arange(len(nodes)), nodes)
        return found * np.exp(self._levers.offsets(symbol, instants_ns))

    def state(self, instant_ns: int) -> Floats:
        """Return the volatility factors."""
        place = self._timeline.place(instant_ns)
        if place.by_day and place.slots in {0.0, self._timeline.slots_of(place.row)}:
            day = self._days.day(place.row)
            ends = day.x_close if place.slots else day.x_open
            return ends + self._levers.vol_offset(instant_ns)
        nodes = self._vol_nodes(place.row, by_day=place.by_day)
        at = min(int(place.slots), nodes.shape[1] - 2)
        part = place.slots - at
        x: Floats = nodes[:, at] * (1.0 - part) + nodes[:, at + 1] * part
        return x + self._levers.vol_offset(instant_ns)

    def states(self, instants_ns: Instants) -> Floats:
        """Return the volatility factors at many instants, one row each."""
        if len(instants_ns) and np.all(instants_ns == instants_ns[0]):
            return np.tile(self.state(int(instants_ns[0])), (len(instants_ns), 1))
        found = np.empty((len(instants_ns), 3))
        for rows, by_day, slots, row in self._parts(instants_ns):
            nodes = self._vol_nodes(row, by_day=by_day)
            axis = np.arange(nodes.shape[1])
            for factor in range(3):
                found[rows, factor] = np.interp(slots, axis, nodes[factor])
        return found + self._levers.vol_offsets(instants_ns)

    def restlessness(self, row: int) -> float:
        """Return how volatile a day is against the usual, tamed by a root."""
        return math.sqrt(self._days.day(row).sigma_annual / SPOT_VOL_ANNUAL)

    def own_log_vols(self, symbol: str, instants_ns: Instants) -> Floats:
        """Return how far (in logs) a company's own volatility is from its usual."""
        one = UNDERLYINGS[symbol]
        if one.follows or one.kind is not UnderlyingKind.STOCK:
            return np.zeros(len(instants_ns))
        rows = np.searchsorted(self._timeline.close_ns, instants_ns, side="left")
        factor, known = _LEADER_AT[symbol], {}
        for row in np.unique(rows).tolist():
            known[row] = float(self._days.day(row - 1).own_y[factor])
        return np.array([known[row] for row in rows.tolist()])

    def prices(self, symbol: str, row: int, *, by_day: bool) -> Floats:
        """Return fair prices at the edges of a day's slots, before any lever."""
        key = ("price", symbol, row, by_day)
        cached = self._cache.get(key)
        if cached is None:
            cached = self._keep(key, self._price_nodes(UNDERLYINGS[symbol], row, by_day=by_day))
        return cached

    def close(self, symbol: str, row: int) -> float:
        """Return the price at a session's close, without drawing the day's path."""
        return self._end(symbol, row, opening=False)

    def open(self, symbol: str, row: int) -> float:
        """Return the price at a session's open, without drawing the day's path."""
        return self._end(symbol, row, opening=True)

    def _end(self, symbol: str, row: int, *, opening: bool) -> float:
        one = UNDERLYINGS[symbol]
        leader = UNDERLYINGS[one.follows or symbol]
        day = self._days.day(row)
        market = day.market_open if opening else day.market_close
        own = day.own_open if opening else day.own_close
        at_ns = int((self._timeline.open_ns if opening else self._timeline.close_ns)[row])
        log = self._level(leader) + leader.beta * market + self._own_log(leader, own)
        clean = math.exp(log + self._reported_log(leader, row))
        accrued = self._carry.accrued(symbol, np.array([at_ns]))[0]
        price = (clean * self._ratio(one) + float(accrued)) * self._levers.unit(symbol)
        return price * math.exp(self._levers.offset(symbol, at_ns))

    def _price_nodes(self, one: Underlying, row: int, *, by_day: bool) -> Floats:
        leader = UNDERLYINGS[one.follows or one.symbol]
        log_price = self._level(leader) + leader.beta * self._market_nodes(row, by_day=by_day)
        if leader.own_vol_annual:
            log_price = log_price + self._own_nodes(_LEADER_AT[leader.symbol], row, by_day=by_day)
        if leader.sector_beta:
            sector = _SECTORS.index(leader.sector)
            log_price = log_price + leader.sector_beta * self._own_nodes(sector, row, by_day=by_day)
        if leader.reports_in >= 0:
            before = self._reported_log(leader, row - 1)
            moved = self._reported_log(leader, row) - before
            night = np.linspace(0.0, 1.0, NIGHT_SLOTS + 1) >= _REPORT_AT_FRACTION
            log_price = log_price + before + moved * (1.0 if by_day else night)
        clean = np.exp(log_price) * self._ratio(one)
        unit = self._levers.unit(one.symbol)
        if one.pays_in < 0:
            return clean * unit
        instants = self._node_instants(row, by_day=by_day)
        return unit * (clean + self._carry.accrued(one.symbol, instants))

    def _node_instants(self, row: int, *, by_day: bool) -> Instants:
        opens = int(self._timeline.open_ns[row])
        if by_day:
            return opens + SLOT_NS * np.arange(self._timeline.slots_of(row) + 1)
        begins = int(self._timeline.previous_close_ns[row])
        steps = np.arange(NIGHT_SLOTS + 1, dtype=np.int64)
        return begins + (opens - 1 - begins) * steps // NIGHT_SLOTS

    def _level(self, leader: Underlying) -> float:
        """The constant that makes the price at the start what the roster says."""
        level = self._levels.get(leader.symbol)
        if level is None:
            row, price = self._start_row - 1, leader.price
            if leader.symbol == "SPX" and self._anchor is not None:
                row, price = self._anchor
            day = self._days.day(row)
            log = leader.beta * day.market_close + self._own_log(leader, day.own_close)
            log += self._reported_log(leader, row)
            price -= self._accrued_at_start(leader)
            level = self._levels[leader.symbol] = math.log(price) - log
        return level

    def _reported_log(self, leader: Underlying, row: int) -> float:
        """What all reports up to a row have moved a company's price, in logs."""
        if leader.reports_in < 0:
            return 0.0
        moves = self._reported.setdefault(leader.symbol, [0.0])
        begins = self._days.first_row
        while row >= begins + len(moves):
            felt = self._earnings.move(leader.symbol, begins + len(moves))
            moves.append(moves[-1] + felt)
        return moves[row - begins]

    def _accrued_at_start(self, one: Underlying) -> float:
        before_ns = int(self._timeline.previous_close_ns[self._start_row])
        return float(self._carry.accrued(one.symbol, np.array([before_ns]))[0])

    def _ratio(self, one: Underlying) -> float:
        if not one.follows:
            return 1.0
        if one.kind is UnderlyingKind.INDEX:
            return 0.1
        return (one.price - self._accrued_at_start(one)) / UNDERLYINGS[one.follows].price

    @staticmethod
    def _own_log(leader: Underlying, own: Floats) -> float:
        log = float(own[_LEADER_AT[leader.symbol]])
        if leader.sector_beta:
            log += leader.sector_beta * float(own[_SECTORS.index(leader.sector)])
        return log

    def _market_nodes(self, row: int, *, by_day: bool) -> Floats:
        return self._cached(("market", row, by_day), lambda: self._draw_market(row, by_day=by_day))

    def _own_nodes(self, factor: int, row: int, *, by_day: bool) -> Floats:
        key = ("own", factor, row, by_day)
        return self._cached(key, lambda: self._draw_own(factor, row, by_day=by_day))

    def _vol_nodes(self, row: int, *, by_day: bool) -> Floats:
        return self._cached(("vol", row, by_day), lambda: self._draw_vol(row, by_day=by_day))

    def _draw_market(self, row: int, *, by_day: bool) -> Floats:
        day = self._days.day(row)
        done, share = self._done(row, by_day=by_day)
        sigma = day.sigma_annual * math.sqrt(share / SESSIONS_PER_YEAR)
        z = normals(self._seed, _MARKET_SALT, row, by_day, size=len(done) - 1)
        if not by_day:
            return _bridge(done, z, sigma=sigma, first=day.market_before, last=day.market_open)
        smooth_end = day.market_close - day.jump
        nodes = _bridge(done, z, sigma=sigma, first=day.market_open, last=smooth_end)
        nodes[int(day.jump_at_fraction * (len(done) - 1)) :] += day.jump
        return nodes

    def _draw_own(self, factor: int, row: int, *, by_day: bool) -> Floats:
        day = self._days.day(row)
        done, share = self._done(row, by_day=by_day)
        sigma = float(day.own_sigma_annual[factor]) * math.sqrt(share / SESSIONS_PER_YEAR)
        z = normals(self._seed, _OWN_SALT, row, by_day, factor, size=len(done) - 1)
        first = day.own_open if by_day else day.own_before
        last = day.own_close if by_day else day.own_open
        return _bridge(done, z, sigma=sigma, first=float(first[factor]), last=float(last[factor]))

    def _draw_vol(self, row: int, *, by_day: bool) -> Floats:
        day = self._days.day(row)
        done, share = self._done(row, by_day=by_day)
        market = self._market_nodes(row, by_day=by_day)
        off_line = market - (market[0] + (market[-1] - market[0]) * done)
        slopes = leverage_slopes(day.sigma_annual)
        first = day.x_open if by_day else day.x_before
        last = day.x_close if by_day else day.x_open
        nodes = np.empty((3, len(done)))
        for factor in range(3):
            z = normals(self._seed, _VOL_SALT, row, by_day, factor, size=len(done) - 1)
            sigma = float(_VOL_NOISE[factor]) * math.sqrt(share)
            bridge = _bridge(
                done, z, sigma=sigma, first=float(first[factor]), last=float(last[factor])
            )
            nodes[factor] = bridge + slopes[factor] * off_line
        return nodes

    def _done(self, row: int, *, by_day: bool) -> tuple[Floats, float]:
        if by_day:
            shape = self._timeline.day_shape(self._timeline.slots_of(row))
            return shape, float(self._timeline.day_share[row])
        return np.linspace(0.0, 1.0, NIGHT_SLOTS + 1), float(self._timeline.night_share[row])

    def _parts(self, instants_ns: Instants) -> list[tuple[NDArray[np.intp], bool, Floats, int]]:
        """Instants grouped by row and by night or day, with their slots."""
        line = self._timeline
        row_of = np.searchsorted(line.close_ns, instants_ns, side="left")
        by_day = instants_ns >= line.open_ns[row_of]
        parts = []
        for key in np.unique(2 * row_of + by_day).tolist():
            row, day = key // 2, bool(key % 2)
            where = np.flatnonzero((row_of == row) & (by_day == day))
            inside = instants_ns[where]
            opens = int(line.open_ns[row])
            if day:
                slots = (inside - opens) / SLOT_NS
            else:
                begins = int(line.previous_close_ns[row])
                slots = NIGHT_SLOTS * night_done(inside, previous_close_ns=begins, open_ns=opens)
            parts.append((where, day, slots, row))
        return parts

    def _cached(self, key: tuple[object, ...], draw: Callable[[], Floats]) -> Floats:
        cached = self._cache.get(key)
        if cached is None:
            cached = self._keep(key, draw())
        return cached

    def _keep(self, key: tuple[object, ...], nodes: Floats) -> Floats:
        if len(self._cache) >= _CACHED_PATHS_MAX:
            for old in list(self._cache)[: _CACHED_PATHS_MAX // 2]:
                del self._cache[old]
        self._cache[key] = nodes
        return nodes


def _bridge(done: Floats, z: Floats, *, sigma: float, first: float, last: float) -> Floats:
    walk = np.concatenate(([0.0], np.cumsum(z * np.sqrt(np.diff(done)))))
    result: Floats = first + (last - first) * done + sigma * (walk - done * walk[-1])
    return result


def _at(nodes: Floats, slots: float) -> float:
    at = min(int(slots), len(nodes) - 2)
    part = slots - at
    return float(nodes[at]) * (1.0 - part) + float(nodes[at + 1]) * part
