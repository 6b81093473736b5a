"""Measures how an instrument follows the benchmark, from daily histories alone.

Pure. Beta is the slope of its daily log returns on the benchmark's over the latest days both have.
How its volatility follows the VIX can only be guessed from prices: the slope of its realised
volatility on the benchmark's, but never less than 1 or its beta, for a guess must not flatter.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from thetawarden.domain.context.beta import Beta
from thetawarden.domain.indicators.realised import close_to_close, log_returns

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from thetawarden.domain.context.histories import History

DAYS_MAX = 252
DAYS_MIN = 60
VOLATILITY_DAYS = 21
IV_BETA_MAX = 3.0
PLACES = 4


def betas_of(histories: Mapping[str, History], *, benchmark: str) -> tuple[Beta, ...]:
    """Return every beta that the histories are long enough for, by symbol."""
    reference = histories.get(benchmark)
    if reference is None:
        return ()
    found = (
        _beta(symbol, history, reference)
        for symbol, history in sorted(histories.items())
        if symbol != benchmark
    )
    return tuple(one for one in found if one is not None)


def _beta(symbol: str, history: History, reference: History) -> Beta | None:
    index = {bar.day: bar.close_usd for bar in reference.bars}
    own = {bar.day: bar.close_usd for bar in history.bars}
    days = sorted(index.keys() & own.keys())[-DAYS_MAX - 1 :]
    if len(days) <= DAYS_MIN:
        return None
    mine = np.array([own[day] for day in days])
    theirs = np.array([index[day] for day in days])
    beta = _slope(log_returns(mine)[1:], log_returns(theirs)[1:])
    follows = _slope(
        close_to_close(mine, VOLATILITY_DAYS)[VOLATILITY_DAYS:],
        close_to_close(theirs, VOLATILITY_DAYS)[VOLATILITY_DAYS:],
    )
    if not math.isfinite(beta):
        return None
    iv_beta = max(1.0, abs(beta), follows if math.isfinite(follows) else 1.0)
    return Beta(
        symbol=symbol,
        beta=round(beta, PLACES),
        iv_beta=round(min(iv_beta, IV_BETA_MAX), PLACES),
        days=len(days) - 1,
    )


def _slope(mine: NDArray[np.float64], theirs: NDArray[np.float64]) -> float:
    """Least squares; NaN where the reference does not move or a number is missing."""
    centred = theirs - theirs.mean()
    spread = float(centred @ centred)
    if not spread > 0.0:
        return math.nan
    return float(centred @ (mine - mine.mean())) / spread
