"""Decides which volatility a European option's price implies, or names why it implies none.

Refuses to know where prices came from; `quotes` judges bids and asks first. Prices are discounted,
in USD per share. An in-the-money price is taken for its time value: what exceeds the intrinsic
value by no more than the rounding of its own subtraction says nothing of volatility.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np

from thetawarden.domain.pricing import ordinary
from thetawarden.domain.pricing.arrays import BoolArray, Bools, FloatArray, Floats, Rows, align
from thetawarden.domain.pricing.normalised import total_deviation
from thetawarden.domain.pricing.reasons import Codes, NoVolatility, first_reasons

if TYPE_CHECKING:
    from collections.abc import Callable

    Solve = Callable[[ordinary.Wanted, FloatArray, FloatArray], BoolArray]

_SCRATCH_ROWS: Final = 5 + ordinary.SCRATCH_ROWS
_ROUNDING: Final = 4.0 * float(np.finfo(np.float64).eps)
_ERROR_MAX: Final = 1e-12
_WAYS: Final = (ordinary.solve_cold,)
_WAYS_WITH_A_GUESS: Final = (ordinary.solve_warm, ordinary.solve_warm, ordinary.solve_cold)


class Implied(msgspec.Struct, frozen=True, kw_only=True):
    """Volatilities, NaN wherever the reason code is not 0; see `reasons`."""

    iv_annual: FloatArray
    reason_code: Codes


def implied_volatility(
    *,
    price_usd: Floats,
    forward: Floats,
    strike: Floats,
    discount: Floats,
    tau_years: Floats,
    is_call: Bools,
    guess_annual: Floats | None = None,
    error_max: float = _ERROR_MAX,
) -> Implied:
    """Return the Black-76 volatility of each price; a good guess, such as the last one, is faster.

    A bad or missing (NaN) guess costs time, never correctness. A larger relative error spares time
    where volatility and time left are tiny; the price comes back to 1e-14 of the strike even so.
    """
    shape, columns = align(price_usd, forward, strike, discount, tau_years, is_call)
    iv = np.full(columns[0].size, np.nan)
    if guess_annual is not None:
        iv[:] = np.broadcast_to(guess_annual, shape).reshape(iv.size)
    codes = fill_implied(columns, iv, guessed=guess_annual is not None, error_max=error_max)
    return Implied(iv_annual=iv.reshape(shape), reason_code=codes.reshape(shape))


def fill_implied(
    columns: list[FloatArray], iv: FloatArray, *, guessed: bool, error_max: float = _ERROR_MAX
) -> Codes:
    """Fill iv, from the guesses it holds if it holds any; return the reason codes."""
    codes = np.zeros(iv.size, dtype=np.int8)
    ways = _WAYS_WITH_A_GUESS if guessed else _WAYS
    unsure = np.arange(iv.size)
    with np.errstate(all="ignore"):
        for solve in ways:
            unsure = _solve_rows_swiftly(columns, iv, unsure, partial(solve, error_max=error_max))
        if unsure.size:
            iv[unsure], codes[unsure] = _solve_carefully([c[unsure] for c in columns])
    return codes


def _solve_rows_swiftly(
    columns: list[FloatArray], iv: FloatArray, rows: Rows, solve: Solve
) -> Rows:
    """Improve the volatilities of some rows the fast way; return the rows it is not sure of."""
    if rows.size in {0, iv.size}:
        return _solve_swiftly(columns, iv, solve) if rows.size else rows
    found = iv[rows]
    unsure = _solve_swiftly([column[rows] for column in columns], found, solve)
    iv[rows] = found
    return rows[unsure]


def _solve_swiftly(columns: list[FloatArray], iv: FloatArray, solve: Solve) -> Rows:
    """Fill iv block by block, from what it holds if `solve` is warm; return the unsure rows."""
    scratch = np.empty((_SCRATCH_ROWS, min(iv.size, ordinary.BLOCK)))
    unsure = []
    for start in range(0, iv.size, ordinary.BLOCK):
        block = slice(start, min(start + ordinary.BLOCK, iv.size))
        part = [column[block] for column in columns]
        sure = _solve_block(part, iv[block], scratch[:, : block.stop - start], solve)
        unsure.append(start + np.flatnonzero(~sure))
    return np.concatenate(unsure)


def _solve_block(
    columns: list[FloatArray],
    iv: FloatArray,
    scratch: FloatArray,
    solve: Solve,
) -> BoolArray:
    _, forward, strike, discount, tau, _ = columns
    x, low, high, time_value, root_tau = scratch[:5]
    np.divide(forward, strike, out=x)
    np.log(x, out=x)
    np.abs(x, out=x)
    np.negative(x, out=x)
    np.minimum(forward, strike, out=low)
    np.maximum(forward, strike, out=high)
    fill_time_value(columns, time_value, root_tau)
    np.sqrt(tau, out=root_tau)
    iv *= root_tau
    sure = solve(ordinary.Wanted(x, low, high, time_value), iv, scratch[5:])
    iv /= root_tau
    sure &= discount > 0.0
    sure &= root_tau > 0.0
    sure &= root_tau < np.inf
    return sure


def fill_time_value(columns: list[FloatArray], out: FloatArray, work: FloatArray) -> None:
    """Fill out with what the undiscounted price exceeds the intrinsic value by."""
    price, forward, strike, discount, _, call = columns
    np.subtract(forward, strike, out=out)
    np.multiply(call, 2.0, out=work)
    work -= 1.0
    out *= work
    np.maximum(out, 0.0, out=out)
    np.divide(price, discount, out=work)
    np.subtract(work, out, out=out)


def _solve_carefully(columns: list[FloatArray]) -> tuple[FloatArray, Codes]:
    """Return volatility and reason of rows of any kind."""
    price, forward, strike, discount, tau, call = columns
    parity = (2.0 * call - 1.0) * (forward - strike)
    time_value = price / discount - np.maximum(parity, 0.0)
    codes = _judge(columns, parity, time_value)
    iv = np.full(price.size, np.nan)
    good = np.flatnonzero(codes == 0)
    if good.size:
        f, k = forward[good], strike[good]
        log_price = np.log(time_value[good] / np.sqrt(f * k))
        deviation = total_deviation(-np.abs(np.log(f / k)), log_price)
        iv[good] = deviation / np.sqrt(tau[good])
    return iv, codes


def _judge(columns: list[FloatArray], parity: FloatArray, time_value: FloatArray) -> Codes:
    price, forward, strike, discount, tau, _ = columns
    finite: BoolArray = np.isfinite(price + forward + strike + discount + tau)
    noise = np.where(parity > 0.0, _ROUNDING * np.maximum(forward, strike), 0.0)
    return first_reasons(
        {
            NoVolatility.NOT_FINITE: ~finite,
            NoVolatility.OUT_OF_DOMAIN: (forward <= 0.0) | (strike <= 0.0) | (discount <= 0.0),
            NoVolatility.EXPIRED: tau <= 0.0,
            NoVolatility.BELOW_INTRINSIC: time_value < -noise,
            NoVolatility.NO_TIME_VALUE: time_value <= noise,
            NoVolatility.ABOVE_MAXIMUM: time_value >= np.minimum(forward, strike),
        },
        price.size,
    )
