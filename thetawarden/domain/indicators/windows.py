"""Applies a statistic to every full trailing window of a series, with NaN where there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray


def trailing(
    *,
    values: NDArray[np.float64],
    window: int,
    statistic: Callable[[NDArray[np.float64]], NDArray[np.float64]],
) -> NDArray[np.float64]:
    """Return the statistic (over the last axis) of the window ending at each element."""
    if window < 1:
        raise ValueError(f"a window spans at least one element, found {window}")
    result = np.full(len(values), np.nan)
    if len(values) >= window:
        result[window - 1 :] = statistic(sliding_window_view(values, window))
    return result


def mean(windows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return each window's mean."""
    return np.asarray(windows.mean(axis=-1), dtype=np.float64)
