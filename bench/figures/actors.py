"""Actors on our host, beside plain pykka and beside the barest hand-off Python has."""

from __future__ import annotations

import datetime as dt
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import msgspec
import pykka
from typing_extensions import override

from bench.harness import Figure, Goal
from thetawarden.actors.cell import Cell
from thetawarden.actors.desk import Desk, DeskSettings
from thetawarden.actors.effects import EffectThreads
from thetawarden.actors.host import start_host, stop_host
from thetawarden.actors.mailbox import Bounds
from thetawarden.actors.post import ActorSpec, Post
from thetawarden.actors.router import Router
from thetawarden.actors.timers import TimerThread
from thetawarden.actors.tree import Group, Tree
from thetawarden.domain.instants import UnixNs
from thetawarden.domain.restart import Policy
from thetawarden.domain.vitals import ActorVitals, Vitals
from thetawarden.infra.clock import WallClock
from thetawarden.infra.journal.journal import Journal, Position
from thetawarden.messages.base import Envelope, Message
from thetawarden.messages.lifecycle import ActorPaused
from thetawarden.messages.operations import AlertDelivered, NotifyPerson, Urgency, VitalsTaken
from thetawarden.ports import MessageLog
from thetawarden.sim.log import MemoryLog
from thetawarden.supervisor import ADAPTERS

MESSAGES = 200_000

QUOTES = 20_000
HOPS = 1000
ASLEEP_S = 300e-6
CRASHES = 30
PLENTY = Bounds(control=10**9, orders=10**9, timer=10**9, market=10**9)
NOTE = AlertDelivered(number=1)
URGENT = ActorPaused(actor="x", by="bench")


class Tally(msgspec.Struct):
    """How many messages were handled."""

    handled: int = 0


class Counting:
    """A trivial actor: counts, and calls back at each message."""

    def __init__(
        self, target: int = 0, on_message: Callable[[Message], None] | None = None
    ) -> None:
        self.state = Tally()
        self.reached = threading.Event()
        self._target = target
        self._on_message = on_message

    def receive(self, message: Message, now: UnixNs) -> tuple[Message, ...]:  # noqa: ARG002
        self.state.handled += 1
        if self._on_message is not None:
            self._on_message(message)
        if self.state.handled == self._target:
            self.reached.set()
        return ()


class PlainCounting(pykka.ThreadingActor):
    """The same on plain pykka."""

    use_daemon_thread = True

    def __init__(
        self,
        *,
        target: int = 0,
        reached: threading.Event | None = None,
        on_message: Callable[[Any], None] | None = None,
    ) -> None:
        super().__init__()
        self.handled = 0
        self.reached = reached or threading.Event()
        self._target = target
        self._on_message = on_message

    @override
    def on_receive(self, message: Any) -> None:
        self.handled += 1
        if self._on_message is not None:
            self._on_message(message)
        if self.handled == self._target:
            self.reached.set()


@contextmanager
def hosted(actor: Counting, log: MessageLog) -> Iterator[Router]:
    """The actor as `notifier` behind our router, mailbox and host."""
    clock = WallClock()
    post = Post(ActorSpec(name="notifier", kind=Counting, bounds=PLENTY))
    router = Router(
        log=log, clock=clock, timekeeper=TimerThread(clock), effects=EffectThreads({}, log)
    )
    router.open([post])
    cell = Cell(
        post=post, actor=actor, log=log, clock=clock, route=router.route, snapshot_every=5000
    )
    reference = start_host(cell=cell, begun=lambda: None, ended=lambda _: None)
    try:
        yield router
    finally:
        stop_host(reference, timeout_s=10, breathe=lambda: None)


def throughput(log: MessageLog) -> float:
    """Messages a second from the first `say` until the last one is handled."""
    actor = Counting(target=MESSAGES)
    with hosted(actor, log) as router:
        say, started = router.say, time.perf_counter()
        for _ in range(MESSAGES):
            say(NOTE, sender="bench")
        actor.reached.wait()
        return MESSAGES / (time.perf_counter() - started)


def throughput_log_off() -> float:
    return throughput(MemoryLog(keep=False))


def throughput_log_on() -> float:
    """Until every message and delivery is on disk as well."""
    with tempfile.TemporaryDirectory() as folder:
        journal = Journal(
            Path(folder), day=dt.date(2026, 2, 3), position=Position(), software="bench"
        )
        started = time.perf_counter()
        throughput(journal)
        journal.close()
        return MESSAGES / (time.perf_counter() - started)


def throughput_plain() -> float:
    reached = threading.Event()
    reference = PlainCounting.start(target=MESSAGES, reached=reached)
    started = time.perf_counter()
    for _ in range(MESSAGES):
        reference.tell(NOTE)
    reached.wait()
    rate = MESSAGES / (time.perf_counter() - started)
    reference.stop()
    return rate


def hop_us() -> float:
    """Median from `say` to the first line of the handler, in the lane of halts.

    The receiver is asleep before each.

    The receiver does not answer: a sender that is woken by it ends up beside it or away from it on
    the processors, and then that, not the hop, is what one measures.
    """
    hops: list[float] = []
    sent = [0]

    def on_message(_: Message) -> None:
        hops.append((time.perf_counter_ns() - sent[0]) / 1000)

    with hosted(Counting(on_message=on_message), MemoryLog(keep=False)) as router:
        for _ in range(HOPS):
            time.sleep(ASLEEP_S)
            sent[0] = time.perf_counter_ns()
            router.say(URGENT, sender="bench")
        time.sleep(ASLEEP_S)
    return statistics.median(hops)


def hop_bare_us() -> float:
    """The same through a bare SimpleQueue between two threads."""
    hops: list[float] = []
    queue: SimpleQueue[int] = SimpleQueue()

    def receive() -> None:
        while (sent := queue.get()) >= 0:
            hops.append((time.perf_counter_ns() - sent) / 1000)

    thread = threading.Thread(target=receive, daemon=True)
    thread.start()
    for _ in range(HOPS):
        time.sleep(ASLEEP_S)
        queue.put(time.perf_counter_ns())
    queue.put(-1)
    thread.join()
    return statistics.median(hops)


def halt_behind_quotes_ms() -> float:
    """99th percentile of a control message's way past 20,000 messages that wait before it."""
    return _p99([_one_halt() for _ in range(20)])


def _one_halt() -> float:
    gate, handled = threading.Event(), threading.Event()
    took: list[float] = []
    sent = [0.0]

    def on_message(message: Message) -> None:
        if isinstance(message, ActorPaused):
            took.append(time.perf_counter() - sent[0])
            handled.set()
        elif not gate.is_set():
            gate.wait()

    with hosted(Counting(on_message=on_message), MemoryLog(keep=False)) as router:
        for _ in range(QUOTES):
            router.say(NOTE, sender="bench")
        sent[0] = time.perf_counter()
        router.say(ActorPaused(actor="x", by="bench"), sender="bench")
        gate.set()
        handled.wait()
    return took[0] * 1000


def halt_behind_quotes_plain_ms() -> float:
    """The same through plain pykka's first-in-first-out inbox."""
    return _p99([_one_halt_plain() for _ in range(5)])


def _one_halt_plain() -> float:
    gate, handled = threading.Event(), threading.Event()
    took: list[float] = []
    sent = [0.0]

    def on_message(message: Any) -> None:
        if message == "halt":
            took.append(time.perf_counter() - sent[0])
            handled.set()
        elif not gate.is_set():
            gate.wait()

    reference = PlainCounting.start(on_message=on_message)
    for _ in range(QUOTES):
        reference.tell(NOTE)
    sent[0] = time.perf_counter()
    reference.tell("halt")
    gate.set()
    handled.wait()
    reference.stop()
    return took[0] * 1000


def _p99(values: list[float]) -> float:
    return sorted(values)[min(len(values) - 1, len(values) * 99 // 100)]


class Fragile:
    """Crashes when told to, and notes when it has handled what comes after."""

    crashed_ns: list[int]
    back_ns: list[int]

    def __init__(
        self, crashed_ns: list[int], back_ns: list[int], back: threading.Semaphore
    ) -> None:
        self.state = Tally()
        self._crashed_ns, self._back_ns, self._back = crashed_ns, back_ns, back

    def receive(self, message: Message, now: UnixNs) -> tuple[Message, ...]:  # noqa: ARG002
        if isinstance(message, NotifyPerson):
            if message.text == "crash" and len(self._crashed_ns) == len(self._back_ns):
                self._crashed_ns.append(time.perf_counter_ns())
                raise RuntimeError("planted")
            if message.text == "back":
                self._back_ns.append(time.perf_counter_ns())
                self._back.release()
        return ()


class _NoEffects:
    def perform(self, envelope: Envelope[Message], /) -> tuple[Message, ...]:  # noqa: ARG002
        return ()


def _vitals(actors: tuple[ActorVitals, ...]) -> Message:
    return VitalsTaken(vitals=Vitals(actors=actors, log_lag_ns=0, disk_free_bytes=1 << 40))


def restart_ms() -> float:
    """Median from the crash to the next message handled, through supervisor and real log."""
    crashed: list[int] = []
    back_ns: list[int] = []
    back = threading.Semaphore(0)
    policy = Policy(intensity=10**6, backoff_min_ns=0, backoff_max_ns=0)
    spec = ActorSpec(
        name="notifier",
        kind=Fragile,
        settings={"crashed_ns": crashed, "back_ns": back_ns, "back": back},
    )
    tree = Tree(root=policy, groups=(Group(name="g", policy=policy, actors=(spec,)),))
    with tempfile.TemporaryDirectory() as folder:
        journal = Journal(
            Path(folder), day=dt.date(2026, 2, 3), position=Position(), software="bench"
        )
        nothing = _NoEffects()
        desk = Desk(
            tree=tree,
            log=journal,
            clock=WallClock(),
            adapters=dict.fromkeys(ADAPTERS, nothing),
            settings=DeskSettings(heartbeat_s=3600.0),
            take_vitals=_vitals,
            give_up=lambda _: None,
        )
        desk.start()
        for _ in range(CRASHES):
            for text in ("work", "crash", "back"):
                note = NotifyPerson(urgency=Urgency.LOW, topic="bench", text=text)
                desk.say(note, sender="bench")
            back.acquire()
        desk.stop()
        journal.close()
    return statistics.median(
        (after - before) / 1e6 for before, after in zip(crashed, back_ns, strict=False)
    )


def restart_plain_ms() -> float:
    """Starting a plain pykka actor and having it handle one message, by hand, no state."""
    took = []
    for _ in range(CRASHES):
        started = time.perf_counter_ns()
        reached = threading.Event()
        reference = PlainCounting.start(target=1, reached=reached)
        reference.tell(NOTE)
        reached.wait()
        took.append((time.perf_counter_ns() - started) / 1e6)
        reference.stop()
    return statistics.median(took)


FIGURES = (
    Figure(
        name="one_way_messages_log_off",
        unit="msg/s",
        measure=throughput_log_off,
        reference="plain pykka tell",
        measure_reference=throughput_plain,
        goals=(Goal(of="ratio", relation=">=", limit=2.0),),
    ),
    Figure(
        name="one_way_messages_log_on",
        unit="msg/s",
        measure=throughput_log_on,
        reference="plain pykka tell",
        measure_reference=throughput_plain,
        goals=(Goal(of="ratio", relation=">=", limit=0.35),),
    ),
    Figure(
        name="hop_latency_p50",
        unit="us",
        measure=hop_us,
        reference="bare SimpleQueue",
        measure_reference=hop_bare_us,
        goals=(Goal(of="ratio", relation="<=", limit=1.3),),
        repetitions=15,
    ),
    Figure(
        name="halt_behind_20000_quotes_p99",
        unit="ms",
        measure=halt_behind_quotes_ms,
        reference="plain pykka, first in first out",
        measure_reference=halt_behind_quotes_plain_ms,
        goals=(Goal(of="value", relation="<=", limit=5.0),),
    ),
    Figure(
        name="crash_to_handling_again",
        unit="ms",
        measure=restart_ms,
        reference="plain pykka: start by hand, no state",
        measure_reference=restart_plain_ms,
        goals=(Goal(of="value", relation="<=", limit=50.0),),
    ),
)
