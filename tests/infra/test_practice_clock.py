"""The practice market's clock: never back, never far ahead, and always after the gateway."""

import os
import signal
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thetawarden.actors.timers import TimerThread
from thetawarden.errors import UnreachableError
from thetawarden.infra.gateway_process import GatewayProcess
from thetawarden.infra.practice_clock import AHEAD_S_MAX, MarketTime, PracticeClock, ask_gateway
from thetawarden.messages.base import Envelope
from thetawarden.messages.timers import StartTimer

S = 10**9
START = 1_770_000_000 * S


class World:
    """A machine and a gateway, both moved by hand."""

    def __init__(self, speed=60.0):
        self.machine_ns, self.market_ns, self.speed, self.away = 5 * S, START, speed, False
        self.clock = PracticeClock(self.ask, machine_ns=lambda: self.machine_ns)
        self.clock.look()

    def ask(self):
        if self.away:
            raise UnreachableError("away")
        return MarketTime(self.market_ns, self.speed)

    def look(self):
        if self.away:
            with pytest.raises(UnreachableError):
                self.clock.look()
        else:
            self.clock.look()

    def let_pass(self, seconds, *, market_s=None):
        """Machine time, and as much market time as the speed says unless told otherwise."""
        self.machine_ns += int(seconds * S)
        ours = seconds * (self.speed or 0) if market_s is None else market_s
        self.market_ns += int(ours * S)


def test_time_runs_on_between_looks_at_the_speed_that_was_told():
    world = World(speed=60.0)
    world.let_pass(0.5)

    assert world.clock.now_ns() == START + 30 * S
    assert world.clock.speed == 60.0


def test_a_gateway_that_is_away_makes_time_stand_after_a_while():
    world = World(speed=60.0)
    world.away = True
    for _ in range(100):
        world.let_pass(1.0)
        world.look()

    assert world.clock.now_ns() == START + int(AHEAD_S_MAX) * 60 * S
    assert not world.clock.in_touch


def test_a_gateway_back_from_an_earlier_state_is_waited_for():
    world = World(speed=60.0)
    world.let_pass(2.0)
    before = world.clock.now_ns()
    world.market_ns -= 3600 * S
    world.look()
    world.let_pass(1.0)
    world.look()
    assert world.clock.now_ns() == before

    world.let_pass(60.0)
    world.look()
    assert world.clock.now_ns() == world.market_ns > before


def test_a_gateway_a_little_behind_is_let_catch_up_at_half_speed():
    world = World(speed=60.0)
    world.let_pass(1.0, market_s=30.0)
    world.look()
    ahead = world.clock.now_ns() - world.market_ns
    world.let_pass(0.5)

    assert ahead == 30 * S
    assert world.clock.now_ns() - world.market_ns == 15 * S
    world.let_pass(0.5)
    assert world.clock.now_ns() == world.market_ns


def test_a_gateway_that_is_ahead_is_followed_at_once():
    world = World(speed=1.0)
    world.let_pass(1.0, market_s=3600.0)
    world.look()

    assert world.clock.now_ns() == world.market_ns


def test_flat_out_time_is_what_was_told_and_its_speed_is_measured():
    world = World(speed=None)
    world.let_pass(0.5, market_s=500.0)
    assert world.clock.now_ns() == START
    world.look()

    assert world.clock.now_ns() == START + 500 * S
    assert world.clock.speed == 1000.0


def test_a_market_saved_a_little_before_the_log_ended_is_waited_for_and_another_one_is_not():
    world = World(speed=60.0)

    assert not world.clock.not_before(START + 10**6 * S)
    assert world.clock.now_ns() == START
    assert world.clock.not_before(START + 90 * S)
    assert world.clock.now_ns() == START + 90 * S
    world.let_pass(2.0)
    assert world.clock.now_ns() == START + 120 * S


moves = st.one_of(
    st.tuples(st.just("pass"), st.floats(0, 10), st.floats(0, 2)),
    st.tuples(st.just("back"), st.floats(0, 7200), st.just(0.0)),
    st.tuples(st.just("away"), st.booleans(), st.just(0.0)),
    st.tuples(st.just("speed"), st.sampled_from([1.0, 60.0, 600.0, None]), st.just(0.0)),
    st.tuples(st.just("look"), st.just(0.0), st.just(0.0)),
)


@given(st.lists(moves, max_size=60))
def test_time_never_goes_back_and_is_never_far_ahead_of_what_was_told(happenings):
    world = World()
    seen, told, fastest = world.clock.now_ns(), world.market_ns, 60.0
    for what, value, share in happenings:
        match what:
            case "pass":
                world.let_pass(value, market_s=value * (world.speed or 1000.0) * share)
            case "back":
                world.market_ns -= int(value * S)
            case "away":
                world.away = value
            case "speed":
                world.speed = value
            case "look":
                world.look()
                if not world.away:
                    told = max(told, world.market_ns)
                    fastest = max(fastest, world.speed or 0.0)
        now = world.clock.now_ns()
        assert now >= seen
        assert now <= told + int(AHEAD_S_MAX * fastest) * S
        seen = now


@given(st.floats(0, 3600), st.sampled_from([1.0, 60.0, 600.0]))
def test_after_any_disturbance_it_is_the_gateways_time_again(behind_s, speed):
    world = World(speed=speed)
    world.let_pass(1.0)
    seen = world.clock.now_ns()
    world.market_ns -= int(behind_s * S)
    while world.market_ns < seen:
        world.look()
        world.let_pass(max(1.0, behind_s / speed / 10))
    world.look()
    world.let_pass(2.0)
    world.look()

    assert world.clock.now_ns() == world.market_ns


def test_a_timer_waits_for_market_time_and_never_fires_before_it():
    world, fired = World(speed=600.0), threading.Event()
    when = []
    started = time.monotonic_ns()
    world.clock._machine_ns = lambda: 5 * S + (time.monotonic_ns() - started)
    timers = TimerThread(world.clock)
    timers.start(lambda *_: (when.append(world.clock.now_ns()), fired.set()))

    begun = world.clock.now_ns()
    timers.obey(Envelope(2, 0, "a", 1, 1, StartTimer(name="t", after_ns=60 * S)))
    assert fired.wait(30)
    timers.stop()

    assert when[0] >= begun + 60 * S
    assert time.monotonic_ns() - started < 30 * S  # 60 s of the market are not 60 of ours


def test_a_timer_waits_while_the_market_stands():
    world, fired = World(speed=60.0), threading.Event()
    timers = TimerThread(world.clock)
    timers.start(lambda *_: fired.set())
    timers.obey(Envelope(2, 0, "a", 1, 1, StartTimer(name="t", after_ns=S)))
    assert not fired.wait(0.2)

    world.let_pass(1.0)

    assert fired.wait(30)
    timers.stop()


def test_beside_a_real_gateway_it_follows_stands_and_follows_again(tmp_path):
    options = ["--start", "2026-02-03", "--speed", "600"]
    gateway = GatewayProcess(options, state=tmp_path / "gateway")
    gateway.start()
    clock = PracticeClock(lambda: ask_gateway(gateway.port))
    try:
        clock.start()
        assert clock.speed == 600.0
        first = clock.now_ns()
        for _ in range(20):
            told, now = ask_gateway(gateway.port).market_ns, clock.now_ns()
            assert first <= now <= told + AHEAD_S_MAX * 600 * S + S
            first = now
            time.sleep(0.05)

        os.kill(gateway._process.pid, signal.SIGKILL)
        _until(lambda: not clock.in_touch)
        _until(lambda: clock.in_touch)
        again = ask_gateway(gateway.port)
        _until(lambda: clock.now_ns() >= again.market_ns)
        assert clock.now_ns() >= first
    finally:
        clock.stop()
        gateway.stop()


def _until(holds):
    ends = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < ends
        time.sleep(0.02)
