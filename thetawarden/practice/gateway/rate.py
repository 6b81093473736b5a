"""Judges how fast a client sends: a sliding second, a warning, and three strikes.

Reads no clock; the caller says between which moments each message came. Nobody is refused who may
have kept the limit: of all the ways in which the messages may have come the most even one counts.
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
        self._max, self._violations_max = per_s_max, violations_max
        self._accepted, self._quiet = _Seconds(per_s_max), _Seconds(min(per_s_max, per_s_warn - 1))
        self._violations = 0
        self._violated_s: float | None = None
        self._warned_s: float | None = None

    @property
    def in_last_second(self) -> int:
        """Messages accepted within the second before the last of them."""
        return self._accepted.in_last_second

    def has_room(self, now_s: float) -> bool:
        """Whether one more message would be accepted without a word; counts nothing."""
        return self._max <= 0 or self._quiet.earliest_s(now_s) <= now_s

    def judge(self, now_s: float, *, since_s: float | None = None) -> Pace:
        """Count one message that came after `since_s` and until now; say what to do about it."""
        if self._max <= 0:
            return Pace.FINE
        now_s = self._accepted.no_sooner(now_s)
        since_s = now_s if since_s is None else min(since_s, now_s)
        came_s = self._accepted.earliest_s(since_s)
        if came_s > now_s:
            return self._violate(now_s)
        self._accepted.add(came_s)
        quietly_s = self._quiet.earliest_s(since_s)
        self._quiet.add(min(quietly_s, now_s))
        if quietly_s > now_s and not _within_second(self._warned_s, now_s):
            self._warned_s = now_s
            return Pace.WARN
        return Pace.FINE

    def _violate(self, now_s: float) -> Pace:
        if not _within_second(self._violated_s, now_s):
            self._violated_s = now_s
            self._violations += 1
        return Pace.DISCONNECT if self._violations > self._violations_max else Pace.REFUSE


class _Seconds:
    """The latest messages, each as early as it may have come with so many in no second exceeded.

    The earlier those before came, the sooner there is room for the next.
    """

    def __init__(self, per_s: int) -> None:
        self._times: deque[float] = deque(maxlen=max(per_s, 1))

    @property
    def in_last_second(self) -> int:
        """How many came within a second of the last."""
        times = self._times
        return sum(times[-1] - one < 1.0 for one in times) if times else 0

    def earliest_s(self, since_s: float) -> float:
        """Return when one that came after `since_s` may have come at the earliest."""
        times = self._times
        if not times:
            return since_s
        room_s = times[0] + 1.0 if len(times) == times.maxlen else since_s
        return max(self.no_sooner(since_s), room_s)

    def no_sooner(self, at_s: float) -> float:
        """Return a moment, or the last message's if that was later: none overtakes another."""
        return max(at_s, self._times[-1]) if self._times else at_s

    def add(self, came_s: float) -> None:
        """Count one, which did not come before the last."""
        self._times.append(self.no_sooner(came_s))


def _within_second(then_s: float | None, now_s: float) -> bool:
    return then_s is not None and now_s - then_s < 1.0
