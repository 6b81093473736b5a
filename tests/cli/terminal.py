"""A terminal of 80 columns and 24 lines, with a process on it, and what stands on its screen."""

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

from tests.cli.shell import DEADLINE_S

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

    def opens(self, keys, word):
        """Press these until it stands there: a list that is still being filled takes no key."""
        until = time.monotonic() + DEADLINE_S
        while word not in self.text:
            assert time.monotonic() < until, self.text
            self.press(keys)
            again = time.monotonic() + 3.0
            while word not in self.text and time.monotonic() < again:
                time.sleep(0.05)

    def press(self, keys):
        os.write(self._ours, keys.encode())

    def ends(self, keys):
        """Press these until the process has ended, and return its code.

        What it writes meanwhile is read: a terminal nobody reads holds its process up. A dialog
        that is still closing takes a key for itself.
        """
        until = time.monotonic() + DEADLINE_S
        while self.process.poll() is None:
            assert time.monotonic() < until, self.text
            self.press(keys)
            self._read()
            time.sleep(0.1)
        return self.process.returncode

    def _read(self):
        until = time.monotonic() + 5
        while time.monotonic() < until and select.select([self._ours], [], [], 0)[0]:
            try:
                self._stream.feed(os.read(self._ours, 65536))
            except OSError:  # the other end is closed
                return

    def hang_up(self):
        """Close the terminal while the process is still on it."""
        os.close(self._ours)
        self._ours = None

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        if self._ours is not None:
            os.close(self._ours)
