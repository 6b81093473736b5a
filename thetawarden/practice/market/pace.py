"""Says how wide markets are made at an instant: by the hour, the nerves, and any lever."""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from thetawarden.domain.instants import NS_PER_MINUTE
from thetawarden.domain.market.hours import Phase, Segment, TradingHours
from thetawarden.practice.market.clockwork import Clockwork
from thetawarden.practice.market.levers import Levers
from thetawarden.practice.market.path import Paths
from thetawarden.practice.market.quoting import haste
from thetawarden.practice.market.roster import con_id_of
from thetawarden.practice.market.surface import total_variance

Floats: TypeAlias = NDArray[np.float64]

_THIRTY_DAYS = np.array([30.0 / 365.0])
_INDEX_OVER_MONEY = 1.13
"""What a volatility index usually shows over the volatility at the money."""


class Pace:
    """Spread factors of every product."""

    def __init__(self, *, clockwork: Clockwork, paths: Paths, levers: Levers) -> None:
        self._clockwork, self._paths, self._levers = clockwork, paths, levers

    def level(self, at_ns: int) -> float:
        """Return the volatility level in points straight from the state."""
        total = float(total_variance(self._paths.state(at_ns), _THIRTY_DAYS)[0])
        return 100.0 * _INDEX_OVER_MONEY * math.sqrt(total / float(_THIRTY_DAYS[0]))

    def factor(self, *, hours: TradingHours, symbol: str, at_ns: int) -> float:
        """Return by how much spreads of an underlying's products are wider than usual."""
        segment = self._clockwork.segment_at(hours, at_ns)
        minutes = 0.0 if segment is None else (at_ns - segment.open_ns) / NS_PER_MINUTE
        by_day = segment is None or segment.phase is Phase.REGULAR
        wider = float(haste(minutes_open=minutes, by_day=by_day, vix_level=self.level(at_ns)))
        return wider * self._levers.widening(con_id_of(symbol), at_ns)

    def factors(self, segment: Segment, *, symbol: str, at_ns: NDArray[np.int64]) -> Floats:
        """Return the same at many instants of one phase, as things stand at the first."""
        days = np.full(len(at_ns), _THIRTY_DAYS[0])
        total = total_variance(self._paths.states(at_ns), days)
        wider = haste(
            minutes_open=(at_ns - segment.open_ns) / NS_PER_MINUTE,
            by_day=segment.phase is Phase.REGULAR,
            vix_level=100.0 * _INDEX_OVER_MONEY * np.sqrt(total / days),
        )
        return wider * self._levers.widening(con_id_of(symbol), int(at_ns[0]))
