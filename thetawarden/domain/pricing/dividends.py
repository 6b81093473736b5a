"""Decides what an American option is worth when its underlying pays known cash amounts.

The escrowed model: the spot less the present value of the dividends still to come before expiry
diffuses, the dividends themselves are certain. So a European option is Black's formula on the
very forward that parity shows, and one volatility serves both. (A spot that diffuses whole and
drops at each date is another model; docs/option-mathematics.md tells how far the two differ.)

A trinomial lattice, many options at once: nodes are the first axis of every array, options the
last. Each option's steps are bent so that every ex-date falls on one exactly; a call may be
exercised the moment before it, a put the moment after. The last step is Black's formula.
Dividends count if their ex-date lies after now and not after expiry. Units and signs as in
`black`; NaN where the dividends eat the spot or an input is no option. Refuses to know yields.
"""

from __future__ import annotations

import math
from typing import Final

import msgspec
import numpy as np

from thetawarden.domain.pricing.arrays import BoolArray, Bools, FloatArray, Floats, Rows, align
from thetawarden.domain.pricing.black import (
    DAYS_PER_YEAR,
    POINTS_PER_UNIT,
    Greeks,
    black_price,
)

_STEPS: Final = 200
_SPREAD: Final = 3.0  # dx^2 over a step's variance; at 3 the lattice's leading error cancels
_WIDTH: Final = 5.5  # deviations either side
_BLOCK: Final = 128  # options at a time, to stay in cache
_IV_BUMP: Final = (
    0.04  # of the volatility itself; wide, so that the steps of the lattice average out
)
_RATE_BUMP: Final = 3e-3  # likewise


class CashDividends(msgspec.Struct, frozen=True, kw_only=True):
    """What one underlying will pay: years until each ex-date, ascending, and USD per share."""

    ex_tau_years: FloatArray
    amount_usd: FloatArray


class _Lattice(msgspec.Struct, frozen=True, kw_only=True):
    """Per step and option: time, growth since now, and the dividends an exercise still takes in."""

    moments: FloatArray
    growth: FloatArray
    escrow: FloatArray
    up: FloatArray
    dx: FloatArray
    escrowed_spot: FloatArray


def escrowed_spot(
    *, spot: Floats, tau_years: Floats, rate_annual: Floats, dividends: CashDividends
) -> FloatArray:
    """Return the spot less the present value of what is paid until each expiry."""
    shape, (s, tau, rate) = align(spot, tau_years, rate_annual)
    left: FloatArray = s - _present_values(tau, rate, dividends).sum(axis=0)
    return left.reshape(shape)


def dividend_american_price(
    *,
    spot: Floats,
    strike: Floats,
    tau_years: Floats,
    iv_annual: Floats,
    rate_annual: Floats,
    is_call: Bools,
    dividends: CashDividends,
) -> FloatArray:
    """Return the price in USD per share of American options on one underlying."""
    shape, columns = align(spot, strike, tau_years, iv_annual, rate_annual, is_call)
    price: FloatArray = _spot_rows(columns, dividends)[0]
    return price.reshape(shape)


def dividend_american_greeks(
    *,
    spot: Floats,
    strike: Floats,
    tau_years: Floats,
    iv_annual: Floats,
    rate_annual: Floats,
    is_call: Bools,
    dividends: CashDividends,
) -> Greeks:
    """Return worth and Greeks: delta and gamma from the lattice, vega and rho by bumps."""
    shape, columns = align(spot, strike, tau_years, iv_annual, rate_annual, is_call)
    s, k, tau, iv, rate, call = columns
    wider = _IV_BUMP * iv
    vols = np.concatenate([iv, iv + wider, iv - wider, iv, iv])
    rates = np.concatenate([rate, rate, rate, rate + _RATE_BUMP, rate - _RATE_BUMP])
    tiled = [np.tile(s, 5), np.tile(k, 5), np.tile(tau, 5), vols, rates, np.tile(call, 5)]
    rows = _spot_rows(tiled, dividends).reshape(4, 5, s.size)
    price, delta, gamma, theta = rows[:, 0].reshape((4, *shape))
    _, up, down, dearer, cheaper = rows[0]
    with np.errstate(all="ignore"):
        vega = np.where(wider > 0.0, (up - down) / (2.0 * wider * POINTS_PER_UNIT), 0.0)
    rho = (dearer - cheaper) / (2.0 * _RATE_BUMP * POINTS_PER_UNIT)
    return Greeks(
        price_usd=price,
        delta_per_share=delta,
        gamma_per_usd=gamma,
        vega_usd_per_vol_point=vega.reshape(shape),
        theta_usd_per_day=theta,
        rho_usd_per_rate_point=rho.reshape(shape),
    )


def _present_values(tau: FloatArray, rate: FloatArray, dividends: CashDividends) -> FloatArray:
    """Return the present value of each dividend (rows) to each option (columns)."""
    when = dividends.ex_tau_years[:, np.newaxis]
    counts = (when > 0.0) & (when <= tau)
    values: FloatArray = counts * dividends.amount_usd[:, np.newaxis] * np.exp(-rate * when)
    return values


def _spot_rows(columns: list[FloatArray], dividends: CashDividends) -> FloatArray:
    """Return price, delta, gamma and theta of each option."""
    spot, strike, tau, iv, rate, _call = columns
    out = np.full((4, spot.size), np.nan)
    with np.errstate(all="ignore"):
        escrowed = spot - _present_values(tau, rate, dividends).sum(axis=0)
        sound = (escrowed > 0.0) & (strike > 0.0) & np.isfinite(spot + strike + rate)
        still = sound & ((tau == 0.0) | (iv == 0.0))
        rows = np.flatnonzero(still)
        out[:, rows] = _settle(np.stack([c[rows] for c in columns]), dividends)
        rows = np.flatnonzero(sound & (iv * tau > 0.0) & np.isfinite(iv * tau))
        for start in range(0, rows.size, _BLOCK):
            block = rows[start : start + _BLOCK]
            out[:, block] = _roll_back([column[block] for column in columns], dividends)
    return out


def _settle(columns: FloatArray, dividends: CashDividends) -> FloatArray:
    """Return the rows of options without time or volatility: the best certain moment."""
    spot, strike, tau, _, rate, call = columns
    sign = 2.0 * call - 1.0
    values = _present_values(tau, rate, dividends)
    escrowed = spot - values.sum(axis=0)
    # a put is best exercised just after a date or now, a call just before one or at expiry
    dates = np.where(values > 0.0, dividends.ex_tau_years[:, np.newaxis], 0.0)
    moments = np.concatenate([np.zeros((1, spot.size)), tau[np.newaxis], dates])
    best = np.zeros(spot.size)
    for moment in moments:
        remaining = np.where(call != 0.0, dates >= moment, dates > moment) & (moment < tau)
        owed = (values * remaining).sum(axis=0)
        best = np.maximum(best, sign * (escrowed + owed - strike * np.exp(-rate * moment)))
    delta = np.where(best > 0.0, sign, 0.0)
    return np.stack([best, delta, np.zeros_like(best), np.zeros_like(best)])


def _roll_back(columns: list[FloatArray], dividends: CashDividends) -> FloatArray:
    _spot, strike, _tau, iv, rate, call = columns
    sign = 2.0 * call - 1.0
    lattice = _bend_lattice(columns, dividends)
    middle = math.ceil(_WIDTH * math.sqrt(_STEPS / _SPREAD))
    exponents = np.arange(-middle, middle + 1)[:, np.newaxis] * lattice.dx
    nodes = sign * lattice.escrowed_spot * np.exp(exponents)
    offsets = sign * (lattice.escrow - strike)
    lengths = np.diff(lattice.moments, axis=0)
    discounts = np.exp(-rate * lengths)
    side = lattice.up * discounts
    stay = discounts - 2.0 * side
    last = lengths[-1]
    at_last = np.abs(nodes) * lattice.growth[-2]
    worth = black_price(
        forward=at_last / discounts[-1],
        strike=strike,
        discount=discounts[-1],
        tau_years=last,
        iv_annual=iv,
        is_call=call != 0.0,
    )
    exercise = np.empty_like(nodes)
    held = np.zeros_like(nodes)
    np.maximum(worth, nodes * lattice.growth[-2] + offsets[-2], out=worth)
    for step in range(_STEPS - 2, -1, -1):
        inner = held[1:-1]
        np.add(worth[2:], worth[:-2], out=inner)
        inner *= side[step]
        worth *= stay[step]
        inner += worth[1:-1]
        np.multiply(nodes, lattice.growth[step], out=exercise)
        exercise += offsets[step]
        np.maximum(held, exercise, out=worth)
    return _read_middle(worth[middle - 2 : middle + 3], exercise[middle], columns, lattice)


def _bend_lattice(columns: list[FloatArray], dividends: CashDividends) -> _Lattice:
    spot, _, tau, iv, rate, call = columns
    values = _present_values(tau, rate, dividends)
    moments, dates = _bend_time(tau, values > 0.0, dividends)
    steps = np.arange(_STEPS + 1)[:, np.newaxis]
    escrow = np.zeros_like(moments)
    for value, date in zip(values, dates, strict=True):
        escrow += value * np.where(call != 0.0, steps <= date, steps < date)
    escrow *= np.exp(rate * moments)
    lengths = np.diff(moments, axis=0)
    dx = iv * np.sqrt(_SPREAD * lengths.max(axis=0))
    up = 0.5 * iv * iv * lengths / (dx * dx)
    return _Lattice(
        moments=moments,
        growth=np.exp((rate - 0.5 * iv * iv) * moments),
        escrow=escrow,
        up=up,
        dx=dx,
        escrowed_spot=spot - values.sum(axis=0),
    )


def _bend_time(
    tau: FloatArray, counts: BoolArray, dividends: CashDividends
) -> tuple[FloatArray, Rows]:
    """Return the moment of every step, and the step of every dividend that counts.

    Dates too close to have a step each share the later one's.
    """
    steps = np.arange(_STEPS + 1)[:, np.newaxis]
    moments = np.zeros((_STEPS + 1, tau.size))
    dates = np.full(counts.shape, -1)
    from_step, from_moment = np.zeros(tau.size, dtype=np.intp), np.zeros(tau.size)
    for row, when in enumerate(dividends.ex_tau_years):
        nearest = np.rint(_STEPS * when / tau)
        free = np.clip(np.nan_to_num(nearest), from_step + 1, _STEPS - 1).astype(np.intp)
        at_end = when >= tau
        to_step = np.where(counts[row], np.where(at_end, _STEPS, free), from_step)
        _fill_moments(moments, steps, (from_step, to_step), (from_moment, when))
        dates[row] = np.where(counts[row], to_step, -1)
        from_moment = np.where(counts[row], when, from_moment)
        from_step = to_step
    _fill_moments(moments, steps, (from_step, np.full(tau.size, _STEPS)), (from_moment, tau))
    return moments, dates


def _fill_moments(
    moments: FloatArray,
    steps: Rows,
    ends: tuple[Rows, Rows],
    times: tuple[FloatArray, Floats],
) -> None:
    """Lay the steps of one stretch evenly between its two moments."""
    first, last = ends
    begin, end = times
    share = (steps - first) / np.maximum(last - first, 1)
    inside = (steps > first) & (steps <= last)
    moments[inside] = (begin + (end - begin) * share)[inside]


def _read_middle(
    worth: FloatArray, exercise: FloatArray, columns: list[FloatArray], lattice: _Lattice
) -> FloatArray:
    """Return price, delta, gamma and theta from the five middle nodes, to the fourth order."""
    _, _, _, iv, rate, call = columns
    below_two, below, here, above, above_two = worth
    slope = (below_two - 8.0 * below + 8.0 * above - above_two) / (12.0 * lattice.dx)
    bend = (16.0 * (below + above) - below_two - above_two - 30.0 * here) / (12.0 * lattice.dx**2)
    spot = lattice.escrowed_spot
    exercised = here <= exercise
    delta = np.where(exercised, 2.0 * call - 1.0, slope / spot)
    gamma = np.where(exercised, 0.0, (bend - slope) / (spot * spot))
    decay = rate * here - rate * spot * delta - 0.5 * (iv * spot) ** 2 * gamma
    theta = np.where(exercised, 0.0, decay / DAYS_PER_YEAR)
    return np.stack([here, delta, gamma, theta])
