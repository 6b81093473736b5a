"""I09: whatever is said to an actor reaches it, in order, or is accounted for.

What the table sends to whom is worked out here anew, and every delivery that was recorded is taken
off. A message may be left over where newer market data took its place by rule, where it was put
aside, where its instance left the desk, or where its process ended: then the next one handles it if
the table says so. Timers that fire, greetings and farewells are told by name and not followed.
"""

from __future__ import annotations

from collections.abc import Iterator
from operator import attrgetter
from typing import Any

import msgspec

from thetawarden.messages.base import Envelope, Lane, Message
from thetawarden.messages.lifecycle import (
    Begin,
    ChildrenChanged,
    MailboxOverflowed,
    MessageUnclaimed,
    Quiesce,
)
from thetawarden.messages.registry import ROUTES, Route, instance_of, is_meant, role_of
from thetawarden.messages.timers import TimerFired
from thetawarden.ports import Delivery, Outcome
from thetawarden.sim.disk import Entry, Numbered
from thetawarden.sim.invariants.scene import Check, Scene, Words

LOSSLESS = ("control", "orders")
DONE = (Outcome.HANDLED, Outcome.PARKED)
_TOLD_MAX = 1
"""Of what is lost in one lane of one actor: the rest follows from it."""


class _Letter(msgspec.Struct, frozen=True):
    """A message on its way to an actor."""

    seq: int
    kind: type[Message]
    lane: Lane
    key: tuple[Any, ...] | None
    at_ns: int


class _Box:
    """What waits for one actor, by lane and in order."""

    def __init__(self) -> None:
        self.lanes: dict[Lane, dict[int, _Letter]] = {lane: {} for lane in Lane}
        self.replaced: set[int] = set()
        self.returned: set[int] = set()
        self._latest: dict[tuple[Any, ...], int] = {}

    def put(self, letter: _Letter) -> int:
        """Let it wait, in the place of an older one of its key; how many wait in its lane.

        One that came back after a crash waits for itself.
        """
        lane = self.lanes[letter.lane]
        if letter.key is not None:
            older = lane.pop(self._latest.get(letter.key, 0), None)
            if older is not None and older.seq not in self.returned:
                self.replaced.add(older.seq)
            self._latest[letter.key] = letter.seq
        lane[letter.seq] = letter
        return len(lane)

    def take(self, seq: int, lane: Lane) -> _Letter | None:
        """It was handled, or put aside."""
        return self.lanes[lane].pop(seq, None)

    def overtaken(self, taken: _Letter) -> _Letter | None:
        """What should have come before it; market data may, and what was said at that instant."""
        first = next(iter(self.lanes[taken.lane].values()), None)
        if taken.lane is Lane.MARKET or first is None or first.at_ns >= taken.at_ns:
            return None
        return first if first.seq < taken.seq else None


class _Mail:
    def __init__(self) -> None:
        self._log: object = None
        self._boxes: dict[str, _Box] = {}
        self._taken: list[tuple[int, str, _Letter]] = []
        self._posts: object = None
        self._listeners: dict[type[Message], tuple[str, ...]] = {}
        self._told: dict[tuple[str, Lane], int] = {}

    def entry(self, entry: Entry, scene: Scene) -> Words:
        """Put what is said into the mailboxes it is for, and take out what was handled."""
        if scene.world.log is not self._log:
            if self._log is not None:
                self._begin(durable_seq=scene.world.durable_seq, durable_n=scene.world.durable_n)
            self._log = scene.world.log
        if isinstance(entry, Numbered):
            yield from self._handled(entry.n, entry.delivery)
        elif isinstance(entry, Envelope):
            yield from self._said(entry, scene)

    def end(self, scene: Scene) -> Words:
        """What waits for an actor and is in no mailbox was lost."""
        for name, post in scene.world.desk.posts.items():
            box, depths = self._boxes.get(name, _Box()), post.mailbox.depths()
            for lane, letters in box.lanes.items():
                if letters and not depths[lane]:
                    first = next(iter(letters.values()))
                    yield from self._tell(name, first, f"was lost, of {len(letters)}")

    def _said(self, envelope: Envelope[Message], scene: Scene) -> Iterator[str]:
        body = envelope.body
        if isinstance(body, ChildrenChanged):
            self._keep_only(body)
        if isinstance(body, MailboxOverflowed | MessageUnclaimed) and body.lane in LOSSLESS:
            yield f"{body.kind} for {body.actor} went astray in lane {body.lane}"
        if isinstance(body, (Begin, Quiesce, TimerFired)):
            return
        posts, route = scene.world.desk.posts, ROUTES[type(body)]
        letter = _Letter(
            envelope.seq,
            type(body),
            route.lane,
            _key(body, route),
            scene.world.clock.monotonic_ns(),
        )
        for name in self._listening(type(body), route, posts):
            if not is_meant(name, body, route):
                continue
            box = self._boxes.get(name)
            if box is None:
                box = self._boxes[name] = _Box()
            count = box.put(letter)
            bound = getattr(posts[name].spec.bounds, route.lane.name.lower())
            if count > bound:
                yield from self._tell(name, letter, f"waits with {count}, {bound} allowed")

    def _handled(self, n: int, delivery: Delivery) -> Iterator[str]:
        name, envelope = delivery.actor, delivery.envelope
        box, route = self._boxes.get(name), ROUTES[type(envelope.body)]
        if box is None:
            return
        if delivery.outcome not in DONE:
            box.returned.add(envelope.seq)
            return
        if envelope.seq in box.replaced:
            kind = type(envelope.body).__name__
            yield f"{kind} {envelope.seq} for {name} came after newer had taken its place"
        letter = box.take(envelope.seq, route.lane)
        if letter is None:
            return
        self._taken.append((n, name, letter))
        first = box.overtaken(letter)
        if first is not None:
            later = letter.kind.__name__
            yield from self._tell(name, first, f"was lost or overtaken by {later} {letter.seq}")

    def _listening(self, kind: type[Message], route: Route, posts: Any) -> tuple[str, ...]:
        if posts is not self._posts:
            self._posts, self._listeners = posts, {}
        found = self._listeners.get(kind)
        if found is None:
            found = tuple(name for name in posts if role_of(name) in route.to)
            self._listeners[kind] = found
        return found

    def _begin(self, *, durable_seq: int, durable_n: int) -> None:
        """Go back to what was written, and leave out what concerned the last process only."""
        for n, name, letter in self._taken:
            if n > durable_n and name in self._boxes:
                self._boxes[name].lanes[letter.lane][letter.seq] = letter
        self._taken.clear()
        before, self._boxes = self._boxes, {}
        for name, old in before.items():
            box = self._boxes[name] = _Box()
            letters = sorted(
                (one for lane in old.lanes.values() for one in lane.values()),
                key=attrgetter("seq"),
            )
            for letter in letters:
                comes_again = ROUTES[letter.kind].after_crash and letter.lane is not Lane.MARKET
                if letter.kind is ChildrenChanged:
                    continue  # the next process begins by saying who is there
                if comes_again and letter.seq <= durable_seq:
                    box.put(letter)

    def _keep_only(self, changed: ChildrenChanged) -> None:
        """What waits for an instance that leaves is reported or stands in the log only."""
        for name in tuple(self._boxes):
            if role_of(name) == changed.role and instance_of(name) not in (*changed.keys, ""):
                del self._boxes[name]

    def _tell(self, name: str, letter: _Letter, what: str) -> Iterator[str]:
        count = self._told[name, letter.lane] = self._told.get((name, letter.lane), 0) + 1
        if count <= _TOLD_MAX:
            lane = letter.lane.name.lower()
            yield f"{letter.kind.__name__} {letter.seq} for {name} {what} in lane {lane}"


def _key(body: Message, route: Route) -> tuple[Any, ...] | None:
    if route.conflate_by is None:
        return None
    return (type(body), *(getattr(body, field) for field in route.conflate_by))


def make() -> Check:
    """The check, with a memory of its own."""
    mail = _Mail()
    return Check(
        id="I09",
        says="what is said reaches everybody it is for",
        entry=mail.entry,
        end=mail.end,
    )
