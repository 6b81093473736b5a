"""Values futures: index futures from spot, rate and yield, VIX futures from forward variance.

A VIX future is the forward volatility of the thirty days after its settlement, scaled so that it
meets the index as published when it settles, less the convexity that is still uncertain.
"""

from __future__ import annotations

import math
from typing import TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from thetawarden.domain.market.futures import FutureMonth
from thetawarden.domain.market.products import FUTURES
from thetawarden.domain.market.ticks import Rounding, TickRule, round_prices
from thetawarden.practice.market.carry import Carry
from thetawarden.practice.market.path import Paths
from thetawarden.practice.market.roster import VolIndex
from thetawarden.practice.market.surface import total_variance
from thetawarden.practice.market.timeline import SESSIONS_PER_YEAR, Timeline
from thetawarden.practice.market.volbook import VolBook

Floats: TypeAlias = NDArray[np.float64]

_CONVEXITY = 0.055
_THIRTY_DAYS_YEARS = 30.0 / 365.0
_THIRTY_DAYS = np.array([_THIRTY_DAYS_YEARS])


class FutureValue(msgspec.Struct, frozen=True, kw_only=True):
    """Fair value and the nearest price that can be traded."""

    fair: float
    rounded: float


class Futures:
    """Fair values of every future."""

    def __init__(
        self, *, timeline: Timeline, paths: Paths, carry: Carry, vol_book: VolBook
    ) -> None:
        self._timeline, self._paths, self._carry = timeline, paths, carry
        self._vol_book = vol_book

    def fair(self, month: FutureMonth, now_ns: int) -> FutureValue:
        """Return what a future is worth at an instant before its settlement."""
        product = FUTURES[month.symbol]
        if product.underlying == "VIX":
            value = self._volatility(month, now_ns)
        else:
            forward, _ = self._carry.forward(
                symbol=product.underlying,
                spot=self._paths.spot(product.underlying, now_ns),
                now_ns=now_ns,
                settlement_ns=np.array([month.settlement_ns]),
            )
            value = float(forward[0])
        return FutureValue(fair=value, rounded=_nearest(value, product.ticks))

    def previous_settlement(self, month: FutureMonth, now_ns: int) -> float:
        """Return the price at the last session's close before the present one."""
        row = self._timeline.row_of(now_ns) - 1
        return self.fair(month, int(self._timeline.close_ns[row])).rounded

    def _volatility(self, month: FutureMonth, now_ns: int) -> float:
        return volatility_future(
            self._timeline,
            x=self._paths.state(now_ns),
            x_shown=self._paths.state(self._vol_book.published_ns(now_ns)),
            shown=self._vol_book.value(VolIndex.VIX, now_ns),
            now_ns=now_ns,
            settlement_ns=month.settlement_ns,
        )


def volatility_future(
    line: Timeline, *, x: Floats, x_shown: Floats, shown: float, now_ns: int, settlement_ns: int
) -> float:
    """Return a VIX future's fair value; `shown` is the index at the state `x_shown`."""
    clock = line.variance_time(np.array([now_ns, settlement_ns]))
    years = max(float(clock[1] - clock[0]), 0.0) / SESSIONS_PER_YEAR
    ends = np.array([years, years + _THIRTY_DAYS_YEARS])
    total = total_variance(x, np.maximum(ends, 1e-9))
    forward = math.sqrt((total[1] - total[0]) / _THIRTY_DAYS_YEARS)
    then = math.sqrt(float(total_variance(x_shown, _THIRTY_DAYS)[0]) / _THIRTY_DAYS_YEARS)
    return shown / then * forward * (1.0 - _CONVEXITY * (1.0 - math.exp(-4.0 * years)))


def _nearest(value: float, rule: TickRule) -> float:
    return float(round_prices(prices=np.array([value]), rule=rule, rounding=Rounding.NEAREST)[0])
