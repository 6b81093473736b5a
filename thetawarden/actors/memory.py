"""What an actor's name remembers beyond its incarnations: a snapshot, the steps since, its timers.

The same three things are in the message log; holding the recent ones here as well lets a crashed
actor be back within milliseconds, however large the log has grown.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from thetawarden.actors.hearing import is_heard
from thetawarden.domain.instants import UnixNs
from thetawarden.messages.base import Message
from thetawarden.messages.timers import CancelTimer, StartTimer, TimerFired
from thetawarden.ports import Actor, Delivery, Outcome

ActorFactory = Callable[[], Actor]


class ArmedTimer(msgspec.Struct, frozen=True, array_like=True):
    """A timer that has not fired: the message whose handling started it, and when it is due."""

    since_seq: int
    due_ns: UnixNs


Timers = dict[str, ArmedTimer]


class Snapshot(msgspec.Struct, frozen=True, array_like=True):
    """An actor between two messages; `state` is the msgpack of its state struct."""

    state: msgspec.Raw
    timers: Timers


_snapshot_encoder = msgspec.msgpack.Encoder()
_snapshot_decoder = msgspec.msgpack.Decoder(Snapshot)
decode_snapshot = _snapshot_decoder.decode


def encode_snapshot(actor: Actor, timers: Timers) -> bytes:
    """The actor's whole state, such that equal states give equal bytes."""
    state = msgspec.Raw(_snapshot_encoder.encode(actor.state))
    return _snapshot_encoder.encode(Snapshot(state, dict(sorted(timers.items()))))


def rebuild(
    factory: ActorFactory, snapshot: bytes | None, steps: tuple[Delivery, ...] | list[Delivery]
) -> tuple[Actor, Timers]:
    """The actor as it was after these steps.

    Steps that crashed or hung are skipped: the object they may have half changed was thrown away.
    So is what an older version heard and this one does not.
    """
    actor, timers = restore(factory, snapshot)
    for step in steps:
        body = step.envelope.body
        if step.outcome is Outcome.HANDLED and is_heard(type(actor), body):
            answers = actor.receive(body, step.at_ns)
            note_timers(timers, step, answers)
    return actor, timers


def restore(factory: ActorFactory, snapshot: bytes | None) -> tuple[Actor, Timers]:
    """A new actor, with the state of the snapshot if there is one."""
    actor = factory()
    if snapshot is None:
        return actor, {}
    kept = _snapshot_decoder.decode(snapshot)
    actor.state = msgspec.msgpack.decode(kept.state, type=type(actor.state))
    return actor, dict(kept.timers)


def fits(factory: ActorFactory, snapshot: bytes) -> bool:
    """Whether today's actor can begin with a snapshot that may be of an older version of it."""
    try:
        restore(factory, snapshot)
    except msgspec.MsgspecError:
        return False
    except Exception:  # noqa: BLE001  # it cannot be made at all: its start will tell
        return True
    return True


def note_timers(timers: Timers, step: Delivery, answers: tuple[Message, ...]) -> None:
    """Keep the list of armed timers true after a step."""
    body: Any = step.envelope.body
    if type(body) is TimerFired:
        timers.pop(body.name, None)
    for answer in answers:
        if type(answer) is StartTimer:
            due = UnixNs(step.at_ns + answer.after_ns)
            timers[answer.name] = ArmedTimer(step.envelope.seq, due)
        elif type(answer) is CancelTimer:
            timers.pop(answer.name, None)
