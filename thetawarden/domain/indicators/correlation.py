"""Measures how alike several series move, and to how many independent bets they amount.

Correlations are Pearson's, of returns, from -1 to 1. A series that did not move has none: NaN,
which passes on to every figure made of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ROUNDING_FRACTION = 1e-12


def rolling_correlation(
    *, first: NDArray[np.float64], second: NDArray[np.float64], window: int
) -> NDArray[np.float64]:
    """Return the correlation of the two series' last `window` values at each element."""
    if window < 2:
        raise ValueError(f"a correlation needs a window of at least 2, found {window}")
    result = np.full(len(first), np.nan)
    if len(first) >= window:
        a, b = _centred(first, window), _centred(second, window)
        result[window - 1 :] = _cosine((a * b).sum(-1), (a * a).sum(-1) * (b * b).sum(-1))
    return result


def correlation_matrix(returns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the correlations of the columns of a table (days down, series across)."""
    centred = _deviations(returns, axis=0)
    products = centred.T @ centred
    variances = np.diag(products)
    matrix = _cosine(products, np.outer(variances, variances))
    np.fill_diagonal(matrix, np.where(variances > 0.0, 1.0, np.nan))
    return matrix


def average_correlation(matrix: NDArray[np.float64]) -> float:
    """Return the mean over all pairs; NaN when there is no pair or one of them has none."""
    count = len(matrix)
    if count < 2:
        return float("nan")
    return float((matrix.sum() - np.trace(matrix)) / (count * (count - 1)))


def effective_bets(matrix: NDArray[np.float64]) -> float:
    """Return N squared over the sum of all correlations: N when independent, 1 when all alike.

    More than N when they offset each other; infinite when they cancel out.
    """
    count, total = len(matrix), float(matrix.sum())
    if np.isnan(total):
        return float("nan")
    return count**2 / total if total > 0.0 else float("inf")


def _centred(values: NDArray[np.float64], window: int) -> NDArray[np.float64]:
    return _deviations(sliding_window_view(values, window), axis=-1)


def _deviations(values: NDArray[np.float64], *, axis: int) -> NDArray[np.float64]:
    """Deviations from the mean; what is only rounding of a constant series becomes exactly 0."""
    centred = values - values.mean(axis=axis, keepdims=True)
    rounding = _ROUNDING_FRACTION * np.abs(values).max(axis=axis, keepdims=True)
    return np.where(np.abs(centred) <= rounding, 0.0, centred)


def _cosine(product: NDArray[np.float64], squares: NDArray[np.float64]) -> NDArray[np.float64]:
    with np.errstate(invalid="ignore", divide="ignore"):
        cosine = np.where(squares > 0.0, product / np.sqrt(squares), np.nan)
    return np.clip(cosine, -1.0, 1.0)
