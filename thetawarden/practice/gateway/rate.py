"""Judges how fast a client sends: a sliding second, a warning, and three strikes.

Reads no clock; the caller says when each message came.
"""

from __future__ import annotations

import enum
from collections import deque


class Pace(enum.StrEnum):
    """What to do about one more message."""

    FINE = "fine"
    WARN = "warn"
    REFUSE = "refuse"
    DISCONNECT = "disconnect"


class RateLimiter:
    """Counts the messages of the last second of one client.

    A second in which messages were refused is one violation, however many they were.
    """

    def __init__(self, *, per_s_max: int, per_s_warn: int, violations_max: int) -> None:
        self._max, self._warn, self._violations_max = per_s_max, per_s_warn, violations_max
        self._times: deque[float] = deque()
        self._violations = 0
        self._violated_s: float | None = None
        self._warned_s: float | None = None

    @property
    def in_last_second(self) -> int:
        """Messages accepted within the last second."""
        return len(self._times)

    def has_room(self, now_s: float) -> bool:
        """Whether one more message would be accepted without a word; counts nothing."""
        if self._max <= 0:
            return True
        self._forget_before(now_s)
        return len(self._times) < min(self._max, self._warn - 1)

    def judge(self, now_s: float) -> Pace:
        """Count one message and say what to do about it."""
        if self._max <= 0:
            return Pace.FINE
        times = self._times
        now_s = max(now_s, times[-1]) if times else now_s
        self._forget_before(now_s)
        if len(times) >= self._max:
            return self._violate(now_s)
        times.append(now_s)
        if len(times) >= self._warn and not _within_second(self._warned_s, now_s):
            self._warned_s = now_s
            return Pace.WARN
        return Pace.FINE

    def _forget_before(self, now_s: float) -> None:
        while self._times and now_s - self._times[0] >= 1.0:
            self._times.popleft()

    def _violate(self, now_s: float) -> Pace:
        if not _within_second(self._violated_s, now_s):
            self._violated_s = now_s
            self._violations += 1
        return Pace.DISCONNECT if self._violations > self._violations_max else Pace.REFUSE


def _within_second(then_s: float | None, now_s: float) -> bool:
    return then_s is not None and now_s - then_s < 1.0
