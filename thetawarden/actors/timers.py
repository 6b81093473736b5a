"""Wakes actors at the right time: one thread, durations in market time.

A cancelled or replaced timer may still come out of the heap; the cell that would receive it checks
whether it is the armed one, so a stale timer is never handled.
"""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable, Mapping

from thetawarden.actors.memory import Timers
from thetawarden.domain.instants import UnixNs
from thetawarden.messages.base import Envelope, Message
from thetawarden.messages.timers import CancelTimer, StartTimer
from thetawarden.ports import Clock

LOOK_AGAIN_S = 0.5
STANDS_S = 0.01
Owner = tuple[str, str]
Fire = Callable[[str, str, int | None], None]


class TimerHeap:
    """Which timer is due next; no thread, no clock, so that the simulation can use it too."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Owner, int | None]] = []
        self._current: dict[Owner, int] = {}
        self._serial = 0

    def start(self, owner: Owner, *, due_ns: int, since_seq: int | None) -> None:
        """Arm a timer; one of the same owner and name is forgotten."""
        self._serial += 1
        self._current[owner] = self._serial
        heapq.heappush(self._heap, (due_ns, self._serial, owner, since_seq))
        if len(self._heap) > 64 and len(self._heap) > 4 * len(self._current):
            self._heap = [entry for entry in self._heap if self._is_current(entry)]
            heapq.heapify(self._heap)

    def cancel(self, owner: Owner) -> None:
        """Forget a timer."""
        self._current.pop(owner, None)

    def forget(self, actor: str) -> None:
        """Forget all timers of an actor."""
        for owner in [owner for owner in self._current if owner[0] == actor]:
            del self._current[owner]

    def is_armed(self, owner: Owner) -> bool:
        """Whether a timer of this owner and name has not fired."""
        return owner in self._current

    def armed(self) -> Mapping[Owner, int]:
        """Which timers have not fired, and the serial number of each."""
        return dict(self._current)

    def next_due_ns(self) -> int | None:
        """When the next timer is due, or None when there is none."""
        while self._heap and not self._is_current(self._heap[0]):
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def pop_due(self, now_ns: int) -> tuple[Owner, int | None] | None:
        """The next timer that is due by now, or None."""
        due = self.next_due_ns()
        if due is None or due > now_ns:
            return None
        _, _, owner, since_seq = heapq.heappop(self._heap)
        del self._current[owner]
        return owner, since_seq

    def _is_current(self, entry: tuple[int, int, Owner, int | None]) -> bool:
        return self._current.get(entry[2]) == entry[1]


class TimerThread:
    """The timekeeper of the threaded desk."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._elapsed_ns = clock.elapsed_ns
        self._looked_ns = 0
        self._heap = TimerHeap()
        self._changed = threading.Condition()
        self._stopping = False
        self._fire: Fire | None = None
        self._thread = threading.Thread(target=self._run, name="timers", daemon=True)

    def start(self, fire: Fire) -> None:
        """Begin to call `fire(actor, timer, since_seq)` for each timer that comes due."""
        self._fire = fire
        self._thread.start()

    def stop(self) -> None:
        """Fire nothing more; returns when the thread has ended."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        if self._thread.is_alive():
            self._thread.join()

    def obey(self, command: Envelope[Message], /) -> None:
        """Start or cancel the timer that the sender asked for."""
        body = command.body
        with self._changed:
            if isinstance(body, StartTimer):
                due = self._elapsed_ns() + body.after_ns
                owner = (command.sender, body.name)
                self._heap.start(owner, due_ns=due, since_seq=command.cause_seq)
            elif isinstance(body, CancelTimer):
                self._heap.cancel((command.sender, body.name))
            self._changed.notify()

    def rearm(self, actor: str, timers: Timers, now_ns: UnixNs) -> None:
        """Arm what an incarnation remembers as armed and is not; what is overdue fires at once."""
        with self._changed:
            for name, timer in sorted(timers.items()):
                if self._heap.is_armed((actor, name)):
                    continue
                due = self._elapsed_ns() + max(0, timer.due_ns - now_ns)
                self._heap.start((actor, name), due_ns=due, since_seq=timer.since_seq)
            self._changed.notify()

    def forget(self, actor: str) -> None:
        """Cancel all timers of an actor that leaves."""
        with self._changed:
            self._heap.forget(actor)

    def _run(self) -> None:
        while True:
            with self._changed:
                if self._stopping:
                    return
                due = self._heap.pop_due(self._elapsed_ns())
                if due is None:
                    self._changed.wait(self._wait_s())
                    continue
            (actor, name), since_seq = due
            if self._fire is not None:
                self._fire(actor, name, since_seq)

    def _wait_s(self) -> float | None:
        """Machine seconds until it is worth looking again; market time may change its speed."""
        due = self._heap.next_due_ns()
        if due is None:
            return None
        now, before = self._elapsed_ns(), self._looked_ns
        self._looked_ns = now
        wait = (due - now) / 1e9 / self._clock.speed
        stands = STANDS_S if now == before else 0.0
        return min(max(wait, stands), LOOK_AGAIN_S)
