"""Our own pace, below the gateway's limit and below ib_async's: orders and cancels go first.

In any window of one second at most `per_s` messages leave, and of those all but `reserved` may be
data, so that a cancel finds room at once whatever is being asked. A refusal by the gateway (100,
420, 162) halves the data's share, which then comes back step by step. Time is the machine's: the
gateway counts the messages of a second of ours, however fast its market runs.
"""

from __future__ import annotations

import asyncio
import enum
import heapq
from collections import deque
from collections.abc import Callable

import msgspec

from thetawarden.domain.instants import NS_PER_SECOND

WINDOW_NS = NS_PER_SECOND + NS_PER_SECOND // 20
"""A second and a bit: messages a second apart when sent may arrive closer together."""
DATA_PER_S_MIN = 4
RECOVER_AFTER_NS = 10 * NS_PER_SECOND


class Priority(enum.IntEnum):
    """Who goes first."""

    CANCEL = 0
    ORDER = 1
    BOOK = 2
    LINES = 3
    HISTORY = 4


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How many messages may leave in a second, and how many of them only orders may use."""

    per_s: int = 40
    reserved: int = 10


class Pacer:
    """Gives permission to send, in order of priority; lives on the event loop."""

    def __init__(self, *, pace: Pace, monotonic_ns: Callable[[], int]) -> None:
        self._pace = pace
        self._monotonic_ns = monotonic_ns
        self._sent: deque[int] = deque()
        self._waiting: list[tuple[Priority, int, int, asyncio.Future[None]]] = []
        self._serial = 0
        self._data_per_s = pace.per_s - pace.reserved
        self._changed_ns = 0
        self._alarm: asyncio.TimerHandle | None = None
        self._credit = 0
        self.unplanned = 0

    @property
    def data_per_s(self) -> int:
        """How many messages a second may be about data at present."""
        return self._data_per_s

    @property
    def slowed(self) -> bool:
        """Whether the gateway's refusals still hold us back."""
        return self._data_per_s < self._pace.per_s - self._pace.reserved

    async def permit(self, priority: Priority, *, weight: int = 1, patience_s: float) -> bool:
        """Wait for the right to send `weight` messages; false when it did not come in time."""
        if not 1 <= weight <= DATA_PER_S_MIN:
            raise ValueError(f"weight is {weight}, allowed are 1 to {DATA_PER_S_MIN}")
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._serial += 1
        heapq.heappush(self._waiting, (priority, self._serial, weight, turn))
        self._let_go()
        try:
            await asyncio.wait_for(turn, patience_s)
        except TimeoutError:
            return False
        return True

    def sent(self) -> None:
        """A message really left; one that nobody asked permission for is counted all the same."""
        if self._credit:
            self._credit -= 1
            return
        self.unplanned += 1
        self._sent.append(self._monotonic_ns())

    def slow_down(self) -> None:
        """The gateway found us too fast."""
        self._data_per_s = max(DATA_PER_S_MIN, self._data_per_s // 2)
        self._changed_ns = self._monotonic_ns()

    def _let_go(self) -> None:
        while self._waiting:
            priority, _, weight, turn = self._waiting[0]
            if turn.done():
                heapq.heappop(self._waiting)
                continue
            now = self._monotonic_ns()
            self._recover(now)
            wait_ns = self._wait_ns(priority, weight, now)
            if wait_ns > 0:
                self._wake_in(wait_ns)
                return
            heapq.heappop(self._waiting)
            self._sent.extend([now] * weight)
            self._credit += weight
            turn.set_result(None)

    def _wait_ns(self, priority: Priority, weight: int, now: int) -> int:
        """How long until the window has room for these; 0 when it has."""
        while self._sent and now - self._sent[0] >= WINDOW_NS:
            self._sent.popleft()
        if not self._sent:
            self._credit = 0  # permissions of long ago that nobody used cover nothing new
        limit = self._pace.per_s if priority <= Priority.ORDER else self._data_per_s
        too_many = len(self._sent) + weight - limit
        if too_many <= 0:
            return 0
        return self._sent[too_many - 1] + WINDOW_NS - now

    def _recover(self, now: int) -> None:
        full = self._pace.per_s - self._pace.reserved
        while self._data_per_s < full and now - self._changed_ns >= RECOVER_AFTER_NS:
            self._data_per_s += 1
            self._changed_ns += RECOVER_AFTER_NS // 4

    def _wake_in(self, wait_ns: int) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        loop = asyncio.get_running_loop()
        self._alarm = loop.call_later(wait_ns / NS_PER_SECOND + 0.001, self._let_go)
