"""Runs the command line as a person does: in processes of its own, on folders of its own."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

DEADLINE_S = 60.0
SMALL = {
    "THETAWARDEN__JOURNAL__RESERVE_MB": "1",
    "THETAWARDEN__PRACTICE__GATEWAY": "false",
    "THETAWARDEN__GUARDIAN__ENABLED": "false",
    "COLUMNS": "100",
}


class Done:
    """One command that has ended."""

    def __init__(self, finished):
        self.code, self.out, self.err = finished.returncode, finished.stdout, finished.stderr

    @property
    def json(self):
        return json.loads(self.out)

    @property
    def lines(self):
        return [json.loads(line) for line in self.out.splitlines()]


class Shell:
    """Commands on one data folder; every desk it started is gone when it is closed."""

    def __init__(self, data):
        self.data = Path(data)
        self.desks = []
        self.extra = {}

    @property
    def store(self):
        return self.data / "practice"

    @property
    def environment(self):
        kept = {name: value for name, value in os.environ.items() if "THETAWARDEN" not in name}
        return {**kept, **SMALL, "THETAWARDEN_HOME": str(self.data), **self.extra}

    def __call__(self, *arguments, **options):
        command = [sys.executable, "-m", "thetawarden", *map(str, arguments)]
        options.setdefault("env", self.environment)
        finished = subprocess.run(
            command, capture_output=True, text=True, timeout=DEADLINE_S, check=False, **options
        )
        return Done(finished)

    def start(self, *arguments):
        """A desk in the background, once it answers."""
        command = [sys.executable, "-m", "thetawarden", "run", *map(str, arguments)]
        desk = subprocess.Popen(
            command,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.desks.append(desk)
        socket = self.store / "control" / "desk.sock"
        wait_for(lambda: desk.poll() is not None or self._answers(socket))
        assert desk.poll() is None, desk.communicate()[1]
        return desk

    def end(self, desk, number=signal.SIGTERM):
        """End a desk by a signal: exit code, standard output, standard error."""
        desk.send_signal(number)
        out, err = desk.communicate(timeout=DEADLINE_S)
        return desk.returncode, out, err

    def close(self):
        for desk in self.desks:
            if desk.poll() is None:
                desk.kill()
            desk.communicate(timeout=DEADLINE_S)

    def _answers(self, socket):
        return socket.exists() and self("status").code in {0, 4}


def wait_for(holds, deadline_s=DEADLINE_S):
    until = time.monotonic() + deadline_s
    while not holds():
        assert time.monotonic() < until, "did not come true in time"
        time.sleep(0.02)


def one_line_error(done, code):
    """The command failed with this code, and said so in exactly one line on standard error."""
    assert done.code == code, (done.code, done.out, done.err)
    lines = done.err.splitlines()
    assert len(lines) == 1, done.err
    assert lines[0].startswith("thetawarden: ")
    return lines[0]
