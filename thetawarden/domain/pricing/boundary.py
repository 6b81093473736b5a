"""Decides at which spot an American put is better exercised, for many puts at once.

The boundary B(tau) is found in two stages. A first one by Li's QD+ quadratic approximation, solved
by Newton steps in ln B from Barone-Adesi and Whaley's closed form. A second one by fixed-point
steps on Kim's integral equation, in its high-contact form where that converges and in its
value-matching form elsewhere (the "A" and "B" of Andersen, Lake and Offengenden). It is collocated
in ln(B / X)^2, which is smooth in sqrt(tau), on Chebyshev nodes; X = B(0+) is the strike, or
strike * rate / yield when the yield is the higher. Options are the last axis of every array,
nodes and quadrature points the ones before.

Refuses to know puts that have no boundary of this kind: the rate must be positive.
"""

from __future__ import annotations

import functools
from typing import Final

import msgspec
import numpy as np
from scipy.special import ndtr

from thetawarden.domain.pricing.arrays import BoolArray, FloatArray
from thetawarden.domain.pricing.normal import density, distribution

_STEEPNESS_MAX: Final = 0.5
_STEP_MAX: Final = 0.5  # in ln B
_FALL_MAX: Final = 0.5  # of the excess before, for a step that looks back at it


class Scheme(msgspec.Struct, frozen=True, kw_only=True):
    """How much work goes into a boundary and into the premium that follows from it."""

    nodes: int
    quadrature_points: int
    newton_steps: int
    fixed_point_steps: int
    premium_points: int


class Puts(msgspec.Struct, frozen=True, kw_only=True):
    """American puts, one an entry; rates are annual and continuously compounded."""

    spot: FloatArray
    strike: FloatArray
    tau: FloatArray
    iv: FloatArray
    rate: FloatArray
    dividends: FloatArray

    @property
    def carry(self) -> FloatArray:
        """How fast the forward grows."""
        return self.rate - self.dividends

    @property
    def log_limit(self) -> FloatArray:
        """Ln X, the boundary's logarithm an instant before expiry."""
        ratio = np.where(self.dividends > self.rate, self.rate / self.dividends, 1.0)
        limit: FloatArray = np.log(self.strike * ratio)
        return limit


class Boundary(msgspec.Struct, frozen=True, kw_only=True):
    """ln(B / X)^2 at the nodes, and the limit X they are measured from."""

    squared_logs: FloatArray
    log_limit: FloatArray

    @property
    def log_now(self) -> FloatArray:
        """Ln B with the whole time left."""
        now: FloatArray = self.log_limit - np.sqrt(self.squared_logs[0])
        return now

    def log_at(self, weights: FloatArray) -> FloatArray:
        """Ln B where `interpolation` gave the weights."""
        logs: FloatArray = self.log_limit - np.sqrt(np.maximum(weights @ self.squared_logs, 0.0))
        return logs


def is_steep(*, carry: FloatArray, tau: FloatArray, iv: FloatArray) -> BoolArray:
    """Whether the drift outruns the diffusion so far that the faster equation would oscillate."""
    steep: BoolArray = np.abs(carry) * np.sqrt(tau) > _STEEPNESS_MAX * iv
    return steep


def solve_boundary(puts: Puts, scheme: Scheme, *, steep: bool) -> Boundary:
    """Return the early-exercise boundaries of the puts."""
    tau = puts.tau * nodes(scheme.nodes)[:, np.newaxis] ** 2
    log_limit = puts.log_limit
    log_b = np.minimum(_first_idea(puts, tau), log_limit)
    log_b = _solve_quadratic(puts, tau, np.stack([log_b, log_limit + 0.0 * log_b]), scheme)
    return _solve_integral_equation(puts, tau, log_b, scheme, steep=steep)


@functools.cache
def nodes(count: int) -> FloatArray:
    """Return the Chebyshev nodes on (0, 1], largest first; 0, where ln(B / X) = 0, is left out."""
    places: FloatArray = 0.5 * (1.0 + np.cos(np.pi * np.arange(count) / count))
    return places


@functools.cache
def quadrature(count: int) -> tuple[FloatArray, FloatArray]:
    """Return Gauss-Legendre points and weights on (0, 1)."""
    points, weights = np.polynomial.legendre.leggauss(count)
    return 0.5 * (points + 1.0), 0.5 * weights


def interpolation(count: int, at: FloatArray) -> FloatArray:
    """Return the barycentric weights, a row for each of `at`, over `nodes(count)`."""
    everywhere = np.append(nodes(count), 0.0)
    signs = (-1.0) ** np.arange(count + 1)
    signs[[0, -1]] *= 0.5
    distance = at[:, np.newaxis] - everywhere
    hit = np.abs(distance) < 1e-14
    weights = signs / np.where(hit, 1.0, distance)
    weights /= weights.sum(axis=1, keepdims=True)
    rows = hit.any(axis=1)
    weights[rows] = hit[rows]
    return weights[:, :-1]


@functools.cache
def _collocation(scheme: Scheme) -> FloatArray:
    points, _ = quadrature(scheme.quadrature_points)
    left = nodes(scheme.nodes)[:, np.newaxis] * np.sqrt(1.0 - points * points)
    return interpolation(scheme.nodes, left.ravel())


def _first_idea(puts: Puts, tau: FloatArray) -> FloatArray:
    """Barone-Adesi and Whaley's starting value: between the perpetual boundary and the strike."""
    variance = puts.iv * puts.iv
    half = 0.5 - puts.carry / variance
    exponent = half - np.sqrt(half * half + 2.0 * puts.rate / variance)
    perpetual = puts.strike * exponent / (exponent - 1.0)
    pull = (puts.carry * tau - 2.0 * puts.iv * np.sqrt(tau)) * puts.strike
    gap = puts.strike - perpetual
    idea: FloatArray = np.log(perpetual + gap * np.exp(np.minimum(pull / gap, 0.0)))
    return idea


def _solve_quadratic(puts: Puts, tau: FloatArray, start: FloatArray, scheme: Scheme) -> FloatArray:
    """Solve QD+ at every node; `start` holds the first idea and the upper limit of ln B."""
    log_b, log_limit = start
    variance, carry = puts.iv * puts.iv, puts.carry
    alpha, beta = 2.0 * puts.rate / variance, 2.0 * carry / variance - 1.0
    elapsed = -np.expm1(-puts.rate * tau)
    root = np.sqrt(beta * beta + 4.0 * alpha / elapsed)
    power = -0.5 * (beta + root)
    slope = -root  # 2 power + beta
    scale = -(1.0 - elapsed) * alpha / slope
    keep = power + scale * (1.0 / elapsed + alpha / (elapsed * elapsed * root * slope))
    deviation = puts.iv * np.sqrt(tau)
    present_one, present_share = 1.0 - elapsed, np.exp(-puts.dividends * tau)
    decay = scale / (puts.rate * present_one)
    drift = carry * tau / deviation + 0.5 * deviation
    log_strike = np.log(puts.strike)
    discounted_strike = puts.strike * present_one
    before = None
    for _ in range(scheme.newton_steps):
        b = np.exp(log_b)
        d1 = (log_b - log_strike) / deviation + drift
        dense = present_share * density(d1)
        above = present_share * ndtr(-d1)
        strike_part = discounted_strike * ndtr(deviation - d1)
        waiting = puts.strike - b - strike_part + b * above
        speed = 0.5 * puts.iv * puts.iv / deviation * dense
        theta = b * (-speed - puts.dividends * above) + puts.rate * strike_part
        excess = (1.0 - above) * b + keep * waiting - decay * theta
        theta_slope = (
            speed * (d1 / deviation - 1.0) - puts.dividends * above - carry * dense / deviation
        )
        kept = 1.0 - above
        excess_slope = kept + dense / deviation - keep * kept - decay * theta_slope
        here = np.stack([log_b, excess, 1.0 / (excess_slope * b)])
        step = -excess * here[2] if before is None else _bent_step(before, here)
        log_b = np.minimum(log_b + np.clip(step, -_STEP_MAX, _STEP_MAX), log_limit)
        before = here
    solved: FloatArray = log_b
    return solved


def _bent_step(before: FloatArray, here: FloatArray) -> FloatArray:
    """Step to where the cubic through the last two places, as functions of the excess, has none.

    Each place is ln B, the excess there and the inverse of its slope. Newton's step where the
    excess did not fall by much: a cubic may then be bent anywhere.
    """
    (log_0, excess_0, inverse_0), (log_1, excess_1, inverse_1) = before, here
    span = excess_0 - excess_1
    s = -excess_1 / span
    bent = s * (s * (3.0 - 2.0 * s) * (log_0 - log_1) - (1.0 - s) * span * s * inverse_0)
    bent += s * (1.0 - s) ** 2 * span * inverse_1
    step: FloatArray = np.where(np.abs(s) < _FALL_MAX, bent, -excess_1 * inverse_1)
    return step


class _Grid(msgspec.Struct, frozen=True, kw_only=True):
    """What the integral equation needs and no iteration changes: nodes x points x options.

    The first of the points is the end, where the strike is what the boundary is elsewhere. The
    last three are weights: of the share's density and distribution at d1, of the cash at d2.
    """

    width: FloatArray
    drift: FloatArray
    growth: FloatArray
    share_density: FloatArray
    share: FloatArray
    cash: FloatArray


def _solve_integral_equation(
    puts: Puts, tau: FloatArray, log_b: FloatArray, scheme: Scheme, *, steep: bool
) -> Boundary:
    grid = _lay_grid(puts, tau, scheme, steep=steep)
    ratio = _value_matching if steep else _high_contact
    log_limit, log_strike = puts.log_limit, np.log(puts.strike)
    log_forward = log_strike - puts.carry * tau
    weights = _collocation(scheme)
    later = np.empty_like(grid.width)
    later[:, 0] = log_strike
    boundary = Boundary(squared_logs=(log_b - log_limit) ** 2, log_limit=log_limit)
    for _ in range(scheme.fixed_point_steps):
        later[:, 1:] = boundary.log_at(weights).reshape(len(tau), -1, log_limit.size)
        d1 = log_b[:, np.newaxis] - later
        d1 /= grid.width
        d1 += grid.drift
        log_b = np.minimum(log_forward + np.log(ratio(grid, d1)), log_limit)
        boundary = Boundary(squared_logs=(log_b - log_limit) ** 2, log_limit=log_limit)
    return boundary


def _lay_grid(puts: Puts, tau: FloatArray, scheme: Scheme, *, steep: bool) -> _Grid:
    points, weights = quadrature(scheme.quadrature_points)
    y = np.append(1.0, points)[:, np.newaxis]
    root_tau = np.sqrt(tau)[:, np.newaxis]
    width = puts.iv * root_tau * y
    left = tau[:, np.newaxis] * (1.0 - y * y)
    weight = (2.0 / puts.iv) * root_tau * np.append(0.0, weights)[:, np.newaxis]
    share_density = puts.dividends * np.exp(puts.dividends * left) * weight
    share, cash = share_density * width, puts.rate * weight
    share[:, 0] = 1.0
    growth = puts.rate * left
    if steep:
        cash *= width
        cash *= np.exp(growth)
        cash[:, 0] = 1.0
    else:
        share_density[:, 0] = cash[:, 0] = 1.0 / width[:, 0]
    return _Grid(
        width=width,
        drift=(puts.carry / puts.iv + 0.5 * puts.iv) * root_tau * y,
        growth=growth,
        share_density=share_density,
        share=share,
        cash=cash,
    )


def _high_contact(grid: _Grid, d1: FloatArray) -> FloatArray:
    """Return B / (strike * growth) from the slope being -1 at the boundary: fast, not for all."""
    dense = density(d1)
    above = grid.share * distribution(d1, dense)
    above += grid.share_density * dense
    below = grid.cash * density(d1 - grid.width, grid.growth)
    ratio: FloatArray = below.sum(axis=1) / above.sum(axis=1)
    return ratio


def _value_matching(grid: _Grid, d1: FloatArray) -> FloatArray:
    """Return the same from the put being worth its intrinsic value there: slower, for all."""
    d2 = d1 - grid.width
    above = grid.share * distribution(d1, density(d1))
    below = grid.cash * distribution(d2, density(d2))
    ratio: FloatArray = below.sum(axis=1) / above.sum(axis=1)
    return ratio
