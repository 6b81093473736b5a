"""A clock that stands still until told."""

from __future__ import annotations

from thetawarden.domain.instants import UnixNs


class VirtualClock:
    """Implements the Clock port; only the runtime moves it.

    `speed` says how many seconds of market time one of the machine is. What somebody sets the
    clock to is `now_ns` alone: `true_ns` and all durations know nothing of it.
    """

    def __init__(self, start_ns: UnixNs, *, speed: float = 1.0) -> None:
        self.speed = speed
        self._start_ns = start_ns
        self._elapsed_ns = 1
        self._set_by_ns = 0
        self._set_at_ns: int | None = None

    def now_ns(self) -> UnixNs:
        """The virtual instant, as the clock shows it."""
        return UnixNs(self._start_ns + self._elapsed_ns - 1 + self._set_by_ns)

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
        """Set the wall clock as somebody might; durations are untouched."""
        self._set_by_ns += jump_ns
        self._set_at_ns = self._elapsed_ns

    def was_set_within(self, duration_ns: int) -> bool:
        """Whether somebody set the clock so short ago: what it showed before is of another time."""
        return self._set_at_ns is not None and self._elapsed_ns - self._set_at_ns <= duration_ns
