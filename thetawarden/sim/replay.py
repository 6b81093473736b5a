"""Replay: feeds an actor its recorded deliveries in order, and compares what it answers.

Actors are deterministic in (state, message, now), so the answers of today's code must equal the
recorded ones byte for byte, and its state every snapshot that was written. The first difference is
shown with the state before it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from typing import Any

import msgspec
from typing_extensions import override

from thetawarden.actors.memory import Timers, encode_snapshot, fits, note_timers, restore
from thetawarden.actors.post import ActorSpec
from thetawarden.actors.tree import Tree
from thetawarden.errors import EXIT_USAGE, ThetawardenError
from thetawarden.infra.journal.reader import Answer, DayLog, StoredSnapshot
from thetawarden.infra.journal.steps import Step
from thetawarden.messages.base import Message
from thetawarden.messages.registry import encode
from thetawarden.messages.timers import TimerFired
from thetawarden.ports import Actor, Outcome

PROGRESS_EVERY = 10_000
_HANDLED = Outcome.HANDLED  # an enum's attribute is slow to look up a million times


class NoSuchDayError(ThetawardenError):
    """The log has no file of that day. The person picks one that is there."""

    exit_code = EXIT_USAGE

    def __init__(self, day: dt.date, known: list[dt.date]) -> None:
        days = ", ".join(map(str, known)) or "none"
        super().__init__(f"no message log of {day}; there are: {days}. Choose one with --day")


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """Where today's code and the log part ways."""

    n: int
    seq: int
    actor: str
    kind: str
    what: str
    state_before: Any
    expected: list[str]
    got: list[str]


class Verdict(msgspec.Struct, kw_only=True):
    """What `replay --verify` reports."""

    deliveries: int = 0
    verified: int = 0
    first_difference: Difference | None = None


class Replayed:
    """One actor on its way through the log."""

    def __init__(self, spec: ActorSpec, snapshot: bytes | None = None) -> None:
        self.spec = spec
        self.actor: Actor
        self.timers: Timers
        self.actor, self.timers = restore(spec.make, snapshot)

    def take(self, step: Step) -> tuple[Message, ...]:
        """Handle one delivery again; one that crashed or hung changed nothing."""
        delivery = step.delivery
        if delivery.outcome is not _HANDLED:
            return ()
        body = delivery.envelope.body
        answers = self.actor.receive(body, delivery.at_ns)
        if answers or type(body) is TimerFired:
            note_timers(self.timers, delivery, answers)
        return answers

    def state(self) -> Any:
        """The state as plain data."""
        return msgspec.to_builtins(self.actor.state)


def pick_days(days: tuple[DayLog, ...], day: dt.date | None) -> tuple[DayLog, ...]:
    """All days, or the one wanted."""
    if day is None:
        return days
    wanted = tuple(each for each in days if each.day == day)
    if not wanted:
        raise NoSuchDayError(day, [each.day for each in days])
    return wanted


class Cast:
    """The actors of a tree by name; an instance of a role appears when the log first names it."""

    def __init__(self, tree: Tree, *, only: str | None = None) -> None:
        self._tree = tree
        self._only = only
        self._replayed: dict[str, Replayed | None] = {}
        self._begin: dict[str, bytes] = {}

    def begin_with(self, snapshots: Mapping[str, StoredSnapshot]) -> None:
        """Let the actors begin with these states instead of those of their first day."""
        self._begin = {name: snapshot.body for name, snapshot in snapshots.items()}
        for name in (*(spec.name for spec in self._tree.fixed()), *snapshots):
            self.get(name)

    def get(self, name: str) -> Replayed | None:
        """The actor of this name; None for one that today's tree does not have, or not wanted."""
        if name not in self._replayed:
            spec = self._tree.spec_of(name) if self._only in {None, name} else None
            begin = self._begin.get(name)
            self._replayed[name] = None if spec is None else Replayed(spec, begin)
        return self._replayed[name]

    def states(self) -> dict[str, Any]:
        """Every actor's state as plain data."""
        return {name: each.state() for name, each in self._replayed.items() if each is not None}


def actors_before(
    tree: Tree, days: tuple[DayLog, ...], first: DayLog, *, only: str | None = None
) -> Cast:
    """Every actor as it was when a day's file began."""
    earlier = tuple(day for day in days if day.day < first.day)
    latest: dict[str, StoredSnapshot] = {
        snapshot.actor: snapshot
        for day in earlier
        for snapshot in day.snapshots()
        if tree.can_begin_with(snapshot.actor, snapshot.body)
    }
    cast = Cast(tree, only=only)
    cast.begin_with(latest)
    for step in chain.from_iterable(day.steps(actor=only) for day in earlier):
        replayed, name = cast.get(step.delivery.actor), step.delivery.actor
        if replayed is not None and (name not in latest or step.n > latest[name].n):
            replayed.take(step)
    return cast


def verify_replay(
    tree: Tree,
    days: tuple[DayLog, ...],
    *,
    day: dt.date | None = None,
    progress: Callable[[int], None] = lambda _count: None,
) -> Verdict:
    """Replay every actor over the days wanted; stops at the first difference."""
    verdict = Verdict()
    wanted = pick_days(days, day)
    if not wanted:
        return verdict
    actors = actors_before(tree, days, wanted[0])
    for each in wanted:
        answers, snapshots = _Peekable(each.answers()), _Peekable(each.snapshots())
        for step in each.steps():
            verdict.first_difference = _check_snapshots(
                snapshots, actors, before=step.n
            ) or _check_step(step, actors, answers)
            verdict.deliveries += 1
            if verdict.first_difference is not None:
                return verdict
            verdict.verified += 1
            if verdict.deliveries % PROGRESS_EVERY == 0:
                progress(verdict.deliveries)
        verdict.first_difference = _check_snapshots(snapshots, actors, before=None)
        if verdict.first_difference is not None:
            return verdict
    return verdict


class _Peekable(Iterator[Any]):
    def __init__(self, items: Iterator[Any]) -> None:
        self._items = items
        self.head: Any = next(items, None)

    @override
    def __next__(self) -> Any:
        head, self.head = self.head, next(self._items, None)
        return head


def _check_step(step: Step, actors: Cast, answers: _Peekable) -> Difference | None:
    delivery = step.delivery
    recorded: list[Answer] = []
    while answers.head is not None and answers.head.belongs_to(delivery):
        recorded.append(next(answers))
    replayed = actors.get(delivery.actor)
    if replayed is None:
        return _difference(step, "the actor is not in today's tree", None, recorded, [])
    before = encode_snapshot(replayed.actor, replayed.timers)
    try:
        got = [encode(answer) for answer in replayed.take(step)]
    except Exception as error:  # noqa: BLE001  # whatever today's code raises is the difference
        what = f"today's code raises {type(error).__name__}: {error}"
        return _difference(step, what, _shown(replayed.spec, before), recorded, [])
    if got != [answer.body for answer in recorded]:
        what = "the answers differ"
        return _difference(step, what, _shown(replayed.spec, before), recorded, got)
    return None


def _check_snapshots(
    snapshots: _Peekable, actors: Cast, *, before: int | None
) -> Difference | None:
    """Compare the snapshots written before a delivery with the states replayed so far."""
    while snapshots.head is not None and (before is None or snapshots.head.n < before):
        stored: StoredSnapshot = next(snapshots)
        replayed = actors.get(stored.actor)
        if replayed is None:
            continue
        got = encode_snapshot(replayed.actor, replayed.timers)
        if got != stored.body:
            return Difference(
                n=stored.n,
                seq=0,
                actor=stored.actor,
                kind="snapshot",
                what="the state differs from the snapshot",
                state_before=_shown(replayed.spec, stored.body),
                expected=[repr(stored.body)],
                got=[repr(got)],
            )
    return None


def _difference(
    step: Step, what: str, state: Any, expected: list[Answer], got: list[bytes]
) -> Difference:
    envelope = step.delivery.envelope
    return Difference(
        n=step.n,
        seq=envelope.seq,
        actor=step.delivery.actor,
        kind=type(envelope.body).__name__,
        what=what,
        state_before=state,
        expected=[_readable(answer.body) for answer in expected],
        got=[_readable(body) for body in got],
    )


def _shown(spec: ActorSpec, snapshot: bytes) -> Any:
    if not fits(spec.make, snapshot):
        return "a state that today's actor cannot begin with"
    actor, _ = restore(spec.make, snapshot)
    return msgspec.to_builtins(actor.state)


def _readable(body: bytes) -> str:
    return msgspec.json.encode(msgspec.msgpack.decode(body)).decode()
