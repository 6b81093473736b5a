"""A practice gateway and a desk as processes of their own, to be killed and started again."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from thetawarden.errors import ThetawardenError
from thetawarden.practice.admin import Command, ask

READY_S = 120.0
LOOK_EVERY_S = 0.25
ANSWER_S = 60.0


class Process:
    """One program of ours, restarted with the same command line after each kill."""

    def __init__(self, arguments: Sequence[str], *, home: Path, log: Path) -> None:
        self._command = [sys.executable, "-m", "thetawarden", *arguments]
        self._home, self._log = home, log
        self._running: subprocess.Popen[bytes] | None = None
        self.starts = 0

    def start(self) -> None:
        """Start it; what it prints goes to its log file."""
        with self._log.open("ab") as log:
            self._running = subprocess.Popen(  # noqa: S603  # our own program, no shell
                self._command,
                env=environment(self._home),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # a Ctrl-C is for us, who end it
            )
        self.starts += 1

    def kill(self) -> None:
        """End it as a power cut would."""
        self.end(signal.SIGKILL)

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and wait; the exit code."""
        if self._running is None:
            return 0
        self._running.send_signal(number)
        return self._running.wait(READY_S)

    @property
    def is_running(self) -> bool:
        """Whether it has not ended by itself."""
        return self._running is not None and self._running.poll() is None


class GatewayLine:
    """The gateway's admin channel."""

    def __init__(self, port: int) -> None:
        self.port = port

    def status(self) -> dict[str, Any] | None:
        """What it says of itself; None while it is away."""
        try:
            return asyncio.run(ask(Command(do="status"), port=self.port))
        except ThetawardenError:
            return None

    def wait(self) -> dict[str, Any]:
        """Its status once it answers."""
        until = time.monotonic() + READY_S
        while (status := self.status()) is None:
            if time.monotonic() > until:
                raise TimeoutError("the gateway did not come up")
            time.sleep(LOOK_EVERY_S)
        return status


class DeskLine:
    """The desk's command line, as a person would use it."""

    def __init__(self, home: Path, settings: Mapping[str, str] | None = None) -> None:
        self._surroundings = environment(home) | dict(settings or {})

    def ask(self, *arguments: str) -> Any:
        """What a verb says in JSON; None when the desk does not answer."""
        command = [sys.executable, "-m", "thetawarden", *arguments, "--json"]
        done = subprocess.run(  # noqa: S603  # our own program, no shell
            command,
            env=self._surroundings,
            capture_output=True,
            check=False,
            timeout=ANSWER_S,
        )
        try:
            return json.loads(done.stdout)
        except ValueError:
            return None


def environment(home: Path) -> dict[str, str]:
    """The surroundings of a process that sees no other desk's configuration."""
    kept = {name: value for name, value in os.environ.items() if "THETAWARDEN" not in name}
    return {**kept, "THETAWARDEN_HOME": str(home), "COLUMNS": "120"}


def free_port() -> int:
    """A loopback port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
