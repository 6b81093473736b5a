"""A running desk: posts, router, timers, effects and the thread that supervises them.

Everything that changes the tree happens on the supervisor's thread, one thing after another;
others hand it work through `call` and `post`.
"""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

import msgspec
import numpy as np

from thetawarden.actors import host
from thetawarden.actors.children import SUPERVISOR
from thetawarden.actors.crew import ThreadCrew
from thetawarden.actors.effects import EffectThreads, Tracing, untraced
from thetawarden.actors.overseer import Overseer, describe
from thetawarden.actors.post import Post
from thetawarden.actors.roster import Roster
from thetawarden.actors.router import Router
from thetawarden.actors.timers import TimerThread
from thetawarden.actors.tree import Tree
from thetawarden.domain.vitals import ActorVitals
from thetawarden.messages.base import Envelope, Message
from thetawarden.messages.timers import TimerFired
from thetawarden.ports import Adapter, Clock, Delivery, MessageLog

T = TypeVar("T")
SNAPSHOT_TIMEOUT_S = 2.0
STRAGGLER_S = 1.0


class DeskSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How the threads of a desk are run."""

    start_timeout_s: float = 10.0
    handler_budget_s: float = 10.0
    check_every_s: float = 0.25
    heartbeat_s: float = 5.0
    snapshot_every: int = 1500
    stop_within_s: float = 20.0
    effects_deadline_s: float = 5.0
    seed: int = 0


class Desk:
    """Owns every thread of the desk but the caller's."""

    def __init__(
        self,
        *,
        tree: Tree,
        log: MessageLog,
        clock: Clock,
        adapters: Mapping[str, Adapter],
        settings: DeskSettings,
        take_vitals: Callable[[tuple[ActorVitals, ...]], Message],
        give_up: Callable[[str], None],
        tracing: Tracing = untraced,
        on_check: Callable[[], None] = lambda: None,
    ) -> None:
        self._log = log
        self._on_check = on_check
        self.late_ns = 0
        self._clock = clock
        self._settings = settings
        self._take_vitals = take_vitals
        self._give_up = give_up
        self._tasks: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._later: list[tuple[int, int, Callable[[], None]]] = []
        self._serial = 0
        self._next_check_ns = self._next_vitals_ns = 0
        self.timers = TimerThread(clock)
        self.effects = EffectThreads(adapters, log, tracing=tracing)
        self.router = Router(log=log, clock=clock, timekeeper=self.timers, effects=self.effects)
        self._roster = Roster(tree, self.router)
        self._crew = ThreadCrew(
            router=self.router,
            timekeeper=self.timers,
            log=log,
            clock=clock,
            start_timeout_s=settings.start_timeout_s,
            snapshot_every=settings.snapshot_every,
            ended=lambda ended: self._tasks.put(lambda: self._overseer.ended(ended)),
            later=self._do_later,
            breathe=self._breathe,
        )
        self._overseer = Overseer(
            roster=self._roster,
            crew=self._crew,
            router=self.router,
            timekeeper=self.timers,
            log=log,
            clock=clock,
            rng=np.random.default_rng(settings.seed),
            give_up=give_up,
        )
        self._thread = threading.Thread(target=self._run, name=SUPERVISOR, daemon=True)

    @property
    def posts(self) -> Mapping[str, Post]:
        """All posts there are now; replaced as a whole whenever one comes or goes."""
        return self._roster.posts

    def group_of(self, name: str) -> str:
        """The group that an actor is restarted in; empty for one that has just left."""
        return self._roster.group_name(name)

    def remember(
        self,
        name: str,
        *,
        incarnation: int,
        snapshot: bytes | None,
        steps: Sequence[Delivery],
        unhandled: Sequence[Envelope[Message]],
    ) -> None:
        """Give a name its past, before the start; an instance keeps it until it is asked for."""
        post = self._roster.recall(name)
        if post is None:
            return
        post.incarnation, post.snapshot, post.steps = incarnation, snapshot, list(steps)
        for envelope in unhandled:
            post.mailbox.putter(self.router.lane_of(envelope.body))(envelope)

    def start(self) -> None:
        """Start everything, in order; returns when every actor that can be up is up."""
        self.effects.start(
            lambda body, sender, cause: self.router.say(body, sender=sender, cause_seq=cause),
            self.router.backlog,
        )
        self.timers.start(self._fire)
        self._thread.start()
        self.call(self._overseer.start_all)
        self._next_check_ns = self._clock.monotonic_ns()

    def stop(self) -> tuple[str, ...]:
        """Quiesce, drain and stop everything, in reverse and in bounded time; names what hung.

        A supervisor that is held up itself is named too, and left behind.
        """
        hung = self._stop_tree() if self._thread.is_alive() else ()
        self.timers.stop()
        late = self.effects.stop(self._settings.effects_deadline_s)
        self._tasks.put(None)
        if self._thread.is_alive():
            self._thread.join(STRAGGLER_S)
        return (*hung, *late)

    def _stop_tree(self) -> tuple[str, ...]:
        within_s = self._settings.stop_within_s
        self._overseer.no_more_starts(ends_ns=self._clock.monotonic_ns() + int(within_s * 1e9))

        def stop() -> tuple[str, ...]:
            self._next_check_ns = 0  # who is down from here on is no news
            self._snapshot_all()
            return self._overseer.stop_all()

        try:  # it may be at a start, which has its own limit
            return self.call(stop, timeout_s=within_s + self._settings.start_timeout_s)
        except TimeoutError:
            return (SUPERVISOR,)

    def down(self) -> tuple[str, ...]:
        """The actors that are neither up nor given up; on the supervisor's thread only."""
        return self._overseer.down()

    def say(self, body: Message, *, sender: str) -> int:
        """Say something from outside; the number it was recorded under."""
        return self.router.say(body, sender=sender).seq

    def restart(self, name: str, *, by: str) -> None:
        """Restart an actor by hand; returns when it is up again or has failed."""
        self.call(lambda: self._overseer.restart_by_hand(name, by=by))

    def pause(self, name: str, *, by: str) -> None:
        """Let an actor take control messages only."""
        self.call(lambda: self._overseer.pause(name, by=by))

    def unpause(self, name: str, *, by: str) -> None:
        """Let a paused actor go on."""
        self.call(lambda: self._overseer.unpause(name, by=by))

    def ensure_children(self, role: str, keys: tuple[str, ...]) -> None:
        """Have exactly these instances of a role; returns when they are up or have failed.

        Raises NoSuchRoleError when the tree has no template for the role.
        """
        self.call(lambda: self._overseer.children.ensure(role, keys))

    def state_of(self, name: str, *, timeout_s: float, fields: tuple[str, ...] = ()) -> Any:
        """An actor's state as plain data, whole or these fields of it.

        Raises HostGoneError when it does not answer.
        """
        reference = self._crew.host_of(name)
        if reference is None:
            raise host.HostGoneError(f"{name} is not running")
        return host.ask(reference, host.ShowState(fields), timeout_s=timeout_s)

    def begin_page_with(self, children: Mapping[str, tuple[str, ...]]) -> None:
        """The same before the start, when the instances that were there are not asked for yet."""
        self._overseer.children.begin_page(children)

    def begin_page(self) -> None:
        """Have written soon what a new page of the log must begin with: every actor's state too."""

        def begin() -> None:
            self._overseer.children.begin_page()
            self._snapshot_all()

        self._tasks.put(begin)

    def call(self, work: Callable[[], T], *, timeout_s: float | None = None) -> T:
        """Do this on the supervisor's thread and wait for what comes of it.

        Raises TimeoutError when nothing came of it in time; it may still be done later.
        """
        future: Future[T] = Future()

        def task() -> None:
            try:
                future.set_result(work())
            except BaseException as error:  # noqa: BLE001  # belongs to the caller
                future.set_exception(error)

        self._tasks.put(task)
        return future.result(timeout_s)

    def _run(self) -> None:
        while True:
            try:
                task = self._tasks.get(timeout=self._wait_s())
            except Empty:
                self._guarded(self._do_due)
                continue
            if task is None:
                return
            self._guarded(task)
            self._guarded(self._do_due)

    def _guarded(self, work: Callable[[], None]) -> None:
        """A supervisor that fails leaves no actor without one: the desk ends, halted.

        The thread lives on until then, as ending in order needs it.
        """
        try:
            work()
        except BaseException as error:  # noqa: BLE001  # whatever it is, it is the end
            self._give_up(f"the supervisor failed: {describe(error)}")

    def _do_due(self) -> None:
        now = self._clock.monotonic_ns()
        while self._later and self._later[0][0] <= now:
            heapq.heappop(self._later)[2]()
        if not self._next_check_ns or now < self._next_check_ns:
            return
        self.late_ns = now - self._next_check_ns
        self._next_check_ns = now + int(self._settings.check_every_s * 1e9)
        self._on_check()
        for name in self._overseer.overdue(int(self._settings.handler_budget_s * 1e9)):
            self._overseer.hung(name)
        self._show_vitals(now)

    def _breathe(self) -> None:
        """Between starts and stops, and while one of them takes long: be seen alive."""
        self._on_check()
        if self._next_check_ns:
            self._show_vitals(self._clock.monotonic_ns())

    def _show_vitals(self, now_ns: int) -> None:
        if now_ns >= self._next_vitals_ns:
            self._next_vitals_ns = now_ns + int(self._settings.heartbeat_s * 1e9)
            self.router.say(self._take_vitals(self._overseer.vitals()), sender=SUPERVISOR)

    def _wait_s(self) -> float | None:
        dues = [self._later[0][0]] if self._later else []
        if self._next_check_ns:
            dues.append(self._next_check_ns)
        if not dues:
            return 0.05
        return max(0.0, (min(dues) - self._clock.monotonic_ns()) / 1e9)

    def _do_later(self, delay_ns: int, task: Callable[[], None]) -> None:
        self._serial += 1
        due = self._clock.monotonic_ns() + delay_ns
        heapq.heappush(self._later, (due, self._serial, task))

    def _fire(self, actor: str, timer: str, since_seq: int | None) -> None:
        if actor in self.posts:  # a child that left with this in the air misses nothing
            fired = TimerFired(name=timer)
            self.router.tell(actor, fired, sender="timers", cause_seq=since_seq)

    def _snapshot_all(self) -> None:
        host.take_snapshots(self._crew.hosts, timeout_s=SNAPSHOT_TIMEOUT_S)
