"""Brings back what the desk knew when its process ended, however it ended.

Nothing here changes a file. What comes back: where the numbering goes on, each actor's latest
snapshot with the steps since, and what was said to it but not handled yet.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import msgspec

from thetawarden.infra.journal.errors import DamagedLogError
from thetawarden.infra.journal.journal import Position
from thetawarden.infra.journal.reader import DayLog
from thetawarden.infra.journal.store import day_files
from thetawarden.infra.journal.verify import verify_day
from thetawarden.messages.base import Envelope, Lane, Message
from thetawarden.messages.registry import ROUTES, is_meant, role_of
from thetawarden.ports import Delivery

LOOK_BACK_DAYS = 2
# handled (0) or put aside (3); one that crashed or hung comes again, unless that happened twice
_SETTLED = (
    "SELECT seq, actor FROM deliveries WHERE outcome IN (0, 3)"
    " UNION SELECT seq, actor FROM deliveries GROUP BY seq, actor HAVING count(*) > 1"
)


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


def recover(folder: Path, names: tuple[str, ...]) -> Recovered:
    """Read the log back for actors of these names; a damaged row raises, it is never believed.

    The newest file is verified whole. Earlier ones are opened only while an actor is without a
    snapshot, and the last before it for what was said and not handled.
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
        next_seq, next_n = (top + 1 for top in days[-1].tops())
        for day in _needed(days, actors):
            _read_steps(day, actors)
        for earlier, later in pairwise(days[-LOOK_BACK_DAYS:]):
            _check_end(earlier, followed_by=later)
        for day in days[-LOOK_BACK_DAYS:]:
            _find_unhandled(day, actors)
    finally:
        for day in days:
            day.close()
    return Recovered(position=Position(next_seq=next_seq, next_n=next_n), actors=actors)


def _needed(days: list[DayLog], actors: dict[str, Remembered]) -> list[DayLog]:
    """Find each actor's latest snapshot; the days whose steps are needed too, oldest first."""
    needed: list[DayLog] = []
    for day in reversed(days):
        if needed:
            _check_end(day, followed_by=needed[0])
        needed.insert(0, day)
        for snapshot in day.snapshots():
            actor = actors.get(snapshot.actor)
            if actor is not None and (actor.snapshot is None or snapshot.n >= actor.snapshot_n):
                actor.snapshot, actor.snapshot_n = snapshot.body, snapshot.n
                actor.incarnation = snapshot.incarnation
        if all(actor.snapshot is not None for actor in actors.values()):
            break
    return needed


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


def _find_unhandled(day: DayLog, actors: dict[str, Remembered]) -> None:
    settled = set(day.raw(_SETTLED))
    for name, actor in actors.items():
        actor.unhandled = [each for each in actor.unhandled if (each.seq, name) not in settled]
    players: dict[str, list[str]] = {}
    for name in actors:
        players.setdefault(role_of(name), []).append(name)
    routes = {
        kind: [name for role in route.to for name in players.get(role, ())]
        for kind, route in ROUTES.items()
        if route.after_crash and route.lane is not Lane.MARKET
    }
    kinds = tuple(kind.__name__ for kind, hearers in routes.items() if hearers)
    for envelope in day.of_kinds(kinds):
        for name in routes[type(envelope.body)]:
            if (envelope.seq, name) in settled:
                continue
            if is_meant(name, envelope.body, ROUTES[type(envelope.body)]):
                actors[name].unhandled.append(envelope)
