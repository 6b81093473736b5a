"""The console on a terminal beside a desk that hears 1,000 messages a second."""

from __future__ import annotations

import contextlib
import fcntl
import functools
import json
import os
import pty
import select
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from bench.harness import Figure, Goal

TURNS = 4
TURN_S = 15.0
WARM_S = 4.0
STARTS = 5
WIDTH, HEIGHT = 80, 24
FIRST_SCREEN = b"governor"
MESSAGES_SCREEN = b"2"


class Turns(msgspec.Struct, frozen=True):
    """Of each turn: verdicts without a console and with one, and how much of a core it took."""

    without_us: list[float]
    with_us: list[float]
    core_fraction: list[float]


class Watched:
    """A console on a terminal nobody looks at, which is read all the same."""

    def __init__(self, data: Path) -> None:
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("4H", HEIGHT, WIDTH, 0, 0))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "thetawarden", "--data-dir", str(data), "console"],
            env={**os.environ, "TERM": "xterm-256color"},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)

    def read(self, seconds: float, until: bytes | None = None) -> bool:
        """Take what is drawn for so long, or until it contains this."""
        seen, end = b"", time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if select.select([self._ours], [], [], min(left, 0.1))[0]:
                seen += os.read(self._ours, 65536)
            if until is not None and until in seen:
                return True
        return until is None

    def press(self, keys: bytes) -> None:
        os.write(self._ours, keys)

    def cpu_s(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._ours)


@contextlib.contextmanager
def _desk() -> Iterator[tuple[subprocess.Popen[str], Path]]:
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        store = data / "practice"
        store.mkdir(mode=0o700)
        desk = subprocess.Popen(
            [sys.executable, "-m", "bench.console_desk", str(store)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        try:
            _line(desk)
            yield desk, data
        finally:
            if desk.stdin is not None:
                desk.stdin.close()
            desk.wait()


@functools.cache
def _turns() -> Turns:
    """The same desk, turn by turn without and with a console that shows the message tail."""
    turns = Turns([], [], [])
    with _desk() as (desk, data):
        _measure(desk, WARM_S)
        for _ in range(TURNS):
            turns.without_us.append(_p99(_measure(desk, TURN_S)))
            console = Watched(data)
            try:
                if not console.read(60.0, until=FIRST_SCREEN):
                    raise RuntimeError("the console shows nothing")
                console.press(MESSAGES_SCREEN)
                console.read(WARM_S)
                before_s, began = console.cpu_s(), time.monotonic()
                turns.with_us.append(_p99(_measure(desk, TURN_S, console)))
                took_s = console.cpu_s() - before_s
                turns.core_fraction.append(took_s / (time.monotonic() - began))
            finally:
                console.close()
    return turns


def _measure(
    desk: subprocess.Popen[str], seconds: float, console: Watched | None = None
) -> list[float]:
    assert desk.stdin is not None  # noqa: S101
    desk.stdin.write(f"measure {seconds}\n")
    desk.stdin.flush()
    if console is not None:
        console.read(seconds)
    took: list[float] = _line(desk)["took_us"]
    return took


def _line(desk: subprocess.Popen[str]):  # type: ignore[no-untyped-def]  # noqa: ANN202
    assert desk.stdout is not None  # noqa: S101
    return json.loads(desk.stdout.readline())


@functools.cache
def _starts() -> list[float]:
    took = []
    with _desk() as (_, data):
        for _ in range(STARTS):
            began = time.monotonic()
            console = Watched(data)
            try:
                if not console.read(60.0, until=FIRST_SCREEN):
                    raise RuntimeError("the console shows nothing")
                took.append(time.monotonic() - began)
            finally:
                console.close()
    return took


def _p99(values: list[float]) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)]


FIGURES = [
    Figure(
        name="console: from the command to the tree of actors",
        unit="s",
        measure=lambda: statistics.median(_starts()),
        goals=(Goal(of="value", relation="<=", limit=1.5),),
        repetitions=1,
    ),
    Figure(
        name="console: the message tail at 1,000 messages/s",
        unit="of a core",
        measure=lambda: statistics.median(_turns().core_fraction),
        goals=(Goal(of="value", relation="<=", limit=0.3),),
        repetitions=1,
    ),
    Figure(
        name="console: a proposal to its verdict at 1,000 messages/s, p99, with a console",
        unit="us",
        measure=lambda: statistics.median(_turns().with_us),
        reference="the same desk without one",
        measure_reference=lambda: statistics.median(_turns().without_us),
        goals=(Goal(of="ratio", relation="<=", limit=1.1),),
        repetitions=1,
    ),
]
