"""Small actors and desks to put on the real host in tests; none of them is in the package."""

import contextlib
import threading

import msgspec

from tests.clocks import NoonClock
from thetawarden.actors.desk import Desk, DeskSettings
from thetawarden.actors.host import HostGoneError
from thetawarden.actors.post import ActorSpec
from thetawarden.actors.tree import Tree
from thetawarden.domain.restart import GiveUp, Policy, Strategy
from thetawarden.domain.vitals import Vitals
from thetawarden.messages.lifecycle import Begin, Quiesce
from thetawarden.messages.operations import (
    AlertDelivered,
    DeliverAlert,
    NotifyPerson,
    Urgency,
    VitalsTaken,
)
from thetawarden.sim.log import MemoryLog
from thetawarden.supervisor import ADAPTERS

DEADLINE_S = 60.0


def until(condition, what="the condition"):
    """Wait until something holds; the deadline is only there for a failing test."""
    pause = threading.Event()
    for _ in range(int(DEADLINE_S / 0.002)):
        with contextlib.suppress(HostGoneError):  # an actor between two incarnations
            if condition():
                return
        pause.wait(0.002)
    raise AssertionError(f"{what} did not come to hold within {DEADLINE_S} s")


def note(text, urgency=Urgency.LOW):
    """A harmless message for the role `notifier`."""
    return NotifyPerson(urgency=urgency, topic="t", text=text)


class CounterState(msgspec.Struct):
    texts: list[str] = msgspec.field(default_factory=list)
    begun: int = 0


class Obedient:
    """Does what the text of a message says, so that a test can make it crash or hang at will.

    `crashes` is shared by all incarnations and counts how often each text has been tried.
    """

    def __init__(self, tried=None, gate=None, on_begin=None):
        self.state = CounterState()
        self._tried = {} if tried is None else tried
        self._gate = gate
        self._on_begin = on_begin

    def receive(self, message, now):
        match message:
            case Begin():
                if self._on_begin is not None:
                    self._on_begin()
                self.state.begun += 1
            case NotifyPerson(text=text):
                self.state.texts.append(text)
                self._obey(text)
                if text.startswith("answer"):
                    return (DeliverAlert(number=1, urgency=Urgency.LOW, topic="t", text=text),)
            case VitalsTaken() | Quiesce() | AlertDelivered():
                pass
        return ()

    def _obey(self, text):
        self._tried[text] = tried = self._tried.get(text, 0) + 1
        verb, _, rest = text.partition(" ")
        if verb == "crash" and (not rest or tried <= int(rest.split()[0])):
            raise ValueError(text)
        if verb == "exit":
            raise SystemExit(3)
        if verb == "hang" and tried <= int(rest or 1):
            self._gate.wait()


def policy(**changes):
    return msgspec.structs.replace(
        Policy(
            strategy=Strategy.ONE_FOR_ONE,
            intensity=3,
            period_ns=60 * 10**9,
            backoff_min_ns=0,
            backoff_max_ns=0,
            jitter_fraction=0.0,
            give_up=GiveUp.ESCALATE,
        ),
        **changes,
    )


def spec(name="notifier", **settings):
    options = {key: settings.pop(key) for key in ("fatal_if_hung", "restart") if key in settings}
    return ActorSpec(
        name=name,
        kind=Obedient,
        settings={"tried": {}} | settings,
        stop_deadline_ns=10**9 // 2,
        **options,
    )


def tree(*groups, root=None):
    return Tree(root=root or policy(intensity=0), groups=groups)


class Sink:
    """An adapter that keeps what it was asked to do."""

    def __init__(self):
        self.done = []

    def perform(self, envelope, /):
        self.done.append(envelope.body)
        return ()


class RunningDesk:
    """A desk on real threads, stopped at the end of the test whatever happened."""

    def __init__(self, a_tree, *, log=None, **settings):
        self.log = log or SharedLog()
        self.sink = Sink()
        self.gave_up = []
        settings = {
            "handler_budget_s": 30.0,
            "check_every_s": 0.01,
            "heartbeat_s": 3600.0,
        } | settings
        self.desk = Desk(
            tree=a_tree,
            log=self.log,
            clock=NoonClock(),
            adapters=dict.fromkeys(ADAPTERS, Sink())
            | dict.fromkeys(("alerts", "halt_flag", "log_rotation"), self.sink),
            settings=DeskSettings(**settings),
            take_vitals=lambda actors: VitalsTaken(
                vitals=Vitals(actors=actors, log_lag_ns=0, disk_free_bytes=2**40)
            ),
            give_up=self.gave_up.append,
        )

    def __enter__(self):
        self.desk.start()
        return self

    def __exit__(self, *_):
        if self.desk._thread.is_alive():
            self.desk.stop()

    def say(self, text):
        return self.desk.say(note(text), sender="tester")

    def state(self, name="notifier"):
        return self.desk.state_of(name, timeout_s=DEADLINE_S)

    def texts(self, name="notifier"):
        return self.state(name)["texts"]

    def said(self, kind):
        return [
            each.body
            for each in list(self.log.records)
            if type(getattr(each, "body", None)) is kind
        ]

    def outcomes(self, outcome):
        return [
            each for each in list(self.log.records) if getattr(each, "outcome", None) is outcome
        ]


class SharedLog:
    """The simulation's memory log made safe for the many threads of a real desk."""

    def __init__(self):
        self._log = MemoryLog()
        self._lock = threading.Lock()
        self.records = self._log.records
        self.keeps = True

    def __getattr__(self, name):
        method = getattr(self._log, name)

        def locked(*arguments, **keywords):
            with self._lock:
                return method(*arguments, **keywords)

        return locked
