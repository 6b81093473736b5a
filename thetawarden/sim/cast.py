"""The actors of a log on their way through it, each made as its process made it.

A process has a speed, a software and a configuration of its own. When another one begins, its
actors begin as they did live: with the latest snapshot, and what they handled since once more.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

import msgspec

from thetawarden.actors.hearing import is_heard
from thetawarden.actors.memory import Timers, encode_snapshot, fits, note_timers, rebuild, restore
from thetawarden.actors.post import ActorSpec
from thetawarden.actors.shapes import shapes_of
from thetawarden.actors.tree import Tree
from thetawarden.infra.journal.reader import DayLog, StoredSnapshot
from thetawarden.infra.journal.steps import Step
from thetawarden.messages.base import Envelope, Message
from thetawarden.messages.lifecycle import Begin, DeskStarted
from thetawarden.messages.timers import TimerFired
from thetawarden.ports import Actor, Delivery, Outcome

KEPT_MAX = 20_000
HANDLED = Outcome.HANDLED  # an enum's attribute is slow to look up a million times


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """The snapshot that the next process begins with, and after which delivery it was written."""

    n: int
    body: bytes | None


class Replayed:
    """One actor on its way through the log; each process begins with it as that one made it."""

    def __init__(
        self, spec: ActorSpec, snapshot: bytes | None = None, processes: Processes | None = None
    ) -> None:
        self.spec = spec
        self.processes = processes
        self.begins_again = processes is not None
        self.kept = Kept(n=0, body=snapshot)
        self.since: list[Delivery] = []
        self.actor: Actor
        self.timers: Timers
        self.actor, self.timers = restore(spec.make, snapshot)

    def take(self, step: Step) -> tuple[Message, ...]:
        """Handle one delivery again; one that crashed, hung or is not heard now changes nothing."""
        delivery = step.delivery
        body = delivery.envelope.body
        if delivery.outcome is not HANDLED or not is_heard(type(self.actor), body):
            return ()
        if type(body) is Begin and self.processes is not None:
            self._begin_in(self.processes, delivery.envelope.seq)
        if self.begins_again:
            if len(self.since) >= KEPT_MAX:
                self.keep(encode_snapshot(self.actor, self.timers), n=step.n - 1)
            self.since.append(delivery)
        answers = self.actor.receive(body, delivery.at_ns)
        if answers or type(body) is TimerFired:
            note_timers(self.timers, delivery, answers)
        return answers

    def keep(self, snapshot: bytes, *, n: int) -> None:
        """Remember a snapshot that was written here: the next process begins with it."""
        self.kept = Kept(n=n, body=snapshot)
        self.since.clear()

    def stand(self, state: bytes, kept: Kept, since: Iterable[Delivery]) -> None:
        """Be where this state was, after what was handled since a snapshot was kept."""
        self.actor, self.timers = restore(self.spec.make, state)
        self.kept, self.since = kept, list(since)

    def go_on(self, item: Step | StoredSnapshot) -> tuple[Message, ...]:
        """Handle a delivery, or remember the snapshot that was written after it.

        One that today's actor could not begin with is passed over, as it is when a desk starts.
        """
        if isinstance(item, Step):
            return self.take(item)
        if fits(self.spec.make, item.body):
            self.keep(item.body, n=item.n)
        return ()

    def state(self) -> Any:
        """The state as plain data."""
        return msgspec.to_builtins(self.actor.state)

    def _begin_in(self, processes: Processes, seq: int) -> None:
        spec = processes.spec_at(seq, self.spec.name)
        if spec is not None and spec is not self.spec:
            self.spec = spec
            self.actor, self.timers = rebuild(spec.make, self.kept.body, self.since)
        if seq > processes.last_seq:  # what no process begins with is not remembered
            self.begins_again = False
            self.since.clear()


class Cast:
    """The actors of a tree by name; an instance of a role appears when the log first names it."""

    def __init__(
        self, tree: Tree, *, only: frozenset[str] | None = None, processes: Processes | None = None
    ) -> None:
        self.tree = tree
        self.processes = processes
        self.only = only
        self._replayed: dict[str, Replayed | None] = {}
        self._begin: dict[str, bytes] = {}
        self._made: dict[str, ActorSpec] = {}

    def begin_with(
        self, snapshots: Mapping[str, StoredSnapshot], made: Mapping[str, ActorSpec] | None = None
    ) -> None:
        """Let the actors begin with these states instead of those of their first day.

        `made` is how they were made then, if otherwise than today.
        """
        self._begin = {name: snapshot.body for name, snapshot in snapshots.items()}
        self._made = dict(made or {})
        for name in (*(spec.name for spec in self.tree.fixed()), *snapshots):
            self.get(name)

    def get(self, name: str) -> Replayed | None:
        """The actor of this name; None for one that today's tree does not have, or not wanted."""
        if name not in self._replayed:
            is_wanted = self.only is None or name in self.only
            spec = self._spec(name) if is_wanted else None
            begin = self._begin.get(name)
            self._replayed[name] = None if spec is None else Replayed(spec, begin, self.processes)
        return self._replayed[name]

    def _spec(self, name: str) -> ActorSpec | None:
        if name in self._made:
            return self._made[name]
        by = self.processes
        return self.tree.spec_of(name) if by is None else by.spec_of(self.tree, name)

    def states(self) -> dict[str, Any]:
        """Every actor's state as plain data."""
        return {name: each.state() for name, each in self._replayed.items() if each is not None}


def told(
    day: DayLog,
    *,
    actors: Collection[str] | None = None,
    after_n: int = 0,
    until_n: int | None = None,
) -> Iterator[Step | StoredSnapshot]:
    """What was handled on a day, and each state where it was written: with it a process begins.

    A state that was written just after the delivery begun after comes first.
    """
    kept = (one for one in day.snapshots(actors=actors) if one.n >= after_n)
    head = next(kept, None)
    for step in day.steps(after_n=after_n, until_n=until_n, actors=actors):
        while head is not None and head.n < step.n:
            yield head
            head = next(kept, None)
        yield step
    while head is not None and (until_n is None or head.n <= until_n):
        yield head
        head = next(kept, None)


def actors_before(
    tree: Tree,
    days: tuple[DayLog, ...],
    first: DayLog,
    *,
    only: frozenset[str] | None = None,
    processes: Processes | None = None,
) -> Cast:
    """Every actor as it was when a day's file began."""
    earlier = tuple(day for day in days if day.day < first.day)
    latest: dict[str, StoredSnapshot] = {
        snapshot.actor: snapshot
        for day in earlier
        for snapshot in day.snapshots()
        if tree.can_begin_with(snapshot.actor, snapshot.body)
    }
    cast = Cast(tree, only=only, processes=processes)
    cast.begin_with(latest, {} if processes is None else processes.made(latest.values(), earlier))
    for step in chain.from_iterable(day.steps(actors=only) for day in earlier):
        replayed, name = cast.get(step.delivery.actor), step.delivery.actor
        if replayed is not None and (name not in latest or step.n > latest[name].n):
            replayed.take(step)
    return cast


def actors_since(
    tree: Tree, snapshot: StoredSnapshot, *, processes: Processes | None = None
) -> Cast:
    """The actor of a state that the last process wrote, as it was then."""
    made = tree if processes is None else processes.tree_at(processes.last_seq)
    cast = Cast(made, only=frozenset({snapshot.actor}))  # no other process is to come
    cast.begin_with({snapshot.actor: snapshot})
    return cast


def starts_in(days: tuple[DayLog, ...]) -> list[Envelope[Message]]:
    """The messages with which the processes that wrote a log began, in order."""
    return [one for day in days for one in day.of_kinds((DeskStarted.__name__,))]


class Processes:
    """Every process that wrote in a log, and how its actors were made."""

    def __init__(
        self,
        days: tuple[DayLog, ...],
        make: Callable[[DeskStarted], Tree],
        starts: list[Envelope[Message]] | None = None,
    ) -> None:
        starts = starts_in(days) if starts is None else starts
        self.started = [one.body for one in starts if isinstance(one.body, DeskStarted)]
        self._seqs = [one.seq for one in starts]
        self._make = make
        self._trees: dict[tuple[str, str, float], Tree] = {}
        self._specs: dict[tuple[int, str], ActorSpec | None] = {}
        self._like_us: dict[str, bool] = {}

    @property
    def last_seq(self) -> int:
        """The number of the message with which the last of them began; -1 for none."""
        return self._seqs[-1] if self._seqs else -1

    def spec_at(self, seq: int, name: str) -> ActorSpec | None:
        """How the process that said a message made an actor."""
        return self.spec_of(self.tree_at(seq), name)

    def spec_of(self, tree: Tree, name: str) -> ActorSpec | None:
        """How a desk makes an actor; the same answer every time, so that another is told apart."""
        key = (id(tree), name)
        if key not in self._specs:
            self._specs[key] = tree.spec_of(name)
        return self._specs[key]

    def made(
        self, snapshots: Iterable[StoredSnapshot], days: tuple[DayLog, ...]
    ) -> dict[str, ActorSpec]:
        """How the actors were made that wrote these states, by the days up to then."""
        made: dict[str, ActorSpec] = {}
        for one in snapshots:
            began = [
                seq
                for day in days
                for _, seq in day.first_handled(one.actor, incarnation=one.incarnation)
            ]
            spec = self.spec_at(began[0], one.actor) if began else None
            if spec is not None:
                made[one.actor] = spec
        return made

    def tree_at(self, seq: int) -> Tree:
        """The tree of the process that said a message."""
        started = self._started_at(seq)
        made_by = (started.config_fingerprint, started.software, started.speed)
        if made_by not in self._trees:
            self._trees[made_by] = self._make(started)
        return self._trees[made_by]

    def _started_at(self, seq: int) -> DeskStarted:
        return self.started[max(0, bisect_right(self._seqs, seq) - 1)]

    def writes_like_us(self, seq: int) -> bool:
        """Whether the process that said a message wrote the fields that this one writes, no less.

        What an earlier version left out says nothing; from such a process nothing may be missing.
        """
        started = self._started_at(seq)
        if not started.shapes:
            return False
        if started.shapes not in self._like_us:  # a desk is made to tell, an old log asks often
            self._like_us[started.shapes] = started.shapes == shapes_of(self.tree_at(seq))
        return self._like_us[started.shapes]
