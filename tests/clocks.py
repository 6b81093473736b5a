"""A machine's clock for tests that run real desks: whenever they run, it is the same hour there."""

import datetime as dt
import time

from thetawarden.domain.instants import UnixNs, new_york_ns
from thetawarden.infra.clock import WallClock

BEGINS_NS = new_york_ns(dt.date(2026, 2, 3), dt.time(12))


class NoonClock(WallClock):
    """It is noon in New York, on a day of trading, when it is made: nothing is on the calendar."""

    def __init__(self) -> None:
        self._made_ns = time.monotonic_ns()

    def now_ns(self) -> UnixNs:
        return UnixNs(BEGINS_NS + time.monotonic_ns() - self._made_ns)
