"""The only place that reads the machine's clocks."""

from __future__ import annotations

import time
from typing import cast

from thetawarden.domain.instants import UnixNs


class WallClock:
    """Real time."""

    now_ns = cast("staticmethod[[], UnixNs]", staticmethod(time.time_ns))  # noqa: TID251  # this is the clock
    monotonic_ns = staticmethod(time.monotonic_ns)
    elapsed_ns = staticmethod(time.monotonic_ns)
    speed = 1.0
