"""Brings back what the desk knew when its process ended, however it ended.

Nothing here changes a file. What comes back: where the numbering goes on, each actor's latest
snapshot with the steps since, and what was said to it but not handled yet.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from thetawarden.infra.journal.errors import DamagedLogError
from thetawarden.infra.journal.journal import Position
from thetawarden.infra.journal.reader import DayLog, Wanted, open_log
from thetawarden.infra.journal.store import day_files
from thetawarden.infra.journal.verify import verify_day
from thetawarden.messages.base import Envelope, Lane, Message
from thetawarden.messages.registry import ROUTES, role_of
from thetawarden.ports import Delivery


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
    last_at_ns: int = 0


def recover(folder: Path, names: tuple[str, ...]) -> Recovered:
    """Read the log back for actors of these names; a damaged row raises, it is never believed."""
    files = day_files(folder)
    if not files:
        return Recovered()
    newest = verify_day(files[-1])
    if newest.damaged:
        found = f"{newest.damaged} damaged row(s), first: {newest.findings[0]}"
        raise DamagedLogError(files[-1], found)
    with open_log(folder) as days:
        recovered = Recovered(position=_position(days))
        needed = _find_snapshots(days, recovered)
        for day in needed:
            _read_steps(day, recovered)
        for name in names:
            recovered.actors.setdefault(name, Remembered())
        for day in days[-2:]:
            _find_unhandled(day, recovered)
    return recovered


def _position(days: tuple[DayLog, ...]) -> Position:
    tops = [day.tops() for day in days]
    first_n = int(days[-1].meta["first_n"])
    return Position(
        next_seq=max(days[-1].first_seq, max(seq for seq, _ in tops) + 1),
        next_n=max(first_n, max(n for _, n in tops) + 1),
    )


def _find_snapshots(days: tuple[DayLog, ...], recovered: Recovered) -> tuple[DayLog, ...]:
    """Each actor's latest snapshot; and the days whose steps are still needed, oldest first.

    Going back ends at the first day before which every actor seen so far has a snapshot.
    """
    needed: list[DayLog] = []
    for day in reversed(days):
        needed.insert(0, day)
        for snapshot in day.snapshots():
            actor = recovered.actors.setdefault(snapshot.actor, Remembered())
            if snapshot.n >= actor.snapshot_n or actor.snapshot is None:
                actor.snapshot, actor.snapshot_n = snapshot.body, snapshot.n
        for (name,) in day.raw("SELECT DISTINCT actor FROM deliveries"):
            recovered.actors.setdefault(name, Remembered())
        if all(actor.snapshot is not None for actor in recovered.actors.values()):
            break
    return tuple(needed)


def _read_steps(day: DayLog, recovered: Recovered) -> None:
    for step in day.steps():
        delivery = step.delivery
        actor = recovered.actors[delivery.actor]
        actor.incarnation = max(actor.incarnation, delivery.incarnation)
        recovered.last_at_ns = max(recovered.last_at_ns, delivery.at_ns)
        if step.n > actor.snapshot_n:
            actor.steps.append(delivery)


def _find_unhandled(day: DayLog, recovered: Recovered) -> None:
    handled = set(day.raw("SELECT seq, actor FROM deliveries"))
    for name, actor in recovered.actors.items():
        actor.unhandled = [each for each in actor.unhandled if (each.seq, name) not in handled]
    for envelope in day.messages(Wanted()):
        route = ROUTES[type(envelope.body)]
        recovered.last_at_ns = max(recovered.last_at_ns, envelope.at_ns)
        if not route.after_crash or route.lane is Lane.MARKET:
            continue
        for name, actor in recovered.actors.items():
            if role_of(name) in route.to and (envelope.seq, name) not in handled:
                actor.unhandled.append(envelope)
