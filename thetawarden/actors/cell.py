"""One incarnation of one actor: handles a message as a single step, or not at all.

Used alike by the threaded host and by the virtual-time runtime. The answers of a step are recorded
together with the delivery and only then let go, so a crash inside a handler says nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from thetawarden.actors.memory import encode_snapshot, note_timers
from thetawarden.actors.post import Post
from thetawarden.domain.instants import UnixNs
from thetawarden.messages.base import Envelope, Message
from thetawarden.messages.lifecycle import Begin
from thetawarden.messages.timers import TimerFired
from thetawarden.ports import Actor, Clock, Delivery, MessageLog, Outcome

_FOR_ONE_MOMENT = frozenset((TimerFired, Begin))
_HANDLED = Outcome.HANDLED
_SAMPLE_MASK = 7  # one handling time in eight is enough for a percentile


class HandlerFailed(Exception):  # noqa: N818  # control flow between cell and host, never shown
    """The handler raised; `__cause__` is what it raised."""

    def __init__(self, envelope: Envelope[Message]) -> None:
        super().__init__(envelope.seq)
        self.envelope = envelope


class Cell:
    """Runs the steps of one incarnation; not thread-safe, one thread runs it."""

    def __init__(
        self,
        *,
        post: Post,
        actor: Actor,
        log: MessageLog,
        clock: Clock,
        route: Callable[[Envelope[Message]], None],
        snapshot_every: int,
    ) -> None:
        self.post = post
        self.incarnation = post.incarnation
        self.actor = actor
        self._receive = actor.receive
        self._lock = post.lock
        self._log = log
        self._log_record = log.record
        self._records = log.keeps
        self._route = route
        self._now_ns = clock.now_ns
        self._monotonic_ns = clock.monotonic_ns
        self._snapshot_every = snapshot_every
        self._name = post.name
        self._pulse = post.pulse

    def step(self, envelope: Envelope[Message], merged: int = 1) -> None:
        """Handle one message; `merged` says how many conflated ones it stands for.

        Raises HandlerFailed when the actor did, FencedError when this incarnation is no longer
        the one; in both cases nothing has been said.
        """
        body = envelope.body
        if type(body) in _FOR_ONE_MOMENT and self._is_stale(envelope):
            return
        pulse = self._pulse
        pulse.envelope = envelope
        pulse.busy_since_ns = started = self._monotonic_ns()
        now = self._now_ns()
        try:
            answers = self._receive(body, now)
        except BaseException as error:
            raise HandlerFailed(envelope) from error
        if self._records:
            said = self._record(envelope, now, merged, answers)
        else:
            said = self._pass_on(envelope, now, answers) if answers else ()
        pulse.envelope = None
        for answer in said:
            self._route(answer)
        pulse.busy_since_ns = 0
        pulse.last_handled_ns = now
        pulse.handled = handled = pulse.handled + 1
        if handled & _SAMPLE_MASK == 1:
            pulse.recent_ns.append(self._monotonic_ns() - started)

    def _record(
        self, envelope: Envelope[Message], now: UnixNs, merged: int, answers: tuple[Message, ...]
    ) -> tuple[Envelope[Message], ...]:
        """Write the step and remember it, as one act: a fence falls before or after."""
        delivery = Delivery(envelope, self._name, self.incarnation, now, _HANDLED, merged)
        with self._lock:
            said = self._log_record(delivery, answers)
            self._pulse.envelope = None
            steps = self.post.steps
            steps.append(delivery)
            if answers or type(envelope.body) is TimerFired:
                note_timers(self.post.timers, delivery, answers)
            if len(steps) >= self._snapshot_every:
                self._snapshot()
        return said

    def _pass_on(
        self, envelope: Envelope[Message], now: UnixNs, answers: tuple[Message, ...]
    ) -> tuple[Envelope[Message], ...]:
        """With a log that records nothing: number the answers."""
        delivery = Delivery(envelope, self._name, self.incarnation, now)
        note_timers(self.post.timers, delivery, answers)
        say = self._log.say
        return tuple(
            say(answer, self._name, self.incarnation, envelope.seq, now) for answer in answers
        )

    def take_snapshot(self) -> None:
        """Write the state to the log and let go of the steps before it."""
        with self.post.lock:
            self._snapshot()

    def _snapshot(self) -> None:
        post = self.post
        state = encode_snapshot(self.actor, post.timers)
        self._log.snapshot(
            actor=self._name, incarnation=self.incarnation, at_ns=self._now_ns(), state=state
        )
        post.snapshot = state
        post.steps = []

    def _is_stale(self, envelope: Envelope[Message]) -> bool:
        """A timer that was cancelled or replaced, or a greeting to an earlier incarnation."""
        body = envelope.body
        if isinstance(body, TimerFired):
            armed = self.post.timers.get(body.name)
            return armed is None or armed.since_seq != envelope.cause_seq
        return isinstance(body, Begin) and body.incarnation != self.incarnation
