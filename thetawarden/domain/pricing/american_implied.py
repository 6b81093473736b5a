"""Decides which volatility an American option's price implies, or names why it implies none.

An American option is worth no less than the European, so the European's volatility bounds its own
from above; the worth without any volatility bounds the price from below. What early exercise adds
changes little with volatility: taken off the price it leaves one that a European formula solves
for, and a few secant steps from there are enough. Where they are not, scipy's bracketing root
finder works between the bounds. The price comes back to 1e-12 of the strike under the pricing
scheme used; what the scheme itself errs by is told in
docs/option-mathematics.md. Refuses to know where prices came from; `quotes` judges those.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.optimize import elementwise

from thetawarden.domain.pricing.american import SWIFT, american_price
from thetawarden.domain.pricing.arrays import Bools, FloatArray, Floats, align
from thetawarden.domain.pricing.black import black_price
from thetawarden.domain.pricing.dividends import (
    CashDividends,
    dividend_american_price,
    escrowed_spot,
)
from thetawarden.domain.pricing.implied import Implied, implied_volatility
from thetawarden.domain.pricing.reasons import CODE_OF, Codes, NoVolatility, first_reasons

if TYPE_CHECKING:
    from collections.abc import Callable

    from thetawarden.domain.pricing.boundary import Scheme

    PriceAt = Callable[..., FloatArray]  # of volatilities and the columns of their rows

_IV_MIN: Final = 1e-3
_IV_MAX: Final = 10.0
_LATTICE_SLACK: Final = 0.25
PRICE_TOLERANCE: Final = 1e-12  # of the strike
_IV_TOLERANCE: Final = 1e-10
_ROUNDING: Final = 1e-12  # of the strike
_SECANT_STEPS: Final = 8


def american_implied_volatility(
    *,
    price_usd: Floats,
    spot: Floats,
    strike: Floats,
    tau_years: Floats,
    rate_annual: Floats,
    yield_annual: Floats,
    is_call: Bools,
    scheme: Scheme = SWIFT,
    guess_annual: Floats = np.nan,
    tolerance: float = PRICE_TOLERANCE,
) -> Implied:
    """Return the volatility of each American price under a rate and a continuous yield.

    It gives the price back to the tolerance, a part of the strike; a guess, NaN for none, costs
    less the closer it is.
    """
    shape, (guess, *columns) = align(
        guess_annual, price_usd, spot, strike, tau_years, rate_annual, yield_annual, is_call
    )

    def price_at(iv: FloatArray, *rows: FloatArray) -> FloatArray:
        spot, strike, tau, rate, dividends, call = rows
        return american_price(
            spot=spot,
            strike=strike,
            tau_years=tau,
            iv_annual=iv,
            rate_annual=rate,
            yield_annual=dividends,
            is_call=call != 0.0,
            scheme=scheme,
        )

    european, blank = np.full(guess.size, np.nan), np.flatnonzero(np.isnan(guess))
    if blank.size:
        part = [column[blank] for column in columns]
        with np.errstate(all="ignore"):
            forward, discount = _forward(part)
        european[blank] = _european(part, forward, discount)
    near = np.where(np.isnan(guess), european, guess)
    solved = _solve(price_at, columns, _bound(european, slack=1e-6), near=near, tolerance=tolerance)
    return Implied(
        iv_annual=solved.iv_annual.reshape(shape), reason_code=solved.reason_code.reshape(shape)
    )


def dividend_american_implied_volatility(
    *,
    price_usd: Floats,
    spot: Floats,
    strike: Floats,
    tau_years: Floats,
    rate_annual: Floats,
    is_call: Bools,
    dividends: CashDividends,
) -> Implied:
    """Return the volatility of each American price under cash dividends, escrowed."""
    shape, columns = align(price_usd, spot, strike, tau_years, rate_annual, is_call)

    def price_at(iv: FloatArray, *rows: FloatArray) -> FloatArray:
        spot, strike, tau, rate, call = rows
        return dividend_american_price(
            spot=spot,
            strike=strike,
            tau_years=tau,
            iv_annual=iv,
            rate_annual=rate,
            is_call=call != 0.0,
            dividends=dividends,
        )

    _price, spot_column, _, tau, rate, _call = columns
    with np.errstate(all="ignore"):
        discount = np.exp(-rate * tau)
        left = escrowed_spot(spot=spot_column, tau_years=tau, rate_annual=rate, dividends=dividends)
    bound = _bound(_european(columns, left / discount, discount), slack=_LATTICE_SLACK)
    solved = _solve(price_at, columns, bound)
    return Implied(
        iv_annual=solved.iv_annual.reshape(shape), reason_code=solved.reason_code.reshape(shape)
    )


def _european(columns: list[FloatArray], forward: FloatArray, discount: FloatArray) -> FloatArray:
    """Return the volatilities of European options of these prices, NaN where there is none."""
    return implied_volatility(
        price_usd=columns[0],
        forward=forward,
        strike=columns[2],
        discount=discount,
        tau_years=columns[3],
        is_call=columns[-1] != 0.0,
    ).iv_annual


def _bound(european: FloatArray, *, slack: float) -> FloatArray:
    """Return volatilities no American one can exceed, but for the slack a pricing error takes."""
    highest = np.maximum(european * (1.0 + slack), 2.0 * _IV_MIN)
    bound: FloatArray = np.where(np.isnan(european), _IV_MAX, highest)
    return bound


def _solve(
    price_at: PriceAt,
    columns: list[FloatArray],
    bound: FloatArray,
    *,
    near: FloatArray | None = None,
    tolerance: float = PRICE_TOLERANCE,
) -> Implied:
    price, *rows = columns
    codes = _judge(price_at, columns)
    iv = np.full(price.size, np.nan)
    good = np.flatnonzero(codes == 0)
    if good.size and near is not None:
        part = [column[good] for column in columns]
        iv[good] = _swiftly(price_at, part, near[good], tolerance=tolerance)
        good = good[np.isnan(iv[good])]
    if good.size:
        found = elementwise.find_root(
            lambda guess, wanted, *part: price_at(guess, *part) - wanted,
            (np.full(good.size, _IV_MIN), bound[good]),
            args=(price[good], *(row[good] for row in rows)),
            tolerances={
                "xatol": _IV_TOLERANCE,
                "fatol": PRICE_TOLERANCE * float(np.min(rows[1][good])),
            },
        )
        iv[good] = np.where(found.success, found.x, np.nan)
        lost = good[~found.success]
        at_most = price_at(bound[lost], *(row[lost] for row in rows))
        dear = price[lost] > at_most
        codes[lost] = np.where(
            dear, CODE_OF[NoVolatility.ABOVE_MAXIMUM], CODE_OF[NoVolatility.NO_TIME_VALUE]
        )
    return Implied(iv_annual=iv, reason_code=codes)


def _swiftly(
    price_at: PriceAt, columns: list[FloatArray], near: FloatArray, *, tolerance: float
) -> FloatArray:
    """Return the volatilities that secant steps from near ones settle at, NaN where they do not."""
    price, *rows = columns
    iv = np.full(price.size, np.nan)
    enough = tolerance * rows[1]
    left = np.flatnonzero(np.isfinite(near))
    last, last_off = np.zeros(0), np.zeros(0)
    guess = near[left]
    with np.errstate(all="ignore"):
        for step in range(_SECANT_STEPS):
            if not left.size:
                break
            worth = price_at(guess, *(row[left] for row in rows))
            off = worth - price[left]
            met = np.abs(off) <= enough[left]
            iv[left[met]] = guess[met]
            if step == 0:
                after = _without_early(worth, guess, [column[left] for column in columns])
            else:
                after = guess - off * (guess - last) / (off - last_off)
            on = ~met & (after > _IV_MIN) & (after <= _IV_MAX)
            left, last, last_off, guess = left[on], guess[on], off[on], after[on]
    return iv


def _without_early(worth: FloatArray, iv: FloatArray, columns: list[FloatArray]) -> FloatArray:
    """Return the volatilities of the prices less what early exercise adds, `worth` being theirs."""
    forward, discount = _forward(columns)
    plain = black_price(
        forward=forward,
        strike=columns[2],
        discount=discount,
        tau_years=columns[3],
        iv_annual=iv,
        is_call=columns[-1] != 0.0,
    )
    return _european([columns[0] - (worth - plain), *columns[1:]], forward, discount)


def _forward(columns: list[FloatArray]) -> tuple[FloatArray, FloatArray]:
    """Return what a European option of the same terms is priced by: forward and discount."""
    _price, spot, _strike, tau, rate, dividends, _call = columns
    return spot * np.exp((rate - dividends) * tau), np.exp(-rate * tau)


def _judge(price_at: PriceAt, columns: list[FloatArray]) -> Codes:
    """Return what can be said before solving; the least worth is the one without volatility."""
    price, spot, strike, tau, *_, call = columns
    least = price_at(np.zeros_like(price), *columns[1:])
    noise = _ROUNDING * strike
    return first_reasons(
        {
            NoVolatility.NOT_FINITE: ~np.isfinite(np.sum(columns, axis=0)),
            NoVolatility.EXPIRED: tau <= 0.0,
            NoVolatility.OUT_OF_DOMAIN: np.isnan(least),
            NoVolatility.BELOW_INTRINSIC: price < least - noise,
            NoVolatility.NO_TIME_VALUE: price <= least + noise,
            NoVolatility.ABOVE_MAXIMUM: price >= np.where(call != 0.0, spot, strike),
        },
        price.size,
    )
