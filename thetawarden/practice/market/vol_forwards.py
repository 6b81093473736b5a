"""Values what is settled by the VIX: its futures, and the forwards and smile of its options.

A forward is the volatility expected for the thirty days after settlement, scaled as the index
stands to volatility at the money, less the convexity still uncertain: it meets the index as it
settles. Options on it are dearer upwards; their volatility falls with time because VIX reverts.
Points throughout; the index here is the model's, some hundredths from the published one.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from thetawarden.practice.market.path import Paths
from thetawarden.practice.market.roster import Smile
from thetawarden.practice.market.surface import total_variance
from thetawarden.practice.market.timeline import SESSIONS_PER_YEAR, Timeline
from thetawarden.practice.market.volmodel import VolModel

Floats: TypeAlias = NDArray[np.float64]
Instants: TypeAlias = NDArray[np.int64]

SYMBOL = "VIX"
SMILE = Smile(rho=0.55, eta=0.75)
_CONVEXITY, _CONVEXITY_PER_YEAR = 0.055, 4.0
_THIRTY_DAYS_YEARS = 30.0 / 365.0
_SHORT_VOL_ANNUAL, _REVERSION_PER_YEAR, _LONG_VOL_ANNUAL = 1.20, 4.5, 0.15


class VolForwards:
    """Forwards of the VIX at any instant."""

    def __init__(self, *, timeline: Timeline, paths: Paths) -> None:
        self._timeline, self._paths = timeline, paths
        self._model = VolModel(timeline)

    def at(self, at_ns: Instants, settlement_ns: Instants) -> tuple[Floats, Floats]:
        """Return index and forward for each pair of an instant and a settlement after it."""
        states = self._paths.states(at_ns)
        index = self._model.index(states, at_ns, days=30.0)
        line = self._timeline
        sessions = line.variance_time(settlement_ns) - line.variance_time(at_ns)
        years = np.maximum(sessions, 0.0) / SESSIONS_PER_YEAR
        month = np.full(len(at_ns), _THIRTY_DAYS_YEARS)
        after = total_variance(states, years + _THIRTY_DAYS_YEARS)
        ahead = after - total_variance(states, np.maximum(years, 1e-9))
        ratio = np.sqrt(ahead / total_variance(states, month))
        convexity = _CONVEXITY * (1.0 - np.exp(-_CONVEXITY_PER_YEAR * years))
        forward: Floats = index * ratio * (1.0 - convexity)
        return index, forward


def variance_of_vix(years: Floats) -> Floats:
    """Return the total variance of options on the VIX at the money; rises with time."""
    pace = 2.0 * _REVERSION_PER_YEAR
    reverting = _SHORT_VOL_ANNUAL**2 * (1.0 - np.exp(-pace * years)) / pace
    result: Floats = reverting + _LONG_VOL_ANNUAL**2 * years
    return result
