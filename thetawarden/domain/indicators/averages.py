"""Computes simple and exponential moving averages.

The exponential one weighs the newest value 2 / (window + 1) and starts from the simple average of
its first window, as charting tools do. A hole in a simple average passes with its window; in an
exponential one it never passes, since everything later rests on it.
"""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np

from thetawarden.domain.indicators.windows import mean, trailing

if TYPE_CHECKING:
    from numpy.typing import NDArray


def sma(values: NDArray[np.float64], window: int) -> NDArray[np.float64]:
    """Return the mean of the last `window` values at each element."""
    return trailing(values=values, window=window, statistic=mean)


def ema(values: NDArray[np.float64], window: int) -> NDArray[np.float64]:
    """Return the exponential average with the newest value weighed 2 / (window + 1)."""
    return smoothed(values=values, window=window, memory=(window + 1) / 2.0)


def wilder(values: NDArray[np.float64], window: int) -> NDArray[np.float64]:
    """Return Wilder's average, an exponential one with the newest value weighed 1 / window."""
    return smoothed(values=values, window=window, memory=window)


def smoothed(*, values: NDArray[np.float64], window: int, memory: float) -> NDArray[np.float64]:
    """Return the exponential average weighing the newest value 1 / memory, started as above."""
    if window < 1:
        raise ValueError(f"a window spans at least one element, found {window}")
    result = np.full(len(values), np.nan)
    if len(values) < window:
        return result
    seed = values[:window].mean()
    kept = 1.0 - 1.0 / memory
    later = accumulate(
        (values[window:] / memory).tolist(), lambda old, new: kept * old + new, initial=float(seed)
    )
    result[window - 1 :] = list(later)
    return result
