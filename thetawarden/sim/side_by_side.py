"""Replays a log's actors beside each other, in as many processes as there are processors.

Where all are as recorded there is nothing more to say; whatever else is found, a difference, an
answer without a delivery, a damaged row, is left to the one pass in order, which says what came
first.
"""

from __future__ import annotations

import datetime as dt
import logging
import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import AbstractContextManager, contextmanager

import msgspec

from thetawarden.infra.collector import search_rarely
from thetawarden.infra.journal.reader import DayLog
from thetawarden.sim.replay import Verdict, pick_days, verify_replay
from thetawarden.sim.shares import Heard, Past, Said, Share, count_heard, count_said, shares_of

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
        try:
            if jobs > 1 and sum(map(_about, wanted)) >= worth_it_from:
                found = _side_by_side(past, wanted, day=day, jobs=jobs, progress=progress)
                if found is not None:
                    return found
        except Exception:  # noqa: BLE001  # whatever it is, the pass in order finds its place
            _log.debug("not_side_by_side", exc_info=True)
        return verify_replay(
            past.tree, past.days, day=day, processes=past.processes, progress=progress
        )


def _about(day: DayLog) -> int:
    """How many deliveries a day has, if none is missing."""
    return day.tops()[1] - day.first_n + 1


def _side_by_side(
    past: Past,
    wanted: tuple[DayLog, ...],
    *,
    day: dt.date | None,
    jobs: int,
    progress: Callable[[int], None],
) -> Verdict | None:
    """What was verified of all together; None where anything is not as it was recorded."""
    with _workers(past, day=day, jobs=jobs) as pool:
        counted = pool.submit(_heard), pool.submit(_said)
        heard, said = counted[0].result(), counted[1].result()
        shares = shares_of(past, wanted, heard, said, jobs=jobs)
        whole = Verdict()
        for done in as_completed([pool.submit(_verify_share, share) for share in shares]):
            found = done.result()
            if found.first_difference is not None:
                return None
            whole.deliveries += found.deliveries
            whole.verified += found.verified
            whole.answers += found.answers
            progress(whole.deliveries)
    deliveries, answers = heard.handled.total(), sum(map(len, said.values()))
    is_all = whole == Verdict(deliveries=deliveries, verified=deliveries, answers=answers)
    return whole if is_all else None


@contextmanager
def _workers(past: Past, *, day: dt.date | None, jobs: int) -> Iterator[ProcessPoolExecutor]:
    """Processes that have the log before them, each for itself."""
    for each in past.days:
        each.close()  # no process may go on with what another has opened
    context = multiprocessing.get_context("fork")
    pool = ProcessPoolExecutor(jobs, context, initializer=_take, initargs=(past, day))
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


_given: list[tuple[Past, dt.date | None]] = []


def _take(past: Past, day: dt.date | None) -> None:
    """What a new process is given; each opens the log for itself, and if it dies another reads."""
    search_rarely()
    days = tuple(DayLog(each.path, mapped=True) for each in past.days)
    _given[:] = [(msgspec.structs.replace(past, days=days), day)]
    for each in days:
        each.tops()


def _heard() -> Heard:
    past, day = _given[0]
    return count_heard(pick_days(past.days, day))


def _said() -> Said:
    past, day = _given[0]
    return count_said(pick_days(past.days, day))


def _verify_share(share: Share) -> Verdict:
    past, day = _given[0]
    return verify_replay(past.tree, past.days, day=day, processes=past.processes, share=share)
