"""Says what a volatility index will show for a state, without a chain; and finds the state for one.

Close to the published value, because strikes are dense: used where a path has to meet a given VIX,
and to draw highs and lows between instants at which the index is really computed.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from thetawarden.domain.instants import NS_PER_DAY
from thetawarden.practice.market.roster import UNDERLYINGS
from thetawarden.practice.market.surface import slice_shape, swap_variance, total_variance
from thetawarden.practice.market.timeline import SESSIONS_PER_YEAR, Timeline

Floats: TypeAlias = NDArray[np.float64]
Instants: TypeAlias = NDArray[np.int64]

_YEAR_NS = 365 * NS_PER_DAY
_DIRECTION: Floats = np.array([0.45, 0.40, 0.15])
"""How a VIX that has to be met is shared among the factors."""
_ROUNDS = 6


class VolModel:
    """The volatility indices as functions of the state."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline

    def index(self, x: Floats, at_ns: Instants, *, days: float) -> Floats:
        """Return the index for each state (one row each) at each instant."""
        line = self._timeline
        target = at_ns + int(days * NS_PER_DAY)
        row = np.searchsorted(line.close_ns, target, side="left")
        near, far = line.previous_close_ns[row], line.close_ns[row]
        part = (target - near) / (far - near)
        total = (1.0 - part) * self._total(x, at_ns, near) + part * self._total(x, at_ns, far)
        result: Floats = 100.0 * np.sqrt(total / (days * NS_PER_DAY / _YEAR_NS))
        return result

    def meet(self, x: Floats, at_ns: int, *, vix: float) -> Floats:
        """Return the state nearest to x, along a fixed direction, whose VIX is the one given."""
        at = np.array([at_ns])
        moved = x
        for _ in range(_ROUNDS):
            shown = float(self.index(moved[None, :], at, days=30.0)[0])
            moved = moved + _DIRECTION * np.clip(1.6 * np.log(vix / shown), -1.5, 1.5)
        return moved

    def _total(self, x: Floats, at_ns: Instants, settlement_ns: Instants) -> Floats:
        line = self._timeline
        sessions = line.variance_time(settlement_ns) - line.variance_time(at_ns)
        theta = total_variance(x, sessions / SESSIONS_PER_YEAR)
        smile = UNDERLYINGS["SPX"].smile
        eta = slice_shape(eta=smile.eta, rho=smile.rho, stress=x[:, :2].sum(axis=1))
        return swap_variance(theta=theta, eta=eta, rho=smile.rho)
