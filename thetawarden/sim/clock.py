"""A clock that stands still until told."""

from __future__ import annotations

from thetawarden.domain.instants import UnixNs


class VirtualClock:
    """Implements the Clock port; only the runtime moves it."""

    speed = 1.0

    def __init__(self, start_ns: UnixNs) -> None:
        self._now_ns = start_ns
        self._monotonic_ns = 1

    def now_ns(self) -> UnixNs:
        """The virtual instant."""
        return self._now_ns

    def monotonic_ns(self) -> int:
        """Virtual nanoseconds since the start."""
        return self._monotonic_ns

    elapsed_ns = monotonic_ns

    def advance(self, duration_ns: int) -> None:
        """Let time pass."""
        self._now_ns = UnixNs(self._now_ns + duration_ns)
        self._monotonic_ns += duration_ns

    def set_back_or_forth(self, jump_ns: int) -> None:
        """Set the wall clock as somebody might; durations are untouched."""
        self._now_ns = UnixNs(self._now_ns + jump_ns)
