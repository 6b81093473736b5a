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

Floats: TypeAlias = NDArray[np.float64]

HALF_LIVES_SESSIONS = (3.0, 22.0, 260.0)
"""How fast each factor forgets, in sessions."""

DECAY_PER_YEAR: Floats = np.log(2.0) * 252.0 / np.array(HALF_LIVES_SESSIONS)
_SHORT_VOL_ANNUAL = 0.149
_LONG_PREMIUM = 0.27
_PREMIUM_PER_YEAR = 3.0
_POWER = 0.46
_ETA_SUM_MAX = 1.98
_TAME_BY_STRESS = 0.22
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(14)
_CUBED = ((_NODES + 1.0) / 2.0) ** 3
_CUBED_WEIGHT = 1.5 * ((_NODES + 1.0) / 2.0) ** 2 * _WEIGHTS


def forward_variance(x: Floats, years: Floats) -> Floats:
    """Return instantaneous annual variance expected so many years ahead; x has factors last."""
    fade = np.exp(-years[..., None] * DECAY_PER_YEAR)
    log_vol = np.sum(x * fade, axis=-1) + _LONG_PREMIUM * (1.0 - np.exp(-_PREMIUM_PER_YEAR * years))
    result: Floats = _SHORT_VOL_ANNUAL**2 * np.exp(2.0 * log_vol)
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
