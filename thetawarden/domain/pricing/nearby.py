"""Decides the volatility of a row that has hardly moved since its anchor was laid.

The mathematics is told in `anchors`: two series instead of a step of `ordinary`, and neither a
tail of the normal distribution nor a density is computed. Terms that are small enough are taken
in single precision, which costs half as much.

Says of which rows it is sure: those of the anchored strike and right whose move is within the
anchor's reach, where what the series leave out is below 1e-12 of the volatility. Whose anchors
they are, and how old, does not matter. Refuses to solve the others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from thetawarden.domain.pricing.ordinary import BLOCK

if TYPE_CHECKING:
    from thetawarden.domain.pricing.anchors import Anchors, SingleArray
    from thetawarden.domain.pricing.arrays import BoolArray, FloatArray

_EXACT_SCRATCH: Final = 4
_ROUGH_SCRATCH: Final = 5


def solve_nearby(columns: list[FloatArray], anchors: Anchors, iv: FloatArray) -> BoolArray:
    """Fill iv; return which rows are sure. What the others hold means nothing."""
    width = min(iv.size, BLOCK)
    exact = np.empty((_EXACT_SCRATCH, width))
    rough = np.empty((_ROUGH_SCRATCH, width), dtype=np.float32)
    sure = np.empty(iv.size, dtype=np.bool_)
    with np.errstate(all="ignore"):
        for start in range(0, iv.size, BLOCK):
            block = slice(start, min(start + BLOCK, iv.size))
            rows = block.stop - start
            part = [column[block] for column in columns]
            held = anchors.held[block] if anchors.in_the_money else None
            _fill_time_value(part, held, iv[block], exact[0, :rows])
            _solve_block(
                part,
                (anchors.exact[:, block], anchors.rough[:, block]),
                (exact[:, :rows], rough[:, :rows]),
                iv[block],
                sure[block],
            )
    return sure


def _fill_time_value(
    columns: list[FloatArray], held: FloatArray | None, out: FloatArray, work: FloatArray
) -> None:
    price, forward, strike, discount, _, _ = columns
    np.divide(price, discount, out=out)
    if held is not None:
        np.subtract(forward, strike, out=work)
        work *= held
        out -= work


def _solve_block(
    columns: list[FloatArray],
    anchors: tuple[FloatArray, SingleArray],
    scratch: tuple[FloatArray, SingleArray],
    iv: FloatArray,
    sure: BoolArray,
) -> None:
    """Turn the time value that iv holds into the volatility."""
    _, forward, strike, discount, tau, call = columns
    exact, rough = anchors
    anchored_strike, anchored_call, anchored_forward, per_deviation, s, per_time_value = exact[:6]
    a, e, r, k = scratch[0]
    rough_a, rough_e, work, *rough_work = scratch[1]
    np.subtract(forward, anchored_forward, out=a)
    a *= per_deviation
    _round(a, rough_a)
    np.multiply(iv, per_time_value, out=e)
    np.log(e, out=e)
    _fill_series(exact[6:9], rough[:4], (a, rough_a), r, work)
    r *= a
    e -= r
    _round(e, rough_e)
    _fill_series(exact[9:12], rough[4:8], (a, rough_a), r, work)
    _fill_series(exact[12:], rough[8:10], (a, rough_a), k, work)
    k *= r
    k += 0.5
    _fill_third(rough[10:16], (rough_a, rough_e, r, k), rough_work, work)
    np.copyto(a, work)
    a += k
    a *= e
    a += 1.0
    a *= e
    a *= r
    a += 1.0
    a *= tau
    np.sqrt(a, out=a)
    np.divide(s, a, out=iv)
    _weigh(rough[16:], rough_a, rough_e, sure)
    for told in (discount > 0.0, iv > 0.0, iv < np.inf):
        sure &= told
    sure &= strike == anchored_strike
    sure &= call == anchored_call


def _round(value: FloatArray, out: SingleArray) -> None:
    np.copyto(out, value, casting="same_kind")


def _fill_series(
    exact: FloatArray,
    rough: SingleArray,
    at: tuple[FloatArray, SingleArray],
    out: FloatArray,
    work: SingleArray,
) -> None:
    """Fill out with a series by powers of a, whose higher part is rough."""
    a, rough_a = at
    np.multiply(rough[-1], rough_a, out=work)
    for coefficient in rough[-2:0:-1]:
        work += coefficient
        work *= rough_a
    work += rough[0]
    np.copyto(out, work)
    for coefficient in exact[::-1]:
        out *= a
        out += coefficient


def _fill_third(
    rough: SingleArray,
    at: tuple[SingleArray, SingleArray, FloatArray, FloatArray],
    work: list[SingleArray],
    out: SingleArray,
) -> None:
    """Fill out with e/6 (X + e/4 (Y + e/5 Z)); handed in are a, e, -2 R and k/2."""
    fourth, slope, curve, fifth, fifth_slope, of_rr = rough
    a, e, exact_r, exact_k = at
    k, r = work
    _round(exact_k, k)
    _round(exact_r, r)
    r *= r
    r *= of_rr
    np.multiply(k, 4.0, out=out)
    out -= 1.0
    out *= k
    out += r
    np.multiply(curve, a, out=r)
    r += slope
    r *= a
    r += fourth
    np.multiply(fifth_slope, a, out=k)
    k += fifth
    k *= e
    r += k
    r *= e
    out += r
    out *= e
    out *= 1.0 / 3.0


def _weigh(weights: SingleArray, a: SingleArray, e: SingleArray, out: BoolArray) -> None:
    """Fill out with whether a move is within reach; a and e are used up."""
    a *= weights[0]
    e *= weights[1]
    a *= a
    e *= e
    a += e
    np.less_equal(a, 1.0, out=out)
