"""The whole desk in one thread, in virtual time: same actors, same router, same supervision.

Whoever could go next, an actor with mail, an adapter with work, the disk with what is not written
yet, is picked by a seeded generator; when nobody can, time jumps to the next timer or the next
thing that happens outside. The same seed gives the same log, byte for byte.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from thetawarden.actors.cell import HandlerFailed
from thetawarden.actors.children import SUPERVISOR
from thetawarden.actors.effects import SourcePort
from thetawarden.actors.mailbox import Latest, Seat, Unseated
from thetawarden.actors.memory import Timers, encode_snapshot, rebuild
from thetawarden.actors.overseer import Overseer
from thetawarden.actors.post import Ended, Post
from thetawarden.actors.roster import Roster
from thetawarden.actors.router import Router
from thetawarden.actors.timers import TimerHeap
from thetawarden.actors.tree import Tree
from thetawarden.domain.instants import UnixNs
from thetawarden.domain.restart import Ending
from thetawarden.domain.vitals import Vitals
from thetawarden.infra.journal.recover import Recovered
from thetawarden.messages.base import Envelope, Lane, Message
from thetawarden.messages.lifecycle import Begin, EffectFailed
from thetawarden.messages.operations import VitalsTaken
from thetawarden.messages.timers import CancelTimer, StartTimer, TimerFired
from thetawarden.ports import Adapter, Source
from thetawarden.sim.agenda import Agenda
from thetawarden.sim.clock import VirtualClock
from thetawarden.sim.late import LateCell, LateReturns, Looks
from thetawarden.sim.log import SimLog
from thetawarden.sim.meddling import MeddledError, Meddler, Mishap, NoMeddling, Point
from thetawarden.sim.ready import Ready

PLENTY_OF_DISK_BYTES = 1 << 40
LUCK_AT_ONCE = 4096
STEPS_AT_ONCE_MAX = 20_000


class SimDesk:
    """One process of the desk; every method returns with nothing running in the background.

    Clock and agenda are the world's and outlive it. `heartbeat_ns` is machine time, as are the
    delays of `after`; timers of actors are market time. `left` are the states of actors that ended
    between two messages, `differing` those whose next incarnation was built as another. One that
    `leaves` is to be stopped in order: it runs no further.
    """

    def __init__(
        self,
        *,
        tree: Tree,
        log: SimLog,
        clock: VirtualClock,
        seed: int,
        adapters: Mapping[str, Adapter],
        agenda: Agenda | None = None,
        meddler: Meddler | None = None,
        heartbeat_ns: int = 1_000_000_000,
        snapshot_every: int = 5000,
    ) -> None:
        self.clock = clock
        self.agenda = agenda or Agenda()
        self.log = log
        self.gave_up: str | None = None
        self.leaves = False
        self.left: dict[str, bytes] = {}
        self.differing: list[str] = []
        self._meddler = meddler or NoMeddling()
        self._rng = np.random.default_rng(seed)
        self._adapters = adapters
        self._sources = {
            name: adapter for name, adapter in adapters.items() if isinstance(adapter, Source)
        }
        self._heap = TimerHeap()
        self._later: list[tuple[int, int, Callable[[], None]]] = []
        self._serial = 0
        self._effects: deque[tuple[str, Envelope[Message]]] = deque()
        self._cells: dict[str, tuple[LateCell, Seat]] = {}
        self._ready = Ready()
        self._luck: list[float] = []
        self._snapshot_every = snapshot_every
        self._heartbeat_ns = heartbeat_ns
        self.router = Router(log=log, clock=self.clock, timekeeper=self, effects=self)
        self._roster = Roster(tree, self.router)
        self.overseer = Overseer(
            roster=self._roster,
            crew=self,
            router=self.router,
            timekeeper=self,
            log=log,
            clock=self.clock,
            rng=self._rng,
            give_up=self._give_up,
        )
        self.late = LateReturns(overseer=self.overseer, after=self.after, looks=self._looks)

    @property
    def posts(self) -> Mapping[str, Post]:
        """All posts there are now."""
        return self._roster.posts

    def remember(self, recovered: Recovered) -> None:
        """Give every name its past, before the start."""
        for name, past in recovered.actors.items():
            post = self._roster.recall(name)
            if post is None:
                continue
            post.incarnation, post.snapshot = past.incarnation, past.snapshot
            post.steps = list(past.steps)
            for envelope in past.unhandled:
                post.mailbox.putter(self.router.lane_of(envelope.body))(envelope)
        self.overseer.children.begin_page(recovered.children)

    def begin_page(self) -> None:
        """Write what a new page of the log must begin with."""
        self.overseer.children.begin_page()
        for cell, _seat in tuple(self._cells.values()):
            cell.take_snapshot()

    def state_of(self, name: str) -> Any:
        """An actor's live state; None for one that does not run."""
        held = self._cells.get(name)
        return None if held is None else held[0].actor.state

    def start_all(self) -> None:
        """Start the sources, every actor in order, and the heartbeat."""
        for name, source in self._sources.items():
            source.start(SourcePort(name, self._say, self.router.backlog))
        self.overseer.start_all()
        self.after(self._heartbeat_ns, self._heartbeat)

    def stop_all(self) -> tuple[str, ...]:
        """Stop every actor in reverse order, do what they asked for, and stop the sources."""
        hung = self.overseer.stop_all()
        while self._effects:
            self._perform_one()
        for source in reversed(self._sources.values()):
            source.stop()
        return hung

    def run_until(self, instant_ns: UnixNs) -> None:
        """Let everything happen that happens until then, by the clock nobody sets."""
        clock, steps = self.clock, 0
        while self.gave_up is None and not self.leaves:
            if self.step():
                steps += 1
                if steps > STEPS_AT_ONCE_MAX:
                    raise LivelockError(steps)
                continue
            steps = 0
            due = self._next_due_ns()
            left = instant_ns - clock.true_ns()
            if due is None or due - clock.elapsed_ns() > left:
                clock.advance(max(0, left))
                return
            clock.advance(max(0, due - clock.elapsed_ns()))
            self._do_due()

    def step(self) -> bool:
        """Let one of those who can go next go; false when nobody can."""
        ready = self._ready.names()
        if self._effects:
            ready.append(None)
        if not ready:
            return False
        chosen = ready[0] if len(ready) == 1 else ready[int(self._draw() * len(ready))]
        if chosen is None:
            self._go_on_outside()
        else:
            self._run_one(chosen)
        return True

    def _go_on_outside(self) -> None:
        """Do the next effect, or first make it durable."""
        _, envelope = self._effects[0]
        if self.log.is_durable(envelope.seq):
            self._perform_one()
            return
        self._meddler.reach(Point.BEFORE_COMMIT, envelope)
        self.log.commit()
        self._meddler.reach(Point.AFTER_COMMIT, envelope)

    def obey(self, command: Envelope[Message], /) -> None:
        """Start or cancel a timer; the router's Timekeeper."""
        body, actor = command.body, command.sender
        if isinstance(body, StartTimer):
            due = self.clock.elapsed_ns() + body.after_ns
            self._heap.start((actor, body.name), due_ns=due, since_seq=command.cause_seq)
        elif isinstance(body, CancelTimer):
            self._heap.cancel((actor, body.name))

    def rearm(self, actor: str, timers: Timers, now_ns: UnixNs, /) -> None:
        """Arm what an incarnation remembers as armed and is not."""
        for name, timer in sorted(timers.items()):
            if not self._heap.is_armed((actor, name)):
                due = self.clock.elapsed_ns() + max(0, timer.due_ns - now_ns)
                self._heap.start((actor, name), due_ns=due, since_seq=timer.since_seq)

    def forget(self, actor: str, /) -> None:
        """Cancel all timers of an actor that leaves."""
        self._heap.forget(actor)

    def perform(self, adapter: str, envelope: Envelope[Message], /) -> None:
        """Queue an effect; the router's Effects."""
        self._effects.append((adapter, envelope))

    def start(self, post: Post) -> Ended | None:
        """Start the next incarnation; the overseer's Crew."""
        post.incarnation += 1
        self.log.fence(post.name, post.incarnation)
        resumed = post.remembers
        try:
            actor, post.timers = rebuild(post.spec.make, post.snapshot, post.steps)
        except Exception as error:  # noqa: BLE001  # a failed rebuild is a failed start
            return _failed(post, error)
        was = self.left.pop(post.name, None)
        if was is not None and was != encode_snapshot(actor, post.timers):
            self.differing.append(post.name)
        self.rearm(post.name, post.timers, self.clock.now_ns())
        cell = LateCell(
            post=post,
            actor=actor,
            log=self.log,
            clock=self.clock,
            route=self.router.route,
            snapshot_every=self._snapshot_every,
        )
        seat = post.mailbox.new_seat(
            refuse=lambda _: None, comes_last=lambda _: False, wake=self._ready.begin(post.name)
        )
        begin = Begin(incarnation=post.incarnation, resumed=resumed)
        greeting = self.log.say(begin, SUPERVISOR, 0, None, self.clock.now_ns())
        try:
            cell.step(greeting)
        except HandlerFailed as failure:
            return _failed(post, failure.__cause__)
        self._cells[post.name] = (cell, seat)
        self._ready.sit(post.name, post.mailbox, seat)
        return None

    def stop(self, post: Post, within_ns: int) -> bool:  # noqa: ARG002  # nobody hangs here
        """Let it handle its orders and stop."""
        while post.name in self._cells and any(post.mailbox.depths()[: Lane.TIMER]):
            if post.mailbox.paused and not post.mailbox.depths()[Lane.CONTROL]:
                break
            self._run_one(post.name)
        self._note_left(post.name)
        self._unseat(post.name)
        post.mailbox.unseat()
        return True

    def fence_off(self, post: Post) -> None:
        """Refuse whatever it still says."""
        self.log.fence(post.name, post.incarnation + 1)
        self._unseat(post.name)
        post.mailbox.unseat()
        self.late.fenced()

    def after(self, delay_ns: int, task: Callable[[], None]) -> None:
        """Do this after so much machine time."""
        self._serial += 1
        due = self.clock.elapsed_ns() + round(delay_ns * self.clock.speed)
        heapq.heappush(self._later, (due, self._serial, task))

    def _run_one(self, name: str) -> None:
        cell, seat = self._cells[name]
        item = cell.post.mailbox.take(seat)  # one that leaves is not among the posts any more
        if item is None or isinstance(item, Unseated):
            return
        envelope, merged = (item.envelope, item.merged) if isinstance(item, Latest) else (item, 1)
        self._meddler.reach(Point.BEFORE_STEP, envelope)
        mishap = self._meddler.mishap(name, envelope)
        if mishap is not None:
            self._note_left(name)
        if mishap is Mishap.HANG:
            self.late.hang(cell, cell.hang(envelope, merged), draw=self._draw())
        elif mishap is Mishap.CRASH:
            cell.post.pulse.envelope = envelope  # as a step that raises leaves it
            self._crash(cell, envelope, MeddledError(name))
        else:
            try:
                cell.step(envelope, merged)
            except HandlerFailed as failure:
                self._crash(cell, failure.envelope, failure.__cause__)
        self._meddler.reach(Point.AFTER_STEP, envelope)

    def _crash(
        self, cell: LateCell, envelope: Envelope[Message], error: BaseException | None
    ) -> None:
        name = cell.post.name
        self._unseat(name)
        self.overseer.ended(
            Ended(
                actor=name,
                incarnation=cell.incarnation,
                ending=Ending.CRASHED,
                error=error,
                envelope=envelope,
            )
        )

    def _looks(self, post: Post) -> Looks:
        """All that what an actor says could change, beside the log."""
        held = self._cells.get(post.name)
        return {
            "mail": {name: one.mailbox.depths() for name, one in self.posts.items()},
            "timers": self._heap.armed(),
            "effects": len(self._effects),
            "memory": (post.snapshot, len(post.steps), dict(post.timers)),
            "successor": held and encode_snapshot(held[0].actor, post.timers),
        }

    def _perform_one(self) -> None:
        adapter, envelope = self._effects.popleft()
        self._meddler.reach(Point.BEFORE_EFFECT, envelope)
        try:
            answers = self._adapters[adapter].perform(envelope)
        except Exception as error:  # noqa: BLE001  # the outside may fail in any way
            kind = type(envelope.body).__name__
            answers = (EffectFailed(adapter=adapter, kind=kind, error=repr(error)),)
        for answer in answers:
            self._say(answer, f"effect:{adapter}", envelope.seq)
        self._meddler.reach(Point.AFTER_EFFECT, envelope)

    def _say(self, body: Message, sender: str, cause_seq: int | None) -> Envelope[Message]:
        return self.router.say(body, sender=sender, cause_seq=cause_seq)

    def _note_left(self, name: str) -> None:
        """Keep what state an actor ends in, to be compared with what is built of the log."""
        held = self._cells.get(name)
        if held is not None:
            self.left[name] = encode_snapshot(held[0].actor, held[0].post.timers)

    def _unseat(self, name: str) -> None:
        self._cells.pop(name, None)
        self._ready.leave(name)

    def _draw(self) -> float:
        """One of many random numbers drawn at once: one by one they would cost a tenth of a day."""
        if not self._luck:
            self._luck = self._rng.random(LUCK_AT_ONCE).tolist()
        return self._luck.pop()

    def _next_due_ns(self) -> int | None:
        dues = [due for due in (self._heap.next_due_ns(),) if due is not None]
        if self._later:
            dues.append(self._later[0][0])
        outside = self.agenda.next_due_ns()
        if outside is not None:
            dues.append(outside)
        return min(dues) if dues else None

    def _do_due(self) -> None:
        now = self.clock.elapsed_ns()
        while (due := self._heap.pop_due(now)) is not None:
            (actor, name), since_seq = due
            if actor not in self.posts:
                continue
            self.router.tell(actor, TimerFired(name=name), sender="timers", cause_seq=since_seq)
        while self._later and self._later[0][0] <= now:
            heapq.heappop(self._later)[2]()
        while self.agenda.run_due(now):
            pass

    def _heartbeat(self) -> None:
        vitals = Vitals(
            actors=self.overseer.vitals(),
            log_lag_ns=0,
            disk_free_bytes=PLENTY_OF_DISK_BYTES,
        )
        self.router.say(VitalsTaken(vitals=vitals), sender=SUPERVISOR)
        self.after(self._heartbeat_ns, self._heartbeat)

    def _give_up(self, reason: str) -> None:
        self.gave_up = reason


class LivelockError(Exception):
    """Messages make messages without end, and time stands still."""

    def __init__(self, steps: int) -> None:
        super().__init__(f"{steps} steps without a moment passing")


def _failed(post: Post, error: BaseException | None) -> Ended:
    return Ended(
        actor=post.name, incarnation=post.incarnation, ending=Ending.FAILED_START, error=error
    )
