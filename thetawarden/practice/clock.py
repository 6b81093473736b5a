"""Says how far the market should be, given the monotonic clock; reads no clock itself.

Market time runs `speed` times as fast as ours, or, flat out, one step at a time as fast as the
machine and its clients allow.
"""

from __future__ import annotations

NS_PER_S = 1_000_000_000


class MarketClock:
    """A line from monotonic seconds to market nanoseconds, whose slope may change."""

    def __init__(self, *, speed: float | None, flat_out_step_ns: int = NS_PER_S) -> None:
        self._speed = speed
        self._step_ns = flat_out_step_ns
        self._anchor_s: float | None = None
        self._anchor_ns = 0

    @property
    def speed(self) -> float | None:
        """Market seconds per second, or None when flat out."""
        return self._speed

    def target_ns(self, *, now_s: float, market_ns: int) -> int:
        """Return the market time to advance to; never before `market_ns`."""
        if self._speed is None:
            return market_ns + self._step_ns
        if self._anchor_s is None:
            self._anchor_s, self._anchor_ns = now_s, market_ns
        passed_ns = int((now_s - self._anchor_s) * self._speed * NS_PER_S)
        return max(market_ns, self._anchor_ns + passed_ns)

    def change_speed(self, speed: float | None) -> None:
        """Go on from wherever the market is with another slope."""
        self._speed = speed
        self._anchor_s = None
