"""Replays a log's actors beside each other, in as many processes as there are processors.

Where all are as recorded there is nothing more to say; whatever else is found, a difference, an
answer without a delivery, a damaged row, is left to the one pass in order, which says what came
first.
"""

from __future__ import annotations

import datetime as dt
import logging
import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import AbstractContextManager

import msgspec

from thetawarden.infra.collector import search_rarely
from thetawarden.infra.journal.reader import DayLog
from thetawarden.sim.replay import Verdict, pick_days, verify_replay
from thetawarden.sim.shares import Counts, Past, Share, count, shares_of

WORTH_IT_FROM = 3000
"""So many deliveries take longer than it takes to begin some processes."""
_log = logging.getLogger("thetawarden.replay")
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
        if jobs > 1:
            try:
                counts = count(wanted)
                if counts.handled.total() >= worth_it_from:
                    shares = shares_of(past, wanted, counts, jobs=jobs)
                    found = _side_by_side(past, shares, day=day, jobs=jobs, progress=progress)
                    if found == _all_alike(counts):
                        return found
            except Exception:  # noqa: BLE001  # whatever it is, the pass in order finds its place
                _log.debug("not_side_by_side", exc_info=True)
        return verify_replay(
            past.tree, past.days, day=day, processes=past.processes, progress=progress
        )


def _all_alike(counts: Counts) -> Verdict:
    deliveries, answers = counts.handled.total(), sum(map(len, counts.said.values()))
    return Verdict(deliveries=deliveries, verified=deliveries, answers=answers)


def _side_by_side(
    past: Past,
    shares: list[Share],
    *,
    day: dt.date | None,
    jobs: int,
    progress: Callable[[int], None],
) -> Verdict | None:
    """What was verified of all together; None where anything is not as it was recorded."""
    for each in past.days:
        each.close()  # no process may go on with what another has opened
    context = multiprocessing.get_context("fork")
    pool = ProcessPoolExecutor(jobs, context, initializer=_take, initargs=(past, day))
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
    finally:
        pool.shutdown(cancel_futures=True)
    return whole


_given: list[tuple[Past, dt.date | None]] = []


def _take(past: Past, day: dt.date | None) -> None:
    """What a new process is given; each opens the log for itself, and if it dies another reads."""
    search_rarely()
    days = tuple(DayLog(each.path, mapped=True) for each in past.days)
    _given[:] = [(msgspec.structs.replace(past, days=days), day)]


def _verify_share(share: Share) -> Verdict:
    past, day = _given[0]
    return verify_replay(past.tree, past.days, day=day, processes=past.processes, share=share)
