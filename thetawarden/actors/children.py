"""Brings the instances of a role to what is asked for, and writes down what they are.

On the supervisor's thread, like the overseer, whose hands start and stop them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from thetawarden.actors.mailbox import Mailbox
from thetawarden.actors.post import Post, Status
from thetawarden.actors.roster import Roster
from thetawarden.actors.router import Router, Timekeeper
from thetawarden.messages.base import Lane
from thetawarden.messages.lifecycle import ChildrenChanged, Quiesce
from thetawarden.messages.registry import instance_of
from thetawarden.ports import Clock, Delivery, MessageLog, Outcome

SUPERVISOR = "supervisor"


class Children:
    """Starts, stops and remembers the instances of dynamic roles."""

    def __init__(
        self,
        *,
        roster: Roster,
        router: Router,
        timekeeper: Timekeeper,
        log: MessageLog,
        clock: Clock,
        start: Callable[[tuple[str, ...]], None],
        stop: Callable[[Post], bool],
        gave_up: Callable[[str], bool],
    ) -> None:
        self._roster = roster
        self._router = router
        self._timekeeper = timekeeper
        self._log = log
        self._clock = clock
        self._start = start
        self._stop = stop
        self._gave_up = gave_up
        self._closed = False

    def ensure(self, role: str, keys: tuple[str, ...]) -> None:
        """Stop the instances that are no longer asked for, start those that are missing, in order.

        Raises NoSuchRoleError when the tree has no template for the role.
        """
        there = self._roster.instances(role)
        wanted = tuple(dict.fromkeys(f"{role}/{key}" for key in keys))
        if self._closed:
            return
        for name in reversed(there):
            if name not in wanted:
                self._dismiss(self._roster.posts[name])
        if set(there) != set(wanted):
            # said before they can be reached: what is said to them from here on comes again
            self._say(role, wanted)
        for post in self._roster.away(role):
            if post.name not in wanted:
                self._drop_mail(post)
        missing = tuple(name for name in wanted if name not in there)
        for post in self._roster.admit(missing, self._log, self._clock.now_ns()):
            if self._gave_up(self._roster.group_of(post.name).name):
                post.status = Status.FAILED
        down = [name for name in wanted if self._roster.posts[name].status is Status.DOWN]
        self._start(tuple(down))

    def no_more(self) -> None:
        """Start and stop none from now on: the desk is stopping."""
        self._closed = True

    def begin_page(self, before: Mapping[str, tuple[str, ...]] | None = None) -> None:
        """Write at the start of a page what recovery must find there, however long ago it began.

        `before` says which instances there were when the last process ended.
        """
        self._roster.preserve(self._log, self._clock.now_ns())
        for role in self._roster.roles():
            there = self._roster.instances(role)
            earlier = tuple(f"{role}/{key}" for key in (before or {}).get(role, ()))
            if names := there or earlier:
                self._say(role, names)
        for post in self._roster.everybody():
            for envelope in post.mailbox.left():
                if self._router.comes_again(envelope.body):
                    now, incarnation = self._clock.now_ns(), post.incarnation
                    waiting = Delivery(envelope, post.name, incarnation, now, Outcome.WAITING)
                    self._log.record(waiting, ())

    def _dismiss(self, post: Post) -> None:
        """Quiesce, let nobody reach it, drain, stop."""
        if post.status is Status.RUNNING:
            self._router.tell(post.name, Quiesce(), sender=SUPERVISOR)
        self._roster.shut(post)
        self._stop(post)
        self._timekeeper.forget(post.name)
        self._drop_mail(post)
        self._roster.dismiss(post)

    def _drop_mail(self, post: Post) -> None:
        """What waits for one that is not asked for: orders that nobody will see are reported."""
        for envelope in post.mailbox.left():
            if self._router.lane_of(envelope.body) <= Lane.ORDERS:
                self._router.unclaimed(post.name, envelope)
        post.mailbox.close()
        post.mailbox = Mailbox(post.spec.bounds)

    def _say(self, role: str, names: tuple[str, ...]) -> None:
        keys = tuple(instance_of(name) for name in names)
        self._router.say(ChildrenChanged(role=role, keys=keys), sender=SUPERVISOR)
