"""Says where today's code and the log part ways: at which message, from which state, and how."""

from __future__ import annotations

from typing import Any

import msgspec

from thetawarden.actors.memory import encode_snapshot
from thetawarden.infra.journal.packing import unpacked
from thetawarden.infra.journal.reader import Answer, DayLog, StoredSnapshot
from thetawarden.infra.journal.steps import Step
from thetawarden.ports import Outcome
from thetawarden.sim.cast import Cast, Replayed, actors_before, told

_HEARD = "SELECT n, actor FROM deliveries WHERE n <= {0:d} AND outcome = {1:d} ORDER BY 1 DESC"


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """Where they part ways: the delivery, its message, and the state before it if there is one."""

    n: int
    seq: int
    actor: str
    kind: str
    message: Any
    what: str
    state_before: Any
    expected: list[str]
    got: list[str]


class _Orphans(Difference, frozen=True, kw_only=True):
    """Nothing was handled, so there is no state before it."""


def of_step(step: Step, what: str, expected: list[Answer], got: list[bytes]) -> Difference:
    """What was answered in a delivery is not what was recorded."""
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


def of_orphans(day: DayLog, orphans: list[Answer], *, noticed_n: int) -> Difference:
    """Answers that no delivery was recorded for, or only one that was not handled."""
    first = orphans[0]
    cause = day.message(first.cause_seq)
    numbers = ", ".join(str(one.seq) for one in orphans)
    return _Orphans(
        n=noticed_n,
        seq=first.cause_seq,
        actor=first.sender,
        kind="nothing" if cause is None else type(cause.body).__name__,
        message=None if cause is None else cause.body.plainly(),
        what=f"answers without a delivery that was handled: messages {numbers}",
        state_before=None,
        expected=[_readable(unpacked(one.body)) for one in orphans],
        got=[],
    )


def of_snapshot(stored: StoredSnapshot, replayed: Replayed | None, what: str) -> Difference:
    """A state that was written is not the one replayed up to there."""
    got = [] if replayed is None else [encode_snapshot(replayed.actor, replayed.timers)]
    return Difference(
        n=stored.n,
        seq=0,
        actor=stored.actor,
        kind="snapshot",
        message=None,
        what=what,
        state_before=None,
        expected=[_readable(stored.body)],
        got=[_readable(body) for body in got],
    )


def told_in_full(found: Difference, days: tuple[DayLog, ...], cast: Cast) -> Difference:
    """With the state before it, rebuilt, as keeping each state of a day would cost most of it.

    A snapshot is the state after the last message that its actor handled: that is the one told of.
    """
    if isinstance(found, _Orphans) or cast.tree.spec_of(found.actor) is None:
        return found
    n = found.n if found.seq else _last_heard(days, found)
    day = next((each for each in reversed(days) if each.first_n <= n), None)
    if n == 0 or day is None:
        return found
    only = frozenset({found.actor})
    again = actors_before(cast.tree, days, day, only=only, processes=cast.processes)
    for item in told(day, actors=only):
        replayed = again.get(found.actor)
        if replayed is None:
            break
        if isinstance(item, Step) and item.n >= n:
            body = item.delivery.envelope.body
            return msgspec.structs.replace(
                found,
                seq=item.delivery.envelope.seq,
                kind=type(body).__name__,
                message=body.plainly(),
                state_before=replayed.state(),
            )
        replayed.go_on(item)
    return found


def _last_heard(days: tuple[DayLog, ...], found: Difference) -> int:
    """The number of the last delivery to an actor up to a snapshot; 0 for none."""
    for day in reversed(days):
        query = _HEARD.format(found.n, int(Outcome.HANDLED))
        for n, actor in day.raw(query):
            if actor == found.actor:
                return int(n)
    return 0


def _readable(body: bytes) -> str:
    try:
        return msgspec.json.encode(msgspec.msgpack.decode(body)).decode()
    except (msgspec.MsgspecError, ValueError):
        return f"{len(body)} bytes that cannot be read, beginning with {body[:16].hex()}"
