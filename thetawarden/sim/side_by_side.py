"""Replays a log's actors beside each other, in as many processes as there are processors.

Where all are as recorded there is nothing more to say; whatever else is found, a difference, an
answer without a delivery, a damaged row, is left to the one pass in order, which says what came
first.
"""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import AbstractContextManager
from functools import partial
from itertools import islice

import msgspec

from thetawarden.infra.collector import search_rarely
from thetawarden.infra.journal.reader import DayLog
from thetawarden.messages.base import Envelope, Message
from thetawarden.sim.beside import processes
from thetawarden.sim.cast import starts_in
from thetawarden.sim.replay import Order, Verdict, missing_in, pick_days, verify_replay
from thetawarden.sim.shares import Heard, Past, Said, Share, count_heard, count_said, shares_of

WORTH_IT_FROM = 3000
"""So many deliveries take longer than it takes to begin some processes."""
_UNKNOWN = 1.0  # seconds a delivery or an answer: more than any takes
_log = logging.getLogger("thetawarden.replay")
Days = tuple[DayLog, ...]
Starts = list[Envelope[Message]]
OpenLog = Callable[[], AbstractContextManager[Days]]
PastOf = Callable[[Days, Starts | None], Past]
"""What these days are the past of; with what processes began is read if it is not given."""


def verify(
    open_log: OpenLog,
    past_of: PastOf,
    *,
    day: dt.date | None,
    jobs: int,
    progress: Callable[[int], None] = lambda _count: None,
    worth_it_from: int = WORTH_IT_FROM,
) -> Verdict:
    """Replay every actor over the days wanted, and tell of the first difference."""
    with open_log() as days:
        wanted = pick_days(days, day)
        try:
            if jobs > 1 and sum(map(_about, wanted)) >= worth_it_from:
                found = _side_by_side(days, past_of, day=day, jobs=jobs, progress=progress)
                if found is not None:
                    return found
        except Exception:  # noqa: BLE001  # whatever it is, the pass in order finds its place
            _log.debug("not_side_by_side", exc_info=True)
        past = past_of(days, None)
        return verify_replay(
            past.tree, past.days, day=day, processes=past.processes, progress=progress
        )


def _about(day: DayLog) -> int:
    """How many deliveries a day has, if none is missing."""
    return day.tops()[1] - day.first_n + 1


def _side_by_side(
    days: Days,
    past_of: PastOf,
    *,
    day: dt.date | None,
    jobs: int,
    progress: Callable[[int], None],
) -> Verdict | None:
    """What was verified of all together; None where anything is not as it was recorded."""
    whole, order = Verdict(), Order()
    for each in days:
        each.close()  # no process may go on with what another has opened
    with processes(jobs, partial(_take, days, past_of, day)) as pool:
        counted = pool.submit(_heard), pool.submit(_said)
        heard, said = counted[0].result(), counted[1].result()
        past = past_of(days, said.starts)
        wanted = pick_days(days, day)
        shares = shares_of(past, wanted, heard, said, jobs=jobs)
        for found, part in longest_first(pool, shares, said.starts, jobs):
            if found.first_difference is not None:
                return None
            whole.deliveries += found.deliveries
            whole.verified += found.verified
            whole.answers += found.answers
            whole.passed_over += found.passed_over
            order += part
            progress(whole.deliveries)
    expected = Verdict(
        deliveries=heard.handled.total(),
        verified=heard.handled.total(),
        answers=sum(map(len, said.by_actor.values())),
        passed_over=whole.passed_over,
    )
    is_all = whole == expected and is_in_order(order) and not any(map(missing_in, wanted))
    return whole if is_all else None


def is_in_order(order: Order) -> bool:
    """Whether what all said follows their deliveries: no other actor spoke before its turn."""
    last = 0
    for _, first_seq, last_seq in sorted(order):
        if first_seq <= last:
            return False
        last = last_seq
    return True


def longest_first(
    pool: ProcessPoolExecutor, shares: Iterable[Share], starts: Starts, jobs: int
) -> Iterator[tuple[Verdict, Order]]:
    """Have the shares verified, what takes longest first, so that the processes end together.

    How long it takes is told by other shares of the same actors; those come first of whom nothing
    is known.
    """
    paces: dict[frozenset[str] | None, float] = {}
    running: dict[Future[tuple[Verdict, Order, float]], Share] = {}
    coming = iter(shares)
    for share in islice(coming, jobs):
        running[pool.submit(_verify_share, share, starts)] = share
    waiting = list(coming)  # the first are on their way while these are found
    while running:
        done, _ = wait(running, return_when=FIRST_COMPLETED)
        verified = [(running.pop(one), *one.result()) for one in done]
        paces.update(
            (share.actors, took_s / max(share.weight, 1.0)) for share, _, _, took_s in verified
        )
        for _ in verified[: len(waiting)]:
            share = max(waiting, key=lambda one: paces.get(one.actors, _UNKNOWN) * one.weight)
            waiting.remove(share)
            running[pool.submit(_verify_share, share, starts)] = share
        yield from ((found, order) for _, found, order, _ in verified)


class _Given(msgspec.Struct, kw_only=True):
    """What a process was given, and the past once it knows with what processes began."""

    days: Days
    past_of: PastOf
    day: dt.date | None
    past: Past | None = None


_given: list[_Given] = []


def _take(days: Days, past_of: PastOf, day: dt.date | None) -> None:
    """What a new process is given; each opens the log for itself, and if it dies another reads."""
    search_rarely()
    days = tuple(DayLog(each.path, mapped=True) for each in days)
    _given[:] = [_Given(days=days, past_of=past_of, day=day)]
    for each in days:
        each.tops()


def _heard() -> Heard:
    (given,) = _given
    return count_heard(pick_days(given.days, given.day))


def _said() -> Said:
    (given,) = _given
    wanted = pick_days(given.days, given.day)
    said = count_said(wanted)
    if wanted == given.days:
        return said
    return msgspec.structs.replace(said, starts=starts_in(given.days))


def _verify_share(share: Share, starts: Starts) -> tuple[Verdict, Order, float]:
    """What one share is found to be, when it spoke, and how long that took."""
    begun_s = time.perf_counter()
    (given,) = _given
    past = given.past = given.past or given.past_of(given.days, starts)
    order = Order()
    found = verify_replay(
        past.tree, past.days, day=given.day, processes=past.processes, share=share, order=order
    )
    return found, order, time.perf_counter() - begun_s
