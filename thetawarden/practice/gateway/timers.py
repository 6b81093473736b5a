"""Things to do at an instant of market time: schedules of faults, delayed answers."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import TypeAlias

Callback: TypeAlias = Callable[[], None]


class Timers:
    """A queue of callbacks by market time; those of one instant run in the order they were set."""

    def __init__(self) -> None:
        self._queue: list[tuple[int, int, Callback]] = []
        self._count = 0

    def at(self, due_ns: int, callback: Callback) -> None:
        """Call back when the market reaches this instant."""
        self._count += 1
        heapq.heappush(self._queue, (due_ns, self._count, callback))

    def next_due_ns(self) -> int | None:
        """The earliest instant something waits for."""
        return self._queue[0][0] if self._queue else None

    def run(self, now_ns: int) -> None:
        """Call everything that is due; a callback may set further ones."""
        while self._queue and self._queue[0][0] <= now_ns:
            heapq.heappop(self._queue)[2]()
