"""What is to happen outside the desk, and when: the broker's answers, quotes, faults.

In market time that nobody sets. Tasks of one instant are done in the order they were put down.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable

Task = Callable[[], None]


class Agenda:
    """Due tasks by time; it outlives the desk that it is kept for."""

    def __init__(self) -> None:
        self._tasks: list[tuple[int, int, Task]] = []
        self._serial = 0

    def at(self, due_ns: int, task: Task) -> None:
        """Do this once that much market time has elapsed since the start."""
        self._serial += 1
        heapq.heappush(self._tasks, (due_ns, self._serial, task))

    def next_due_ns(self) -> int | None:
        """When the next task is due; None when there is none."""
        return self._tasks[0][0] if self._tasks else None

    def run_due(self, elapsed_ns: int) -> bool:
        """Do one task that is due by now; false when none is."""
        if not self._tasks or self._tasks[0][0] > elapsed_ns:
            return False
        heapq.heappop(self._tasks)[2]()
        return True
