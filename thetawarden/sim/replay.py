"""Replay: feeds an actor its recorded deliveries in order, and compares what it answers.

Actors are deterministic in (state, message, now), so the answers of today's code must equal the
recorded ones byte for byte, and its state every snapshot that was written. The first difference is
shown with the message and the state before it. What an older version wrote, one that wrote fewer
fields, is compared in what it could say: fields that were added since are no difference.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
from typing_extensions import override

from thetawarden.actors.memory import decode_snapshot, encode_snapshot, fits
from thetawarden.actors.tree import Tree
from thetawarden.errors import EXIT_USAGE, ThetawardenError
from thetawarden.infra.collector import searching_rarely
from thetawarden.infra.journal.errors import DamagedLogError
from thetawarden.infra.journal.packing import unpacked
from thetawarden.infra.journal.reader import Answer, DayLog, StoredSnapshot
from thetawarden.infra.journal.steps import Step
from thetawarden.messages.base import Message
from thetawarden.messages.registry import encode
from thetawarden.sim.alike import is_alike
from thetawarden.sim.cast import HANDLED, Cast, Processes, Replayed, actors_before, actors_since
from thetawarden.sim.differences import (
    Difference,
    of_orphans,
    of_snapshot,
    of_step,
    told_in_full,
)
from thetawarden.sim.shares import Share

PROGRESS_EVERY = 10_000
Order = list[tuple[int, int, int]]
"""Deliveries that were answered, each with the numbers of its first and its last answer."""
_MESSAGES = "SELECT count(*) FROM messages WHERE seq >= {0:d}"


class NoSuchDayError(ThetawardenError):
    """The log has no file of that day. The person picks one that is there."""

    exit_code = EXIT_USAGE

    def __init__(self, day: dt.date, known: list[dt.date]) -> None:
        days = ", ".join(map(str, known)) or "none"
        super().__init__(f"no message log of {day}; there are: {days}. Choose one with --day")


class Verdict(msgspec.Struct, kw_only=True):
    """What `replay --verify` reports; states that only an older version reads are passed over."""

    deliveries: int = 0
    verified: int = 0
    answers: int = 0
    passed_over: int = 0
    first_difference: Difference | None = None


def pick_days(days: tuple[DayLog, ...], day: dt.date | None) -> tuple[DayLog, ...]:
    """All days, or the one wanted."""
    if day is None:
        return days
    wanted = tuple(each for each in days if each.day == day)
    if not wanted:
        raise NoSuchDayError(day, [each.day for each in days])
    return wanted


def verify_replay(
    tree: Tree,
    days: tuple[DayLog, ...],
    *,
    day: dt.date | None = None,
    processes: Processes | None = None,
    share: Share | None = None,
    order: Order | None = None,
    progress: Callable[[int], None] = lambda _count: None,
) -> Verdict:
    """Replay every actor, or a share of them, over the days wanted; stops at the first difference.

    `tree` is today's desk; each of the `processes` may have had another speed or software. Whoever
    verifies a share is told in `order` what was said when; without one a day must be whole.
    """
    verdict = Verdict()
    wanted = pick_days(days, day)
    if not wanted:
        return verdict
    run = _Run(share=share or Share(), processes=processes, verdict=verdict, order=order)
    if run.share.after is None:
        actors = actors_before(tree, days, wanted[0], only=run.share.actors, processes=processes)
    else:
        actors = actors_since(tree, run.share.after, processes=processes)
    for each in wanted:
        with searching_rarely():
            found = _verify_day(each, actors, run, progress)
        if found is not None:
            # of a share it is found again by the pass in order, which tells all of it
            verdict.first_difference = told_in_full(found, days, actors) if share is None else found
            return verdict
        lost = missing_in(each) if share is None else None
        if lost is not None:
            raise DamagedLogError(each.path, f"{lost}; what is there is as recorded")
    return verdict


def missing_in(day: DayLog) -> str | None:
    """What a day's file lacks of its messages or at its end, or None."""
    ((messages,),) = day.raw(_MESSAGES.format(day.first_seq))
    lost = day.tops()[0] - day.first_seq + 1 - messages
    return f"{lost:,} messages are missing" if lost else day.check_end()


class _Run(msgspec.Struct, frozen=True, kw_only=True):
    """What is verified, who wrote it, and what is found."""

    share: Share
    processes: Processes | None
    verdict: Verdict
    order: Order | None

    def is_by_us(self, seq: int) -> bool:
        """Whether a process that writes all the fields that today's does said a message."""
        return self.processes is not None and self.processes.writes_like_us(seq)


def _verify_day(
    day: DayLog, actors: Cast, run: _Run, progress: Callable[[int], None]
) -> Difference | None:
    share, verdict = run.share, run.verdict
    only, after_n = share.actors, 0 if share.after is None else share.after.n
    answers = _Peekable(day.answers(numbers=share.answers))
    snapshots = _Peekable(day.snapshots(actors=only))
    if after_n >= day.first_n:
        _pass_over(day.handled(only or (), until_n=after_n), answers)
        while snapshots.head is not None and snapshots.head.n <= after_n:
            next(snapshots)
    answered = verdict.answers - answers.taken
    for step in day.steps(after_n=after_n, actors=only, until_n=share.until_n):
        head = snapshots.head
        if head is not None and head.n < step.n:
            found = _check_snapshots(day, snapshots, actors, run, before=step.n)
            if found is not None:
                return found
        verdict.deliveries += 1
        found = _check_step(step, actors, answers, run)
        if found is not None:
            return _orphans(day, answers, at_n=step.n) or found
        verdict.verified += 1
        verdict.answers = answered + answers.taken
        if verdict.deliveries % PROGRESS_EVERY == 0:
            progress(verdict.deliveries)
    end = None if share.until_n is None else share.until_n + 1
    found = _check_snapshots(day, snapshots, actors, run, before=end, exact_n=share.until_n)
    if found is None and share.until_n is None:
        return _orphans(day, answers, at_n=day.tops()[1])
    return found


def _pass_over(handled: Iterator[tuple[int, int]], answers: _Peekable) -> None:
    """Let go of what an actor said when it handled these."""
    for seq, incarnation in handled:
        while answers.head is not None and answers.head.is_of(seq, incarnation):
            next(answers)


class _Peekable(Iterator[Any]):
    def __init__(self, items: Iterator[Any]) -> None:
        self._items = items
        self.taken = 0
        self.head: Any = next(items, None)

    @override
    def __next__(self) -> Any:
        head, self.head = self.head, next(self._items, None)
        self.taken += 1
        return head


def _check_step(step: Step, actors: Cast, answers: _Peekable, run: _Run) -> Difference | None:
    delivery = step.delivery
    recorded: list[Answer] = []
    handled = delivery.outcome is HANDLED  # one that only waited here is answered further down
    while handled and answers.head is not None and answers.head.belongs_to(delivery):
        recorded.append(next(answers))
    replayed = actors.get(delivery.actor)
    if replayed is None:
        return of_step(step, "the actor is not in today's tree", recorded, [])
    try:
        said = replayed.take(step)
    except Exception as error:  # noqa: BLE001  # whatever today's code raises is the difference
        what = f"today's code raises {type(error).__name__}: {error}"
        return of_step(step, what, recorded, [])
    if not said and not recorded:
        return None
    got = [encode(answer) for answer in said]
    if not _are_answers(recorded, said, got, run):
        return of_step(step, "the answers differ", recorded, got)
    for answer, message in zip(recorded, said, strict=True):
        if answer.kind != type(message).__name__ or answer.at_ns != delivery.at_ns:
            what = f"message {answer.seq} is told to be {answer.kind} said at {answer.at_ns}"
            return of_step(step, what, recorded, got)
    if run.order is not None:
        run.order.append((step.n, recorded[0].seq, recorded[-1].seq))
    return None


def _are_answers(
    recorded: list[Answer], said: tuple[Message, ...], got: list[bytes], run: _Run
) -> bool:
    written = [unpacked(answer.body) for answer in recorded]
    if got == written:
        return True
    return (
        len(got) == len(written)
        and not run.is_by_us(recorded[0].seq)
        and all(
            body == one or is_alike(one, answer)
            for body, one, answer in zip(got, written, said, strict=True)
        )
    )


def _check_snapshots(
    day: DayLog,
    snapshots: _Peekable,
    actors: Cast,
    run: _Run,
    *,
    before: int | None,
    exact_n: int | None = None,
) -> Difference | None:
    """Compare the snapshots written before a delivery with the states replayed so far.

    Of an older version one that today's actor could not begin with is passed over, as it is when a
    desk starts. The one of `exact_n`, with which another share begins, must be the state to the
    byte.
    """
    while snapshots.head is not None and (before is None or snapshots.head.n < before):
        stored: StoredSnapshot = next(snapshots)
        replayed = actors.get(stored.actor)
        if replayed is None:
            return of_snapshot(stored, None, "a snapshot of an actor that is not in today's tree")
        ours = encode_snapshot(replayed.actor, replayed.timers)
        if ours == stored.body:
            replayed.keep(stored.body, n=stored.n)
            continue
        exactly = stored.n == exact_n or _is_by_us(stored, day, run)
        if not exactly and not fits(replayed.spec.make, stored.body):
            run.verdict.passed_over += 1
            continue
        if exactly or not _is_state_of_older(stored.body, replayed, ours):
            return of_snapshot(stored, replayed, "the state after it differs from the snapshot")
        replayed.keep(stored.body, n=stored.n)
    return None


def _is_by_us(stored: StoredSnapshot, day: DayLog, run: _Run) -> bool:
    """Whether a process that writes as today's does wrote a state: its incarnation began there."""
    began = day.first_handled(stored.actor, incarnation=stored.incarnation)
    return any(run.is_by_us(seq) for _, seq in began)


def _is_state_of_older(stored: bytes, replayed: Replayed, ours: bytes) -> bool:
    written, got = decode_snapshot(stored), decode_snapshot(ours)
    return written.timers == got.timers and is_alike(bytes(written.state), replayed.actor.state)


def _orphans(day: DayLog, answers: _Peekable, *, at_n: int) -> Difference | None:
    """Answers next in the log that no delivery from here on was handled for."""
    found: list[Answer] = []
    while answers.head is not None and (not found or answers.head.cause_seq == found[0].cause_seq):
        n = day.said_in(answers.head)
        if n is not None and n >= at_n:
            break
        found.append(next(answers))
    return of_orphans(day, found, noticed_n=at_n) if found else None
