"""Replays a log's actors beside each other, in as many processes as there are processors.

An actor's answers follow from its own deliveries alone, so each can be verified by itself. Those
who mostly hear the same are verified together: a message is read once then. Where all are as
recorded there is nothing more to say; whatever else is found, a difference, an answer without a
delivery, a damaged row, is left to the one pass in order, which says what came first.
"""

from __future__ import annotations

import datetime as dt
import multiprocessing
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import AbstractContextManager

import msgspec

from thetawarden.actors.tree import Tree
from thetawarden.infra.collector import search_rarely
from thetawarden.infra.journal.reader import DayLog
from thetawarden.sim.cast import TreeAt
from thetawarden.sim.replay import Verdict, pick_days, verify_replay

WORTH_IT_FROM = 3000
"""So many deliveries take longer than it takes to begin some processes."""
_ACTORS = "SELECT actor, count(*) FROM deliveries GROUP BY actor"
_KEPT = "SELECT DISTINCT actor FROM snapshots"
_ALONE = """
    SELECT actor, count(*)
    FROM (SELECT min(actor) AS actor FROM deliveries GROUP BY seq HAVING count(*) = 1)
    GROUP BY actor
"""
_SAID = "SELECT sender, count(*) FROM messages WHERE incarnation > 0 AND seq >= {0:d} GROUP BY 1"


class Past(msgspec.Struct, frozen=True, kw_only=True):
    """An opened log, today's desk, the desk that said a message, and all configurations' marks."""

    days: tuple[DayLog, ...]
    tree: Tree
    tree_at: TreeAt | None
    marks: frozenset[str] = frozenset()


OpenPast = Callable[[], AbstractContextManager[Past]]


def verify(
    open_past: OpenPast,
    *,
    day: dt.date | None,
    jobs: int,
    progress: Callable[[int], None] = lambda _count: None,
    worth_it_from: int = WORTH_IT_FROM,
) -> Verdict:
    """Replay every actor over the days wanted, and tell of the first difference."""
    with open_past() as past:
        wanted = pick_days(past.days, day)
        handled, said = _counts(wanted)
        alone = sum((Counter(dict(one.raw(_ALONE))) for one in wanted), Counter[str]())
        kept = {actor for one in wanted for (actor,) in one.raw(_KEPT)}
    deliveries = handled.total()
    if jobs > 1 and deliveries >= worth_it_from:
        shares = _shares(handled, said, alone, kept=kept, jobs=jobs)
        found = _side_by_side(open_past, shares, day=day, jobs=jobs, progress=progress)
        whole = Verdict(deliveries=deliveries, verified=deliveries, answers=said.total())
        if found == whole:
            return found
    with open_past() as past:
        return verify_replay(past.tree, past.days, day=day, tree_at=past.tree_at, progress=progress)


def _counts(days: tuple[DayLog, ...]) -> tuple[Counter[str], Counter[str]]:
    """How often each actor has handled and spoken; a delivery that is missing has no name."""
    handled: Counter[str] = Counter()
    said: Counter[str] = Counter()
    for day in days:
        here = Counter(dict(day.raw(_ACTORS)))
        missing = (day.tops()[1] or day.first_n - 1) - day.first_n + 1 - here.total()
        handled += here + Counter({"": missing})
        said += Counter(dict(day.raw(_SAID.format(day.first_seq))))
    return handled, said


def _shares(
    handled: Counter[str], said: Counter[str], alone: Counter[str], *, kept: set[str], jobs: int
) -> list[frozenset[str]]:
    """Who is verified together, the most work first: all who heard, spoke or whose state was kept.

    `alone` counts what only one heard.
    """
    counts = handled + said
    apart = [name for name in counts if 2 * alone[name] > handled[name]]
    together = sorted((counts.keys() | kept) - set(apart))
    size = -(-len(together) // max(1, jobs // 2))
    shares = [frozenset(together[at : at + size]) for at in range(0, len(together), size or 1)]
    shares += [frozenset({name}) for name in apart]
    return sorted(shares, key=lambda share: -sum(counts[name] for name in share))


def _side_by_side(
    open_past: OpenPast,
    shares: list[frozenset[str]],
    *,
    day: dt.date | None,
    jobs: int,
    progress: Callable[[int], None],
) -> Verdict | None:
    """What was verified of all together; None where anything is not as it was recorded."""
    context = multiprocessing.get_context("fork")
    pool = ProcessPoolExecutor(jobs, context, initializer=_take, initargs=(open_past, day))
    whole = Verdict()
    try:
        for done in as_completed([pool.submit(_verify_share, share) for share in shares]):
            found = done.result()
            if found.first_difference is not None:
                return None
            whole.deliveries += found.deliveries
            whole.verified += found.verified
            whole.answers += found.answers
            progress(whole.deliveries)
    except Exception:  # noqa: BLE001  # whatever it is, the pass in order finds its place
        return None
    finally:
        pool.shutdown(cancel_futures=True)
    return whole


_given: list[tuple[OpenPast, dt.date | None]] = []


def _take(open_past: OpenPast, day: dt.date | None) -> None:
    """What a new process is given; inherited, as an opened log cannot be sent."""
    search_rarely()
    _given[:] = [(open_past, day)]


def _verify_share(share: frozenset[str]) -> Verdict:
    open_past, day = _given[0]
    with open_past() as past:
        return verify_replay(past.tree, past.days, day=day, tree_at=past.tree_at, only=share)
