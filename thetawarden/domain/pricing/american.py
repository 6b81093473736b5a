"""Decides what an American option under continuous dividends is worth, and how its worth moves.

The European worth plus the early-exercise premium, Kim's integral along the exercise boundary. A
call is the put whose spot and strike, rate and yield have changed places. Units and signs as
in `black`. Errors against a high-precision reference are tabulated in docs/option-mathematics.md.

Total: without time or volatility an option is exercised at the best known moment. NaN for what
is no option (NaN, a negative time or volatility, a spot or strike of zero or below), and for the
one case this method refuses to know: a cost of waiting that is negative on both legs, where a
put's yield lies below its negative rate, or a call's rate below its negative yield.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np

from thetawarden.domain.pricing.arrays import BoolArray, Bools, FloatArray, Floats, Rows, align
from thetawarden.domain.pricing.black import (
    DAYS_PER_YEAR,
    POINTS_PER_UNIT,
    Greeks,
    bsm_greeks,
    bsm_price,
)
from thetawarden.domain.pricing.boundary import (
    Boundary,
    Puts,
    Scheme,
    interpolation,
    is_steep,
    quadrature,
    solve_boundary,
)
from thetawarden.domain.pricing.normal import density, distribution

if TYPE_CHECKING:
    from collections.abc import Iterator

SWIFT: Final = Scheme(
    nodes=4, quadrature_points=6, newton_steps=2, fixed_point_steps=2, premium_points=11
)
FINE: Final = Scheme(
    nodes=10, quadrature_points=21, newton_steps=4, fixed_point_steps=8, premium_points=41
)
_CELLS: Final = 28_672  # nodes x quadrature points x options at a time, to stay in cache
_CONTENT_MIN: Final = 1e-8  # a put's rate x tau below it cannot make waiting cost anything
_RATE_MIN: Final = 1e-9  # stands for a rate of zero where a negative yield makes waiting costly
_IV_BUMP: Final = 0.01  # of the volatility itself
_RATE_BUMP: Final = 1e-4


class _Premium(msgspec.Struct, frozen=True, kw_only=True):
    """What early exercise adds to puts, and its first and second derivative by the spot."""

    worth: FloatArray
    slope: FloatArray
    curvature: FloatArray
    exercised: BoolArray


def american_price(
    *,
    spot: Floats,
    strike: Floats,
    tau_years: Floats,
    iv_annual: Floats,
    rate_annual: Floats,
    yield_annual: Floats,
    is_call: Bools,
    scheme: Scheme = SWIFT,
) -> FloatArray:
    """Return the price in USD per share."""
    shape, columns = align(spot, strike, tau_years, iv_annual, rate_annual, yield_annual, is_call)
    return _price(columns, scheme).reshape(shape)


def american_greeks(
    *,
    spot: Floats,
    strike: Floats,
    tau_years: Floats,
    iv_annual: Floats,
    rate_annual: Floats,
    yield_annual: Floats,
    is_call: Bools,
    scheme: Scheme = SWIFT,
) -> Greeks:
    """Return worth and Greeks; delta and gamma exact, theta by the pricing equation, others bumped.

    An option that is better exercised now moves with its intrinsic value and decays no more.
    """
    shape, columns = align(spot, strike, tau_years, iv_annual, rate_annual, yield_annual, is_call)
    rows = _spot_rows(columns, scheme)
    vega, rho = _bumped_rows(columns, scheme)
    price, delta, gamma, theta = (row.reshape(shape) for row in rows)
    return Greeks(
        price_usd=price,
        delta_per_share=delta,
        gamma_per_usd=gamma,
        vega_usd_per_vol_point=vega.reshape(shape),
        theta_usd_per_day=theta,
        rho_usd_per_rate_point=rho.reshape(shape),
    )


def _price(columns: list[FloatArray], scheme: Scheme) -> FloatArray:
    spot, strike, tau, iv, rate, dividends, call = columns
    price = bsm_price(
        spot=spot,
        strike=strike,
        tau_years=tau,
        iv_annual=iv,
        rate_annual=rate,
        yield_annual=dividends,
        is_call=call != 0.0,
    )
    _settle_special_rows(columns, price)
    for rows, steep in _blocks(columns, scheme):
        part = [column[rows] for column in columns]
        premium = _premium(_as_puts(part), scheme, steep=steep, with_slopes=False)
        price[rows], _ = _with_premium(price[rows], part, premium)
    return np.maximum(price, _intrinsic(columns), out=price)


def _with_premium(
    european: FloatArray, columns: list[FloatArray], premium: _Premium
) -> tuple[FloatArray, BoolArray]:
    """Return the price, and whether it is that of exercising now."""
    intrinsic = _intrinsic(columns)
    exercised = premium.exercised & (european <= intrinsic)
    held = np.maximum(european + premium.worth, intrinsic)
    return np.where(exercised, intrinsic, held), exercised


def _intrinsic(columns: list[FloatArray]) -> FloatArray:
    spot, strike, *_, call = columns
    value: FloatArray = np.maximum((2.0 * call - 1.0) * (spot - strike), 0.0)
    return value


def _put_rates(columns: list[FloatArray]) -> tuple[FloatArray, FloatArray]:
    *_, rate, dividends, call = columns
    is_call = call != 0.0
    return np.where(is_call, dividends, rate), np.where(is_call, rate, dividends)


def _as_puts(columns: list[FloatArray]) -> Puts:
    spot, strike, tau, iv, *_, call = columns
    is_call = call != 0.0
    rate, dividends = _put_rates(columns)
    return Puts(
        spot=np.where(is_call, strike, spot),
        strike=np.where(is_call, spot, strike),
        tau=tau,
        iv=iv,
        rate=np.maximum(rate, _RATE_MIN),
        dividends=dividends,
    )


def _blocks(columns: list[FloatArray], scheme: Scheme) -> Iterator[tuple[Rows, bool]]:
    """Yield the rows that have an exercise boundary, a cache's worth at a time, and if steep."""
    spot, strike, tau, iv, rate, dividends, _ = columns
    with np.errstate(all="ignore"):
        put_rate, put_dividends = _put_rates(columns)
        early = (put_rate * tau > _CONTENT_MIN) | ((put_rate >= 0.0) & (put_dividends < 0.0))
        live = (spot > 0.0) & (strike > 0.0) & (iv * iv * tau > 0.0) & np.isfinite(iv * tau)
        live &= early & np.isfinite(dividends + rate)
        live_steep = live & is_steep(carry=rate - dividends, tau=tau, iv=iv)
    size = max(1, _CELLS // (scheme.nodes * scheme.quadrature_points))
    for chosen, steep in ((live & ~live_steep, False), (live_steep, True)):
        rows = np.flatnonzero(chosen)
        for start in range(0, rows.size, size):
            yield rows[start : start + size], steep


def _settle_special_rows(columns: list[FloatArray], price: FloatArray) -> None:
    """Overwrite rows without time or volatility, and those this method refuses."""
    spot, strike, tau, iv, *_ = columns
    rate, dividends = _put_rates(columns)
    with np.errstate(all="ignore"):
        still = np.flatnonzero((tau == 0.0) | (iv == 0.0))
        if still.size:
            price[still] = _price_without_chance([column[still] for column in columns])
        twice = (rate < 0.0) & (dividends < rate)
        price[twice | (spot <= 0.0) | (strike <= 0.0) | (tau < 0.0) | (iv < 0.0)] = np.nan


def _price_without_chance(columns: list[FloatArray]) -> FloatArray:
    """Return the best of exercising now, at the end, or where waiting turns from gain to loss."""
    spot, strike, tau, _, rate, dividends, call = columns
    turn = np.log(rate * strike / (dividends * spot)) / (rate - dividends)
    turn = np.where(np.isfinite(turn), np.clip(turn, 0.0, tau), 0.0)
    worth = [
        (1.0 - 2.0 * call) * (strike * np.exp(-rate * moment) - spot * np.exp(-dividends * moment))
        for moment in (np.zeros_like(tau), turn, tau)
    ]
    best: FloatArray = np.maximum(np.max(worth, axis=0), 0.0)
    return best


def _premium(puts: Puts, scheme: Scheme, *, steep: bool, with_slopes: bool) -> _Premium:
    with np.errstate(all="ignore"):
        boundary = solve_boundary(puts, scheme, steep=steep)
        return _integrate(puts, boundary, scheme, with_slopes=with_slopes)


def _integrate(puts: Puts, boundary: Boundary, scheme: Scheme, *, with_slopes: bool) -> _Premium:
    y, w = quadrature(scheme.premium_points)
    y, w = y[:, np.newaxis], w[:, np.newaxis]
    later = boundary.log_at(_on_the_way(scheme))
    root_tau, log_spot = np.sqrt(puts.tau), np.log(puts.spot)
    width = puts.iv * root_tau * y
    d1 = (log_spot - later) / width + (puts.carry / puts.iv + 0.5 * puts.iv) * root_tau * y
    d2 = d1 - width
    waited = puts.tau * y * y
    cash = puts.rate * puts.strike * np.exp(-puts.rate * waited)
    share = puts.dividends * np.exp(-puts.dividends * waited)
    weight = 2.0 * w * (root_tau / puts.iv)
    dense_1, dense_2 = density(d1), density(d2)
    share_tail = width * distribution(-d1, dense_1)
    cash_tail = width * distribution(-d2, dense_2)
    worth = (weight * (cash * cash_tail - puts.spot * share * share_tail)).sum(axis=0)
    exercised: BoolArray = log_spot <= boundary.log_now
    slope = curvature = worth
    if with_slopes:
        cash_density = cash / puts.spot * dense_2
        share_density = share * dense_1
        slope = (weight * (share_density - cash_density - share * share_tail)).sum(axis=0)
        bend = cash_density * (1.0 + d2 / width) + share_density * (1.0 - d1 / width)
        curvature = (weight * bend).sum(axis=0) / puts.spot
    return _Premium(
        worth=np.maximum(worth, 0.0), slope=slope, curvature=curvature, exercised=exercised
    )


@functools.cache
def _on_the_way(scheme: Scheme) -> FloatArray:
    """Return the weights that give the boundary where the premium is summed up."""
    y, _ = quadrature(scheme.premium_points)
    return interpolation(scheme.nodes, np.sqrt(1.0 - y**2))


def _spot_rows(columns: list[FloatArray], scheme: Scheme) -> FloatArray:
    """Return price, delta, gamma and theta."""
    spot, strike, tau, iv, rate, dividends, call = columns
    european = bsm_greeks(
        spot=spot,
        strike=strike,
        tau_years=tau,
        iv_annual=iv,
        rate_annual=rate,
        yield_annual=dividends,
        is_call=call != 0.0,
    )
    price, delta, gamma, theta = out = np.stack(
        [
            european.price_usd,
            european.delta_per_share,
            european.gamma_per_usd,
            european.theta_usd_per_day,
        ]
    )
    _settle_special_rows(columns, price)
    for rows, steep in _blocks(columns, scheme):
        part = [column[rows] for column in columns]
        premium = _premium(_as_puts(part), scheme, steep=steep, with_slopes=True)
        price[rows], exercised = _with_premium(price[rows], part, premium)
        slope, curvature = _by_own_spot(part, premium)
        intrinsic_delta = 2.0 * part[-1] - 1.0
        delta[rows] = np.where(exercised, intrinsic_delta, delta[rows] + slope)
        gamma[rows] = np.where(exercised, 0.0, gamma[rows] + curvature)
        decay = _theta(part, price[rows], delta[rows], gamma[rows])
        theta[rows] = np.where(exercised, 0.0, decay)
    np.maximum(price, _intrinsic(columns), out=price)  # a European's rounding
    return out


def _by_own_spot(columns: list[FloatArray], premium: _Premium) -> tuple[FloatArray, FloatArray]:
    """Return the premium's derivatives by the option's own spot: the put's strike for a call.

    The premium doubles when spot and strike double; Euler's theorem does the rest.
    """
    spot, strike, *_, call = columns
    is_call = call != 0.0
    by_strike = (premium.worth - strike * premium.slope) / spot
    bend_by_strike = premium.curvature * (strike / spot) ** 2
    return (
        np.where(is_call, by_strike, premium.slope),
        np.where(is_call, bend_by_strike, premium.curvature),
    )


def _theta(
    columns: list[FloatArray], price: FloatArray, delta: FloatArray, gamma: FloatArray
) -> FloatArray:
    spot, _, _, iv, rate, dividends, _ = columns
    diffusion = 0.5 * (iv * spot) ** 2 * gamma
    theta: FloatArray = (
        rate * price - (rate - dividends) * spot * delta - diffusion
    ) / DAYS_PER_YEAR
    return theta


def _bumped_rows(columns: list[FloatArray], scheme: Scheme) -> tuple[FloatArray, FloatArray]:
    """Return vega and rho by central differences."""
    spot, strike, tau, iv, rate, dividends, call = columns
    wider = _IV_BUMP * iv
    up, down, dearer, cheaper = _price(
        [
            np.tile(spot, 4),
            np.tile(strike, 4),
            np.tile(tau, 4),
            np.concatenate([iv + wider, iv - wider, iv, iv]),
            np.concatenate([rate, rate, rate + _RATE_BUMP, rate - _RATE_BUMP]),
            np.tile(dividends, 4),
            np.tile(call, 4),
        ],
        scheme,
    ).reshape(4, -1)
    with np.errstate(all="ignore"):
        vega = (up - down) / (2.0 * wider * POINTS_PER_UNIT)
    vega[wider == 0.0] = 0.0
    return vega, (dearer - cheaper) / (2.0 * _RATE_BUMP * POINTS_PER_UNIT)
