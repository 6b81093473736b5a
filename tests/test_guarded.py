"""A desk's own signs of life, as its guardian reads them: of its supervisor and of its watchdog."""

import functools
import threading
import time
from types import SimpleNamespace

import msgspec
import pytest

from tests.actors.desks import until
from thetawarden.actors.watchdog import Watchdog
from thetawarden.config.schema import Config, DeskConfig, JournalConfig
from thetawarden.config.watch import GuardianConfig
from thetawarden.domain.guard import Verdict, begin, judge, look
from thetawarden.infra.guardian import _sign
from thetawarden.infra.heartbeat import read_beat
from thetawarden.messages.operations import VitalsTaken
from thetawarden.process import HEARTBEAT_FILE, DeskProcess

S = 10**9
LIVELY = Config(
    desk=DeskConfig(heartbeat_s=0.05, handler_budget_s=600.0),
    journal=JournalConfig(reserve_mb=0),
    guardian=GuardianConfig(enabled=False),
)


@pytest.fixture
def hold(monkeypatch):
    """Set, it keeps the watchdog inside of its next look until the test is over."""
    asked, over = threading.Event(), threading.Event()

    own = Watchdog.receive

    @functools.wraps(own)
    def receive(self, message, now):
        if isinstance(message, VitalsTaken) and asked.is_set():
            over.wait()
        return own(self, message, now)

    monkeypatch.setattr(Watchdog, "receive", receive)
    return SimpleNamespace(begin=asked.set, end=over.set)


@pytest.fixture
def process(tmp_path, hold):
    one = DeskProcess(LIVELY, tmp_path)
    one.open()
    yield one
    hold.end()
    one.close()


def test_p12_a_watchdog_that_hangs_in_a_desk_that_runs_is_silent_for_its_guardian(process, hold):
    guarding = Guarding(process.store / HEARTBEAT_FILE)
    until(lambda: guarding.verdict()[0] is Verdict.ALIVE, "a desk that gives signs of life")

    hold.begin()
    until(lambda: guarding.verdict()[0] is Verdict.SILENT, "its silence being noticed")

    assert guarding.verdict()[1].startswith("the watchdog has given no sign")
    assert process.ended.is_set() is False


class Guarding:
    """What a guardian does between two looks, with less patience."""

    def __init__(self, file):
        self._file = file
        self._watched = begin(run=read_beat(file).run, now_ns=time.monotonic_ns())

    def verdict(self):
        beat = read_beat(self._file)
        sign = _sign(msgspec.structs.replace(beat, link_loop_silent_ns=0))  # there is no gateway
        self._watched = look(self._watched, sign, time.monotonic_ns())
        return judge(self._watched, now_ns=self._watched.looked_ns, silence_ns_max=2 * S)
