"""The console on a real terminal, beside a real desk: what a person would see, and do."""

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time

import pyte
import pytest

from tests.cli.shell import DEADLINE_S, one_line_error, wait_for

WIDTH, HEIGHT = 80, 24


class Terminal:
    """A process on a terminal of its own; `text` is what stands on its screen."""

    def __init__(self, *arguments, environment):
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("4H", HEIGHT, WIDTH, 0, 0))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "thetawarden", *arguments],
            env={**environment, "TERM": "xterm-256color"},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        self._screen = pyte.Screen(WIDTH, HEIGHT)
        self._stream = pyte.ByteStream(self._screen)

    @property
    def text(self):
        self._read()
        return "\n".join(self._screen.display)

    def sees(self, *words):
        until = time.monotonic() + DEADLINE_S
        while any(word not in self.text for word in words):
            assert time.monotonic() < until, self.text
            time.sleep(0.05)

    def press(self, keys):
        os.write(self._ours, keys.encode())

    def _read(self):
        until = time.monotonic() + 5
        while time.monotonic() < until and select.select([self._ours], [], [], 0)[0]:
            try:
                self._stream.feed(os.read(self._ours, 65536))
            except OSError:  # the other end is closed
                return

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self._ours)


@pytest.fixture
def console(desk):
    environment = {name: text for name, text in desk.environment.items() if name != "COLUMNS"}
    terminal = Terminal("console", environment=environment)
    yield terminal
    terminal.close()


def test_a_person_looks_around_halts_and_resumes(console, desk):
    console.sees("THETAWARDEN practice", "governor", "├ connection", "running")

    console.press("h")
    console.sees("Halt trading now?")
    console.press("looks odd\r")
    console.sees("HALTED (epoch")
    assert desk("status", "--json").json["halt"]["reason"] == "looks odd"

    console.press("2")
    console.sees("following")
    console.press("/")
    console.sees("Enter when done")
    console.press("halted\r")
    console.sees("TradingHalted", "looks odd")
    console.press("\r")
    console.sees("TradingHalted", "said by governor", "because", '"reason": "looks odd"')
    console.press("\x1b")
    console.sees("2 Messages")

    epoch = desk("status", "--json").json["halt"]["epoch"]
    console.press("r")
    console.sees(f"Lift halt {epoch}?")
    console.press(f"{epoch}\r")
    console.sees("A reason is needed")
    console.press("I have looked\r")
    wait_for(lambda: desk("status").code == 0)
    console.press("q")
    assert console.process.wait(timeout=30) == 0
    assert "\x1b" not in console.text


def test_an_actors_state_is_seen_live(console):
    console.sees("watchdog", "running")
    console.press("\r")

    console.sees("watchdog · running · incarnation 1", "findings")


def test_without_a_desk_the_console_waits_for_one(shell):
    shell.data.mkdir(mode=0o700)
    terminal = Terminal("console", environment=shell.environment)
    terminal.sees("no desk answers")

    terminal.press("q")

    assert terminal.process.wait(timeout=30) == 0
    terminal.close()


def test_a_console_without_a_terminal_says_so(shell):
    assert "needs a terminal" in one_line_error(shell("console"), 2)
