"""What a person can see of a running desk and do to it; implements the control API's Operator."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

import msgspec

from thetawarden.actors.asking import ask_lineup
from thetawarden.actors.connection import ConnectionState
from thetawarden.actors.host import HostGoneError
from thetawarden.actors.keeping import KeeperState, rows_of
from thetawarden.actors.post import Post, Status
from thetawarden.actors.rates import Rates
from thetawarden.domain.halt import HaltRecord, Latch, ResumeRefusal, TradingState, open_latch
from thetawarden.domain.instants import UnixNs, iso
from thetawarden.domain.units import to_float
from thetawarden.errors import RefusedError
from thetawarden.infra.control.app import UnknownActorError
from thetawarden.infra.control.stress_view import stress_view
from thetawarden.infra.practice_clock import PracticeClock
from thetawarden.infra.redaction import Redactor
from thetawarden.messages.base import Message
from thetawarden.messages.books import AcceptBook
from thetawarden.messages.control import (
    AcceptBookRequest,
    ActorCounts,
    ActorView,
    ApproveLineupRequest,
    Done,
    EventView,
    FlattenRequest,
    HaltRequest,
    HaltView,
    Inspection,
    Lanes,
    LinkView,
    ResumeRequest,
    StopRequest,
    StressView,
)
from thetawarden.messages.control import Status as StatusView
from thetawarden.messages.risk import BeCautious, FreezeExits, StressTaken, TakeStress
from thetawarden.messages.trading import Flatten, Halt, Resume
from thetawarden.process import DeskProcess
from thetawarden.resuming import lifting_of, refusal_words, require_fingerprint

ANSWER_TIMEOUT_S = 2.0
DURABLE_TIMEOUT_S = 10.0
STRESS_TIMEOUT_S = 15.0
KEEPER = "keeper"
CONNECTION = "connection"
GOVERNOR = "governor"
_ABNORMAL = (Status.RESTARTING, Status.FAILED, Status.DOWN)


class Operator:
    """Answers from many threads at once; what changes the tree waits for the supervisor."""

    def __init__(self, process: DeskProcess) -> None:
        self._process = process
        self._desk = process.desk
        self._redactor = Redactor()
        self._rates = Rates(time.monotonic())
        process.on_heartbeat.append(lambda: self._rates.look(self._desk.posts.values()))

    def status(self) -> StatusView:
        """The desk in one look."""
        process, governor = self._process, self._state(GOVERNOR, "latch", "frozen", "cautions")
        latch = self._latch_of(governor)
        keeper, connection = self._keeper(), self._connection()
        ailments, erring = self._ailments()
        heard = keeper if keeper is not None and keeper.opened else None  # of a broker's book
        return StatusView(
            mode=str(process.config.mode),
            trading_state=str(_trading(latch, governor)),
            halt=_halt_view(latch.halt),
            link=_link_view(connection),
            reconciled=connection is not None and connection.reconciled,
            market_time=iso(process.clock.now_ns()),
            speed=process.clock.speed,
            gateway=self._gateway_address(),
            nlv_usd=_worth(keeper),
            positions=None if heard is None else len(rows_of(heard)),
            working_orders=None if heard is None else len(heard.orders.orders),
            actors=self._counts(),
            next_events=self._next_events(),
            entries_frozen=_frozen(governor),
            pid=os.getpid(),
            started_at=iso(process.started_ns),
            ailments=ailments,
            erring=erring,
            condition=_condition(latch, ailments, erring),
        )

    def is_halted(self) -> bool:
        """Whether trading is halted, by the governor or, while it is silent, by the flag."""
        return self._latch().halt is not None

    def inspect(self, name: str | None) -> Inspection:
        """All actors, or one with its state."""
        posts = self._desk.posts
        if name is None:
            return Inspection(actors=tuple(self._view(post) for post in posts.values()))
        post = self._post(name)
        try:
            state = self._desk.state_of(name, timeout_s=ANSWER_TIMEOUT_S)
        except HostGoneError:
            state = None
        return Inspection(actors=(self._view(post),), actor_state=state)

    def restart(self, name: str, *, by: str) -> Done:
        """Restart an actor."""
        post = self._post(name)
        self._desk.restart(name, by=by)
        return Done(what=f"{name} is {post.status} as incarnation {post.incarnation}")

    def pause(self, name: str, *, by: str) -> Done:
        """Let an actor take control messages only."""
        self._desk.pause(self._post(name).name, by=by)
        return Done(what=f"{name} takes control messages only")

    def unpause(self, name: str, *, by: str) -> Done:
        """Let a paused actor go on."""
        self._desk.unpause(self._post(name).name, by=by)
        return Done(what=f"{name} goes on")

    def halt(self, request: HaltRequest, *, by: str) -> Done:
        """Halt by the flag file first, which needs no actor, then by the governor."""
        if request.cautious:
            self._say_durably(BeCautious(reason=request.reason, by=by))
            return Done(what="the desk is cautious: it opens nothing until you lift that")
        if request.exits_too:
            self._say_durably(FreezeExits(frozen=True, reason=request.reason, by=by))
        self._process.raise_flag(request.reason, by=by)
        self._say_durably(Halt(reason=request.reason, by=by))
        latch = self._latch_once(lambda latch: latch.halt is not None)
        return Done(what="trading is halted", halt=_halt_view(latch.halt))

    def resume(self, request: ResumeRequest, *, by: str) -> Done:
        """Lift the halt of the epoch that was named."""
        latch = self._latch()
        done = self._lift_the_rest(request, by=by)
        if done and latch.halt is None and request.epoch is None:
            return Done(what=", ".join(done))
        epoch = latch.epoch if request.epoch is None else request.epoch
        opened = open_latch(latch, epoch=epoch, reason=request.reason)
        resume = Resume(reason=request.reason, by=by, epoch=epoch)
        if isinstance(opened, ResumeRefusal):
            self._say(resume)
            raise RefusedError(refusal_words(opened, asked=epoch, latch=latch))
        self._say_durably(resume)
        after = self._latch_once(lambda latch: latch.halt is None)
        if after.halt is not None:
            raise RefusedError(refusal_words(ResumeRefusal.WRONG_EPOCH, asked=epoch, latch=after))
        self._say(FreezeExits(frozen=False, reason=request.reason, by=by))
        return Done(what=", ".join((*done, "trading is resumed")))

    def _lift_the_rest(self, request: ResumeRequest, *, by: str) -> tuple[str, ...]:
        """Do what else a person named, and say what that was."""
        if request.limits:
            require_fingerprint(request.limits, governor=self._state("governor"))
        wanted = lifting_of(request, by=by)
        for message, _ in wanted:
            self._say_durably(message)
        return tuple(words for _, words in wanted)

    def _say(self, message: Message) -> int:
        """A person's words as they are, but for secrets: the log keeps them for ever."""
        return self._desk.say(self._redactor.fields(message), sender="person")

    def _say_durably(self, message: Message) -> None:
        seq = self._say(message)
        self._process.journal.wait_durable(seq, DURABLE_TIMEOUT_S)

    def stress(self, *, by: str) -> StressView:
        """Have the book revalued, and wait for what comes of it."""
        run = f"asked by {by} at {iso(self._process.clock.now_ns())}"
        self._say(TakeStress(run=run))
        deadline = time.monotonic() + STRESS_TIMEOUT_S
        while time.monotonic() < deadline:
            time.sleep(0.05)
            governor = self._state(GOVERNOR, "stress")
            taken = None if governor is None else governor["stress"]
            if taken is not None and taken[1] == run:
                return stress_view(msgspec.convert(taken, StressTaken, strict=False))
        raise RefusedError(
            "stress refused: the book was not revalued in time; allowed: a desk that has seen its"
            " market. Look at `thetawarden risk` and `thetawarden inspect governor`"
        )

    def flatten(self, request: FlattenRequest, *, by: str) -> Done:
        """Halt first, so that nothing new is opened; then have all that is held closed."""
        halted = self.halt(HaltRequest(reason=f"flatten: {request.reason}"), by=by)
        self._say_durably(Flatten(reason=request.reason, by=by, underlying=request.underlying))
        what = request.underlying or "everything"
        return Done(what=f"trading is halted, {what} is being closed", halt=halted.halt)

    def stop(self, request: StopRequest, *, by: str) -> Done:
        """Begin to end the desk."""
        self._process.stop(request.reason, by=by)
        return Done(what="the desk is stopping")

    def accept_book(self, request: AcceptBookRequest, *, by: str) -> Done:
        """Let the keeper take the broker's word for what it cannot explain."""
        keeper = self._keeper()
        if keeper is None:
            raise RefusedError("accept refused: the keeper does not answer; look at `inspect`")
        if not keeper.unexplained:
            raise RefusedError("accept refused: the book agrees with the broker's already")
        self._say_durably(AcceptBook(reason=request.reason, by=by))
        return Done(what="the broker's book is taken over with the next comparison")

    def build_lineup(self, *, by: str) -> Done:
        """Have a line-up chosen; the broker is asked for every margin."""
        return ask_lineup(self._desk, by=by)

    def approve_lineup(self, request: ApproveLineupRequest, *, by: str) -> Done:
        """Let a line-up be entered."""
        return ask_lineup(self._desk, by=by, approve=request.lineup)

    def _keeper(self) -> KeeperState | None:
        """The book as the keeper has it, None while it cannot answer or there is none."""
        state = self._state(KEEPER)
        return None if state is None else msgspec.convert(state, KeeperState, strict=False)

    def _connection(self) -> ConnectionState | None:
        """The link as its actor has it, None while it cannot answer or there is none."""
        state = self._state(CONNECTION)
        return None if state is None else msgspec.convert(state, ConnectionState, strict=False)

    def _state(self, actor: str, *fields: str) -> Any:
        """What an actor knows, or these parts of it; None while it does not answer."""
        if actor not in self._desk.posts:
            return None
        try:
            return self._desk.state_of(actor, timeout_s=ANSWER_TIMEOUT_S, fields=fields)
        except HostGoneError:
            return None

    def _latch(self) -> Latch:
        return self._latch_of(self._state(GOVERNOR, "latch"))

    def _latch_of(self, governor: Any) -> Latch:
        """The brake as the governor knows it; while it cannot answer, as the flag shows it."""
        if governor is None:
            halt = self._process.flag.read()
            return Latch(epoch=halt.epoch if halt else 0, halt=halt)
        return msgspec.convert(governor["latch"], Latch)

    def _latch_once(self, holds: Callable[[Latch], bool]) -> Latch:
        """The brake once it is as wanted, or as it is after a while."""
        deadline = time.monotonic() + ANSWER_TIMEOUT_S
        latch = self._latch()
        while not holds(latch) and time.monotonic() < deadline:
            time.sleep(0.005)
            latch = self._latch()
        return latch

    def _gateway_address(self) -> str | None:
        """Where the practice market is that the desk lives by, and whether that answers."""
        clock = self._process.clock
        if not isinstance(clock, PracticeClock):
            return None
        host, port = self._process.broker_at
        return f"{host}:{port}" + ("" if clock.in_touch else " (does not answer)")

    def _counts(self) -> ActorCounts:
        conditions = [post.status for post in self._desk.posts.values()]
        return ActorCounts(
            running=conditions.count(Status.RUNNING),
            restarting=conditions.count(Status.RESTARTING),
            failed=conditions.count(Status.FAILED) + conditions.count(Status.DOWN),
        )

    def _next_events(self) -> tuple[EventView, ...]:
        state = self._state("scheduler", "next_events")
        if state is None:
            return ()
        return tuple(
            EventView(name=event["name"], at=iso(UnixNs(event["at_ns"])))
            for event in state["next_events"]
        )

    def _ailments(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """All that is wrong, and what failed of late; also what only the process can know."""
        posts = self._desk.posts.values()
        ailing = [f"{post.name} is {post.status}" for post in posts if post.status in _ABNORMAL]
        ailing += [f"{post.name} is paused by hand" for post in posts if post.mailbox.paused]
        state = self._state("watchdog", "findings", "erring")
        if state is None:
            return (*ailing, "the watchdog does not answer"), ()
        found = tuple(finding["words"] for finding in state["findings"])
        erring = tuple(_erring_words(one) for one in state["erring"].values())
        return (*ailing, *found), erring

    def _post(self, name: str) -> Post:
        post = self._desk.posts.get(name)
        if post is None:
            raise UnknownActorError(name, tuple(self._desk.posts))
        return post

    def _view(self, post: Post) -> ActorView:
        control, orders, timer, market = post.mailbox.depths()
        pulse = post.pulse
        paused = post.status is Status.RUNNING and post.mailbox.paused
        return ActorView(
            name=post.name,
            state="paused" if paused else str(post.status),
            incarnation=post.incarnation,
            restarts=post.restarts,
            lanes=Lanes(control=control, orders=orders, timer=timer, market=market),
            handled=pulse.handled,
            rate_per_s=self._rates.of(post),
            handler_us_p99=round(pulse.handler_ns_p99() / 1000, 1),
            last_handled_at=iso(UnixNs(pulse.last_handled_ns)) if pulse.last_handled_ns else None,
            group=self._desk.group_of(post.name),
        )


def _condition(latch: Latch, ailments: tuple[str, ...], erring: tuple[str, ...]) -> str:
    """Whether it is halted, lives but errs, or is well."""
    if latch.halt is not None:
        return "halted"
    return "erring" if ailments or erring else "healthy"


def _frozen(governor: Any) -> tuple[str, ...]:
    """Why no new risk is taken, besides a halt; empty when nothing stands against it."""
    if governor is None:
        return ("the governor does not answer",)
    return tuple(f"{by}: {why}" for by, why in governor["frozen"].items())


def _trading(latch: Latch, governor: Any) -> TradingState:
    """Halted by the latch, cautious for as long as anybody has a reason to be."""
    if latch.halt is not None:
        return latch.state
    cautious = governor is not None and governor["cautions"]
    return TradingState.CAUTIOUS if cautious else TradingState.RUNNING


def _erring_words(one: dict[str, Any]) -> str:
    times = "" if one["times"] == 1 else f", {one['times']} times"
    return f"{one['words']} (last at {iso(UnixNs(one['at_ns']))}{times})"


def _link_view(of: ConnectionState | None) -> LinkView:
    return LinkView(state=of.state if of else "none", epoch=of.epoch if of else 0)


def _worth(keeper: KeeperState | None) -> float | None:
    values = None if keeper is None else keeper.values
    if values is None or values.net_liquidation_usd is None:
        return None
    return to_float(values.net_liquidation_usd)


def _halt_view(halt: HaltRecord | None) -> HaltView | None:
    if halt is None:
        return None
    return HaltView(epoch=halt.epoch, reason=halt.reason, by=halt.by, at=iso(halt.at_ns))
