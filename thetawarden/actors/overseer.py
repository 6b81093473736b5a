"""Carries out supervision: what `domain/restart.py` decides, done to real incarnations.

No thread and no clock of its own: one thread calls its methods one after another, in the desk the
supervisor's, in simulation the only one. How an incarnation is started and stopped is the crew's
business.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np

from thetawarden.actors.children import SUPERVISOR, Children
from thetawarden.actors.post import Ended, Post, Status
from thetawarden.actors.roster import Roster
from thetawarden.actors.router import Router, Timekeeper
from thetawarden.actors.tree import Group
from thetawarden.domain.instants import UnixNs
from thetawarden.domain.restart import (
    Ending,
    GiveUp,
    GroupGivesUp,
    LeaveEnded,
    Poison,
    Policy,
    Restart,
    RestartThese,
    Strategy,
    decide_restart,
    judge_poison,
    within_period,
)
from thetawarden.domain.vitals import ActorVitals
from thetawarden.messages.base import Envelope, Lane, Message
from thetawarden.messages.lifecycle import (
    ActorEnded,
    ActorPaused,
    ActorStarted,
    ActorUnpaused,
    GroupGaveUp,
    MessageParked,
    Quiesce,
)
from thetawarden.messages.trading import Halt
from thetawarden.ports import Clock, Delivery, MessageLog, Outcome

_LEAVE = (Status.RUNNING, Status.FAILED)
_PATIENCE_NS_MIN = 100_000_000
_KILLS = {Ending.CRASHED: Outcome.CRASHED, Ending.HUNG: Outcome.HUNG}


class Crew(Protocol):
    """Starts and ends incarnations."""

    def start(self, post: Post) -> Ended | None:
        """Start the next incarnation and see it through `Begin`; how it failed, or None."""
        ...

    def stop(self, post: Post, within_ns: int) -> bool:
        """Let it finish orders and stop; false when it hung and was fenced off instead."""
        ...

    def fence_off(self, post: Post) -> None:
        """From now on nothing the incarnation says is heard; its thread is left to itself."""
        ...

    def after(self, delay_ns: int, task: Callable[[], None]) -> None:
        """Do this later."""
        ...


class Overseer:
    """Keeps the tree running."""

    def __init__(
        self,
        *,
        roster: Roster,
        crew: Crew,
        router: Router,
        timekeeper: Timekeeper,
        log: MessageLog,
        clock: Clock,
        rng: np.random.Generator,
        give_up: Callable[[str], None],
    ) -> None:
        self._roster = roster
        self._crew = crew
        self._router = router
        self._log = log
        self._clock = clock
        self._rng = rng
        self._give_up = give_up
        self._restarts: dict[str, tuple[UnixNs, ...]] = {}
        self._given_up: set[str] = set()
        self._stopping = False
        self._ends_ns: int | None = None
        self.children = Children(
            roster=roster,
            router=router,
            timekeeper=timekeeper,
            log=log,
            clock=clock,
            start=self._start,
            stop=self._stop,
            gave_up=lambda group: group in self._given_up,
        )

    def start_all(self) -> None:
        """Start every group in order, each actor answering before the next is started."""
        for group in self._roster.tree.groups:
            self._start(self._roster.members(group))

    def no_more_starts(self, *, ends_ns: int) -> None:
        """The desk ends: nothing is started any more, and all stops together end by then.

        Called from any thread, also while the supervisor's is busy with a start.
        """
        self._ends_ns = ends_ns

    def stop_all(self) -> tuple[str, ...]:
        """Quiesce, then stop in reverse order; names those that hung. Goes on past each of them."""
        self._stopping = True
        self.children.no_more()
        running = [post for post in self._roster.in_order() if post.status is Status.RUNNING]
        for post in running:
            self._router.tell(post.name, Quiesce(), sender=SUPERVISOR)
        hung = [post.name for post in reversed(running) if not self._stop(post)]
        return tuple(hung)

    def ended(self, ended: Ended) -> None:
        """An incarnation is over without having been asked to."""
        post = self._roster.posts.get(ended.actor)
        if post is None or ended.incarnation != post.incarnation or self._stopping:
            return
        if post.status is not Status.RUNNING and ended.ending is not Ending.FAILED_START:
            return
        post.status = Status.RESTARTING
        seq = None if ended.envelope is None else ended.envelope.seq
        self._say(
            ActorEnded(
                actor=post.name,
                incarnation=ended.incarnation,
                ending=ended.ending,
                error=describe(ended.error),
                message_seq=seq,
            )
        )
        if ended.envelope is not None and ended.ending in _KILLS:
            self._settle_killer(post, ended.envelope, _KILLS[ended.ending])
        if isinstance(ended.error, MemoryError):
            self._give_up(f"{post.name} ran out of memory; a new process begins with more of it")
            return
        if ended.ending is Ending.HUNG and post.spec.fatal_if_hung:
            self._give_up(f"{post.name} hung; its work cannot be handed over in a living process")
            return
        self._answer(post, ended.ending)

    def hung(self, name: str) -> None:
        """An incarnation has been handling one message for too long: fence it off, replace it."""
        post = self._roster.posts[name]
        envelope = post.pulse.envelope
        self._crew.fence_off(post)
        error = TimeoutError(f"one message took longer than allowed ({_kind(envelope)})")
        self.ended(
            Ended(
                actor=name,
                incarnation=post.incarnation,
                ending=Ending.HUNG,
                error=error,
                envelope=envelope,
            )
        )

    def restart_by_hand(self, name: str, *, by: str) -> None:
        """Stop an actor, and those its group restarts with it, and start them again."""
        post = self._roster.posts[name]
        self._say(
            ActorEnded(
                actor=name,
                incarnation=post.incarnation,
                ending=Ending.REPLACED_BY_HAND,
                error=f"asked by {by}",
                message_seq=None,
            )
        )
        self._answer(post, Ending.REPLACED_BY_HAND)

    def pause(self, name: str, *, by: str) -> None:
        """Let an actor take control messages only."""
        self._roster.posts[name].mailbox.pause(paused=True)
        self._say(ActorPaused(actor=name, by=by))

    def unpause(self, name: str, *, by: str) -> None:
        """Let a paused actor go on."""
        self._roster.posts[name].mailbox.pause(paused=False)
        self._say(ActorUnpaused(actor=name, by=by))

    def overdue(self, budget_ns: int) -> tuple[str, ...]:
        """The actors that have been handling one message for longer than this."""
        now = self._clock.monotonic_ns()
        return tuple(
            post.name
            for post in self._roster.in_order()
            if post.status is Status.RUNNING and _busy_ns(post, now) > budget_ns
        )

    def vitals(self) -> tuple[ActorVitals, ...]:
        """Every running actor as it looks now."""
        now = self._clock.monotonic_ns()
        return tuple(
            ActorVitals(
                actor=post.name,
                incarnation=post.incarnation,
                handled=post.pulse.handled,
                busy_ns=_busy_ns(post, now),
                queued=sum(post.mailbox.depths()),
                paused=post.mailbox.paused,
            )
            for post in self._roster.in_order()
            if post.status is Status.RUNNING
        )

    def down(self) -> tuple[str, ...]:
        """The actors that do not run now; those of a group that gave up are told of apart."""
        waiting = (Status.RESTARTING, Status.DOWN)
        return tuple(post.name for post in self._roster.in_order() if post.status in waiting)

    def _start(self, names: tuple[str, ...]) -> None:
        for name in names:
            if self._stopping or self._ends_ns is not None:
                return
            post = self._roster.posts.get(name)
            if post is None or post.status in _LEAVE:  # meanwhile dismissed, restarted, given up
                continue
            resumed = post.remembers
            failure = self._crew.start(post)
            if failure is not None:
                self.ended(failure)
                if self._roster.group_of(name).policy.strategy is not Strategy.ONE_FOR_ONE:
                    return  # what comes after it is restarted with it
                continue
            post.status = Status.RUNNING
            self._say(ActorStarted(actor=name, incarnation=post.incarnation, resumed=resumed))

    def _stop(self, post: Post) -> bool:
        if post.status is not Status.RUNNING:
            return True
        post.status = Status.DOWN
        stopped = self._crew.stop(post, self._patience_ns(post))
        unfinished = post.pulse.envelope
        if unfinished is not None and not self._stopping:  # it ended by this, not by our asking
            self._settle_killer(post, unfinished, Outcome.CRASHED if stopped else Outcome.HUNG)
        return stopped

    def _patience_ns(self, post: Post) -> int:
        """Its own time to stop; at the desk's end what is left, and never too little to answer."""
        own_ns = post.spec.stop_deadline_ns
        if self._ends_ns is None:
            return own_ns
        return min(own_ns, max(self._ends_ns - self._clock.monotonic_ns(), _PATIENCE_NS_MIN))

    def _answer(self, post: Post, ending: Ending) -> None:
        group = self._roster.group_of(post.name)
        now, history = self._machine_ns(), self._restarts.get(group.name, ())
        decision = decide_restart(
            policy=group.policy,
            children=self._roster.members(group),
            failed=post.name,
            ending=ending,
            restart=post.spec.restart,
            earlier_ns=history,
            now_ns=now,
            jitter=float(self._rng.random()),
        )
        match decision:
            case LeaveEnded():
                post.status = Status.DOWN
            case RestartThese(stop=stop, start=start, delay_ns=delay_ns):
                self._given_up.discard(group.name)
                if ending is not Ending.REPLACED_BY_HAND:
                    self._note_restart(group.name, group.policy, now)
                self._restart(stop, start, delay_ns)
            case GroupGivesUp(stop=stop, then=then):
                for name in stop:
                    self._stop(self._roster.posts[name])
                self._group_gave_up(group, post, then)

    def _restart(self, stop: tuple[str, ...], start: tuple[str, ...], delay_ns: int) -> None:
        for name in (*stop, *reversed(start)):
            self._stop(self._roster.posts[name])
            self._roster.posts[name].status = Status.RESTARTING
        for name in start:
            self._roster.posts[name].restarts += 1
        if delay_ns == 0:
            self._start(start)
        else:
            self._crew.after(delay_ns, lambda: self._start(start))

    def _machine_ns(self) -> UnixNs:
        """Restarts are counted in machine time, however fast the market's runs."""
        return UnixNs(self._clock.monotonic_ns())

    def _note_restart(self, key: str, policy: Policy, now: UnixNs) -> None:
        recent = within_period(self._restarts.get(key, ()), period_ns=policy.period_ns, now_ns=now)
        self._restarts[key] = (*recent, now)

    def _group_gave_up(self, group: Group, last: Post, then: GiveUp) -> None:
        names = self._roster.members(group)
        self._given_up.add(group.name)
        for name in names:
            self._roster.posts[name].status = Status.FAILED
        self._say(GroupGaveUp(group=group.name, last_actor=last.name))
        if then is GiveUp.DEGRADE:
            return
        now, root = self._machine_ns(), self._roster.tree.root
        decision = decide_restart(
            policy=root,
            children=tuple(each.name for each in self._roster.tree.groups),
            failed=group.name,
            ending=Ending.CRASHED,
            restart=Restart.PERMANENT,
            earlier_ns=self._restarts.get("", ()),
            now_ns=now,
            jitter=float(self._rng.random()),
        )
        if isinstance(decision, RestartThese):
            self._note_restart("", root, now)
            self._restarts[group.name] = ()
            self._given_up.discard(group.name)
            self._restart((), names, decision.delay_ns)
        else:
            self._give_up(f"group {group.name} cannot be kept running ({last.name} ended last)")

    def _settle_killer(self, post: Post, envelope: Envelope[Message], outcome: Outcome) -> None:
        """Give the message that ended an incarnation one more chance, or put it aside."""
        kills = post.kills[envelope.seq] = post.kills.get(envelope.seq, 0) + 1
        lane = self._router.lane_of(envelope.body)
        match judge_poison(kills=kills, guards_money=lane <= Lane.ORDERS):
            case Poison.DELIVER_AGAIN:
                self._record(post, envelope, outcome)
                post.mailbox.return_first(envelope, lane)
            case Poison.PARK:
                self._park(post, envelope)
            case Poison.PARK_AND_HALT:
                self._park(post, envelope)
                reason = f"{_kind(envelope)} {envelope.seq} ended {post.name} twice"
                self._say(Halt(reason=reason, by=SUPERVISOR), cause_seq=envelope.seq)

    def _park(self, post: Post, envelope: Envelope[Message]) -> None:
        self._record(post, envelope, Outcome.PARKED)
        parked = MessageParked(actor=post.name, message_seq=envelope.seq, kind=_kind(envelope))
        self._say(parked, cause_seq=envelope.seq)

    def _record(self, post: Post, envelope: Envelope[Message], outcome: Outcome) -> None:
        """Write that the message was handled to no effect."""
        now = self._clock.now_ns()
        self._log.record(Delivery(envelope, post.name, post.incarnation, now, outcome), ())

    def _say(self, body: Message, *, cause_seq: int | None = None) -> None:
        self._router.say(body, sender=SUPERVISOR, cause_seq=cause_seq)


def describe(error: BaseException | None) -> str:
    """An exception in one line, and not too long a one."""
    return "" if error is None else f"{type(error).__name__}: {error}"[:500]


def _kind(envelope: Envelope[Message] | None) -> str:
    return "no message" if envelope is None else type(envelope.body).__name__


def _busy_ns(post: Post, now_ns: int) -> int:
    """How long it has been at work, 0 when idle; it may have begun just after we looked."""
    since = post.pulse.busy_since_ns
    return max(now_ns - since, 1) if since else 0
