"""What a look at the desk costs the actors and the gateway: no more than it shows."""

import datetime as dt
from collections import Counter
from types import SimpleNamespace

import pytest

from thetawarden.actors.host import HostGoneError
from thetawarden.actors.post import Status
from thetawarden.config.schema import Config
from thetawarden.domain.halt import HaltRecord
from thetawarden.errors import UnreachableError
from thetawarden.infra.practice_clock import MarketTime, PracticeClock
from thetawarden.operating import Operator

OPEN_NS = int(dt.datetime(2026, 2, 3, 14, 30, tzinfo=dt.UTC).timestamp()) * 10**9
KNOWN = {
    "governor": {"latch": {"epoch": 0, "halt": None}, "frozen": {}, "cautions": {}},
    "watchdog": {"findings": [], "erring": {}},
    "scheduler": {"next_events": []},
}


class Desk:
    """Actors that answer what they are asked for, or not at all; keeps the questions."""

    def __init__(self, states):
        self._states = states
        self.asked = []
        self.posts = {
            name: SimpleNamespace(
                name=name, status=Status.RUNNING, mailbox=SimpleNamespace(paused=False)
            )
            for name in states
        }

    def state_of(self, name, *, timeout_s, fields=()):
        self.asked.append((name, fields))
        state = self._states[name]
        if state is None:
            raise HostGoneError(name)
        return {field: state[field] for field in fields} if fields else state


class Market:
    """A gateway that tells its time as long as it is there."""

    there = True

    def __call__(self):
        if not self.there:
            raise UnreachableError("gone")
        return MarketTime(OPEN_NS, 600.0)


@pytest.fixture
def market():
    return Market()


@pytest.fixture
def desk():
    return Desk(dict(KNOWN))


@pytest.fixture
def process(desk, market):
    clock = PracticeClock(market)
    clock.look()
    return SimpleNamespace(
        config=Config(),
        desk=desk,
        clock=clock,
        started_ns=OPEN_NS,
        flag=SimpleNamespace(read=lambda: None),
        on_heartbeat=[],
        broker_at=("127.0.0.1", 4002),
    )


def test_a_status_asks_each_actor_once_and_the_governor_for_what_it_shows_alone(process, desk):
    Operator(process).status()

    assert max(Counter(name for name, _ in desk.asked).values()) == 1
    assert dict(desk.asked)["governor"] == ("latch", "frozen", "cautions")


def test_whether_it_is_halted_is_one_question(process, desk):
    assert not Operator(process).is_halted()
    assert desk.asked == [("governor", ("latch",))]


def test_a_governor_that_does_not_answer_is_believed_halted_when_the_flag_stands(process, desk):
    desk._states["governor"] = None
    halt = HaltRecord(epoch=3, reason="r", by="b", at_ns=1)
    process.flag = SimpleNamespace(read=lambda: halt)

    assert Operator(process).is_halted()
    status = Operator(process).status()
    assert (status.trading_state, status.halt.epoch) == ("halted", 3)
    assert status.entries_frozen == ("the governor does not answer",)


def test_the_speed_is_the_markets_also_when_the_gateway_was_started_by_somebody_else(process):
    status = Operator(process).status()

    assert (status.speed, status.gateway) == (600.0, "127.0.0.1:4002")


def test_a_gateway_that_does_not_answer_is_told_without_asking_it_again(process, market):
    market.there = False
    with pytest.raises(UnreachableError):
        process.clock.look()

    status = Operator(process).status()

    assert status.gateway == "127.0.0.1:4002 (does not answer)"
    assert status.speed == 600.0
