"""Knows what the right to exercise early is worth, for any option at any instant.

Premiums are rolled back once for a strike, a day and a volatility of a fixed ladder, and read
between: cubic over spots, straight over volatilities and over the day. They depend on the instant
asked for and on nothing asked before, so what is remembered changes no price. A call on what pays
nothing before it expires has none; what is five deviations out of the money counts as having none.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from thetawarden.domain.instants import NS_PER_DAY
from thetawarden.practice.market.carry import RATE_ANNUAL, Carry
from thetawarden.practice.market.exercise_lattice import (
    MIDDLE,
    NODES,
    Schedule,
    roll_back,
    schedule,
)
from thetawarden.practice.market.timeline import Timeline

Floats: TypeAlias = NDArray[np.float64]
Instants: TypeAlias = NDArray[np.int64]
Places: TypeAlias = NDArray[np.intp]

_YEAR_NS = 365 * NS_PER_DAY
_VOL_STEP = 0.1
"""Between rungs of the ladder, in the logarithm of volatility."""
_RUNG_ZERO, _RUNGS_SHIFT, _STRIKE_SHIFT, _DAYS_SHIFT = 128, 8, 24, 12
_WORTHLESS_DEVIATIONS = 5.0
_COLUMNS_MAX = 8192
_POINTS_PER_UNIT = 100.0


class Asked(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Options of one underlying and the instants they are asked at, entry by entry."""

    symbol: str
    at_ns: Instants
    settlement_ns: Instants
    strike: Floats
    is_call: NDArray[np.bool_]
    iv_annual: Floats
    escrowed: Floats
    """The spot less what is paid until settlement."""

    def only(self, rows: Places) -> Asked:
        """Return some of them."""
        return Asked(
            symbol=self.symbol,
            at_ns=self.at_ns[rows],
            settlement_ns=self.settlement_ns[rows],
            strike=self.strike[rows],
            is_call=self.is_call[rows],
            iv_annual=self.iv_annual[rows],
            escrowed=self.escrowed[rows],
        )


class Early(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """What early exercise adds to European values, and how that moves; zero where nothing."""

    worth: Floats
    slope: Floats
    """By the spot."""
    curvature: Floats
    by_vol_point: Floats
    surely: Floats
    """What the best moment of exercise known beforehand brings: values are never below it."""


class _Columns:
    """Premiums of one underlying, found by code."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self.codes: Instants = np.zeros(0, dtype=np.int64)
        self.at: Places = np.zeros(0, dtype=np.intp)
        self.premium: Floats = np.zeros((0, 2, NODES))
        self.dx: Floats = np.zeros(0)

    def missing(self, codes: Instants) -> Places:
        """Return where one of each code stands that is not there."""
        if len(self.codes):
            near = np.minimum(np.searchsorted(self.codes, codes), len(self.codes) - 1)
            absent = np.flatnonzero(self.codes[near] != codes)
        else:
            absent = np.arange(len(codes))
        if not len(absent):
            return absent
        return absent[np.unique(codes[absent], return_index=True)[1]]

    def add(self, codes: Instants, premium: Floats, dx: Floats) -> None:
        """Remember more."""
        all_codes = np.concatenate([self.codes, codes])
        all_at = np.concatenate([self.at, len(self.dx) + np.arange(len(codes))])
        order = np.argsort(all_codes)
        self.codes, self.at = all_codes[order], all_at[order]
        self.premium = np.concatenate([self.premium, premium])
        self.dx = np.concatenate([self.dx, dx])

    def find(self, codes: Instants) -> Places:
        """Return where each stands."""
        found: Places = self.at[np.searchsorted(self.codes, codes)]
        return found


class EarlyExercise:
    """Early-exercise premiums of American options."""

    def __init__(self, *, timeline: Timeline, carry: Carry) -> None:
        self._timeline, self._carry = timeline, carry
        self._columns: dict[str, _Columns] = {}

    def forget(self) -> None:
        """Drop what was remembered."""
        self._columns.clear()

    def premium(self, asked: Asked) -> Early:
        """Return the premiums over European values."""
        row = np.searchsorted(self._timeline.open_ns, asked.at_ns, side="right") - 1
        rows = np.flatnonzero(self._may_pay(asked, row))
        out = np.zeros((5, len(row)))
        if len(rows):
            out[:, rows] = self._read(asked.only(rows), row[rows])
        worth, slope, curvature, by_vol, surely = out
        return Early(
            worth=worth, slope=slope, curvature=curvature, by_vol_point=by_vol, surely=surely
        )

    def _may_pay(self, asked: Asked, row: Places) -> NDArray[np.bool_]:
        ex_ns, _ = self._carry.payments(asked.symbol)
        paid = np.searchsorted(ex_ns, asked.settlement_ns, side="right") > np.searchsorted(
            ex_ns, self._timeline.open_ns[row], side="right"
        )
        alive = asked.settlement_ns > asked.at_ns
        tau = np.maximum(asked.settlement_ns - asked.at_ns, 0) / _YEAR_NS
        depth = np.log(asked.escrowed / asked.strike)
        inside = np.where(asked.is_call, depth, -depth)
        near = inside > -_WORTHLESS_DEVIATIONS * asked.iv_annual * np.sqrt(tau)
        worthy: NDArray[np.bool_] = alive & near & (~asked.is_call | paid)
        return worthy

    def _read(self, asked: Asked, row: Places) -> Floats:
        """Return worth, slope, curvature, vega and what is sure, one row each."""
        ladder = np.log(asked.iv_annual) / _VOL_STEP
        rung = np.floor(ladder).astype(np.int64)
        columns = self._columns.setdefault(asked.symbol, _Columns())
        codes = self._codes(asked, row, rung)
        both = np.concatenate([codes, codes + 1])
        missing = columns.missing(both)
        if len(columns.codes) + len(missing) > _COLUMNS_MAX:
            columns.clear()
            missing = columns.missing(both)
        if len(missing):
            columns.add(*self._solve(asked, row, both, missing, rung))
        at = columns.find(both).reshape(2, -1)
        vol = np.exp(_VOL_STEP * np.stack([rung, rung + 1]))
        opens, ends = self._span(asked.settlement_ns, row)
        lines = _between(columns, at, asked, vol=vol, slice_ns=np.stack([opens, ends]))
        share = np.clip((asked.at_ns - opens) / (ends - opens), 0.0, 1.0)
        over_day = lines[..., 0, :] * (1.0 - share) + lines[..., 1, :] * share
        low, high = over_day[:, 0], over_day[:, 1]
        worth, by_log, bend, edge = low + (ladder - rung) * (high - low)
        by_vol = (high[0] - low[0]) / (_VOL_STEP * asked.iv_annual * _POINTS_PER_UNIT)
        spot, left = asked.escrowed, (asked.settlement_ns - asked.at_ns) / _YEAR_NS
        forward = spot - asked.strike * np.exp(-RATE_ANNUAL * left)
        surely = np.where(asked.is_call, forward, -forward) + edge
        return np.stack(
            [np.maximum(worth, 0.0), by_log / spot, (bend - by_log) / spot**2, by_vol, surely]
        )

    def _span(self, settlement_ns: Instants, row: Places) -> tuple[Instants, Instants]:
        """From the open to the next one, or until settlement."""
        opens = self._timeline.open_ns
        ends: Instants = np.minimum(opens[row + 1], settlement_ns)
        return opens[row], ends

    def _codes(self, asked: Asked, row: Places, rung: Instants) -> Instants:
        days = asked.settlement_ns // NS_PER_DAY - self._timeline.open_ns[row] // NS_PER_DAY
        strike = np.rint(asked.strike * 1000.0).astype(np.int64)
        series = (row.astype(np.int64) << _DAYS_SHIFT | days) << _STRIKE_SHIFT | strike
        code: Instants = (series << 1 | asked.is_call) << _RUNGS_SHIFT | (rung + _RUNG_ZERO)
        return code

    def _solve(
        self, asked: Asked, row: Places, codes: Instants, missing: Places, rung: Instants
    ) -> tuple[Instants, Floats, Floats]:
        at = missing % len(row)
        known: dict[tuple[int, int], Schedule] = {}
        schedules = []
        for key in zip(row[at].tolist(), asked.settlement_ns[at].tolist(), strict=True):
            if key not in known:
                known[key] = self._schedule(asked.symbol, *key)
            schedules.append(known[key])
        slices = roll_back(
            schedules=schedules,
            strike=asked.strike[at],
            is_call=asked.is_call[at],
            iv_annual=np.exp(_VOL_STEP * (rung[at] + missing // len(row))),
            rate_annual=RATE_ANNUAL,
        )
        return codes[missing], slices.premium, slices.dx

    def _schedule(self, symbol: str, row: int, settlement_ns: int) -> Schedule:
        opens = int(self._timeline.open_ns[row])
        ex_ns, amount = self._carry.payments(symbol)
        ahead = (ex_ns > opens) & (ex_ns <= settlement_ns)
        return schedule(
            span=(int(self._timeline.open_ns[row + 1]) - opens) / _YEAR_NS,
            tau=(settlement_ns - opens) / _YEAR_NS,
            rate_annual=RATE_ANNUAL,
            ex_tau=(ex_ns[ahead] - opens) / _YEAR_NS,
            amount=amount[ahead],
        )


def _between(
    columns: _Columns, at: Places, asked: Asked, *, vol: Floats, slice_ns: Instants
) -> Floats:
    """Return worth, its two derivatives by the logarithm, and worth where exercise is certain.

    Axes: those four, rung, slice, option.
    """
    dx = columns.dx[at][:, None, :]
    left = np.maximum(asked.settlement_ns - slice_ns, 0) / _YEAR_NS
    drift = (RATE_ANNUAL - 0.5 * vol**2)[:, None, :] * left
    place = MIDDLE + (np.log(asked.escrowed / asked.strike) + drift) / dx
    inside = (place >= 0.0) & (place <= NODES - 1.0)
    place = np.clip(place, 0.0, NODES - 1.0)
    first = np.clip(np.floor(place).astype(np.intp), 1, NODES - 3)
    f = place - first
    start = (at[:, None, :] * 2 + np.arange(2)[:, None]) * NODES + first
    flat = columns.premium.reshape(-1)
    a, b, c, d = (flat[start + step] for step in (-1, 0, 1, 2))
    third, second = (d - 3.0 * c + 3.0 * b - a) / 6.0, 0.5 * (a + c) - b
    straight = (-2.0 * a - 3.0 * b + 6.0 * c - d) / 6.0
    worth = b + f * (straight + f * (second + f * third))
    by_log = np.where(inside, straight + f * (2.0 * second + 3.0 * f * third), 0.0) / dx
    bend = np.where(inside, 2.0 * second + 6.0 * f * third, 0.0) / dx**2
    edge = flat[start - first + np.where(asked.is_call, NODES - 1, 0)]
    return np.stack([worth, by_log, bend, edge])
