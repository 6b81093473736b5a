"""Decides what is kept of a solved row, so that what it becomes a moment later is cheap to solve.

With f = forward / anchored forward - 1, a = f / s and everything else as in `ordinary`, an anchor
holds, at its own s: the logarithm of the time value, R = 1 / g and P = h^2 - t^2 by powers of a;
and how s follows e, the logarithm of a time value over that at the anchored s:

    (s / new s)^2 = 1 - 2 R e (1 + e/2 (k + e/3 (X + e/4 (Y + e/5 Z)))),
    k = 1 - R (P + 3),    X = k (2 k - 1) + R^2 (4 t^2 - 6),

Y known by powers of a up to the second, Z to the first. The square of 1 / s is what is nearly a
straight line in e far from the money. None of it depends on the time to expiry, on the discount
or on who asked: an anchor holds for its strike and right, for ever. How far it reaches is part of
it. Refuses to lay anchors where `ordinary` would not be sure, or hardly.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from thetawarden.domain.pricing.implied import fill_time_value

if TYPE_CHECKING:
    from thetawarden.domain.pricing.arrays import FloatArray, Rows
    from thetawarden.domain.pricing.reasons import Codes

SingleArray: TypeAlias = npt.NDArray[np.float32]

EXACT_ROWS: Final = 14
ROUGH_ROWS: Final = 18  # of coefficients whose terms are too small for single precision to matter
_BLOCK: Final = 4096
_VALUE_DEGREE: Final = 7
_R_DEGREE: Final = 6
_INV_SQRT_2PI: Final = 1.0 / math.sqrt(2.0 * math.pi)
_S_MIN: Final = 0.005
_TIME_VALUE_MIN: Final = 1e-13  # of the larger of forward and strike
_TIME_VALUE_MAX: Final = 0.45  # of the smaller
_H_MAX: Final = 6.0
# the reach was found by trying; `test_nearby` holds it to fifty digits
_A_AT_THE_MONEY: Final = 0.043
_A_BY_H: Final = 0.04
_A_MAX: Final = 0.105
_A_BY_ROOT_S: Final = 0.0172
_F_MAX: Final = 0.0085
_N_MAX: Final = 0.0074  # e R, the relative change of s
_A_PROBE: Final = 0.02  # how far off the differences look


class Anchors(msgspec.Struct, frozen=True, eq=False):
    """One column per row; a row without an anchor reaches nowhere."""

    exact: FloatArray
    """Strike, right, forward, 1 / (forward s), s; then coefficients."""
    rough: SingleArray
    """Coefficients of higher order; then what moves weigh, see `_weights`."""
    held: FloatArray
    """How often forward - strike is in the price besides the time value: 0 out of the money."""
    in_the_money: bool
    """Whether any row is."""

    @property
    def size(self) -> int:
        """How many rows there are."""
        return self.held.size


def lay(columns: list[FloatArray], iv: FloatArray, codes: Codes) -> Anchors:
    """Lay an anchor at every row that has a volatility and is ordinary."""
    _, forward, strike, _, _, call = columns
    exact = np.empty((EXACT_ROWS, iv.size))
    rough = np.empty((ROUGH_ROWS, iv.size), dtype=np.float32)
    held = call - (forward <= strike)
    with np.errstate(all="ignore"):
        for start in range(0, iv.size, _BLOCK):
            block = slice(start, start + _BLOCK)
            part = [column[block] for column in columns]
            _lay_block(part, iv[block], codes[block], exact[:, block], rough[:, block])
    return Anchors(exact, rough, held, bool(held.any()))


def lay_anew(
    anchors: Anchors, rows: Rows, columns: list[FloatArray], iv: FloatArray, codes: Codes
) -> Anchors:
    """Replace the anchors of some rows, of which columns, iv and codes tell; in their place."""
    laid = lay(columns, iv, codes)
    anchors.exact[:, rows] = laid.exact
    anchors.rough[:, rows] = laid.rough
    anchors.held[rows] = laid.held
    in_the_money = anchors.in_the_money or laid.in_the_money
    return Anchors(anchors.exact, anchors.rough, anchors.held, in_the_money)


def _lay_block(
    columns: list[FloatArray],
    iv: FloatArray,
    codes: Codes,
    exact: FloatArray,
    rough: SingleArray,
) -> None:
    _, forward, strike, _, tau, call = columns
    time_value, work = np.empty((2, iv.size))
    fill_time_value(columns, time_value, work)
    s = iv * np.sqrt(tau)
    h = np.log(forward / strike) / s
    side = np.where(forward <= strike, 1.0, -1.0)
    d = h - 0.5 * s
    vega = strike * s * np.exp(-0.5 * d * d) * _INV_SQRT_2PI, _density_series(d, s)
    worth = _worth_series(time_value, forward * s * side * ndtr(side * (d + s)), vega, s)
    logs = _log_series(worth)
    r = _quotient_series(worth, vega)
    p = _p_series(h, s)
    bends = _bends(r, h, s)
    good = codes == 0
    good &= (s >= _S_MIN) & (np.abs(h) <= _H_MAX)
    good &= time_value >= _TIME_VALUE_MIN * np.maximum(forward, strike)
    good &= time_value <= _TIME_VALUE_MAX * np.minimum(forward, strike)
    weights = [np.where(good, weight, np.nan) for weight in _weights(np.abs(h), s, r[0])]
    place = strike, call, forward, 1.0 / (forward * s), s, 1.0 / time_value
    _fill(exact, (*place, *logs[:3], *(-2.0 * value for value in r[:3]), *p[:2]))
    _fill(rough, (*logs[3:], *(-2.0 * value for value in r[3:]), *p[2:], *bends, *weights))


def _fill(table: FloatArray | SingleArray, values: tuple[FloatArray, ...]) -> None:
    for row, value in zip(table, values, strict=True):
        row[:] = value


def _weights(h: FloatArray, s: FloatArray, r: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return what a and e weigh; within reach the squares of both come to no more than 1."""
    far = np.minimum(_A_AT_THE_MONEY + _A_BY_H * h, _A_MAX)
    far = np.minimum(far, np.minimum(_A_BY_ROOT_S / np.sqrt(s), _F_MAX / s))
    return 1.0 / far, r / _N_MAX


def _p_series(h: FloatArray, s: FloatArray) -> tuple[FloatArray, ...]:
    """Return a quarter of P + 3 by powers of a."""
    series = 3.0 + h * h - 0.25 * s * s, h + h, 1.0 - h * s, s * (s * h * (2.0 / 3.0) - 1.0)
    return tuple(0.25 * value for value in series)


def _density_series(d: FloatArray, s: FloatArray) -> list[FloatArray]:
    """Return n(d) by powers of a, relative to its value at 0, while ln(forward) / s moves d."""
    moves = [d, np.ones_like(d)]
    for order in range(2, _R_DEGREE + 1):
        moves.append(moves[-1] * s * ((1.0 - order) / order))
    series = [np.ones_like(d)]
    for k in range(_R_DEGREE):
        total = d * series[k]
        if k:
            total += series[k - 1]
            total += s * series[k] * k
        for j in range(2, k + 1):
            total += moves[j] * series[k - j]
        total *= -1.0 / (k + 1)
        series.append(total)
    return series


def _worth_series(
    value: FloatArray,
    slope: FloatArray,
    vega: tuple[FloatArray, list[FloatArray]],
    s: FloatArray,
) -> list[FloatArray]:
    """Return the time value by powers of a: (1 + s a)^2 value'' = s vega, s held."""
    series = [value, slope]
    s_vega, densities = vega
    for k in range(_VALUE_DEGREE - 1):
        total = s_vega * densities[k]
        if k:
            total -= s * series[k + 1] * (2.0 * k * (k + 1))
        if k > 1:
            total -= s * s * series[k] * (k * (k - 1.0))
        total *= 1.0 / ((k + 1) * (k + 2))
        series.append(total)
    return series


def _log_series(series: list[FloatArray]) -> list[FloatArray]:
    """Return the logarithm of a series over its value at 0, from the first power on."""
    per = 1.0 / series[0]
    relative = [value * per for value in series[1:]]
    grows: list[FloatArray] = []
    for k, value in enumerate(relative):
        total = value * (k + 1.0)
        for i in range(k):
            total -= grows[i] * relative[k - 1 - i]
        grows.append(total)
    return [value * (1.0 / (k + 1)) for k, value in enumerate(grows)]


def _quotient_series(
    series: list[FloatArray], vega: tuple[FloatArray, list[FloatArray]]
) -> list[FloatArray]:
    """Return one series over another."""
    s_vega, densities = vega
    quotient: list[FloatArray] = []
    for k in range(_R_DEGREE + 1):
        total = series[k] / s_vega
        for i in range(k):
            total -= quotient[i] * densities[k - i]
        quotient.append(total)
    return quotient


def _bends(r: list[FloatArray], h: FloatArray, s: FloatArray) -> tuple[FloatArray, ...]:
    """Return Y, its slope and half its curvature in a, all by 8; Z and its slope by 40; X by R^2.

    The slopes and the curvature are differences. The last is by 2 (2 R)^2.
    """
    ss = s * s
    fourth, fifth = _fourth_and_fifth(r[0], h * h - 0.25 * ss, ss)
    ends = []
    for a in (_A_PROBE, -_A_PROBE):
        there = r[0] + a * (r[1] + a * (r[2] + a * r[3]))
        h_there = h + a * (1.0 - 0.5 * a * s)
        ends.append(_fourth_and_fifth(there, h_there * h_there - 0.25 * ss, ss))
    (above, fifth_above), (below, fifth_below) = ends
    slope = (above - below) * (0.5 / _A_PROBE)
    curve = (above + below - fourth - fourth) * (0.5 / _A_PROBE**2)
    fifth_slope = (fifth_above - fifth_below) * (0.5 / _A_PROBE)
    eighths = tuple(0.125 * value for value in (fourth, slope, curve))
    return *eighths, 0.025 * fifth, 0.025 * fifth_slope, 0.125 * (ss - 6.0)


def _fourth_and_fifth(
    r: FloatArray, p: FloatArray, ss: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return Y and Z; what `grows` does so with e, R in parts of itself."""
    k = 1.0 - r * (p + 3.0)
    rr, less, steep = r * r, ss - 6.0, 4.0 * k - 1.0
    r_grows = k + r + r
    third = k * (k + k - 1.0) + rr * less
    k_grows = third - k * k
    both = r_grows * less + ss * r
    third_grows = steep * k_grows + 2.0 * rr * both
    fourth = third * k + third_grows
    both *= r_grows + r_grows
    both += (k_grows + 2.0 * r * r_grows) * less + ss * r * (3.0 * r_grows + r + r)
    fourth_grows = third_grows * k + third * k_grows + 4.0 * k_grows * k_grows
    fourth_grows += steep * (third_grows - 2.0 * k * k_grows) + 2.0 * rr * both
    return fourth, fourth * k + fourth_grows
