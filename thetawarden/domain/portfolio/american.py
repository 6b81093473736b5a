"""Prices American options on a whole lattice of spots and volatilities at once, fast.

Pure. An American option is a European one plus a premium for early exercise. The premium is the
costly part, and smooth: it is computed by `pricing.american` at a few nodes and interpolated by
Chebyshev polynomials, in the logarithm of the volatility and in the distance from the exercise
boundary in standard deviations, where nothing has a kink. At the boundary and beyond it the
option is worth its intrinsic value. Calls are treated as the puts they mirror: strike against
spot, rate against yield. docs/surface-and-portfolio.md tabulates the error.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec
import numpy as np

from thetawarden.domain.portfolio.european import european_lattice
from thetawarden.domain.pricing.american import SWIFT, american_price
from thetawarden.domain.pricing.arrays import BoolArray, FloatArray
from thetawarden.domain.pricing.black import bsm_price
from thetawarden.domain.pricing.boundary import Puts, is_steep, solve_boundary

_DEVIATIONS: Final = 6.0  # from the boundary; farther out there is hardly a premium
_DISTANCE_NODES: Final = 12
_IV_NODES: Final = 8
_NODES: Final = _DISTANCE_NODES * _IV_NODES


class Americans(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """One option a row; all its lattices share its time, rate and yield.

    For `one_by_one` each lattice may have its own: row x lattice then.
    """

    strike_usd: FloatArray
    is_call: BoolArray
    tau_years: FloatArray
    rate_annual: FloatArray
    yield_annual: FloatArray


def are_few(*, spot_usd: FloatArray, iv_annual: FloatArray) -> bool:
    """Whether a row has so few cells that interpolating would be no faster."""
    cells: int = spot_usd.shape[1] * spot_usd.shape[2] * iv_annual.shape[2]
    return cells <= _NODES


def american_lattice(
    options: Americans, *, spot_usd: FloatArray, iv_annual: FloatArray
) -> FloatArray:
    """Worth per share: row x lattice x spot x volatility.

    `spot_usd` is row x lattice x spot, `iv_annual` row x lattice x volatility. Many cells are
    interpolated; few ones are priced one by one, and so are rows without time left or with a
    negative rate or yield, whose boundary is of another kind.
    """
    if are_few(spot_usd=spot_usd, iv_annual=iv_annual):
        return one_by_one(options, spot_usd=spot_usd, iv_annual=iv_annual)
    premium = _premium(options, spot_usd=spot_usd, iv_annual=iv_annual)
    worth = premium + _european(options, spot_usd, iv_annual)
    sign = np.where(options.is_call, 1.0, -1.0)[:, None, None]
    intrinsic = np.maximum(sign * (spot_usd - options.strike_usd[:, None, None]), 0.0)
    np.maximum(worth, intrinsic[..., None], out=worth)
    special = np.flatnonzero(
        ~(options.tau_years > 0.0)
        | ~(np.minimum(options.rate_annual, options.yield_annual) >= 0.0)
        | ~(iv_annual > 0.0).all(axis=(1, 2))
    )
    if special.size:
        few = Americans(**{n: getattr(options, n)[special] for n in options.__struct_fields__})
        worth[special] = one_by_one(few, spot_usd=spot_usd[special], iv_annual=iv_annual[special])
    return worth


def one_by_one(options: Americans, *, spot_usd: FloatArray, iv_annual: FloatArray) -> FloatArray:
    """Worth per share, as `american_lattice` gives it, each cell by itself."""
    row = (slice(None), None, None, None)
    tau, rate, dividends = (
        column.reshape(*column.shape, *[1] * (4 - column.ndim))
        for column in (options.tau_years, options.rate_annual, options.yield_annual)
    )
    return american_price(
        spot=spot_usd[..., None],
        strike=options.strike_usd[row],
        tau_years=tau,
        iv_annual=iv_annual[..., None, :],
        rate_annual=rate,
        yield_annual=dividends,
        is_call=options.is_call[row],
    )


def _european(options: Americans, spot_usd: FloatArray, iv_annual: FloatArray) -> FloatArray:
    lattices = spot_usd.shape[1]
    carry = np.exp((options.rate_annual - options.yield_annual) * options.tau_years)
    root = np.sqrt(np.maximum(options.tau_years, 0.0))
    worth = european_lattice(
        forward_usd=(spot_usd * carry[:, None, None]).reshape(-1, spot_usd.shape[2]),
        strike_usd=np.repeat(options.strike_usd, lattices),
        discount=np.repeat(np.exp(-options.rate_annual * options.tau_years), lattices),
        deviation=(iv_annual * root[:, None, None]).reshape(-1, iv_annual.shape[2]),
        is_call=np.repeat(options.is_call, lattices),
    )
    return worth.reshape(*spot_usd.shape, iv_annual.shape[2])


def _premium(options: Americans, *, spot_usd: FloatArray, iv_annual: FloatArray) -> FloatArray:
    """Premium per share on the lattices, interpolated from the nodes of each row."""
    low, high = iv_annual.min(axis=(1, 2)), iv_annual.max(axis=(1, 2))
    middle, half = np.log(high * low) / 2.0, np.maximum(np.log(high / low) / 2.0, 1e-6)
    node_iv = np.exp(middle[:, None] + half[:, None] * _points(_IV_NODES))
    log_boundary = _log_boundary(options, node_iv)
    coefficients = _node_premiums(options, node_iv, log_boundary) @ _to_series(_DISTANCE_NODES).T
    at_iv = _iv_weights((np.log(iv_annual) - middle[:, None, None]) / half[:, None, None])
    boundary = (at_iv * log_boundary[:, None, None, :]).sum(axis=-1)
    series = np.einsum("rlbi,rin->nrlb", at_iv, coefficients, optimize=True)
    deviation = iv_annual * np.sqrt(np.maximum(options.tau_years, 1e-12))[:, None, None]
    log_put_spot = np.log(_put_spot(options, spot_usd))
    distance = (log_put_spot[..., None] - boundary[:, :, None, :]) / deviation[:, :, None, :]
    place = np.clip(distance, 0.0, _DEVIATIONS) * (2.0 / _DEVIATIONS) - 1.0
    premium = _clenshaw(series[:, :, :, None, :], place)
    return premium * _put_scale(options, spot_usd)[..., None]


def _put_spot(options: Americans, spot_usd: FloatArray) -> FloatArray:
    """Spot of the put, struck where the option is, that mirrors it."""
    strike = options.strike_usd.reshape(-1, *[1] * (spot_usd.ndim - 1))
    is_call = options.is_call.reshape(strike.shape)
    put_spot: FloatArray = np.where(is_call, strike**2 / spot_usd, spot_usd)
    return put_spot


def _put_scale(options: Americans, spot_usd: FloatArray) -> FloatArray:
    """How many mirrored puts an option is worth."""
    scale: FloatArray = np.where(
        options.is_call[:, None, None], spot_usd / options.strike_usd[:, None, None], 1.0
    )
    return scale


def _mirrored(options: Americans, node_iv: FloatArray) -> Puts:
    """The puts at the nodes; their spots are not decided yet."""
    call = options.is_call[:, None]
    rate, dividends = options.rate_annual[:, None], options.yield_annual[:, None]
    strike = np.broadcast_to(options.strike_usd[:, None], node_iv.shape).ravel()
    return Puts(
        spot=strike,
        strike=strike,
        tau=np.broadcast_to(options.tau_years[:, None], node_iv.shape).ravel(),
        iv=node_iv.ravel(),
        rate=np.broadcast_to(np.where(call, dividends, rate), node_iv.shape).ravel(),
        dividends=np.broadcast_to(np.where(call, rate, dividends), node_iv.shape).ravel(),
    )


def _log_boundary(options: Americans, node_iv: FloatArray) -> FloatArray:
    """Log of the mirrored put's exercise boundary at the nodes; far below where there is none."""
    puts = _mirrored(options, node_iv)
    far = np.log(puts.strike) - 2.0 * _DEVIATIONS * puts.iv * np.sqrt(puts.tau)
    exercisable = (puts.rate * puts.tau > 1e-9) & (puts.iv > 0.0)
    steep = is_steep(carry=puts.carry, tau=puts.tau, iv=puts.iv)
    found = far.copy()
    with np.errstate(all="ignore"):
        for kind in (False, True):
            rows = np.flatnonzero(exercisable & (steep == kind))
            if rows.size:
                part = Puts(**{n: getattr(puts, n)[rows] for n in puts.__struct_fields__})
                found[rows] = solve_boundary(part, SWIFT, steep=kind).log_now
    return np.where(np.isfinite(found), found, far).reshape(node_iv.shape)


def _node_premiums(options: Americans, node_iv: FloatArray, log_boundary: FloatArray) -> FloatArray:
    """Premium of the mirrored put: row x volatility node x distance node."""
    puts = _mirrored(options, node_iv)
    deviation = (puts.iv * np.sqrt(puts.tau))[:, None]
    distance = (_points(_DISTANCE_NODES) + 1.0) * (_DEVIATIONS / 2.0)
    spot = np.exp(log_boundary.reshape(-1, 1) + distance * deviation)
    premium = _put_price(american_price, puts, spot) - _put_price(bsm_price, puts, spot)
    return premium.reshape(*node_iv.shape, _DISTANCE_NODES)


def _put_price(model: Callable[..., FloatArray], puts: Puts, spot: FloatArray) -> FloatArray:
    return model(
        spot=spot,
        strike=puts.strike[:, None],
        tau_years=puts.tau[:, None],
        iv_annual=puts.iv[:, None],
        rate_annual=puts.rate[:, None],
        yield_annual=puts.dividends[:, None],
        is_call=False,
    )


def _points(count: int) -> FloatArray:
    """Chebyshev points of the first kind on (-1, 1)."""
    points: FloatArray = np.cos(np.pi * (np.arange(count) + 0.5) / count)
    return points


def _to_series(count: int) -> FloatArray:
    """Matrix from values at the points to Chebyshev coefficients."""
    order = np.arange(count)[:, None]
    matrix: FloatArray = np.cos(order * np.pi * (np.arange(count) + 0.5) / count) * (2.0 / count)
    matrix[0] /= 2.0
    return matrix


def _iv_weights(at: FloatArray) -> FloatArray:
    """Weights over the volatility nodes, on a new last axis."""
    order = np.arange(_IV_NODES)
    angle = np.arccos(np.clip(at, -1.0, 1.0))[..., None]
    weights: FloatArray = np.cos(angle * order) @ _to_series(_IV_NODES)
    return weights


def _clenshaw(series: FloatArray, place: FloatArray) -> FloatArray:
    """Sum of a Chebyshev series whose coefficients are the first axis."""
    twice = 2.0 * place
    ahead = np.zeros_like(place)
    current = np.broadcast_to(series[-1], place.shape).copy()
    scratch = np.empty_like(place)
    for coefficient in series[-2:0:-1]:
        np.multiply(twice, current, out=scratch)
        scratch -= ahead
        scratch += coefficient
        ahead, current, scratch = current, scratch, ahead
    np.multiply(place, current, out=scratch)
    scratch -= ahead
    scratch += series[0]
    return scratch
