"""Runs the command line as a person does: in processes of its own, on folders of its own."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

from tests.cli.nursery import Child
from thetawarden.infra.control.client import ControlClient, NoDeskError

DEADLINE_S = 60.0
SMALL = {
    "THETAWARDEN__JOURNAL__RESERVE_MB": "1",
    "THETAWARDEN__PRACTICE__GATEWAY": "false",
    "THETAWARDEN__GUARDIAN__ENABLED": "false",
    "COLUMNS": "100",
}


class Done:
    """One command that has ended."""

    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

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

    def __call__(self, *arguments, env=None):
        command = Child(arguments, environment=env or self.environment)
        try:
            out, err = command.communicate(timeout=DEADLINE_S)
        except subprocess.TimeoutExpired:
            command.kill()
            raise
        return Done(command.returncode, out, err)

    def start(self, *arguments):
        """A desk in the background, once it answers."""
        desk = Child(["run", *arguments], environment=self.environment)
        self.desks.append(desk)
        wait_for(lambda: desk.poll() is not None or self.status() is not None)
        assert desk.poll() is None, desk.communicate()[1]
        return desk

    def status(self):
        """What `status --json` shows, without a process to ask; None when no desk answers."""
        with contextlib.suppress(NoDeskError):
            return ControlClient(self.store, timeout_s=20.0).status()
        return None

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


def wait_for(holds, deadline_s=DEADLINE_S):
    until = time.monotonic() + deadline_s
    while not holds():
        assert time.monotonic() < until, "did not come true in time"
        time.sleep(0.02)


def listening(port):
    """Somebody answers there."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=20):
        return True
    return False


def one_line_error(done, code):
    """The command failed with this code, and said so in exactly one line on standard error."""
    assert done.code == code, (done.code, done.out, done.err)
    lines = done.err.splitlines()
    assert len(lines) == 1, done.err
    assert lines[0].startswith("thetawarden: ")
    return lines[0]
