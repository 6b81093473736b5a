"""Decides the normal distribution where its density is needed as well: half of ndtr's time.

Below zero N(z) = n(z) M(-z). Mills' ratio M is u times a polynomial in u = 1 / (1 + 0.28 |z|), laid
through scipy's erfcx when this is imported. N is right to 5e-9.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.special import erfcx

if TYPE_CHECKING:
    from thetawarden.domain.pricing.arrays import FloatArray

_INV_SQRT_2PI: Final = 1.0 / math.sqrt(2.0 * math.pi)
_NEARNESS: Final = 0.28  # where M is best known, as a part of itself
_DEGREE: Final = 10


def density(z: FloatArray, growth: FloatArray | float = 0.0) -> FloatArray:
    """Return n(z) exp(growth)."""
    exponent = z * z
    exponent *= -0.5
    exponent += growth
    result: FloatArray = np.exp(exponent, out=exponent)
    result *= _INV_SQRT_2PI
    return result


def distribution(z: FloatArray, density_there: FloatArray) -> FloatArray:
    """Return N(z), given n(z)."""
    u = np.abs(z)
    u *= _NEARNESS
    u += 1.0
    np.reciprocal(u, out=u)
    tail = u * _COEFFICIENTS[-1]
    for coefficient in _COEFFICIENTS[-2::-1]:
        tail += coefficient
        tail *= u
    tail *= density_there
    np.subtract(0.5, tail, out=tail)
    np.copysign(tail, z, out=tail)
    tail += 0.5
    return tail


def _mills_over_u(u: FloatArray) -> FloatArray:
    z = (1.0 / u - 1.0) / _NEARNESS
    ratio: FloatArray = math.sqrt(0.5 * math.pi) * erfcx(math.sqrt(0.5) * z) / u
    return ratio


def _lay_through() -> tuple[float, ...]:
    """Return the polynomial's coefficients, the constant one first."""
    laid = np.polynomial.Chebyshev.interpolate(_mills_over_u, _DEGREE, domain=[0.0, 1.0])
    coefficients = laid.convert(kind=np.polynomial.Polynomial).coef.tolist()
    to_half = math.sqrt(0.5 * math.pi) / math.fsum(coefficients)  # N(0) is 1/2: no jump there
    return tuple(to_half * coefficient for coefficient in coefficients)


_COEFFICIENTS: Final = _lay_through()
