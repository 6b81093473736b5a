"""One desk process: opens the store, brings back what was known, runs the tree, ends in order.

Start and recovery are one path. The order matters and reads top to bottom: store, message log, halt
flag, actors; the end is the exact reverse.
"""

from __future__ import annotations

import datetime as dt
import logging
import os
import shutil
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from thetawarden import __version__
from thetawarden.actors.desk import Desk, DeskSettings
from thetawarden.actors.shapes import shapes_of
from thetawarden.actors.tree import Tree
from thetawarden.actors.vocabulary import check_tree
from thetawarden.config.loader import fingerprint
from thetawarden.config.places import prepare_folder
from thetawarden.config.schema import Config
from thetawarden.config.secrets import Secret
from thetawarden.config.stated import stated_limits
from thetawarden.domain.halt import HaltRecord
from thetawarden.domain.instants import iso, trading_day
from thetawarden.domain.vitals import ActorVitals, Vitals
from thetawarden.errors import EXIT_DONE, EXIT_GAVE_UP
from thetawarden.infra.alerts.adapter import AlertAdapter, Sender
from thetawarden.infra.clock import OnwardClock
from thetawarden.infra.collector import search_all, spare_nothing, spare_what_lives
from thetawarden.infra.control.place import socket_path
from thetawarden.infra.halt_flag import HaltFlagFile
from thetawarden.infra.heartbeat import ENDED_WELL, GAVE_UP, Heartbeat
from thetawarden.infra.ib.assembly import broker_adapter
from thetawarden.infra.journal.journal import Journal, Trouble
from thetawarden.infra.journal.recover import Recovered, recover
from thetawarden.infra.journal.reserve import DiskReserve
from thetawarden.infra.journal.store import day_files
from thetawarden.infra.lake.adapter import LakeAdapter
from thetawarden.infra.lake.desk import desk_lake
from thetawarden.infra.logs import handling
from thetawarden.infra.machine import files_left, memory_bytes
from thetawarden.infra.own_effects import ChildStarter, PageTurner
from thetawarden.infra.practice_clock import PracticeClock
from thetawarden.infra.redaction import Redactor
from thetawarden.infra.store_lock import StoreLock
from thetawarden.infra.stress import StressWorker
from thetawarden.messages.base import Message
from thetawarden.messages.lifecycle import DeskStarted
from thetawarden.messages.operations import VitalsTaken
from thetawarden.messages.risk import LimitsStated
from thetawarden.messages.trading import AdoptHaltFlag, CancelAll, Flatten, Halt
from thetawarden.ports import Clock
from thetawarden.supervisor import (
    ADAPTERS,
    WATCHERS,
    actor_names,
    actor_roles,
    broker_settings,
    desk_tree,
)

LOG_FOLDER = "log"
KILL_FILE = "HALT"  # in the data folder or the store: halted as long as it stands there
HEARTBEAT_FILE = "heartbeat"
WATCHDOG = "watchdog"
STOP_DEADLINES = 4  # all actors together have this many times what one of them has
NOWHERE = 0  # no port: whoever connects there is refused at once
SWITCH_INTERVAL_S = 20e-6  # docs/decisions/0004: a thread that computes holds up no message
_log = logging.getLogger("thetawarden.process")


class DeskProcess:
    """Everything a running desk holds; one thread opens, runs and closes it."""

    def __init__(
        self,
        config: Config,
        store: Path,
        *,
        secrets: Mapping[str, Secret] | None = None,
        channels: Mapping[str, Sender] | None = None,
        account: str = "",
    ) -> None:
        self.config = config
        self.store = store
        self.secrets = secrets or {}
        self.clock: Clock = OnwardClock()
        self.started_ns = self.clock.now_ns()
        self.flag = HaltFlagFile(store / "halt")
        self.exit_code = EXIT_DONE
        self.ended = threading.Event()
        self.on_heartbeat: list[Callable[[], None]] = []
        self._broker_at = ("127.0.0.1", NOWHERE)
        self._account = account
        self._redactor = Redactor()
        self._lock = StoreLock(store)
        self._stress = StressWorker()
        self._flag_seen: HaltRecord | None = None
        self._channels = channels or {}
        self._watchdog_handled = -1
        self._watchdog_ns = 0
        self._heartbeat = Heartbeat(
            store / HEARTBEAT_FILE, run=f"{os.getpid()}-{time.monotonic_ns()}"
        )

    def reach(self, host: str, port: int) -> None:
        """Find the broker there; before `open`."""
        self._broker_at = (host, port)

    def follow(self, clock: Clock) -> None:
        """Live by this clock instead of the machine's; before `open`."""
        self.clock = clock

    def take(self) -> None:
        """Take the store before anything in it is touched, or raise SecondDeskError."""
        self._lock.acquire()

    def give_back(self) -> None:
        """Let another desk take the store."""
        self._lock.release()

    def open(self) -> None:
        """Recover, and start every actor; the store must have been taken."""
        sys.setswitchinterval(SWITCH_INTERVAL_S)
        tree = desk_tree(self.config, speed=self.clock.speed, account=self._account)
        check_tree(tree, adapters=ADAPTERS)
        folder = prepare_folder(self.store / LOG_FOLDER)
        recovered = recover(folder, actor_names(tree), actor_roles(tree), fits=tree.can_begin_with)
        if isinstance(self.clock, PracticeClock) and not self.clock.not_before(recovered.last_ns):
            _log.warning("market_time_behind_log", extra={"log_at": iso(recovered.last_ns)})
        self.journal = self._open_journal(folder, recovered)
        self._broker = broker_adapter(
            broker_settings(self.config),
            self.config.lines,
            host=self._broker_at[0],
            port=self._broker_at[1],
            clock=self.clock,
            flag=self.flag,
        )
        self.desk = Desk(
            tree=tree,
            log=self.journal,
            clock=self.clock,
            adapters={
                "alerts": AlertAdapter(self._channels),
                "broker": self._broker,
                "children": ChildStarter(lambda keys: self.desk.ensure_children(WATCHERS, keys)),
                "halt_flag": self.flag,
                "lake": self._lake(folder),
                "log_rotation": PageTurner(self._turn_page),
                "stress": self._stress,
            },
            settings=self._settings(),
            take_vitals=self._take_vitals,
            give_up=self.give_up,
            tracing=lambda seq: handling(seq=seq),
            on_check=self._check,
        )
        self._remember(recovered)
        self._say_who_starts(tree, resumed=recovered.position.next_seq > 1)
        self.desk.say(LimitsStated(limits=stated_limits(self.config.risk)), sender="supervisor")
        self._adopt_flag()
        self._heartbeat.begin(at_ns=time.monotonic_ns())
        self.desk.start()
        spare_what_lives()

    def close(self) -> None:
        """Stop everything in reverse order, however far the opening came."""
        if self.exit_code == EXIT_DONE:  # from now on silence is in order
            self._heartbeat.end(ENDED_WELL)
        self._stress.let_go()
        desk, journal = getattr(self, "desk", None), getattr(self, "journal", None)
        hung = () if desk is None else desk.stop()
        self._heartbeat.end(GAVE_UP)
        if hung:
            _log.error("stop_deadline_missed", extra={"actors": list(hung)})
        if journal is not None:
            journal.close()
            _log.info("desk_stopped", extra={"messages": journal.last_seq})
        spare_nothing()

    def stop(self, reason: str, *, by: str) -> None:
        """Let the thread that runs the desk end it."""
        _log.info("desk_stopping", extra={"reason": reason, "by": by})
        self.ended.set()

    def give_up(self, reason: str) -> None:
        """The supervisor can do no more: halt by the flag itself, and end with 70."""
        try:
            self.raise_flag(f"supervisor gave up: {reason}", by="supervisor")
        except OSError as error:  # the next start is not halted by it, but this one ends
            _log.critical("halt_flag_not_raised", extra={"found": str(error)})
        finally:
            self.exit_code = EXIT_GAVE_UP
            self.ended.set()
        _log.critical("supervisor_gave_up", extra={"reason": reason})

    def raise_flag(self, reason: str, *, by: str) -> None:
        """Halt without asking any actor; the governor adopts the flag when it can."""
        standing = self.flag.read()
        if standing is None:
            halt = HaltRecord(epoch=0, reason=reason, by=by, at_ns=self.clock.now_ns())
            self.flag.raise_flag(self._redactor.fields(halt))

    @property
    def broker_at(self) -> tuple[str, int]:
        """Host and port of the broker; port 0 is nowhere."""
        return self._broker_at

    @property
    def socket_path(self) -> Path:
        """Where this desk listens to people."""
        return socket_path(self.store)

    def _lake(self, log_folder: Path) -> LakeAdapter:
        return desk_lake(self.config, store=self.store, log_folder=log_folder, secrets=self.secrets)

    def _open_journal(self, folder: Path, recovered: Recovered) -> Journal:
        settings = self.config.journal
        reserve = DiskReserve(self.store / "reserve", settings.reserve_mb * 2**20)
        reserve.take()
        latest = day_files(folder)[-1:]
        days = [dt.date.fromisoformat(path.stem) for path in latest]
        return Journal(
            folder,
            day=max([*days, trading_day(self.clock.now_ns(), self.config.schedule.rotate_at)]),
            position=recovered.position,
            software=__version__,
            reserve=reserve,
            linger_s=settings.commit_ms / 1000,
            on_trouble=self._on_log_trouble,
        )

    def _say_who_starts(self, tree: Tree, *, resumed: bool) -> None:
        digest = fingerprint(self.config)
        started = DeskStarted(
            config_fingerprint=digest,
            software=__version__,
            resumed=resumed,
            speed=self.clock.speed,
            shapes=shapes_of(tree),
        )
        seq = self.desk.say(started, sender="supervisor")
        values = {
            "mode": str(self.config.mode),
            "store": str(self.store),
            "pid": os.getpid(),
            "socket": str(self.socket_path),
            "version": __version__,
            "config_fingerprint": digest,
            "resumed": resumed,
            "seq": seq,
        }
        _log.info("desk_started", extra=values)

    def _settings(self) -> DeskSettings:
        desk = self.config.desk
        return DeskSettings(
            start_timeout_s=desk.start_timeout_s,
            handler_budget_s=desk.handler_budget_s,
            check_every_s=min(desk.heartbeat_s, desk.handler_budget_s) / 4,
            heartbeat_s=desk.heartbeat_s,
            stop_within_s=STOP_DEADLINES * desk.stop_deadline_s,
            effects_deadline_s=desk.stop_deadline_s,
        )

    def _remember(self, recovered: Recovered) -> None:
        for name, past in recovered.actors.items():
            self.desk.remember(
                name,
                incarnation=past.incarnation,
                snapshot=past.snapshot,
                steps=past.steps,
                unhandled=past.unhandled,
            )
        self.desk.begin_page_with(recovered.children)

    def _adopt_flag(self) -> None:
        standing = self.flag.read()
        if standing is not None and standing != self._flag_seen:
            # a bare flag does not say since when; it is dated when it is found
            at_ns = standing.at_ns or self.clock.now_ns()
            halt = self._redactor.fields(msgspec.structs.replace(standing, at_ns=at_ns))
            self.desk.say(AdoptHaltFlag(halt=halt), sender="supervisor")
        self._flag_seen = standing

    def brake(self, *, flatten: bool) -> None:
        """Halt by a signal: the flag first, which needs nobody; then whoever still listens."""
        by, reason = "signal", f"signal to {'flatten' if flatten else 'halt'}"
        threading.Thread(
            target=self._brake, args=(reason, by, flatten), name="brake", daemon=True
        ).start()

    def _brake(self, reason: str, by: str, flatten: bool) -> None:  # noqa: FBT001  # a thread's
        self.raise_flag(reason, by=by)
        desk = getattr(self, "desk", None)
        if desk is None:
            return
        desk.say(Halt(reason=reason, by=by), sender="person")
        then = Flatten(reason=reason, by=by) if flatten else CancelAll(reason=reason, by=by)
        desk.say(then, sender="person")

    def end_at_once(self) -> None:
        """A person wants it over now: whoever watches need not take it for an accident."""
        self._heartbeat.end(ENDED_WELL)

    def _check(self) -> None:
        """Several times a second, by the supervisor: look for a halt by file, and be seen alive."""
        self._heed_kill_file()
        self._adopt_flag()
        now_ns, watchdog = time.monotonic_ns(), self.desk.posts[WATCHDOG]
        if watchdog.pulse.handled != self._watchdog_handled or watchdog.mailbox.paused:
            self._watchdog_handled, self._watchdog_ns = watchdog.pulse.handled, now_ns
        self._heartbeat.beat(
            at_ns=now_ns,
            watchdog_ns=self._watchdog_ns,
            link_loop_silent_ns=self._broker.loop_silent_ns(),
        )

    def _heed_kill_file(self) -> None:
        for folder in (self.store, self.store.parent):
            if self.flag.read() is None and os.path.lexists(folder / KILL_FILE):
                self.raise_flag(f"a file {KILL_FILE} stands in {folder.name}/", by="kill file")

    def _take_vitals(self, actors: tuple[ActorVitals, ...]) -> Message:
        for heard in self.on_heartbeat:
            heard()
        vitals = Vitals(
            actors=actors,
            log_lag_ns=self.journal.lag_ns(),
            disk_free_bytes=shutil.disk_usage(self.store).free,
            down=self.desk.down(),
            late_ns=self.desk.late_ns,
            link_loop_silent_ns=self._broker.loop_silent_ns(),
            files_left=files_left(),
            memory_bytes=memory_bytes(),
        )
        return VitalsTaken(vitals=vitals)

    def _turn_page(self, day: dt.date) -> None:
        self.journal.turn_page(day)
        self.desk.begin_page()
        search_all()  # between two days nobody waits

    def _on_log_trouble(self, trouble: Trouble, words: str) -> None:
        """Called by the log's own thread: a full disk halts, anything worse ends the process."""
        _log.critical("message_log_trouble", extra={"trouble": str(trouble), "found": words})
        if trouble is Trouble.DISK_FULL:
            self.desk.router.takes_market_data = False
            threading.Thread(target=self._halt_for_disk, args=(words,), daemon=True).start()
            return
        try:
            self.raise_flag(words, by="message log")
            for handler in logging.getLogger().handlers:
                handler.flush()
        finally:
            os._exit(EXIT_GAVE_UP)

    def _halt_for_disk(self, words: str) -> None:
        self.desk.say(Halt(reason=words, by="message log"), sender="supervisor")
