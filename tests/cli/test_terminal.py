"""The live summary, on a terminal of 80 columns and 24 lines."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time

import msgspec
from rich.console import Console

from tests.cli.shell import wait_for
from thetawarden.cli.summary import draw
from thetawarden.messages.control import (
    ActorCounts,
    ActorView,
    EventView,
    HaltView,
    Inspection,
    Lanes,
    LinkView,
    Status,
)

WIDTH, HEIGHT = 80, 24
STYLE = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


def status(**changes):
    values = {
        "mode": "practice",
        "trading_state": "running",
        "halt": None,
        "link": LinkView(state="none", epoch=0),
        "reconciled": False,
        "market_time": "2026-02-03T15:00:00.000Z",
        "speed": 60.0,
        "gateway": "127.0.0.1:40123",
        "nlv_usd": None,
        "positions": None,
        "working_orders": None,
        "actors": ActorCounts(running=4, restarting=0, failed=0),
        "next_events": (EventView(name="trading day", at="2026-02-04T05:00:00.000Z"),),
        "pid": 1,
        "started_at": "2026-02-03T14:00:00.000Z",
        "ailments": (),
    }
    return Status(**{**values, **changes})


def inspection(names=("watchdog", "governor", "scheduler", "notifier")):
    lanes = Lanes(control=0, orders=0, timer=0, market=0)
    return Inspection(
        actors=tuple(
            ActorView(
                name=name,
                state="running",
                incarnation=1,
                restarts=0,
                lanes=lanes,
                handled=10**7,
                rate_per_s=99999.9,
                handler_us_p99=123456.7,
                last_handled_at=None,
            )
            for name in names
        )
    )


def drawn(seen, lines):
    console = Console(width=WIDTH, height=HEIGHT, force_terminal=True, color_system="truecolor")
    with console.capture() as capture:
        console.print(draw(seen, inspection(), lines, height=HEIGHT))
    return STYLE.sub("", capture.get()).splitlines()


def test_the_summary_never_outgrows_the_screen():
    halt = HaltView(epoch=3, reason="r" * 400, by="b" * 90, at="2026-02-03T15:00:00.000Z")
    ill = status(halt=halt, ailments=("message log is 9.9 s behind " * 9, "notifier is failed"))
    lines = [f"\x1b[31mline {number} {'x' * 300}\x1b[0m" for number in range(100)]

    for seen in (status(), ill):
        screen = drawn(seen, lines)

        assert len(screen) == HEIGHT
        assert max(map(len, screen)) <= WIDTH
        assert "line 99" in screen[-1]


def test_of_many_actors_the_ailing_ones_are_shown_and_the_others_counted():
    many = inspection([f"chain/U{number}" for number in range(40)])
    ill = msgspec.structs.replace(many.actors[-1], name="keeper", state="failed")
    seen = msgspec.structs.replace(many, actors=(*many.actors[:-1], ill))
    console = Console(width=WIDTH, height=HEIGHT, force_terminal=True)
    with console.capture() as capture:
        console.print(draw(status(), seen, ["the latest"], height=HEIGHT))
    screen = STYLE.sub("", capture.get())

    assert screen.count("\n") <= HEIGHT
    assert "keeper" in screen
    assert re.search(r"and \d+ more, running", screen)
    assert "the latest" in screen


def test_a_desk_on_a_terminal_draws_one_screen_and_leaves_the_last_look(shell):
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("4H", HEIGHT, WIDTH, 0, 0))
    environment = {**shell.environment, "TERM": "xterm-256color"}
    environment.pop("COLUMNS")
    command = [sys.executable, "-m", "thetawarden", "run"]
    desk = subprocess.Popen(
        command, env=environment, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    )
    shell.desks.append(desk)
    os.close(theirs)
    seen = Screen(ours)

    wait_for(lambda: seen.read().count("Thetawarden · Ctrl-C") >= 3 and "desk_started" in seen.text)
    desk.send_signal(2)
    wait_for(lambda: seen.read() and desk.poll() is not None)
    seen.read()

    assert desk.returncode == 0
    on_screen, _, afterwards = seen.text.partition("\x1b[?1049l")
    assert "\x1b[?1049h" in on_screen
    for frame in on_screen.split("\x1b[H")[2:]:
        assert frame.count("\n") < HEIGHT
    assert "trading running" in STYLE.sub("", on_screen)
    assert "this was the last look" in afterwards
    os.close(ours)


class Screen:
    """All that a terminal was sent."""

    def __init__(self, descriptor):
        self.descriptor = descriptor
        self.text = ""

    def read(self):
        until = time.monotonic() + 5
        while time.monotonic() < until and select.select([self.descriptor], [], [], 0)[0]:
            try:
                self.text += os.read(self.descriptor, 65536).decode()
            except OSError:  # the other end is closed
                break
        return self.text


def test_a_log_line_is_cut_to_what_matters():
    line = "2026-02-03T15:00:00.123456Z [critical ] alert   [thetawarden.alerts] text='halted'"

    assert drawn(status(), [line])[-1] == "15:00:00 critical alert text='halted'"
