"""What a fitted smile is, and its value anywhere: total variance over log-moneyness, per expiry.

Pure. Log-moneyness is ln(strike / forward), total variance iv_annual**2 * tau_years. Within the
quotes a smile is a natural cubic spline in standardised moneyness; beyond them it goes on as a
straight line that never falls outwards and never rises faster than Lee's bound of 2, so wings
stay finite and positive. Knows no quotes: `fit` makes smiles. Several expiries are one `Smiles`,
rows of equally long tables; `expiry` arguments are row numbers. A row with a gap evaluates to NaN.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from thetawarden.domain.pricing.arrays import FloatArray
from thetawarden.domain.surface.spline import evaluate

if TYPE_CHECKING:
    from numpy.typing import NDArray

RATIO_MIN = 1e-3


class SmileGap(enum.StrEnum):
    """Why an expiry has no smile."""

    EXPIRED = "expired"
    NO_FORWARD = "no_forward"
    TOO_FEW_QUOTES = "too_few_quotes"
    NOT_POSITIVE = "not_positive"


class Smiles(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Smiles of several expiries, rising in time; the last four tables are the spline's own.

    `scale_variance` is the total variance that standardises moneyness and value; `low` and `high`
    bound the quoted range in standardised moneyness.
    """

    tau_years: FloatArray
    forward_usd: FloatArray
    discount: FloatArray
    gaps: tuple[SmileGap | None, ...]
    scale_variance: FloatArray
    low: FloatArray
    high: FloatArray
    low_slope: FloatArray
    high_slope: FloatArray
    knot_ratio: FloatArray
    knot_curvature: FloatArray

    @property
    def fitted(self) -> NDArray[np.intp]:
        """The rows that have a smile."""
        return np.flatnonzero([gap is None for gap in self.gaps])


class SmileValues(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Total variance and its first two derivatives by log-moneyness."""

    total_variance: FloatArray
    slope: FloatArray
    curvature: FloatArray


def smile_values(
    smiles: Smiles, *, expiry: NDArray[np.intp], log_moneyness: FloatArray
) -> SmileValues:
    """Evaluate; both arguments broadcast against each other."""
    row, k = np.broadcast_arrays(np.asarray(expiry, dtype=np.intp), log_moneyness)
    shape = k.shape
    row, k = row.ravel(), k.ravel()
    scale = smiles.scale_variance[row]
    deviation = np.sqrt(scale)
    x = k / deviation
    low, high = smiles.low[row], smiles.high[row]
    inside = np.minimum(np.maximum(x, low), high)
    value, slope, curvature = evaluate(smiles.knot_ratio, smiles.knot_curvature, row=row, x=inside)
    beyond = inside != x
    if beyond.any():
        slope = np.where(
            x < low, smiles.low_slope[row], np.where(x > high, smiles.high_slope[row], slope)
        )
        value = value + np.where(beyond, (x - inside) * slope, 0.0)
        curvature = np.where(beyond, 0.0, curvature)
    return SmileValues(
        total_variance=(scale * np.maximum(value, RATIO_MIN)).reshape(shape),
        slope=(deviation * slope).reshape(shape),
        curvature=curvature.reshape(shape),
    )


def smile_iv(smiles: Smiles, *, expiry: NDArray[np.intp], strike_usd: FloatArray) -> FloatArray:
    """Annual implied volatility of a strike."""
    k = np.log(strike_usd / smiles.forward_usd[expiry])
    total = smile_values(smiles, expiry=expiry, log_moneyness=k).total_variance
    iv: FloatArray = np.sqrt(total / smiles.tau_years[expiry])
    return iv


def density_factor(values: SmileValues, *, log_moneyness: FloatArray) -> FloatArray:
    """What the lognormal density is multiplied with; negative means a butterfly worth less than 0.

    The risk-neutral density of the log-moneyness is this times n(d2) / sqrt(total variance).
    """
    w, slope = values.total_variance, values.slope
    tilt = 1.0 - log_moneyness * slope / (2.0 * w)
    factor: FloatArray = tilt**2 - slope**2 / 4.0 * (1.0 / w + 0.25) + values.curvature / 2.0
    return factor
