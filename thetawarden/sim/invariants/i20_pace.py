"""I20: orders keep the broker's pace, and none is changed over and over.

Counted where the desk says them, in seconds of the machine: what the gateway's own pacing would
hold back here is a storm all the same. How bytes are paced is held by the tests of the adapter.
"""

from __future__ import annotations

from collections import deque

from thetawarden.domain.instants import NS_PER_SECOND
from thetawarden.messages.base import Envelope
from thetawarden.messages.orders import CancelOrder, ModifyOrder, PreviewMargin, SubmitOrder
from thetawarden.sim.disk import Entry
from thetawarden.sim.invariants.scene import Check, Scene, Words

WITHIN_NS = NS_PER_SECOND
TOGETHER_MAX = 40
CHANGES_MAX = 3
"""Of one order at one size: it may be walked and priced anew in the same second.

Each fill next to it makes it another size, and a market that runs fast fills often in a second.
"""


class _Pace:
    def __init__(self) -> None:
        self._said: deque[int] = deque()
        self._changes: dict[tuple[str, int], deque[int]] = {}
        self._told: set[str] = set()

    def entry(self, entry: Entry, scene: Scene) -> Words:
        """Count what was said within the last second."""
        body = entry.body if isinstance(entry, Envelope) else None
        now = scene.world.clock.monotonic_ns()
        count = 1 + len(body.exits) if isinstance(body, SubmitOrder) else 1
        self._said.extend([now] * count)
        yield from self._judge(self._said, TOGETHER_MAX, "messages about orders", now)
        if isinstance(body, ModifyOrder):
            ref = body.intent.order_ref
            changes = self._changes.setdefault((ref, body.intent.units), deque())
            changes.append(now)
            yield from self._judge(changes, CHANGES_MAX, f"changes of {ref}", now)

    def _judge(self, instants: deque[int], count_max: int, what: str, now: int) -> Words:
        while instants[0] <= now - WITHIN_NS:
            instants.popleft()
        if len(instants) > count_max and what not in self._told:
            self._told.add(what)
            yield f"{len(instants)} {what} within a second, {count_max} allowed"


def make() -> Check:
    """The check, with a memory of its own."""
    return Check(
        id="I20",
        says="orders keep the broker's pace",
        hears=(SubmitOrder, ModifyOrder, CancelOrder, PreviewMargin),
        entry=_Pace().entry,
    )
