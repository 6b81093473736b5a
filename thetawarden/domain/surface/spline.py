"""Natural cubic splines over one fixed set of knots, as matrices: values in, curves out.

Pure linear algebra: knows nothing of options. The knots are standardised moneyness, the
log-moneyness in units of the at-the-money deviation, dense near the money and on the side of the
puts, where index chains have most strikes. A spline is given by its values at the knots alone;
every function here is linear in them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from thetawarden.domain.pricing.arrays import FloatArray

KNOTS: Final[FloatArray] = np.array(
    [
        *(-14.0, -12.0, -10.5, -9.0, -8.0, -7.0, -6.2, -5.5, -4.9, -4.3, -3.8, -3.3, -2.8, -2.4),
        *(-2.0, -1.6, -1.2, -0.8, -0.4, 0.0, 0.4, 0.8, 1.2, 1.6, 2.0, 2.4, 2.8, 3.3, 4.0, 5.0, 6.5),
    ]
)
_INNER_KNOTS: Final[FloatArray] = KNOTS[1:-1].copy()
_GAPS: Final[FloatArray] = np.diff(KNOTS)


def _curvature_matrix() -> FloatArray:
    """Second derivatives at the knots, zero at both ends, as a matrix over the values."""
    size = len(KNOTS)
    left, right = np.zeros((size, size)), np.zeros((size, size))
    left[0, 0] = left[-1, -1] = 1.0
    for i in range(1, size - 1):
        before, after = _GAPS[i - 1], _GAPS[i]
        left[i, i - 1 : i + 2] = before / 6.0, (before + after) / 3.0, after / 6.0
        right[i, i - 1 : i + 2] = 1.0 / before, -1.0 / before - 1.0 / after, 1.0 / after
    return np.linalg.solve(left, right).astype(np.float64, copy=False)


def _roughness_matrix() -> FloatArray:
    """The integral of the squared second derivative as a quadratic form of the values."""
    inner = np.diag(np.append(_GAPS, 0.0) / 3.0) + np.diag(np.insert(_GAPS, 0, 0.0) / 3.0)
    inner += np.diag(_GAPS / 6.0, 1) + np.diag(_GAPS / 6.0, -1)
    roughness: FloatArray = CURVATURES.T @ inner @ CURVATURES
    return roughness


CURVATURES: Final[FloatArray] = _curvature_matrix()
ROUGHNESS: Final[FloatArray] = _roughness_matrix()


def basis(x: FloatArray) -> FloatArray:
    """One row per point: what each knot's value contributes there; `x` within the knots."""
    cell, before, after = _locate(x)
    gap = _GAPS[cell]
    scale = gap**2 / 6.0
    rows: FloatArray = ((before * before - 1.0) * before * scale)[:, None] * CURVATURES[cell]
    rows += ((after * after - 1.0) * after * scale)[:, None] * CURVATURES[cell + 1]
    at = np.arange(len(x))
    rows[at, cell] += before
    rows[at, cell + 1] += after
    return rows


def evaluate(
    values: FloatArray, curvatures: FloatArray, *, row: np.ndarray, x: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Value, slope and curvature at each `x` of the spline in the given row of both tables."""
    cell, before, after = _locate(x)
    gap = _GAPS[cell]
    at = row * len(KNOTS) + cell
    low, high = values.ravel()[at], values.ravel()[at + 1]
    bend_low, bend_high = curvatures.ravel()[at], curvatures.ravel()[at + 1]
    near, far, bend = before * before, after * after, gap / 6.0
    value = before * low + after * high
    value += ((near - 1.0) * before * bend_low + (far - 1.0) * after * bend_high) * (gap * bend)
    slope = (high - low) / gap
    slope += ((1.0 - 3.0 * near) * bend_low + (3.0 * far - 1.0) * bend_high) * bend
    return value, slope, before * bend_low + after * bend_high


def _locate(x: FloatArray) -> tuple[np.ndarray, FloatArray, FloatArray]:
    """Each point's cell and its shares of the cell's two knots."""
    cell = np.searchsorted(_INNER_KNOTS, x, side="right")
    after = (x - KNOTS[cell]) / _GAPS[cell]
    return cell, 1.0 - after, after
