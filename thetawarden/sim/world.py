"""A world for one desk: a market, a broker, a disk, and one process of the desk after another.

Everything is decided by the settings: the same settings twice give the same history, byte for byte.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec
import numpy as np

from thetawarden import __version__
from thetawarden.actors.shapes import shapes_of
from thetawarden.config.loader import fingerprint
from thetawarden.domain.halt import HaltRecord, Latch
from thetawarden.domain.instants import NS_PER_SECOND, UnixNs, trading_day
from thetawarden.infra.halt_flag import HaltFlagFile
from thetawarden.infra.own_effects import ChildStarter, PageTurner
from thetawarden.infra.store_lock import SecondDeskError, StoreLock
from thetawarden.messages.base import Envelope, Message
from thetawarden.messages.lifecycle import DeskStarted
from thetawarden.messages.operations import AlertDelivered, DeliverAlert
from thetawarden.messages.trading import AdoptHaltFlag, Halt
from thetawarden.ports import Adapter
from thetawarden.practice.exchange.exchange import PracticeExchange
from thetawarden.practice.exchange.terms import ExchangeTerms, Rhythm
from thetawarden.practice.market.parts import Terms
from thetawarden.sim.agenda import Agenda
from thetawarden.sim.broker.adapter import SimBroker
from thetawarden.sim.broker.gateway import SimGateway
from thetawarden.sim.broker.market import market_of
from thetawarden.sim.clock import VirtualClock
from thetawarden.sim.disk import DiskLog, Entry, SimDisk
from thetawarden.sim.faults.meddler import FaultMeddler
from thetawarden.sim.meddling import ProcessKilledError
from thetawarden.sim.runtime import SimDesk
from thetawarden.sim.settings import WorldSettings
from thetawarden.sim.space import DiskFullError, DiskSpace
from thetawarden.supervisor import ADAPTERS, WATCHERS, desk_tree

ANEW_AFTER_NS = 5 * NS_PER_SECOND


class Sink:
    """Takes every effect and does nothing."""

    def perform(self, _envelope: Envelope[Message], /) -> tuple[Message, ...]:
        """Nothing comes of it."""
        return ()


class World:
    """Runs a desk; ends and begins its process as faults want it."""

    def __init__(
        self,
        settings: WorldSettings,
        folder: Path,
        *,
        watch: Callable[[Entry], None] = lambda _entry: None,
    ) -> None:
        self.settings = settings
        self.clock = VirtualClock(UnixNs(settings.start_ns), speed=settings.speed)
        self.agenda = Agenda()
        self.meddler = FaultMeddler()
        self.failing: set[str] = set()
        self.space = DiskSpace()
        self.refused_starts = self.doubled = 0
        self._lock, self._store = StoreLock(folder), folder
        self.flag = HaltFlagFile(folder / "halt")
        self.processes = 0
        self.gave_up: list[str] = []
        self.tree = desk_tree(settings.config, speed=settings.speed)
        self.gateway = SimGateway(
            exchange=_exchange(settings),
            clock=self.clock,
            agenda=self.agenda,
            start_ns=settings.start_ns,
        )
        self.desk: SimDesk
        self.log: DiskLog
        self.broker: SimBroker
        self._alive = False
        self._left: dict[str, bytes] = {}
        self._watch = watch
        self.durable_seq = self.durable_n = 0
        self.unwritten = 0
        self.woke_ns = settings.start_ns
        self.resting = False
        turns_at = settings.config.schedule.rotate_at
        (folder / "log").mkdir()
        first_day = trading_day(settings.start_ns, turns_at)
        self.disk = SimDisk(folder / "log", first_day=first_day)

    def run_until(self, instant_ns: int) -> None:
        """Let everything happen until then; a process that ends is followed by another."""
        while self.clock.true_ns() < instant_ns:
            try:
                if not self._alive and not self._begin_process():
                    self._idle_until(self.clock.true_ns() + round(ANEW_AFTER_NS * self.clock.speed))
                    continue
                self.desk.run_until(UnixNs(instant_ns))
            except ProcessKilledError:
                self._end_process()
                continue
            except DiskFullError as error:
                self._give_up(str(error), by="message log")
                continue
            if self.desk.gave_up is not None:
                self._give_up(self.desk.gave_up)
            elif self.desk.leaves:
                self._stop_or_lose()
                self.clock.advance(round(ANEW_AFTER_NS * self.clock.speed))

    def rest_until(self, instant_ns: int) -> None:
        """End the process in order and start none until then, while all outside goes on."""
        self._stop_or_lose()
        self.resting = True
        self._idle_until(instant_ns)
        self.woke_ns, self.resting = self.clock.true_ns(), False

    def stop(self) -> tuple[str, ...]:
        """End the process in order, and keep all of its log."""
        hung = self.desk.stop_all() if self._alive else ()
        if self._alive:
            self.log.commit()
            self._left = self.desk.left
            self._end_process(wait=False)
        return hung

    def begin_anew(self) -> None:
        """Somebody ends the process in order, as soon as it can be, and begins another."""
        if self._alive:
            self.desk.leaves = True

    def start_another(self) -> None:
        """Somebody starts a second desk on the same store; what refuses it is the real lock."""
        if not self._alive:
            return
        another = StoreLock(self._store)
        try:
            another.acquire()
        except SecondDeskError:
            self.refused_starts += 1
            return
        another.release()
        self.doubled += 1

    def kill(self) -> None:
        """End the process at once, from outside of any of its steps."""
        if self._alive:
            self._end_process()

    def say(self, body: Message, *, sender: str) -> None:
        """Say something to the desk as from outside, if it runs."""
        if self._alive:
            self.desk.router.say(body, sender=sender)

    def latch(self) -> Latch | None:
        """The brake as the governor has it; None while nobody runs."""
        state = self.desk.state_of("governor") if self._alive else None
        return None if state is None else state.latch

    @property
    def alive(self) -> bool:
        """Whether a process runs."""
        return self._alive

    def _begin_process(self) -> bool:
        """As a process begins: take the store, recover, open the log, adopt the flag, start.

        False where it cannot: a log has to be written to from its first moment.
        """
        if self.space.is_full:
            return False
        self.space.set_aside()
        self._lock.acquire()
        settings, self.processes = self.settings, self.processes + 1
        self.clock.begin_anew()
        recovered = self.disk.recover(self.tree)
        self._position = recovered.position
        self.log = DiskLog(position=recovered.position, watch=self._watch, room=self._make_room)
        self.broker = SimBroker(
            gateway=self.gateway,
            clock=self.clock,
            agenda=self.agenda,
            flag=self.flag,
            rng=np.random.default_rng([settings.seed, self.processes, 1]),
            habits=settings.habits,
        )
        self.desk = SimDesk(
            tree=self.tree,
            log=self.log,
            clock=self.clock,
            seed=int(np.random.default_rng([settings.seed, self.processes]).integers(2**62)),
            adapters=self._adapters(),
            agenda=self.agenda,
            meddler=self.meddler,
            heartbeat_ns=round(settings.config.desk.heartbeat_s * NS_PER_SECOND),
            snapshot_every=settings.snapshot_every,
        )
        self.desk.left, self._left = self._left, {}
        self._alive = True
        self.desk.remember(recovered)
        started = DeskStarted(
            config_fingerprint=fingerprint(settings.config),
            software=__version__,
            resumed=recovered.position.next_seq > 1,
            speed=settings.speed,
            shapes=shapes_of(self.tree),
        )
        self.say(started, sender="supervisor")
        self._adopt_flag()
        self.desk.start_all()
        return True

    def _stop_or_lose(self) -> None:
        try:
            self.stop()
        except (ProcessKilledError, DiskFullError):
            self._end_process(wait=False)

    def _idle_until(self, instant_ns: int) -> None:
        """Let all that is outside go on while no process runs."""
        clock, agenda = self.clock, self.agenda
        until_ns = clock.elapsed_ns() + instant_ns - clock.true_ns()
        while (due_ns := agenda.next_due_ns()) is not None and due_ns <= until_ns:
            clock.advance(max(0, due_ns - clock.elapsed_ns()))
            agenda.run_due(clock.elapsed_ns())
        clock.advance(max(0, until_ns - clock.elapsed_ns()))

    def _make_room(self, entries: int) -> None:
        """On a full disk the reserve goes, market data is taken no more, and trading halts."""
        if self.space.take(entries):
            self.desk.router.takes_market_data = False
            halt = Halt(reason="disk full; reserve released", by="message log")
            self.agenda.at(self.clock.elapsed_ns(), lambda: self.say(halt, sender="supervisor"))

    def _adapters(self) -> Mapping[str, Adapter]:
        ours: dict[str, Adapter] = {
            "alerts": _Failing("alerts", _Alerts(), self.failing),
            "lake": _Failing("lake", Sink(), self.failing),
            "broker": self.broker,
            "children": ChildStarter(self.desk_children),
            "halt_flag": self.flag,
            "log_rotation": PageTurner(self._turn_page),
        }
        sink = Sink()
        return {name: ours.get(name, sink) for name in ADAPTERS}

    def desk_children(self, underlyings: tuple[str, ...]) -> None:
        """Have exactly these watchers."""
        self.desk.overseer.children.ensure(WATCHERS, underlyings)

    def _turn_page(self, day: dt.date) -> None:
        self.log.turn_page(day)
        self.desk.begin_page()

    def _adopt_flag(self) -> None:
        standing = self.flag.read()
        if standing is not None:
            at_ns = standing.at_ns or self.clock.now_ns()
            halt = msgspec.structs.replace(standing, at_ns=at_ns)
            self.say(AdoptHaltFlag(halt=halt), sender="supervisor")

    def _give_up(self, reason: str, *, by: str = "supervisor") -> None:
        """Supervisor or log can do no more: halt by the flag, end, be started anew."""
        self.gave_up.append(reason)
        words = f"{by} gave up: {reason}"
        if self.flag.read() is None:
            now = self.clock.now_ns()
            self.flag.raise_flag(HaltRecord(epoch=0, reason=words, by=by, at_ns=now))
        self._end_process()

    def _end_process(self, *, wait: bool = True) -> None:
        self._alive = False
        self._lock.release()
        self.durable_seq, self.durable_n = self.log.durable_seq, self.log.durable_n
        self.unwritten += self.log.last_seq - self.log.durable_seq
        self.broker.stop()
        self.disk.keep(self.log, self._position)
        if wait:  # the service manager starts it anew
            self.clock.advance(round(ANEW_AFTER_NS * self.clock.speed))


def _exchange(settings: WorldSettings) -> PracticeExchange:
    terms = Terms(
        seed=settings.market_seed,
        start_ns=settings.market_start_ns,
        scenario=settings.scenario,
        path=None,
    )
    second_ns = round(settings.speed * NS_PER_SECOND)
    rhythm = Rhythm(
        fresh_ns=second_ns,
        fresh_for_ns=60 * second_ns,
        settled_ns=second_ns,
        settled_for_ns=240 * second_ns,
        old_ns=2 * second_ns,
        aged_ns=4 * second_ns,
    )
    exchange_terms = ExchangeTerms(seed=settings.market_seed, rhythm=rhythm)
    return PracticeExchange(market_of(terms), exchange_terms)


class _Failing:
    """Raises while its name is among those that fail."""

    def __init__(self, name: str, adapter: Adapter, failing: set[str]) -> None:
        self._name = name
        self._adapter = adapter
        self._failing = failing

    def perform(self, envelope: Envelope[Message], /) -> tuple[Message, ...]:
        if self._name in self._failing:
            raise ConnectionError(f"{self._name} cannot be reached")
        return self._adapter.perform(envelope)


class _Alerts:
    """Delivers every alert at once."""

    def perform(self, envelope: Envelope[Message], /) -> tuple[Message, ...]:
        body = envelope.body
        return (AlertDelivered(number=body.number),) if isinstance(body, DeliverAlert) else ()
