"""Decides which volatility a European option's price implies, or names why it implies none.

Refuses to know where prices came from; `quotes` judges bids and asks first. Prices are discounted,
in USD per share. An in-the-money price is taken for its time value: what exceeds the intrinsic
value by no more than the rounding of its own subtraction says nothing of volatility.
"""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np

from thetawarden.domain.pricing.arrays import BoolArray, Bools, FloatArray, Floats, align
from thetawarden.domain.pricing.normalised import total_deviation
from thetawarden.domain.pricing.reasons import Codes, NoVolatility, first_reasons

_ROUNDING: Final = 4.0 * float(np.finfo(np.float64).eps)


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
) -> Implied:
    """Return the Black-76 volatility of each price."""
    shape, (price, f, k, d, tau, call) = align(
        price_usd, forward, strike, discount, tau_years, is_call
    )
    with np.errstate(all="ignore"):
        parity = (2.0 * call - 1.0) * (f - k)
        time_value = price / d - np.maximum(parity, 0.0)
        codes = _judge(
            price=price,
            forward=f,
            strike=k,
            discount=d,
            tau=tau,
            parity=parity,
            time_value=time_value,
        )
        iv = np.full(price.size, np.nan)
        good = np.flatnonzero(codes == 0)
        if good.size:
            f, k = f[good], k[good]
            log_price = np.log(time_value[good] / np.sqrt(f * k))
            deviation = total_deviation(-np.abs(np.log(f / k)), log_price)
            iv[good] = deviation / np.sqrt(tau[good])
    return Implied(iv_annual=iv.reshape(shape), reason_code=codes.reshape(shape))


def _judge(
    *,
    price: FloatArray,
    forward: FloatArray,
    strike: FloatArray,
    discount: FloatArray,
    tau: FloatArray,
    parity: FloatArray,
    time_value: FloatArray,
) -> Codes:
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
