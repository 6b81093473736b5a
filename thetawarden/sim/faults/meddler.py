"""Strikes actors and the process where the schedule wants it."""

from __future__ import annotations

from thetawarden.messages.base import Envelope, Message
from thetawarden.messages.orders import SubmitOrder
from thetawarden.sim.meddling import Mishap, Point, ProcessKilledError

AROUND_AN_ORDER = (
    Point.BEFORE_COMMIT,
    Point.BEFORE_EFFECT,
    Point.AFTER_EFFECT,
    Point.AFTER_COMMIT,
)


class FaultMeddler:
    """Counts every point; fails where it was told to.

    `kills` are where a process ended, and of which order that was; empty where it was of none.
    """

    def __init__(self) -> None:
        self.points = 0
        self.kills: list[tuple[Point, str]] = []
        self._kill_at = 0
        self._kill_at_order: Point | None = None
        self._kill_at_commit = False
        self._mishaps: dict[str, list[Mishap]] = {}

    def strike(self, actor: str, mishap: Mishap) -> None:
        """Let this happen to the actor while it handles its next message."""
        self._mishaps.setdefault(actor, []).append(mishap)

    def kill_after(self, points: int) -> None:
        """End the process after so many more points."""
        self._kill_at = self.points + points

    def kill_at(self, number: int) -> None:
        """End the process at exactly this point of the whole history."""
        self._kill_at = number

    def kill_at_order(self, pick: int) -> None:
        """End the process around the next order that is sent."""
        self._kill_at_order = AROUND_AN_ORDER[pick % len(AROUND_AN_ORDER)]

    def kill_at_commit(self) -> None:
        """End the process as it is about to write."""
        self._kill_at_commit = True

    def calm(self) -> None:
        """Forget what was still to happen."""
        self._kill_at, self._kill_at_order, self._kill_at_commit = 0, None, False
        self._mishaps.clear()

    def reach(self, point: Point, envelope: Envelope[Message] | None, /) -> None:
        """Let the process go on, or end it."""
        self.points += 1
        body = None if envelope is None else envelope.body
        order_ref = body.intent.order_ref if isinstance(body, SubmitOrder) else ""
        if order_ref and point is self._kill_at_order:
            self._kill_at_order = None
        elif self.points == self._kill_at:
            self._kill_at = 0
        elif self._kill_at_commit and point is Point.BEFORE_COMMIT:
            self._kill_at_commit = False
        else:
            return
        self.kills.append((point, order_ref))
        raise ProcessKilledError(point, self.points)

    def mishap(self, actor: str, _envelope: Envelope[Message], /) -> Mishap | None:
        """What happens to the actor while it handles this."""
        waiting = self._mishaps.get(actor)
        return waiting.pop(0) if waiting else None
