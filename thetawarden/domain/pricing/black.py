"""Decides what a European option is worth and how its worth moves: Black-76 and, on top, BSM.

Refuses to know where forward, discount and volatility came from.

Per share of the underlying, long one option. Times are years of 365 days, rates continuously
compounded, volatilities annual (0.18, never 18). `theta_usd_per_day` is what a calendar day
costs with all else equal, so negative for most; vega and rho are per point (0.01) of volatility
and rate. Total: an option without time or volatility left is worth its discounted intrinsic
value with no gamma; NaN, a negative time or volatility, or a negative forward give NaN.
"""

from __future__ import annotations

import math
from typing import Final

import msgspec
import numpy as np
from scipy.special import ndtr

from thetawarden.domain.pricing.arrays import Bools, FloatArray, Floats, align

DAYS_PER_YEAR: Final = 365.0
POINTS_PER_UNIT: Final = 100.0
_BLOCK: Final = 10240  # rows at a time, so that the scratch arrays stay in cache
_INV_SQRT_2PI: Final = 1.0 / math.sqrt(2.0 * math.pi)


class Greeks(msgspec.Struct, frozen=True, kw_only=True):
    """Worth and sensitivities of many options, entry by entry in the shape of the inputs."""

    price_usd: FloatArray
    delta_per_share: FloatArray
    gamma_per_usd: FloatArray
    vega_usd_per_vol_point: FloatArray
    theta_usd_per_day: FloatArray
    rho_usd_per_rate_point: FloatArray


def black_price(
    *,
    forward: Floats,
    strike: Floats,
    discount: Floats,
    tau_years: Floats,
    iv_annual: Floats,
    is_call: Bools,
) -> FloatArray:
    """Return the Black-76 price in USD per share."""
    shape, (f, k, d, tau, iv, call) = align(
        forward, strike, discount, tau_years, iv_annual, is_call
    )
    with np.errstate(all="ignore"):
        sign = 2.0 * call - 1.0
        deviation = iv * np.sqrt(tau)
        h = np.log(f / k) / deviation
        h[(deviation == 0.0) & (f == k)] = 0.0
        half = 0.5 * deviation
        price = sign * d * (f * ndtr(sign * (h + half)) - k * ndtr(sign * (h - half)))
    price[price < 0.0] = 0.0  # rounding where time and volatility all but vanish
    return price.reshape(shape)


def black_vega(
    *,
    forward: FloatArray,
    strike: FloatArray,
    discount: FloatArray,
    tau_years: FloatArray,
    iv_annual: FloatArray,
) -> FloatArray:
    """Return what options gain in USD per share by a whole unit of volatility, either right."""
    with np.errstate(all="ignore"):
        root_tau = np.sqrt(tau_years)
        deviation = iv_annual * root_tau
        d1 = np.log(forward / strike) / deviation + 0.5 * deviation
        vega: FloatArray = _INV_SQRT_2PI * np.exp(-0.5 * d1 * d1) * forward * discount * root_tau
    return vega


def black_greeks(
    *,
    forward: Floats,
    strike: Floats,
    discount: Floats,
    tau_years: Floats,
    iv_annual: Floats,
    is_call: Bools,
) -> Greeks:
    """Return Black-76 worth and Greeks of options on a future: delta and gamma by the forward."""
    shape, (f, k, d, tau, iv, call) = align(
        forward, strike, discount, tau_years, iv_annual, is_call
    )
    rate = _rate(d, tau)
    rows = _evaluate(
        spot=f,
        forward=f,
        strike=k,
        discount=d,
        tau=tau,
        iv=iv,
        call=call,
        rate=rate,
        carry=np.zeros_like(rate),
    )
    np.multiply(rows[0], tau, out=rows[5])
    rows[5] *= -1.0 / POINTS_PER_UNIT
    return _greeks(rows, shape)


def spot_greeks(
    *,
    spot: Floats,
    forward: Floats,
    strike: Floats,
    discount: Floats,
    tau_years: Floats,
    iv_annual: Floats,
    is_call: Bools,
) -> Greeks:
    """Return BSM worth and Greeks by the spot, the carry being what forward / spot says."""
    shape, (s, f, k, d, tau, iv, call) = align(
        spot, forward, strike, discount, tau_years, iv_annual, is_call
    )
    with np.errstate(all="ignore"):
        carry = _rate(s / f, tau)
    rows = _evaluate(
        spot=s,
        forward=f,
        strike=k,
        discount=d,
        tau=tau,
        iv=iv,
        call=call,
        rate=_rate(d, tau),
        carry=carry,
    )
    return _greeks(rows, shape)


def bsm_greeks(
    *,
    spot: Floats,
    strike: Floats,
    tau_years: Floats,
    iv_annual: Floats,
    rate_annual: Floats,
    yield_annual: Floats,
    is_call: Bools,
) -> Greeks:
    """Return BSM worth and Greeks by the spot under a rate and a continuous dividend yield."""
    shape, (s, k, tau, iv, rate, dividends, call) = align(
        spot, strike, tau_years, iv_annual, rate_annual, yield_annual, is_call
    )
    carry = rate - dividends
    with np.errstate(all="ignore"):
        forward = s * np.exp(carry * tau)
        discount = np.exp(-rate * tau)
    rows = _evaluate(
        spot=s,
        forward=forward,
        strike=k,
        discount=discount,
        tau=tau,
        iv=iv,
        call=call,
        rate=rate,
        carry=carry,
    )
    return _greeks(rows, shape)


def bsm_price(
    *,
    spot: Floats,
    strike: Floats,
    tau_years: Floats,
    iv_annual: Floats,
    rate_annual: Floats,
    yield_annual: Floats,
    is_call: Bools,
) -> FloatArray:
    """Return the BSM price in USD per share under a rate and a continuous dividend yield."""
    tau = np.asarray(tau_years, dtype=np.float64)
    with np.errstate(all="ignore"):
        discount = np.exp(-np.asarray(rate_annual) * tau)
        forward = spot * np.exp((np.asarray(rate_annual) - yield_annual) * tau)
    return black_price(
        forward=forward,
        strike=strike,
        discount=discount,
        tau_years=tau_years,
        iv_annual=iv_annual,
        is_call=is_call,
    )


def _rate(discount: FloatArray, tau: FloatArray) -> FloatArray:
    with np.errstate(all="ignore"):
        rate: FloatArray = -np.log(discount) / tau
    return rate


def _greeks(rows: FloatArray, shape: tuple[int, ...]) -> Greeks:
    price, delta, gamma, vega, theta, rho = rows.reshape((6, *shape))
    return Greeks(
        price_usd=price,
        delta_per_share=delta,
        gamma_per_usd=gamma,
        vega_usd_per_vol_point=vega,
        theta_usd_per_day=theta,
        rho_usd_per_rate_point=rho,
    )


def _evaluate(
    *,
    spot: FloatArray,
    forward: FloatArray,
    strike: FloatArray,
    discount: FloatArray,
    tau: FloatArray,
    iv: FloatArray,
    call: FloatArray,
    rate: FloatArray,
    carry: FloatArray,
) -> FloatArray:
    """Evaluate block by block; the rows are the fields of `Greeks`."""
    columns = (spot, forward, strike, discount, tau, iv, call, rate, carry)
    size = spot.size
    rows = np.empty((6, size))
    scratch = np.empty((8, min(size, _BLOCK)))
    with np.errstate(all="ignore"):
        for start in range(0, size, _BLOCK):
            block = slice(start, min(start + _BLOCK, size))
            part = [column[block] for column in columns]
            _evaluate_block(part, rows[:, block], scratch[:, : block.stop - block.start])
    return rows


def _evaluate_block(columns: list[FloatArray], rows: FloatArray, scratch: FloatArray) -> None:
    spot, forward, strike, discount, tau, iv, call, rate, carry = columns
    price, delta, gamma, vega, theta, rho = rows
    sign, root_tau, deviation, present, density, d1, above, below = scratch
    np.multiply(call, 2.0, out=sign)
    sign -= 1.0
    np.sqrt(tau, out=root_tau)
    np.multiply(iv, root_tau, out=deviation)
    _fill_arguments([forward, strike, deviation], d1, below)
    np.multiply(forward, discount, out=present)
    _fill_density(d1, present, density)
    _fill_tail(d1, present, sign, out=above)  # sign F D N(sign d1)
    np.multiply(strike, discount, out=present)
    _fill_tail(below, present, sign, out=below)  # sign K D N(sign d2)
    np.subtract(above, below, out=price)
    np.maximum(price, 0.0, out=price)  # rounding where time and volatility all but vanish
    np.divide(above, spot, out=delta)
    np.multiply(deviation, spot, out=gamma)
    gamma *= spot
    np.divide(density, gamma, out=gamma)
    np.multiply(density, root_tau, out=vega)
    vega *= 1.0 / POINTS_PER_UNIT
    np.multiply(below, tau, out=rho)
    rho *= 1.0 / POINTS_PER_UNIT
    # theta = r V - carry S delta - F D n(d1) iv / (2 sqrt tau)
    np.multiply(price, rate, out=theta)
    above *= carry
    theta -= above
    density *= iv
    density /= root_tau
    density *= 0.5
    theta -= density
    theta *= 1.0 / DAYS_PER_YEAR
    if not deviation.all():
        gamma[deviation == 0.0] = 0.0
        theta[tau == 0.0] = 0.0


def _fill_arguments(columns: list[FloatArray], d1: FloatArray, d2: FloatArray) -> None:
    """Fill d1 and d2; a forward at the strike with no deviation counts as half in the money."""
    forward, strike, deviation = columns
    np.divide(forward, strike, out=d2)
    np.log(d2, out=d2)
    d2 /= deviation
    if not deviation.all():
        d2[(deviation == 0.0) & (forward == strike)] = 0.0
    np.multiply(deviation, 0.5, out=d1)
    d2 -= d1
    np.add(d2, deviation, out=d1)


def _fill_density(d1: FloatArray, present: FloatArray, out: FloatArray) -> None:
    np.multiply(d1, d1, out=out)
    out *= -0.5
    np.exp(out, out=out)
    out *= present
    out *= _INV_SQRT_2PI


def _fill_tail(
    argument: FloatArray, present: FloatArray, sign: FloatArray, *, out: FloatArray
) -> None:
    np.multiply(argument, sign, out=out)
    ndtr(out, out=out)
    out *= present
    out *= sign
