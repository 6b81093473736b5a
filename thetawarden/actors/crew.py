"""Starts and ends incarnations on real threads, with a deadline for each."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping

from thetawarden.actors import host
from thetawarden.actors.cell import Cell
from thetawarden.actors.children import SUPERVISOR
from thetawarden.actors.memory import rebuild
from thetawarden.actors.post import Ended, Post
from thetawarden.actors.router import Router, Timekeeper
from thetawarden.domain.restart import Ending
from thetawarden.messages.base import Lane
from thetawarden.messages.lifecycle import Begin
from thetawarden.ports import Clock, MessageLog


class ThreadCrew:
    """One thread an incarnation; `later` and `ended` hand work to the supervisor's own thread."""

    def __init__(
        self,
        *,
        router: Router,
        timekeeper: Timekeeper,
        log: MessageLog,
        clock: Clock,
        start_timeout_s: float,
        snapshot_every: int,
        ended: Callable[[Ended], None],
        later: Callable[[int, Callable[[], None]], None],
        breathe: Callable[[], None],
    ) -> None:
        self._router = router
        self._timekeeper = timekeeper
        self._log = log
        self._clock = clock
        self._start_timeout_s = start_timeout_s
        self._snapshot_every = snapshot_every
        self._ended = ended
        self._later = later
        self._breathe = breathe
        self._hosts: dict[str, host.HostRef] = {}

    def start(self, post: Post) -> Ended | None:
        """Rebuild the actor, start its host, and wait until it has handled `Begin`."""
        self._breathe()
        with post.lock:
            post.incarnation += 1
            self._log.fence(post.name, post.incarnation)
            resumed = post.remembers
        try:
            actor, post.timers = rebuild(post.spec.make, post.snapshot, post.steps)
        except Exception as error:  # noqa: BLE001  # a failed rebuild is a failed start
            return self._failed(post, error)
        self._timekeeper.rearm(post.name, post.timers, self._clock.now_ns())
        post.pulse.busy_since_ns = 0
        cell = Cell(
            post=post,
            actor=actor,
            log=self._log,
            clock=self._clock,
            route=self._router.route,
            snapshot_every=self._snapshot_every,
        )
        begin = Begin(incarnation=post.incarnation, resumed=resumed)
        greeting = self._log.say(begin, SUPERVISOR, 0, None, self._clock.now_ns())
        post.mailbox.return_first(greeting, Lane.CONTROL)
        start = _Start(self._ended)
        self._hosts[post.name] = host.start_host(cell=cell, begun=start.begun, ended=start.ended)
        failure = start.wait(self._start_timeout_s, self._breathe)
        if failure is None:
            return None
        if isinstance(failure, Ended):
            return self._failed(post, failure.error)
        self.fence_off(post)
        return self._failed(post, failure)

    def stop(self, post: Post, within_ns: int) -> bool:
        """Let it finish its orders and stop; fence it off when it does not in time."""
        self._breathe()
        reference = self._hosts.pop(post.name, None)
        if reference is None:
            return True
        if host.stop_host(reference, timeout_s=within_ns / 1e9, breathe=self._breathe):
            post.mailbox.unseat()
            return True
        self.fence_off(post)
        return False

    def fence_off(self, post: Post) -> None:
        """Refuse whatever the incarnation still says, and take the mailbox from it."""
        with post.lock:
            self._log.fence(post.name, post.incarnation + 1)
        post.mailbox.unseat()
        self._hosts.pop(post.name, None)

    def after(self, delay_ns: int, task: Callable[[], None]) -> None:
        """Do this later, on the supervisor's thread."""
        self._later(delay_ns, task)

    def host_of(self, name: str) -> host.HostRef | None:
        """The host that runs the actor now."""
        return self._hosts.get(name)

    @property
    def hosts(self) -> Mapping[str, host.HostRef]:
        """The hosts that run now, by the names of their actors."""
        return self._hosts

    def _failed(self, post: Post, error: BaseException | None) -> Ended:
        return Ended(
            actor=post.name,
            incarnation=post.incarnation,
            ending=Ending.FAILED_START,
            error=error,
        )


class _Start:
    """The handshake: whichever comes first, begun or ended, decides the start."""

    def __init__(self, afterwards: Callable[[Ended], None]) -> None:
        self._afterwards = afterwards
        self._decided = threading.Event()
        self._failure: Ended | None = None
        self._up = False

    def begun(self) -> None:
        """The host has handled its first message."""
        self._up = True
        self._decided.set()

    def ended(self, ended: Ended) -> None:
        """The host is over; before the handshake that is its answer, afterwards it is news."""
        if self._up:
            self._afterwards(ended)
        else:
            self._failure = ended
            self._decided.set()

    def wait(self, timeout_s: float, breathe: Callable[[], None]) -> Ended | TimeoutError | None:
        """None when begun; else how it failed. Whoever waits breathes now and then."""
        left_s, ends = timeout_s, time.monotonic() + timeout_s
        while not self._decided.wait(min(left_s, host.BREATH_S)):
            left_s = ends - time.monotonic()
            if left_s <= 0:
                return TimeoutError(f"did not begin within {timeout_s:g} s")
            breathe()
        return self._failure
