"""The only place that reads the machine's clocks."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import cast

from thetawarden.domain.instants import NS_PER_SECOND, UnixNs
from thetawarden.domain.onward import Course, looked

LOOK_EVERY_NS = NS_PER_SECOND // 10


class WallClock:
    """What the machine's clock shows, also when somebody sets it: for whatever is soon over."""

    now_ns = cast("staticmethod[[], UnixNs]", staticmethod(time.time_ns))  # noqa: TID251  # this is the clock
    monotonic_ns = staticmethod(time.monotonic_ns)
    elapsed_ns = staticmethod(time.monotonic_ns)
    speed = 1.0


class OnwardClock:
    """A desk's time: the machine's, but never back; used from any thread."""

    monotonic_ns = staticmethod(time.monotonic_ns)
    elapsed_ns = staticmethod(time.monotonic_ns)
    speed = 1.0

    def __init__(
        self,
        *,
        shown_ns: Callable[[], UnixNs] = WallClock.now_ns,
        count_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._shown_ns, self._count_ns = shown_ns, count_ns
        self._looking = threading.Lock()
        self._course = Course(shown_ns(), count_ns())
        self._look_again_ns = self._course.elapsed_ns + LOOK_EVERY_NS

    def now_ns(self) -> UnixNs:
        """The instant; the clock on the wall is looked at ten times a second at most."""
        count, course = self._count_ns(), self._course
        if count >= self._look_again_ns:
            course = self._look()
        return course.at(count)

    def _look(self) -> Course:
        with self._looking:
            count = self._count_ns()
            self._course = looked(self._course, shown_ns=self._shown_ns(), elapsed_ns=count)
            self._look_again_ns = count + LOOK_EVERY_NS
            return self._course
