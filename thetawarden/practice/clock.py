"""Says how far the market should be, given the monotonic clock; reads no clock itself.

Market time runs `speed` times as fast as ours, or, flat out, one step at a time as fast as the
machine and its clients allow. When steps take too long the market falls behind instead of blocking
its clients: a step never covers more than a slice, and slices shrink and grow by what steps cost.
"""

from __future__ import annotations

NS_PER_S = 1_000_000_000
SLICE_NS_MAX = 3600 * NS_PER_S
SLICE_NS_MIN = NS_PER_S // 10
ADVANCE_S_MAX = 0.1
"""What a step of the market may cost before the next ones are made shorter."""


class MarketClock:
    """A line from monotonic seconds to market nanoseconds, whose slope may change."""

    def __init__(self, *, speed: float | None, flat_out_step_ns: int = NS_PER_S) -> None:
        self._speed = speed
        self._step_ns = flat_out_step_ns
        self._slice_ns = SLICE_NS_MAX
        self._anchor_s: float | None = None
        self._anchor_ns = 0

    @property
    def speed(self) -> float | None:
        """Market seconds per second, or None when flat out."""
        return self._speed

    def target_ns(self, *, now_s: float, market_ns: int) -> int:
        """Return the market time to advance to; never before `market_ns`."""
        furthest_ns = market_ns + self._slice_ns
        if self._speed is None:
            return min(furthest_ns, market_ns + self._step_ns)
        if self._anchor_s is None:
            self._anchor_s, self._anchor_ns = now_s, market_ns
        passed_ns = int((now_s - self._anchor_s) * self._speed * NS_PER_S)
        wanted_ns = self._anchor_ns + passed_ns
        if wanted_ns > furthest_ns:
            self._anchor_s, self._anchor_ns = now_s, furthest_ns
            return furthest_ns
        return max(market_ns, wanted_ns)

    def note_advance(self, took_s: float) -> None:
        """Learn what moving the market on cost, in processor time: a busy machine is no reason."""
        if took_s > ADVANCE_S_MAX:
            self._slice_ns = max(SLICE_NS_MIN, self._slice_ns // 2)
        elif took_s < ADVANCE_S_MAX / 2:
            self._slice_ns = min(SLICE_NS_MAX, self._slice_ns * 2)

    def change_speed(self, speed: float | None) -> None:
        """Go on from wherever the market is with another slope."""
        self._speed = speed
        self._anchor_s = None
