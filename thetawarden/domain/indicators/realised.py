"""Measures how much a price has moved: realised volatility of daily bars, as annual fractions.

Four estimators over a trailing window of sessions, all scaled by 252 sessions a year.
Close-to-close and Yang-Zhang see overnight gaps; Parkinson and Garman-Klass see the trading day
only and are blind to gaps. A price that is not positive, or a bar whose high or low does not
enclose it, is a hole.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from thetawarden.domain.indicators.windows import mean, trailing

if TYPE_CHECKING:
    from numpy.typing import NDArray

SESSIONS_PER_YEAR = 252
WINDOWS = (5, 10, 21, 63)
"""The windows in sessions that features and reports use: a week, two, a month, a quarter."""

_GARMAN_KLASS_BODY = 2.0 * math.log(2.0) - 1.0
_PARKINSON_SCALE = 1.0 / (4.0 * math.log(2.0))


def log_returns(closes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return each close's logarithmic change on the one before; the first element is NaN."""
    logs = _log(closes)
    return np.concatenate([[np.nan], np.diff(logs)]) if len(logs) else logs


def close_to_close(closes: NDArray[np.float64], window: int) -> NDArray[np.float64]:
    """Return the sample deviation of the last `window` daily returns, around their mean."""
    return _annual(trailing(values=log_returns(closes), window=window, statistic=_variance))


def parkinson(
    *, high: NDArray[np.float64], low: NDArray[np.float64], window: int
) -> NDArray[np.float64]:
    """Return the estimate from each day's range."""
    height = _log(high) - _log(low)
    daily = np.where(height >= 0.0, _PARKINSON_SCALE * height**2, np.nan)
    return _annual(trailing(values=daily, window=window, statistic=mean))


def garman_klass(
    *,
    open_: NDArray[np.float64],
    high: NDArray[np.float64],
    low: NDArray[np.float64],
    close: NDArray[np.float64],
    window: int,
) -> NDArray[np.float64]:
    """Return the estimate from each day's range and body."""
    o, h, lo, c = _bars(open_, high, low, close)
    daily = 0.5 * (h - lo) ** 2 - _GARMAN_KLASS_BODY * (c - o) ** 2
    return _annual(trailing(values=daily, window=window, statistic=mean))


def yang_zhang(
    *,
    open_: NDArray[np.float64],
    high: NDArray[np.float64],
    low: NDArray[np.float64],
    close: NDArray[np.float64],
    window: int,
) -> NDArray[np.float64]:
    """Return the estimate from gaps, bodies and ranges together, blind to drift; window >= 2."""
    o, h, lo, c = _bars(open_, high, low, close)
    gap = np.concatenate([[np.nan], o[1:] - c[:-1]])
    body, up, down = c - o, h - o, lo - o
    range_ = up * (up - body) + down * (down - body)
    weight = 0.34 / (1.34 + (window + 1) / (window - 1))
    gaps, bodies = (
        trailing(values=series, window=window, statistic=_variance) for series in (gap, body)
    )
    ranges = trailing(values=range_, window=window, statistic=mean)
    return _annual(gaps + weight * bodies + (1.0 - weight) * ranges)


def _annual(daily_variance: NDArray[np.float64]) -> NDArray[np.float64]:
    # A window without movement may come out a rounding error below zero.
    annual_variance = np.maximum(daily_variance, 0.0) * SESSIONS_PER_YEAR
    return np.asarray(np.sqrt(annual_variance), dtype=np.float64)


def _variance(windows: NDArray[np.float64]) -> NDArray[np.float64]:
    if windows.shape[-1] < 2:
        raise ValueError("a sample deviation needs a window of at least 2")
    return np.asarray(windows.var(axis=-1, ddof=1), dtype=np.float64)


def _log(prices: NDArray[np.float64]) -> NDArray[np.float64]:
    possible = np.where(np.isfinite(prices) & (prices > 0.0), prices, np.nan)
    return np.asarray(np.log(possible), dtype=np.float64)


def _bars(*columns: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """The logs of open, high, low, close, with impossible bars made holes throughout."""
    o, h, lo, c = (_log(column) for column in columns)
    possible = (h >= np.maximum(o, c)) & (lo <= np.minimum(o, c))
    return tuple(np.where(possible, series, np.nan) for series in (o, h, lo, c))
