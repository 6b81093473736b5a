"""Replay: feeds an actor its recorded deliveries in order, and compares what it answers.

Actors are deterministic in (state, message, now), so the answers of today's code must equal the
recorded ones byte for byte, and its state every snapshot that was written. The first difference is
shown with the message and the state before it. What an older version wrote is compared in what it
could say: fields that were added since are no difference.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
from typing_extensions import override

from thetawarden.actors.memory import decode_snapshot, encode_snapshot, fits, restore
from thetawarden.actors.post import ActorSpec
from thetawarden.actors.tree import Tree
from thetawarden.errors import EXIT_USAGE, ThetawardenError
from thetawarden.infra.collector import searching_rarely
from thetawarden.infra.journal.packing import unpacked
from thetawarden.infra.journal.reader import Answer, DayLog, StoredSnapshot
from thetawarden.infra.journal.steps import Step
from thetawarden.messages.registry import encode
from thetawarden.sim.alike import is_alike
from thetawarden.sim.cast import HANDLED, Cast, Processes, Replayed, actors_before, actors_since
from thetawarden.sim.shares import Share

PROGRESS_EVERY = 10_000
_log = logging.getLogger("thetawarden.replay")


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
    message: Any
    what: str
    state_before: Any
    expected: list[str]
    got: list[str]


class Verdict(msgspec.Struct, kw_only=True):
    """What `replay --verify` reports."""

    deliveries: int = 0
    verified: int = 0
    answers: int = 0
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
    progress: Callable[[int], None] = lambda _count: None,
) -> Verdict:
    """Replay every actor, or a share of them, over the days wanted; stops at the first difference.

    `tree` is today's desk; each of the `processes` may have had another speed or software.
    """
    verdict = Verdict()
    wanted = pick_days(days, day)
    if not wanted:
        return verdict
    share = share or Share()
    if share.after is None:
        actors = actors_before(tree, days, wanted[0], only=share.actors, processes=processes)
    else:
        actors = actors_since(tree, share.after, processes=processes)
    for each in wanted:
        with searching_rarely():
            found = _verify_day(each, actors, share, verdict, progress)
        if found is not None:
            verdict.first_difference = _with_state(found, days, actors)
            return verdict
    return verdict


def _verify_day(
    day: DayLog,
    actors: Cast,
    share: Share,
    verdict: Verdict,
    progress: Callable[[int], None],
) -> Difference | None:
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
            found = _check_snapshots(snapshots, actors, before=step.n)
            if found is not None:
                return found
        verdict.deliveries += 1
        found = _check_step(step, actors, answers)
        if found is not None:
            return found
        verdict.verified += 1
        verdict.answers = answered + answers.taken
        if verdict.deliveries % PROGRESS_EVERY == 0:
            progress(verdict.deliveries)
    end = None if share.until_n is None else share.until_n + 1
    found = _check_snapshots(snapshots, actors, before=end, exact_n=share.until_n)
    if found is None and share.until_n is None and answers.head is not None:
        return _orphan(day, answers.head)
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


def _check_step(step: Step, actors: Cast, answers: _Peekable) -> Difference | None:
    delivery = step.delivery
    recorded: list[Answer] = []
    handled = delivery.outcome is HANDLED  # one that only waited here is answered further down
    while handled and answers.head is not None and answers.head.belongs_to(delivery):
        recorded.append(next(answers))
    replayed = actors.get(delivery.actor)
    if replayed is None:
        return _difference(step, "the actor is not in today's tree", recorded, [])
    try:
        said = replayed.take(step)
    except Exception as error:  # noqa: BLE001  # whatever today's code raises is the difference
        what = f"today's code raises {type(error).__name__}: {error}"
        return _difference(step, what, recorded, [])
    if not said and not recorded:
        return None
    written = [unpacked(answer.body) for answer in recorded]
    got = [encode(answer) for answer in said]
    if got == written or (
        len(got) == len(written)
        and all(
            body == one or is_alike(one, answer)
            for body, one, answer in zip(got, written, said, strict=True)
        )
    ):
        return None
    return _difference(step, "the answers differ", recorded, got)


def _check_snapshots(
    snapshots: _Peekable, actors: Cast, *, before: int | None, exact_n: int | None = None
) -> Difference | None:
    """Compare the snapshots written before a delivery with the states replayed so far.

    One that today's actor could not begin with is passed over, as it is when a desk starts. The
    one of `exact_n`, with which another share begins, must be the state to the byte.
    """
    while snapshots.head is not None and (before is None or snapshots.head.n < before):
        stored: StoredSnapshot = next(snapshots)
        replayed = actors.get(stored.actor)
        if replayed is None:
            continue
        is_exact = stored.n == exact_n
        if not is_exact and not fits(replayed.spec.make, stored.body):
            _log.warning("snapshot_passed_over", extra={"actor": stored.actor, "n": stored.n})
            continue
        if _is_state(stored.body, replayed, exactly=is_exact):
            replayed.keep(stored.body)
        else:
            return Difference(
                n=stored.n,
                seq=0,
                actor=stored.actor,
                kind="snapshot",
                message=None,
                what="the state differs from the snapshot",
                state_before=_shown(replayed.spec, stored.body),
                expected=[_readable(stored.body)],
                got=[_readable(encode_snapshot(replayed.actor, replayed.timers))],
            )
    return None


def _is_state(stored: bytes, replayed: Replayed, *, exactly: bool) -> bool:
    got = encode_snapshot(replayed.actor, replayed.timers)
    if got == stored or exactly:
        return got == stored
    written, ours = decode_snapshot(stored), decode_snapshot(got)
    return written.timers == ours.timers and is_alike(bytes(written.state), replayed.actor.state)


def _difference(step: Step, what: str, expected: list[Answer], got: list[bytes]) -> Difference:
    envelope = step.delivery.envelope
    return Difference(
        n=step.n,
        seq=envelope.seq,
        actor=step.delivery.actor,
        kind=type(envelope.body).__name__,
        message=envelope.body.plainly(),
        what=what,
        state_before=None,
        expected=[_readable(unpacked(answer.body)) for answer in expected],
        got=[_readable(body) for body in got],
    )


def _orphan(day: DayLog, answer: Answer) -> Difference:
    """An answer that is left over: no delivery is recorded in which it was said."""
    cause = day.message(answer.cause_seq)
    return Difference(
        n=day.tops()[1] + 1,
        seq=answer.cause_seq,
        actor=answer.sender,
        kind="nothing" if cause is None else type(cause.body).__name__,
        message=None,
        what="an answer without a delivery",
        state_before=None,
        expected=[_readable(unpacked(answer.body))],
        got=[],
    )


def _with_state(found: Difference, days: tuple[DayLog, ...], cast: Cast) -> Difference:
    """With the state before it: rebuilt, as keeping each state of a day would cost most of it."""
    if found.message is None or cast.get(found.actor) is None:
        return found
    day = next(each for each in reversed(days) if each.first_n <= found.n)
    only = frozenset({found.actor})
    again = actors_before(cast.tree, days, day, only=only, processes=cast.processes)
    replayed = again.get(found.actor)
    if replayed is None:
        return found
    for step in day.steps(actors=only):
        if step.n >= found.n:
            break
        replayed.take(step)
    return msgspec.structs.replace(found, state_before=replayed.state())


def _shown(spec: ActorSpec, snapshot: bytes) -> Any:
    actor, _ = restore(spec.make, snapshot)
    return msgspec.to_builtins(actor.state)


def _readable(body: bytes) -> str:
    return msgspec.json.encode(msgspec.msgpack.decode(body)).decode()
