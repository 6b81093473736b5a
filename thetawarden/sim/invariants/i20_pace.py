"""I20: orders keep the broker's pace, none is changed over and over, and cancels wait for nobody.

Counted where the desk says them and again where bytes leave, in seconds of the machine: what the
gateway's own pacing would hold back here is a storm all the same. A world does not pace requests
for data, as a desk does; it looks how many would be waiting for their turn. How bytes are paced is
held by the tests of the adapter.
"""

from __future__ import annotations

from collections import deque

from thetawarden.domain.instants import NS_PER_SECOND
from thetawarden.messages.base import Envelope
from thetawarden.messages.lifecycle import DeskStarted
from thetawarden.messages.link import LinkLost
from thetawarden.messages.orders import (
    CancelOrder,
    ModifyOrder,
    OrderSent,
    OrderTroubled,
    OrderWithheld,
    PreviewMargin,
    SubmitOrder,
)
from thetawarden.sim.broker.wire import Left, Traffic
from thetawarden.sim.disk import Entry
from thetawarden.sim.invariants.scene import Check, Scene, Words

WITHIN_NS = NS_PER_SECOND
TOGETHER_MAX = 40
CHANGES_MAX = 3
"""Of one order at one size: it may be walked and priced anew in the same second.

Each fill next to it makes it another size, and a market that runs fast fills often in a second.
"""
DATA_PER_S = 30
DATA_WAITING_MAX = 250
"""All lines that a desk may hold, given back and asked for at once, and what else may be due."""
UNSENT_NS = 5 * NS_PER_SECOND
"""An order that waits for a sign of life of the broker is taken back as it ends."""


class _Pace:
    def __init__(self) -> None:
        self._said: deque[int] = deque()
        self._left: deque[int] = deque()
        self._changes: dict[tuple[str, int], deque[int]] = {}
        self._cancels: dict[str, int] = {}
        self._sent: set[str] = set()
        self._data, self._data_ns = 0.0, 0
        self._told: set[str] = set()

    def entry(self, entry: Entry, scene: Scene) -> Words:
        """Count what was said within the last second, and see what became of cancels."""
        body = entry.body if isinstance(entry, Envelope) else None
        now = scene.world.clock.monotonic_ns()
        match body:
            case SubmitOrder() | ModifyOrder() | CancelOrder() | PreviewMargin():
                count = 1 + len(body.exits) if isinstance(body, SubmitOrder) else 1
                self._said.extend([now] * count)
                yield from self._judge(self._said, TOGETHER_MAX, "messages about orders", now)
            case OrderSent(order_ref=ref):
                self._sent.add(ref)
            case OrderTroubled(order_ref=ref) | OrderWithheld(order_ref=ref):
                self._cancels.pop(ref, None)
            case DeskStarted() | LinkLost():
                self._cancels.clear()
            case _:
                pass
        yield from self._late(now)
        if isinstance(body, CancelOrder):
            self._cancels.setdefault(body.order_ref, now)
        if isinstance(body, ModifyOrder):
            ref = body.intent.order_ref
            changes = self._changes.setdefault((ref, body.intent.units), deque())
            changes.append(now)
            yield from self._judge(changes, CHANGES_MAX, f"changes of {ref}", now)

    def left(self, left: Left, scene: Scene) -> Words:
        """Count what left within the last second, and which data would wait for its turn."""
        now = scene.world.clock.monotonic_ns()
        yield from self._late(now)
        if left.traffic is Traffic.DATA:
            taken = (now - self._data_ns) * DATA_PER_S / NS_PER_SECOND
            self._data, self._data_ns = max(0.0, self._data - taken) + left.count, now
            if self._data > DATA_WAITING_MAX and Traffic.DATA not in self._told:
                self._told.add(Traffic.DATA)
                yield f"{self._data:.0f} requests for data at once, {DATA_WAITING_MAX} allowed"
            return
        self._cancels.pop(left.order_ref, None)
        self._left.extend([now] * left.count)
        yield from self._judge(self._left, TOGETHER_MAX, "messages to the gateway", now)

    def end(self, scene: Scene) -> Words:
        """No cancel waits for ever."""
        yield from self._late(scene.world.clock.monotonic_ns())

    def _late(self, now: int) -> Words:
        """A cancel leaves at once, whatever else is to be sent."""
        for ref, since_ns in tuple(self._cancels.items()):
            if now - since_ns > (WITHIN_NS if ref in self._sent else UNSENT_NS):
                del self._cancels[ref]
                yield f"the cancel of {ref} has not left {(now - since_ns) / 1e9:.1f} s later"

    def _judge(self, instants: deque[int], count_max: int, what: str, now: int) -> Words:
        while instants[0] <= now - WITHIN_NS:
            instants.popleft()
        if len(instants) > count_max and what not in self._told:
            self._told.add(what)
            yield f"{len(instants)} {what} within a second, {count_max} allowed"


def make() -> Check:
    """The check, with a memory of its own."""
    pace = _Pace()
    return Check(
        id="I20",
        says="orders keep the broker's pace, and cancels wait for nobody",
        hears=(
            *(SubmitOrder, ModifyOrder, CancelOrder, PreviewMargin),
            *(OrderSent, OrderTroubled, OrderWithheld, DeskStarted, LinkLost),
        ),
        entry=pace.entry,
        left=pace.left,
        end=pace.end,
    )
