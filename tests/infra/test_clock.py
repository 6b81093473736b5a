"""A desk's own time, whatever somebody does to the clock on the wall."""

import threading
import time

import pytest

from thetawarden.infra.clock import LOOK_EVERY_NS, OnwardClock

S = 10**9
T0 = 1_790_000_000 * S


class Wall:
    """A machine whose clocks a test moves, and how often the one on the wall was looked at."""

    def __init__(self):
        self.count_ns, self.shown, self.looks = 7 * S, T0, 0
        self.clock = OnwardClock(shown_ns=self.show, count_ns=lambda: self.count_ns)

    def show(self):
        self.looks += 1
        return self.shown

    def let_pass(self, ns):
        self.count_ns += ns
        self.shown += ns


def test_time_is_what_the_wall_shows():
    wall = Wall()
    for ns in (1, LOOK_EVERY_NS - 1, 3 * LOOK_EVERY_NS, 5 * S):
        wall.let_pass(ns)

        assert wall.clock.now_ns() == wall.shown


def test_p09_a_desk_does_not_see_its_time_go_back():
    wall = Wall()
    wall.let_pass(S)
    before = wall.clock.now_ns()

    wall.shown -= 3600 * S
    wall.let_pass(S)
    after = wall.clock.now_ns()
    wall.let_pass(10 * S)

    assert after == before + S
    assert wall.clock.now_ns() == after + 9 * S


def test_p09_a_leap_ahead_is_seen_at_the_next_look():
    wall = Wall()
    wall.shown += 61 * S
    wall.let_pass(LOOK_EVERY_NS)

    assert wall.clock.now_ns() == wall.shown


@pytest.mark.parametrize("set_back", [False, True])
def test_the_wall_is_looked_at_ten_times_a_second_at_most(set_back):
    wall = Wall()
    wall.shown -= set_back * 3600 * S
    wall.clock.now_ns()
    wall.looks = 0
    for _ in range(1000):
        wall.let_pass(S // 1000)
        wall.clock.now_ns()

    assert wall.looks == S // LOOK_EVERY_NS


def test_p09_no_thread_sees_time_go_back_while_others_look_and_the_clock_is_set():
    until, back = time.monotonic() + 0.5, [0]
    clock = OnwardClock(shown_ns=lambda: time.time_ns() + back[0])
    seen_back = []

    def read():
        last = 0
        while time.monotonic() < until:
            now = clock.now_ns()
            if now < last:
                seen_back.append(last - now)
            last = now

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    while time.monotonic() < until:
        back[0] = -3600 * S - back[0]
        time.sleep(0.01)
    for thread in threads:
        thread.join()

    assert seen_back == []
