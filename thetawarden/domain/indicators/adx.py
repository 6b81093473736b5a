"""Measures how directed a market is: Wilder's directional movement and its average.

All three lines are points from 0 to 100. The directional lines exist from element `window` on, the
average of their difference from element 2 * window - 1 on. A market that does not move at all has
no direction: every line is 0.
"""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from thetawarden.domain.indicators.averages import wilder


class DirectionalMovement(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Wilder's three lines: rising and falling direction, and how one-sided they are."""

    plus_di: NDArray[np.float64]
    minus_di: NDArray[np.float64]
    adx: NDArray[np.float64]


def directional_movement(
    *,
    high: NDArray[np.float64],
    low: NDArray[np.float64],
    close: NDArray[np.float64],
    window: int = 14,
) -> DirectionalMovement:
    """Return Wilder's directional lines of daily bars."""
    up, down = np.diff(high), -np.diff(low)
    hole = np.isnan(up + down)
    plus_dm = np.where(hole, np.nan, np.where((up > down) & (up > 0), up, 0.0))
    minus_dm = np.where(hole, np.nan, np.where((down > up) & (down > 0), down, 0.0))
    before = close[:-1]
    true_range = np.maximum(high[1:], before) - np.minimum(low[1:], before)
    ranges = wilder(true_range, window)
    plus_di = _percent(wilder(plus_dm, window), ranges)
    minus_di = _percent(wilder(minus_dm, window), ranges)
    one_sided = _percent(np.abs(plus_di - minus_di), plus_di + minus_di)
    adx = wilder(one_sided[window - 1 :], window)
    return DirectionalMovement(
        plus_di=_padded(plus_di, len(close)),
        minus_di=_padded(minus_di, len(close)),
        adx=_padded(adx, len(close)),
    )


def _percent(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(whole == 0.0, 0.0, 100.0 * part / whole)


def _padded(series: NDArray[np.float64], length: int) -> NDArray[np.float64]:
    """The series, brought back to the length of its bars by NaN in front."""
    return np.concatenate([np.full(length - len(series), np.nan), series])
