"""A clock that stands still until told."""

from __future__ import annotations

from thetawarden.domain.instants import UnixNs
from thetawarden.domain.onward import Course, looked


class VirtualClock:
    """Implements the Clock port; only the runtime moves it.

    `speed` says how many seconds of market time one of the machine is. What somebody sets the
    clock on the wall to, `now_ns` follows as a desk's time does, until a process begins anew;
    `true_ns` and all durations know nothing of it.
    """

    def __init__(self, start_ns: UnixNs, *, speed: float = 1.0) -> None:
        self.speed = speed
        self._start_ns = start_ns
        self._elapsed_ns = 1
        self._set_by_ns = 0
        self._set_at_ns: int | None = None
        self._course: Course | None = None

    def now_ns(self) -> UnixNs:
        """The virtual instant, as the desk has it."""
        if self._course is None:
            return UnixNs(self._start_ns + self._elapsed_ns - 1)
        self._course = self._looked(self._course)
        return self._course.at(self._elapsed_ns)

    def true_ns(self) -> UnixNs:
        """The virtual instant, however the clock was set."""
        return UnixNs(self._start_ns + self._elapsed_ns - 1)

    def elapsed_ns(self) -> int:
        """Virtual nanoseconds of market time since the start, from 1 on."""
        return self._elapsed_ns

    def monotonic_ns(self) -> int:
        """Virtual nanoseconds of the machine since the start, from 1 on."""
        return 1 + round((self._elapsed_ns - 1) / self.speed)

    def advance(self, duration_ns: int) -> None:
        """Let market time pass."""
        self._elapsed_ns += duration_ns

    def set_back_or_forth(self, jump_ns: int) -> None:
        """Set the clock on the wall as somebody might; durations are untouched."""
        before = self._course or Course(self.true_ns(), self._elapsed_ns)
        self._set_by_ns += jump_ns
        self._set_at_ns = self._elapsed_ns
        self._course = self._looked(before)

    def begin_anew(self) -> None:
        """A process begins: its time is what the clock on the wall shows."""
        if self._course is not None:
            self._course = Course(self._shown_ns(), self._elapsed_ns)

    def was_set_within(self, duration_ns: int) -> bool:
        """Whether somebody set the clock so short ago: what it showed before is of another time."""
        return self._set_at_ns is not None and self._elapsed_ns - self._set_at_ns <= duration_ns

    def _shown_ns(self) -> UnixNs:
        return UnixNs(self.true_ns() + self._set_by_ns)

    def _looked(self, course: Course) -> Course:
        return looked(course, shown_ns=self._shown_ns(), elapsed_ns=self._elapsed_ns)
