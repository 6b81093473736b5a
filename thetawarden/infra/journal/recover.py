"""Brings back what the desk knew when its process ended, however it ended.

Nothing here changes a file. What comes back: where the numbering goes on, each actor's latest
snapshot with the steps since, and what was said to it but not handled yet.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import msgspec

from thetawarden.domain.instants import UnixNs
from thetawarden.infra.journal.errors import DamagedLogError
from thetawarden.infra.journal.journal import Position
from thetawarden.infra.journal.reader import DayLog, StoredSnapshot
from thetawarden.infra.journal.store import day_files
from thetawarden.infra.journal.verify import verify_day
from thetawarden.messages.base import Envelope, Lane, Message
from thetawarden.messages.lifecycle import ChildrenChanged, DeskStarted
from thetawarden.messages.registry import ROUTES, is_meant, role_of
from thetawarden.ports import Delivery

LOOK_BACK_DAYS = 2
Fits = Callable[[str, bytes], bool]
_log = logging.getLogger("thetawarden.journal")
# handled (0) or put aside (3); one that crashed or hung comes again, unless that happened twice
_SETTLED = (
    "SELECT seq, actor FROM deliveries WHERE outcome IN (0, 3)"
    " UNION SELECT seq, actor FROM deliveries WHERE outcome IN (1, 2)"
    " GROUP BY seq, actor HAVING count(*) > 1"
)
_WAITING = "SELECT seq, actor FROM deliveries WHERE outcome = 4"
_LAST = "SELECT max(at_ns) FROM messages"
_NAMES = "SELECT DISTINCT actor FROM snapshots UNION SELECT DISTINCT actor FROM deliveries"


class Remembered(msgspec.Struct, kw_only=True):
    """One actor's past: a snapshot, if there is one, and the steps since."""

    snapshot: bytes | None = None
    snapshot_n: int = 0
    incarnation: int = 0
    steps: list[Delivery] = msgspec.field(default_factory=list)
    unhandled: list[Envelope[Message]] = msgspec.field(default_factory=list)


class Recovered(msgspec.Struct, kw_only=True):
    """The whole desk's past; empty for a new store."""

    position: Position = Position()
    actors: dict[str, Remembered] = msgspec.field(default_factory=dict)
    children: dict[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    last_ns: UnixNs = UnixNs(0)


def recover(
    folder: Path,
    names: tuple[str, ...],
    roles: tuple[str, ...] = (),
    *,
    fits: Fits = lambda _actor, _snapshot: True,
) -> Recovered:
    """Read the log back for actors of these names, and for every instance of these roles.

    A damaged row raises, it is never believed. The newest file is verified whole. Earlier ones are
    opened only while an actor is without a snapshot, and the last before it always: every page
    begins with who else is known and with what was waiting. A snapshot that does not fit what the
    actor's state is today is passed over, at worst back to its first day.
    """
    files = day_files(folder)
    actors = {name: Remembered() for name in names}
    if not files:
        return Recovered(actors=actors)
    newest = verify_day(files[-1])
    if newest.damaged:
        found = f"{newest.damaged} damaged row(s), first: {newest.findings[0]}"
        raise DamagedLogError(files[-1], found)
    days = [DayLog(path) for path in files]
    try:
        last_ns = UnixNs(max(ns or 0 for day in days[-LOOK_BACK_DAYS:] for (ns,) in day.raw(_LAST)))
        next_seq, next_n = (top + 1 for top in days[-1].tops())
        for day in _needed(days, actors, roles, fits):
            _read_steps(day, actors)
        for earlier, later in pairwise(days[-LOOK_BACK_DAYS:]):
            _check_end(earlier, followed_by=later)
        unhandled = _Unhandled(actors, roles)
        for day in days[-LOOK_BACK_DAYS:]:
            unhandled.read(day)
        unhandled.finish()
    finally:
        for day in days:
            day.close()
    return Recovered(
        position=Position(next_seq=next_seq, next_n=next_n),
        actors=actors,
        children=unhandled.children,
        last_ns=last_ns,
    )


def _needed(
    days: list[DayLog], actors: dict[str, Remembered], roles: tuple[str, ...], fits: Fits
) -> list[DayLog]:
    """Find each actor's latest snapshot; the days whose steps are needed too, oldest first."""
    for day in days[-LOOK_BACK_DAYS:] if roles else []:
        for (name,) in day.raw(_NAMES):
            if role_of(name) in roles:
                actors.setdefault(name, Remembered())
    needed: list[DayLog] = []
    passed_over: set[str] = set()
    for day in reversed(days):
        if needed:
            _check_end(day, followed_by=needed[0])
        needed.insert(0, day)
        for name, snapshots in _by_actor(day, actors).items():
            passed_over |= _take_latest(name, actors[name], snapshots, fits)
        if all(actor.snapshot is not None for actor in actors.values()):
            break
    _refuse_lost_pasts(days[0], {name for name in passed_over if actors[name].snapshot is None})
    return needed


def _by_actor(day: DayLog, actors: dict[str, Remembered]) -> dict[str, list[StoredSnapshot]]:
    """The snapshots of a day of those who have none of a later one."""
    found: dict[str, list[StoredSnapshot]] = {}
    for snapshot in day.snapshots():
        if snapshot.actor in actors and actors[snapshot.actor].snapshot is None:
            found.setdefault(snapshot.actor, []).append(snapshot)
    return found


def _take_latest(
    name: str, actor: Remembered, snapshots: list[StoredSnapshot], fits: Fits
) -> set[str]:
    """Let the actor begin with the latest that fits; its name if one did not."""
    passed_over: set[str] = set()
    for snapshot in reversed(snapshots):
        actor.incarnation = max(actor.incarnation, snapshot.incarnation)
        if fits(name, snapshot.body):
            actor.snapshot, actor.snapshot_n = snapshot.body, snapshot.n
            return passed_over
        passed_over.add(name)
        _log.warning("snapshot_passed_over", extra={"actor": name, "n": snapshot.n})
    return passed_over


def _refuse_lost_pasts(oldest: DayLog, names: set[str]) -> None:
    """An actor can only be replayed from its first day if that is still there."""
    if names and oldest.first_n > 1:
        found = (
            f"this version cannot use the snapshots of {', '.join(sorted(names))}, and the log"
            f" before delivery {oldest.first_n} is gone"
        )
        raise DamagedLogError(oldest.path, found)


def _check_end(day: DayLog, *, followed_by: DayLog) -> None:
    """Between two files nothing may be missing."""
    last_seq, last_n = day.tops()
    first = (followed_by.first_seq, followed_by.first_n)
    if (last_seq + 1, last_n + 1) != first:
        found = (
            f"it ends at message {last_seq}, delivery {last_n}, and {followed_by.path.name}"
            f" begins at message {first[0]}, delivery {first[1]}"
        )
        raise DamagedLogError(day.path, found)


def _read_steps(day: DayLog, actors: dict[str, Remembered]) -> None:
    after_n = min((actor.snapshot_n for actor in actors.values()), default=0)
    for step in day.steps(after_n=after_n):
        delivery = step.delivery
        actor = actors.get(delivery.actor)
        if actor is not None and step.n > actor.snapshot_n:
            actor.incarnation = max(actor.incarnation, delivery.incarnation)
            actor.steps.append(delivery)


class _Unhandled:
    """Works out, page by page, what was said to whom and is not settled."""

    def __init__(self, actors: dict[str, Remembered], roles: tuple[str, ...]) -> None:
        self._actors = actors
        self._roles = roles
        self.children: dict[str, tuple[str, ...]] = {}
        self._there: dict[str, tuple[str, ...]] = {}
        self._waiting: dict[str, dict[int, Envelope[Message]]] = {name: {} for name in actors}
        self._players: dict[str, list[str]] = {}
        for name in actors:
            if role_of(name) not in roles:
                self._players.setdefault(role_of(name), []).append(name)

    def read(self, day: DayLog) -> None:
        """Go on with the next page."""
        settled = set(day.raw(_SETTLED))
        for seq, name in settled:
            self._waiting.get(name, {}).pop(seq, None)
        for seq, name in day.raw(_WAITING):
            wanted = name in self._waiting and (seq, name) not in settled
            envelope = day.message(seq) if wanted else None
            if envelope is not None:
                self._waiting[name][seq] = envelope
        for envelope in day.of_kinds(self._kinds()):
            if isinstance(envelope.body, ChildrenChanged):
                self._change(envelope.body)
                continue
            if isinstance(envelope.body, DeskStarted):
                self._there = {}  # a process begins without any, whoever is asked for later
                continue
            for name in self._hearers(envelope.body):
                if (envelope.seq, name) not in settled:
                    self._waiting[name][envelope.seq] = envelope

    def finish(self) -> None:
        """Give every actor what is left for it, in the order it was said."""
        for name, waiting in self._waiting.items():
            self._actors[name].unhandled = [waiting[seq] for seq in sorted(waiting)]

    def _kinds(self) -> tuple[str, ...]:
        heard = {*self._players, *self._roles}
        kinds = [
            kind.__name__
            for kind, route in ROUTES.items()
            if route.after_crash and route.lane is not Lane.MARKET and heard & set(route.to)
        ]
        return (*kinds, ChildrenChanged.__name__, DeskStarted.__name__)

    def _change(self, changed: ChildrenChanged) -> None:
        """What was said to an instance before it was there, or after it left, is not for it."""
        if changed.role not in self._roles:
            return
        self.children[changed.role] = self._there[changed.role] = changed.keys
        there = [f"{changed.role}/{key}" for key in changed.keys]
        for name in there:
            self._actors.setdefault(name, Remembered())
            self._waiting.setdefault(name, {})
        for name, waiting in self._waiting.items():
            if role_of(name) == changed.role and name not in there:
                waiting.clear()

    def _hearers(self, body: Message) -> list[str]:
        route = ROUTES[type(body)]
        names = [name for role in route.to for name in self._players.get(role, ())]
        for role, keys in self._there.items():
            if role in route.to:
                names += [f"{role}/{key}" for key in keys]
        return [name for name in names if is_meant(name, body, route)]
