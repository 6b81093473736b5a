"""Turns the state of volatility into implied variance for every expiry and strike.

Three factors x (fast, medium, slow; logs, 0 is normal) shape a forward-variance curve that is
positive everywhere, so total variance can only grow with time. Over strikes each expiry is an SSVI
slice (Gatheral and Jacquier): with eta * (1 + |rho|) <= 2 and the power at most one half, slices
neither cross each other nor hold a butterfly that pays. Time is variance time in years of 252
sessions; variances are total (annual times years); k = log(strike / forward).
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

Floats: TypeAlias = NDArray[np.float64]

HALF_LIVES_SESSIONS = (3.5, 28.0, 330.0)
"""How fast each factor forgets, in sessions."""

DECAY_PER_YEAR: Floats = np.log(2.0) * 252.0 / np.array(HALF_LIVES_SESSIONS)
_PRICED_HALF_LIVES_SESSIONS = (3.5, 45.0, 330.0)
"""How fast prices expect each to forget: who sells variance is paid for the fear that lasts."""
_PRICED_DECAY_PER_YEAR: Floats = np.log(2.0) * 252.0 / np.array(_PRICED_HALF_LIVES_SESSIONS)
_SHORT_VOL_ANNUAL = 0.137
_LONG_PREMIUM = 0.46
_PREMIUM_PER_YEAR = 4.0
_FLOOR = 0.22
_POWER = 0.46
_ETA_SUM_MAX = 1.98
_TAME_BY_STRESS = 0.22
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(14)
_CUBED = ((_NODES + 1.0) / 2.0) ** 3
_CUBED_WEIGHT = 1.5 * ((_NODES + 1.0) / 2.0) ** 2 * _WEIGHTS


def forward_variance(x: Floats, years: Floats) -> Floats:
    """Return instantaneous annual variance expected so many years ahead; x has factors last."""
    fade = np.exp(-years[..., None] * _PRICED_DECAY_PER_YEAR)
    premium = _LONG_PREMIUM * (1.0 - np.exp(-_PREMIUM_PER_YEAR * years))
    result: Floats = (
        _SHORT_VOL_ANNUAL**2 * np.exp(2.0 * premium) * floored(np.sum(x * fade, axis=-1))
    )
    return result


def floored(log_vol: Floats) -> Floats:
    """Return variance as a multiple of the usual: lognormal above a floor that calm cannot pass."""
    result: Floats = _FLOOR + (1.0 - _FLOOR) * np.exp(2.0 * log_vol)
    return result


def total_variance(x: Floats, years: Floats) -> Floats:
    """Return at-the-money total variance to each time; strictly rising in time.

    `x` is one state (3,), or one per entry of `years`.
    """
    at = years[..., None] * _CUBED
    per_node = forward_variance(x if x.ndim == 1 else x[..., None, :], at)
    result: Floats = years * np.sum(per_node * _CUBED_WEIGHT, axis=-1)
    return result


def slice_shape(*, eta: float, rho: float, stress: Floats | float) -> Floats:
    """Return the curvature in force: flatter in relative terms when volatility is stressed."""
    bound = _ETA_SUM_MAX / (1.0 + abs(rho))
    tamed: Floats = np.minimum(eta * np.exp(-_TAME_BY_STRESS * np.asarray(stress)), bound)
    return tamed


def strike_variance(*, theta: Floats, k: Floats, eta: Floats | float, rho: float) -> Floats:
    """Return total variance at each log-moneyness of slices with at-the-money variance theta."""
    phi = eta * theta**-_POWER * (1.0 + theta) ** (_POWER - 1.0)
    tilt = phi * k
    result: Floats = (
        0.5 * theta * (1.0 + rho * tilt + np.sqrt((tilt + rho) ** 2 + (1.0 - rho * rho)))
    )
    return result


def swap_variance(*, theta: Floats, eta: Floats | float, rho: float) -> Floats:
    """Return the total variance a strip of all strikes is worth, per at-the-money variance theta.

    The integral of a slice's variance over the normal law of its own d2: what the published method
    of the volatility indices tends to when strikes are dense and no bid is missing.
    """
    k = np.linspace(-12.0, 7.0, 161) * np.sqrt(theta)[..., None]
    slices = strike_variance(theta=theta[..., None], k=k, eta=np.asarray(eta)[..., None], rho=rho)
    deviation = np.sqrt(slices)
    odds = ndtr(-k / deviation - 0.5 * deviation)
    mean = 0.5 * (slices[..., 1:] + slices[..., :-1])
    result: Floats = np.sum(mean * (odds[..., :-1] - odds[..., 1:]), axis=-1)
    return result
