"""Decides the normalised Black function and its inverse, free of units, rates and rights.

An out-of-the-money option's undiscounted price over sqrt(forward * strike) depends on two
numbers: x = -|ln(forward / strike)| <= 0 and s = iv_annual * sqrt(tau_years) > 0. With h = x / s,
t = s / 2, Y(z) = N(z) / n(z) it is b = n(h) exp(-t * t / 2) (Y(h + t) - Y(h - t)); it grows from 0
to exp(x / 2) with db/ds = n(h) exp(-t * t / 2). Their logarithms are exact to the smallest double.

The inverse: a closed-form guess, then Householder's third-order steps on ln b, or on the logarithm
of what is missing to exp(x / 2) when that is the smaller part; both are concave in s, so the steps
do not stray. Refuses to know prices outside 0 < b < exp(x / 2).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.special import erfcx, ndtri

if TYPE_CHECKING:
    from thetawarden.domain.pricing.arrays import BoolArray, FloatArray

_LN_SQRT_2PI: Final = 0.5 * math.log(2.0 * math.pi)
_SQRT_2PI: Final = math.sqrt(2.0 * math.pi)
_SQRT_HALF_PI: Final = math.sqrt(0.5 * math.pi)
_SQRT_HALF: Final = math.sqrt(0.5)
_SERIES_HALF_WIDTH: Final = 0.05  # below it the series in t is exact to rounding
_GUESS_ROUNDS: Final = 2
_STEPS_MAX: Final = 5  # four were the most that any of 300,000 random prices took
_RELATIVE_STEP_DONE: Final = 1e-4  # one more step of order four then ends at rounding


def log_normalised_black(x: FloatArray, s: FloatArray) -> FloatArray:
    """Return ln b; s > 0."""
    h, t = x / s, 0.5 * s
    log_price: FloatArray = _log_vega(h, t) + np.log(_price_over_vega(h, t))
    return log_price


def total_deviation(x: FloatArray, log_price: FloatArray) -> FloatArray:
    """Return the s at which ln b is `log_price`; requires 0 < b < exp(x / 2)."""
    missing = np.exp(0.5 * x) - np.exp(log_price)
    upper = missing < 0.5 * np.exp(0.5 * x)
    s = np.where(upper, _guess_upper(x, missing), _guess(x, log_price))
    target = np.where(upper, np.log(missing), log_price)
    rows = np.arange(s.size)
    for _ in range(_STEPS_MAX):
        step = _step(x[rows], s[rows], target[rows], upper[rows])
        s[rows] += step
        rows = rows[np.abs(step) > _RELATIVE_STEP_DONE * s[rows]]
        if not rows.size:
            break
    return s


def _log_vega(h: FloatArray, t: FloatArray) -> FloatArray:
    return -0.5 * (h * h + t * t) - _LN_SQRT_2PI


def _mills(z: FloatArray) -> FloatArray:
    ratio: FloatArray = _SQRT_HALF_PI * erfcx(-_SQRT_HALF * z)
    return ratio


def _price_over_vega(h: FloatArray, t: FloatArray) -> FloatArray:
    """Return Y(h + t) - Y(h - t), for small t by the odd derivatives of Y at h."""
    ratio = _mills(h + t) - _mills(h - t)
    small = t < _SERIES_HALF_WIDTH
    if small.any():
        ratio[small] = _price_over_vega_series(h[small], t[small])
    return ratio


def _price_over_vega_series(h: FloatArray, t: FloatArray) -> FloatArray:
    before, odd = _mills(h), 1.0 + h * _mills(h)
    total, power, factorial = odd.copy(), np.ones_like(t), 1.0
    for order in range(2, 10, 2):
        before = (order - 1) * before + h * odd
        odd = order * odd + h * before
        factorial *= order * (order + 1)
        power = power * t * t
        total += odd * power / factorial
    return 2.0 * t * total


def _guess(x: FloatArray, log_price: FloatArray) -> FloatArray:
    """Solve ln b with Y'(-z) taken as 1 / (1 + z (1.25 + z)) and the width of t ignored."""
    s = _SQRT_2PI * np.exp(log_price) - x / np.sqrt(np.maximum(-2.0 * log_price, 0.5))
    for _ in range(_GUESS_ROUNDS):
        z, tt = -x / s, 0.25 * s * s
        width = 1.0 + z * (_SQRT_HALF_PI + z)
        excess = np.log(s / width) - _LN_SQRT_2PI - 0.5 * (z * z + tt) - log_price
        slope = z * z - tt + 1.0 + z * (_SQRT_HALF_PI + 2.0 * z) / width
        move = -excess / slope
        s = s * (1.0 + move * (1.0 + 0.5 * move))
    return s


def _guess_upper(x: FloatArray, missing: FloatArray) -> FloatArray:
    """Solve what is missing as if both tails were those at x = 0."""
    tail = missing / (2.0 * np.cosh(0.5 * x))
    guess: FloatArray = -2.0 * ndtri(np.clip(tail, 1e-300, 0.49))
    return guess


def _step(x: FloatArray, s: FloatArray, target: FloatArray, upper: BoolArray) -> FloatArray:
    h, t = x / s, 0.5 * s
    over_vega = np.where(upper, _mills(-h - t) + _mills(h - t), _price_over_vega(h, t))
    excess = _log_vega(h, t) + np.log(over_vega) - target
    slope = np.where(upper, -1.0, 1.0) / over_vega  # of the logarithm, by s
    return _householder(excess / slope, slope, h, s)


def _householder(newton: FloatArray, slope: FloatArray, h: FloatArray, s: FloatArray) -> FloatArray:
    """Return the third-order correction for a function whose logarithm is being solved."""
    second = h * h / s - 0.25 * s  # b'' / b'
    third = second * second - 3.0 * (h / s) ** 2 - 0.25  # b''' / b'
    curve = second - slope
    bend = third - 3.0 * second * slope + 2.0 * slope * slope
    correction: FloatArray = (
        -newton * (1.0 - 0.5 * curve * newton) / (1.0 - newton * (curve - bend * newton / 6.0))
    )
    return correction
