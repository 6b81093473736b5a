"""Decides the total deviation of ordinary prices fast, and says of which rows it is not sure.

The mathematics of `normalised` without normalising: with `low` and `high` the smaller and the
larger of forward and strike, an out-of-the-money option is worth low N(h + t) - high N(h - t), its
tails taken straight from the normal distribution. That is exact enough while s is not tiny and the
price well inside its bounds: how tiny it may be follows from the error that is put up with. A step
of order four whose own size was small cannot have left an error worth mentioning; all other rows
come back as unsure. Refuses to solve those: `normalised` does.

Written into scratch arrays block by block, since allocating would cost as much as computing.
Relative throughout: with P = h^2 - t^2, Q = h^2 + t^2 and g = s vega / price, Householder's
step for the logarithm of the price is N = ln(price / wanted) / g, A = P - g,
B = P (P - 1 - 3 g) - 2 Q + 2 g^2 and s -> s - s N (1 - A N / 2) / (1 - N (A - B N / 6)).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np
from scipy.special import ndtr

from thetawarden.domain.pricing.arrays import FloatArray

if TYPE_CHECKING:
    from thetawarden.domain.pricing.arrays import BoolArray

BLOCK: Final = 10240  # rows at a time, so that the scratch arrays stay in cache
SCRATCH_ROWS: Final = 8
_INV_SQRT_2PI: Final = 1.0 / math.sqrt(2.0 * math.pi)
_LN_SQRT_2PI: Final = 0.5 * math.log(2.0 * math.pi)
_SQRT_HALF_PI: Final = math.sqrt(0.5 * math.pi)
_TAILS_OFF: Final = 4e-15  # over s: the relative error that the difference of the tails leaves it
_PRICE_SURE_MIN: Final = 1e-14  # of the larger of forward and strike
_PRICE_SURE_MAX: Final = 0.5  # of the smaller
_STEP_SURE_MAX: Final = 1.5e-3  # relative; a step that size leaves about 2e-13 of s


class Wanted(msgspec.Struct, frozen=True):
    """What each row is to be solved for: x = -|ln(forward / strike)|, bounds and time value."""

    x: FloatArray
    low: FloatArray
    high: FloatArray
    time_value: FloatArray


def solve_cold(
    wanted: Wanted, s: FloatArray, scratch: FloatArray, *, error_max: float
) -> BoolArray:
    """Fill s from a closed form and two steps; return which rows are sure."""
    _fill_guess(wanted, s, scratch)
    _improve(wanted, s, scratch)
    return solve_warm(wanted, s, scratch, error_max=error_max)


def solve_warm(
    wanted: Wanted, s: FloatArray, scratch: FloatArray, *, error_max: float
) -> BoolArray:
    """Improve the s handed in by one step; return which rows are sure to be as exact as that."""
    step = _improve(wanted, s, scratch)
    np.abs(step, out=step)
    sure: BoolArray = step <= _STEP_SURE_MAX
    sure &= s >= _TAILS_OFF / error_max
    np.multiply(wanted.high, _PRICE_SURE_MIN, out=step)
    sure &= wanted.time_value >= step
    np.multiply(wanted.low, _PRICE_SURE_MAX, out=step)
    sure &= wanted.time_value <= step
    return sure


def _fill_guess(wanted: Wanted, s: FloatArray, scratch: FloatArray) -> None:
    """Fill s with one relative Newton step on a closed form of ln b from a first idea of s."""
    z, zz, tt, width, work, slope, log_price = scratch[:7]
    x = wanted.x
    np.divide(wanted.time_value, wanted.low, out=log_price)
    np.log(log_price, out=log_price)
    np.multiply(x, 0.5, out=work)
    log_price += work
    np.multiply(log_price, -2.0, out=work)
    np.maximum(work, 0.5, out=work)
    np.sqrt(work, out=work)
    np.divide(x, work, out=work)
    np.exp(log_price, out=s)
    s *= 1.0 / _INV_SQRT_2PI
    s -= work
    np.divide(x, s, out=z)  # h, negative
    np.multiply(z, z, out=zz)
    np.multiply(s, s, out=tt)
    tt *= 0.25
    # width = 1 - c h + h^2 stands for 1 / Y'(h); slope of its logarithm by ln s is h (2 h - c)
    np.multiply(z, -_SQRT_HALF_PI, out=slope)
    np.add(slope, zz, out=width)
    width += 1.0
    slope += zz
    slope += zz
    slope /= width
    slope += zz
    slope -= tt
    slope += 1.0
    np.divide(s, width, out=width)
    np.log(width, out=width)
    width -= log_price
    width -= _LN_SQRT_2PI
    zz += tt
    zz *= 0.5
    width -= zz
    width /= slope
    np.multiply(width, 0.5, out=work)
    np.subtract(1.0, work, out=work)
    work *= width
    work *= s
    s -= work


def _improve(wanted: Wanted, s: FloatArray, scratch: FloatArray) -> FloatArray:
    newton: FloatArray
    """Take one Householder step; return Newton's relative step, which lives in the scratch."""
    p, q, price, g, a, b, work, newton = scratch
    np.divide(wanted.x, s, out=p)
    np.multiply(s, 0.5, out=q)
    np.add(p, q, out=price)
    np.subtract(p, q, out=work)
    np.multiply(price, price, out=g)
    g *= -0.5
    np.exp(g, out=g)
    ndtr(price, out=price)
    ndtr(work, out=work)
    price *= wanted.low
    work *= wanted.high
    price -= work
    g *= wanted.low
    g *= _INV_SQRT_2PI
    g *= s
    g /= price
    np.divide(price, wanted.time_value, out=newton)
    np.log(newton, out=newton)
    newton /= g
    p *= p
    q *= q
    np.add(p, q, out=work)
    p -= q
    np.subtract(p, g, out=a)
    _fill_bend(p, work, g, b)
    b *= newton
    b *= 1.0 / 6.0
    np.subtract(a, b, out=b)
    b *= newton
    np.subtract(1.0, b, out=b)
    a *= newton
    a *= -0.5
    a += 1.0
    a *= newton
    a /= b
    a *= s
    s -= a
    return newton


def _fill_bend(p: FloatArray, q: FloatArray, g: FloatArray, out: FloatArray) -> None:
    """Fill B = P (P - 1 - 3 g) + 2 (g^2 - Q)."""
    np.multiply(g, -3.0, out=out)
    out += p
    out -= 1.0
    out *= p
    g *= g
    g -= q
    out += g
    out += g
