"""Decides which actors of a log are verified together, and over which stretch of it.

An actor's answers follow from its own deliveries alone, so each can be verified by itself. Those
who mostly hear the same are verified together: a message is read once then. A state that was kept
is where another process can go on, as whoever comes to it finds out whether it is that state.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import chain

import msgspec

from thetawarden.actors.memory import encode_snapshot, fits, restore
from thetawarden.actors.post import ActorSpec
from thetawarden.actors.tree import Tree
from thetawarden.infra.journal.reader import DayLog, StoredSnapshot
from thetawarden.messages.base import Envelope, Message
from thetawarden.sim.cast import Processes

OWN_PASS_FROM = 0.02
"""What is a smaller part of all is not worth a pass through the log of its own."""
MOSTLY = 0.75
"""Who hears less alone reads what others read as well: the largest messages go to many."""
SMALLEST_PART = 1 / 8
"""Of one actor's work; each part passes over what was said before it."""
_ACTORS = "SELECT actor, count(*) FROM deliveries GROUP BY actor"
_KEPT = "SELECT DISTINCT actor FROM snapshots"
_ALONE = """
    SELECT actor, count(*)
    FROM (
        SELECT min(actor) AS actor FROM deliveries
        WHERE seq % {0:d} = 0 GROUP BY seq HAVING count(*) = 1
    )
    GROUP BY actor
"""
_ONE_IN = 8  # messages are looked at to tell who hears alone
_SAID = """
    SELECT sender, seq, incarnation FROM messages
    WHERE seq >= {0:d} AND (incarnation > 0 OR kind = 'DeskStarted')
"""


class Past(msgspec.Struct, frozen=True, kw_only=True):
    """An opened log, today's desk, those who wrote the log, and their configurations' marks."""

    days: tuple[DayLog, ...]
    tree: Tree
    processes: Processes | None
    marks: frozenset[str] = frozenset()


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """Whom to verify, all by default; and over what, from a state of the only one of them on.

    `answers` are the numbers of all they ever said, `weight` is about how many deliveries and
    answers this is.
    """

    actors: frozenset[str] | None = None
    answers: tuple[int, ...] | None = None
    after: StoredSnapshot | None = None
    until_n: int | None = None
    weight: float = 0.0


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """How often each actor has handled, how often of these alone, and whose state was kept.

    A delivery that is missing has no name; who was alone is looked at now and then only.
    """

    handled: Counter[str]
    alone: Counter[str]
    kept: frozenset[str]


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """The numbers of what each actor said, and with what the processes began."""

    by_actor: dict[str, list[int]]
    starts: list[Envelope[Message]]


def count_heard(days: tuple[DayLog, ...]) -> Heard:
    """Count without reading a message."""
    handled, alone, kept = Counter[str](), Counter[str](), set[str]()
    for day in days:
        here = Counter(dict(day.raw(_ACTORS)))
        missing = (day.tops()[1] or day.first_n - 1) - day.first_n + 1 - here.total()
        handled += here + Counter({"": missing})
        alone += Counter(dict(day.raw(_ALONE.format(_ONE_IN))))
        kept.update(actor for (actor,) in day.raw(_KEPT))
    return Heard(handled=handled, alone=alone, kept=frozenset(kept))


def count_said(days: tuple[DayLog, ...]) -> Said:
    """Find out who said what by number alone, and read with what processes began."""
    by_actor: dict[str, list[int]] = {}
    starts: list[Envelope[Message]] = []
    for day in days:
        for sender, seq, incarnation in day.raw(_SAID.format(day.first_seq)):
            if incarnation > 0:
                by_actor.setdefault(sender, []).append(seq)
            elif (start := day.message(seq)) is not None:
                starts.append(start)
    return Said(by_actor=by_actor, starts=starts)


def shares_of(
    past: Past, days: tuple[DayLog, ...], heard: Heard, said: Said, *, jobs: int
) -> Iterator[Share]:
    """Who is verified together: all who heard, spoke or whose state was kept.

    Who mostly hears alone has a share of its own, cut where states were kept, so that the last
    process ends soon after the first. What takes least to find comes first.
    """
    numbers = said.by_actor
    weights = heard.handled + Counter({name: len(each) for name, each in numbers.items()})
    enough = OWN_PASS_FROM * weights.total()
    apart = [
        name
        for name, weight in weights.most_common()
        if _ONE_IN * heard.alone[name] > MOSTLY * heard.handled[name] and weight >= enough
    ]
    together = sorted((weights.keys() | heard.kept) - set(apart))
    size = -(-len(together) // max(1, jobs // 2)) or 1
    groups = [together[at : at + size] for at in range(0, len(together), size)]
    for names in groups:
        yield _share_of(names, numbers, weights)
    for name in apart:
        yield from _cut(_share_of([name], numbers, weights), past, days, enough)


def _share_of(names: list[str], said: dict[str, list[int]], weights: Counter[str]) -> Share:
    return Share(
        actors=frozenset(names),
        answers=tuple(sorted(chain.from_iterable(said.get(name, ()) for name in names))),
        weight=sum(weights[name] for name in names),
    )


def _cut(share: Share, past: Past, days: tuple[DayLog, ...], enough: float) -> Iterator[Share]:
    """An actor's share, cut at kept states into stretches of which each is enough.

    One process wrote them all: whether today's actor takes up the first tells it of the others.
    """
    name = next(iter(share.actors or ()))
    begin, end = days[0].first_n - 1, days[-1].tops()[1]
    each_n = share.weight / max(1, end - begin)
    enough = max(enough, share.weight * SMALLEST_PART)
    after: StoredSnapshot | None = None
    cut = msgspec.structs.replace
    for kept in _states_of_last_process(name, past, days):
        if min(kept.n - begin, end - kept.n) * each_n < enough:
            continue
        if after is None and not _is_whole(past.tree.spec_of(name), kept.body):
            break
        yield cut(share, after=after, until_n=kept.n, weight=(kept.n - begin) * each_n)
        after, begin = kept, kept.n
    yield cut(share, after=after, weight=(end - begin) * each_n)


def _is_whole(spec: ActorSpec | None, body: bytes) -> bool:
    """Whether today's actor takes up a state as it was written: nothing was added since."""
    if spec is None or not fits(spec.make, body):
        return False
    return encode_snapshot(*restore(spec.make, body)) == body


def _states_of_last_process(
    name: str, past: Past, days: tuple[DayLog, ...]
) -> Iterator[StoredSnapshot]:
    """The states that were written by the process after which there is none."""
    began_n = 0
    if past.processes is not None:
        last = past.processes.last_seq
        began = [n for day in days for n, _ in day.first_handled(name, after_seq=last)]
        if not began:
            return
        began_n = began[0]
    for day in days:
        yield from (kept for kept in day.snapshots(actors={name}) if kept.n >= began_n)
