"""Ticks flat out from a practice gateway into a desk: taken, told, read, and nothing piling up.

One run serves all rows: the gateway in a process of its own, a desk of real actors with a message
log on disk, a hundred lines that the ledger ordered, ten watchers. The same gateway then feeds a
bare ib_async client. INGEST_S sets how long each of them is measured.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import functools
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from bench.figures.gateway import LINES, _connected, _gateway, _subscribed
from bench.harness import Figure, Goal
from thetawarden.actors.desk import Desk, DeskSettings
from thetawarden.actors.post import ActorSpec
from thetawarden.actors.slots import Slots
from thetawarden.actors.tree import Group, Tree
from thetawarden.domain.broker.instrument import Instrument, InstrumentKind
from thetawarden.domain.broker.lines import LineManner, LinePriority, LineWant
from thetawarden.domain.instants import NS_PER_MINUTE, UnixNs
from thetawarden.domain.link.states import LinkState
from thetawarden.domain.restart import GiveUp, Policy, Strategy
from thetawarden.domain.slots.limits import LineLimits
from thetawarden.domain.vitals import Vitals
from thetawarden.infra.clock import WallClock
from thetawarden.infra.ib.broker import Broker
from thetawarden.infra.ib.pacing import Pace
from thetawarden.infra.ib.quotes import LineSettings, QuoteHandler
from thetawarden.infra.ib.session import Session, SessionSettings
from thetawarden.infra.journal.journal import Journal, Position
from thetawarden.messages.base import Envelope, Message
from thetawarden.messages.lifecycle import Begin, Quiesce
from thetawarden.messages.link import LinkChanged, LinkOpened, LinkProbed, OpenLink, ProbeLink
from thetawarden.messages.market import QuotesObserved, WantLines
from thetawarden.messages.operations import VitalsTaken
from thetawarden.ports import Adapter, DeskPort

WATCHERS = 10
INGEST_S = float(os.environ.get("INGEST_S", "60"))
SETTLE_S = 3.0
HEARTBEAT_S = 1.0
SAMPLE_S = 0.01
PATIENCE_S = 60.0
LANES = ("control", "orders", "timer", "market")


class Told(msgspec.Struct):
    """What a watcher was told: messages, and the ticks they stood for."""

    messages: int = 0
    updates: int = 0


class Watching:
    """Reads every quote as a watcher would, and remembers the latest of each."""

    def __init__(self, totals: Told) -> None:
        self.state = Told()
        self._totals = totals
        self._latest: dict[int, Any] = {}

    def receive(
        self, message: Begin | Quiesce | LinkChanged | QuotesObserved, now: UnixNs
    ) -> tuple[Message, ...]:
        del now
        if isinstance(message, QuotesObserved):
            self._totals.messages += 1
            for quote in message.told:
                self._latest[quote.conid] = quote
                self._totals.updates += quote.updates
        return ()


class Probes(msgspec.Struct):
    """How long the desk's own signs of life took, in nanoseconds, and when the link opened."""

    vitals_ns: list[int] = msgspec.field(default_factory=list)
    links_ns: list[int] = msgspec.field(default_factory=list)
    opened: int = 0


class Probing:
    """Stands where the watchdog and the connection stand, and notes how late they would hear."""

    def __init__(self, probes: Probes) -> None:
        self.state = Told()
        self._probes = probes

    def receive(
        self, message: Begin | Quiesce | VitalsTaken | LinkOpened | LinkProbed, now: UnixNs
    ) -> tuple[Message, ...]:
        if isinstance(message, VitalsTaken):
            self._probes.vitals_ns.append(now - message.vitals.log_lag_ns)
        elif isinstance(message, LinkProbed):
            self._probes.links_ns.append(message.round_trip_ns)
        elif isinstance(message, LinkOpened):
            self._probes.opened += 1
        return ()


class Silent:
    """An adapter that does nothing."""

    def perform(self, _envelope: Envelope[Message], /) -> tuple[Message, ...]:
        return ()


class Ingest(msgspec.Struct, frozen=True, kw_only=True):
    """One run, desk and bare client."""

    ticks_per_s: float
    bare_ticks_per_s: float
    core_us_per_tick: float
    bare_core_us_per_tick: float
    messages_per_s: float
    depths_max: tuple[int, int, int, int]
    vitals_ms_max: float
    probe_ms_max: float
    lost: int


class Rig:
    """A desk on the gateway, with its threads and its log; measured from a thread of its own."""

    def __init__(self, port: int, folder: str) -> None:
        self.totals, self.probes = Told(), Probes()
        self.handler: QuoteHandler | None = None
        self.session: Session | None = None
        clock = WallClock()
        self.broker = Broker(
            settings=SessionSettings(
                host="127.0.0.1",
                port=port,
                client_id=1,
                connect_timeout_s=20.0,
                pace=Pace(per_s=400, reserved=10),
            ),
            probe_timeout_s=PATIENCE_S,
            clock=clock,
            make_handlers=self._handlers,
        )
        self.log = Journal(
            Path(folder), day=dt.date(2026, 2, 3), position=Position(), software="bench"
        )
        adapters: dict[str, Adapter] = {"broker": self.broker}
        self.desk = Desk(
            tree=self._tree(),
            log=self.log,
            clock=clock,
            adapters=adapters | dict.fromkeys(("alerts", "lake", "children"), Silent()),
            settings=DeskSettings(heartbeat_s=HEARTBEAT_S),
            # the instant travels where nobody here looks for a lag
            take_vitals=lambda actors: VitalsTaken(
                vitals=Vitals(actors=actors, log_lag_ns=clock.now_ns(), disk_free_bytes=0)
            ),
            give_up=print,
        )

    def _handlers(self, session: Session, desk: DeskPort) -> tuple[QuoteHandler, ...]:
        self.session = session
        self.handler = QuoteHandler(
            session, desk, clock=WallClock(), settings=LineSettings(delayed=False)
        )
        return (self.handler,)

    def _tree(self) -> Tree:
        def spec(name: str, kind: type[Any], **settings: Any) -> ActorSpec:
            return ActorSpec(name=name, kind=kind, settings=settings, stop_deadline_ns=10**9)

        policy = Policy(
            strategy=Strategy.ONE_FOR_ONE,
            give_up=GiveUp.ESCALATE,
            intensity=0,
            period_ns=NS_PER_MINUTE,
            backoff_min_ns=0,
            backoff_max_ns=0,
            jitter_fraction=0.0,
        )
        names = ("watchdog", "connection")
        actors = (
            *(spec(name, Probing, probes=self.probes) for name in names),
            spec("slots", Slots, limits=LineLimits(reserve=0)),
            *(spec(f"chain/U{each}", Watching, totals=self.totals) for each in range(WATCHERS)),
        )
        return Tree(root=policy, groups=(Group(name="bench", policy=policy, actors=actors),))

    def begin(self, conids: list[int]) -> None:
        """Link, and let the ledger order all lines."""
        self.desk.start()
        self.desk.say(OpenLink(epoch=1), sender="connection")
        _until(lambda: self.probes.opened > 0)
        self.desk.say(
            LinkChanged(epoch=1, state=LinkState.READY, entries=True, why=""), sender="connection"
        )
        for each in range(WATCHERS):
            wants = tuple(
                LineWant(
                    instrument=Instrument(
                        conid=conid, kind=InstrumentKind.OPTION, symbol="SPX", exchange="SMART"
                    ),
                    priority=LinePriority.ENTRY,
                    manner=LineManner.STREAM,
                    refresh_ns=NS_PER_MINUTE,
                )
                for conid in conids[each::WATCHERS]
            )
            owner = f"chain/U{each}"
            self.desk.say(WantLines(owner=owner, wants=wants), sender=owner)
        _until(lambda: self.totals.messages > 0)
        time.sleep(SETTLE_S)

    def decoded(self) -> int:
        """How many messages of the gateway were taken off the wire so far."""
        ib = None if self.session is None else self.session._ib  # noqa: SLF001  # no public count
        return 0 if ib is None else int(ib.client._numMsgRecv)  # noqa: SLF001  # likewise

    def depths(self) -> tuple[int, ...]:
        """The deepest any mailbox is now, lane by lane."""
        return tuple(
            max(lane)
            for lane in zip(
                *(post.mailbox.depths() for post in self.desk.posts.values()), strict=True
            )
        )

    def end(self) -> int:
        """Cut the link's lines off, let the desk read all it was told; return the ticks lost."""
        handler = self.handler
        if handler is None:
            raise RuntimeError("the desk never began")
        lines = [one.line for one in handler._requests.values()]  # noqa: SLF001  # the books of the line
        self.broker._threads.submit(_mute(self.session)).result(PATIENCE_S)  # noqa: SLF001  # stop hearing
        taken = sum(line.ticks for line in lines)
        with contextlib.suppress(TimeoutError):
            _until(lambda: self.totals.updates >= taken, patience_s=10.0)
        return taken - self.totals.updates

    def close(self) -> None:
        """End everything."""
        self.desk.stop()
        self.log.close()


async def _mute(session: Session | None) -> None:
    """Hear nothing more, but keep the link, so that what was heard is still told."""
    ib = None if session is None else session._ib  # noqa: SLF001  # no public way to stop hearing
    if ib is not None and ib.client.conn.transport is not None:
        ib.client.conn.transport.pause_reading()


def _until(condition: Any, *, patience_s: float = PATIENCE_S) -> None:
    deadline = time.monotonic() + patience_s
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("the desk did not get there")
        time.sleep(0.005)


@contextlib.contextmanager
def _sampled(rig: Rig) -> Iterator[list[tuple[int, ...]]]:
    """Note the mailboxes' depths ever so often, and ask for a sign of life every second."""
    seen: list[tuple[int, ...]] = []
    over = threading.Event()

    def sample() -> None:
        number, probed_s = 0, 0.0
        while not over.wait(SAMPLE_S):
            seen.append(rig.depths())
            if time.monotonic() - probed_s > HEARTBEAT_S:
                number, probed_s = number + 1, time.monotonic()
                rig.desk.say(ProbeLink(epoch=1, number=number), sender="connection")

    thread = threading.Thread(target=sample)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


async def _options(port: int) -> list[int]:
    client = await _connected(port, 2)
    lines = await _subscribed(client, day=5)
    client.disconnect()
    return [line.contract.conId for line in lines]


async def _bare(port: int) -> tuple[float, float]:
    """The same lines into a client with nothing behind it."""
    client = await _connected(port, 3)
    await _subscribed(client, day=5)
    before, started_s, core_s = client.client._numMsgRecv, time.perf_counter(), time.process_time()  # noqa: SLF001  # no public count
    await asyncio.sleep(INGEST_S)
    ticks = client.client._numMsgRecv - before  # noqa: SLF001  # likewise
    core_s = time.process_time() - core_s
    rate = ticks / (time.perf_counter() - started_s)
    client.disconnect()
    return rate, core_s / ticks * 1e6


@functools.lru_cache
def _run() -> Ingest:
    with _gateway(0) as (port, _), tempfile.TemporaryDirectory() as folder:
        conids = asyncio.run(_options(port))
        if len(conids) != LINES:
            raise RuntimeError(f"the gateway lists {len(conids)} options, {LINES} are needed")
        rig = Rig(port, folder)
        try:
            rig.begin(conids)
            with _sampled(rig) as depths:
                decoded, messages = rig.decoded(), rig.totals.messages
                started_s, core_s = time.perf_counter(), time.process_time()
                time.sleep(INGEST_S)
                decoded, messages = rig.decoded() - decoded, rig.totals.messages - messages
                core_s, took_s = time.process_time() - core_s, time.perf_counter() - started_s
            lost = rig.end()
        finally:
            rig.close()
        bare_rate, bare_core_us = asyncio.run(_bare(port))
    control, orders, timer, market = (max(lane) for lane in zip(*depths, strict=True))
    return Ingest(
        ticks_per_s=decoded / took_s,
        bare_ticks_per_s=bare_rate,
        core_us_per_tick=core_s / decoded * 1e6,
        bare_core_us_per_tick=bare_core_us,
        messages_per_s=messages / took_s,
        depths_max=(control, orders, timer, market),
        vitals_ms_max=max(rig.probes.vitals_ns, default=0) / 1e6,
        probe_ms_max=max(rig.probes.links_ns, default=0) / 1e6,
        lost=lost,
    )


BARE = "a bare ib_async client on the same gateway"
FIGURES = (
    Figure(
        name="ingest.ticks",
        unit=f"ticks/s taken by the desk, {LINES} lines, {INGEST_S:g} s",
        measure=lambda: _run().ticks_per_s,
        reference=BARE,
        measure_reference=lambda: _run().bare_ticks_per_s,
        goals=(Goal(of="value", relation=">=", limit=20_000),),
        repetitions=1,
    ),
    Figure(
        name="ingest.core",
        unit="us of a core for a tick, the whole desk",
        measure=lambda: _run().core_us_per_tick,
        reference=BARE,
        measure_reference=lambda: _run().bare_core_us_per_tick,
        goals=(Goal(of="ratio", relation="<=", limit=1.5),),
        repetitions=1,
    ),
    Figure(
        name="ingest.messages",
        unit=f"messages/s told to {WATCHERS} watchers",
        measure=lambda: _run().messages_per_s,
        goals=(Goal(of="value", relation="<=", limit=30 * WATCHERS),),
        repetitions=1,
    ),
    *(
        Figure(
            name=f"ingest.depth_{lane}",
            unit="messages waiting in any mailbox at most",
            measure=functools.partial(lambda number: float(_run().depths_max[number]), number),
            goals=(Goal(of="value", relation="<=", limit=10),),
            repetitions=1,
        )
        for number, lane in enumerate(LANES)
    ),
    Figure(
        name="ingest.vitals",
        unit="ms from a heartbeat to the watchdog at most",
        measure=lambda: _run().vitals_ms_max,
        goals=(Goal(of="value", relation="<=", limit=1000),),
        repetitions=1,
    ),
    Figure(
        name="ingest.probe",
        unit="ms for a sign of life from the broker at most",
        measure=lambda: _run().probe_ms_max,
        goals=(Goal(of="value", relation="<=", limit=5000),),
        repetitions=1,
    ),
    Figure(
        name="ingest.lost",
        unit="ticks taken and never told",
        measure=lambda: float(_run().lost),
        goals=(Goal(of="value", relation="<=", limit=0),),
        repetitions=1,
    ),
)
