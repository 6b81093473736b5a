"""Values futures: index futures from spot, rate and yield, VIX futures from forward variance."""

from __future__ import annotations

import msgspec
import numpy as np

from thetawarden.domain.market.futures import FutureMonth
from thetawarden.domain.market.products import FUTURES
from thetawarden.domain.market.ticks import Rounding, TickRule, round_prices
from thetawarden.practice.market.carry import Carry
from thetawarden.practice.market.path import Paths
from thetawarden.practice.market.timeline import Timeline
from thetawarden.practice.market.vol_forwards import VolForwards


class FutureValue(msgspec.Struct, frozen=True, kw_only=True):
    """Fair value and the nearest price that can be traded."""

    fair: float
    rounded: float


class Futures:
    """Fair values of every future."""

    def __init__(
        self, *, timeline: Timeline, paths: Paths, carry: Carry, vol_forwards: VolForwards
    ) -> None:
        self._timeline, self._paths, self._carry = timeline, paths, carry
        self._vol_forwards = vol_forwards

    def fair(self, month: FutureMonth, now_ns: int) -> FutureValue:
        """Return what a future is worth at an instant before its settlement."""
        product = FUTURES[month.symbol]
        at, settles = np.array([now_ns]), np.array([month.settlement_ns])
        if product.underlying == "VIX":
            _, forward = self._vol_forwards.at(at, settles)
        else:
            spot = np.array([self._paths.spot(product.underlying, now_ns)])
            forward, _ = self._carry.forward(
                symbol=product.underlying, spot=spot, at_ns=at, settlement_ns=settles
            )
        value = float(forward[0])
        return FutureValue(fair=value, rounded=_nearest(value, product.ticks))

    def previous_settlement(self, month: FutureMonth, now_ns: int) -> float:
        """Return the price at the last session's close before the present one."""
        row = self._timeline.row_of(now_ns) - 1
        return self.fair(month, int(self._timeline.close_ns[row])).rounded


def _nearest(value: float, rule: TickRule) -> float:
    return float(round_prices(prices=np.array([value]), rule=rule, rounding=Rounding.NEAREST)[0])
