"""How long a message is on its way while another thread of the process will not let go."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from bench.figures.actors import ASLEEP_S, URGENT, Counting, hosted
from bench.harness import Figure, Goal
from thetawarden.messages.base import Message
from thetawarden.process import SWITCH_INTERVAL_S
from thetawarden.sim.log import MemoryLog

HOPS = 500
TURN = 1000


@contextmanager
def _switching_as_a_desk_does() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


@contextmanager
def _hog() -> Iterator[None]:
    """A thread that computes in plain Python and never waits for anything."""
    over = threading.Event()

    def compute() -> None:
        total = 0
        while not over.is_set():
            for number in range(TURN):
                total += number * number

    thread = threading.Thread(target=compute, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _hop_us_p99() -> float:
    """From `say` to the first line of the handler, the receiver asleep before each."""
    hops: list[float] = []
    sent = [0]

    def on_message(_: Message) -> None:
        hops.append((time.perf_counter_ns() - sent[0]) / 1000)

    with hosted(Counting(on_message=on_message), MemoryLog(keep=False)) as router:
        for number in range(HOPS):
            while len(hops) < number:  # the one before is still on its way
                time.sleep(ASLEEP_S)
            time.sleep(ASLEEP_S)
            sent[0] = time.perf_counter_ns()
            router.say(URGENT, sender="bench")
        while len(hops) < HOPS:
            time.sleep(ASLEEP_S)
    return sorted(hops)[HOPS * 99 // 100]


def idle_us_p99() -> float:
    with _switching_as_a_desk_does():
        return _hop_us_p99()


def beside_a_hog_us_p99() -> float:
    with _switching_as_a_desk_does(), _hog():
        return _hop_us_p99()


FIGURES = (
    Figure(
        name="hop_latency_p99_beside_a_hog",
        unit="us",
        measure=beside_a_hog_us_p99,
        reference="the same, idle",
        measure_reference=idle_us_p99,
        goals=(Goal(of="ratio", relation="<=", limit=10.0),),
        repetitions=15,
    ),
)
