"""Keeps the practice gateway running as a process of its own, on a free loopback port.

A gateway that ends unasked is started again on the same port, from its saved state; a client sees
what it would see when a real gateway restarts.
"""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import msgspec

from thetawarden.errors import EXIT_USAGE, ThetawardenError
from thetawarden.infra.child_process import STOP_TIMEOUT_S, end_process, pause_s, without_secrets

START_TIMEOUT_S = 60.0
ERRORS_KEPT = 2000
_log = logging.getLogger("thetawarden.gateway")


class GatewayNotStartedError(ThetawardenError):
    """The practice gateway did not come up; what it said is in the text. The person mends that."""

    exit_code = EXIT_USAGE

    def __init__(self, said: str) -> None:
        words = said.removeprefix("thetawarden: ") or "it said nothing"
        super().__init__(f"the practice gateway did not start: {words}")


class _Ready(msgspec.Struct):
    listening: str


class GatewayProcess:
    """One practice gateway, for as long as the desk runs."""

    def __init__(self, options: Sequence[str], *, state: Path) -> None:
        self._options = tuple(options)
        self._state = state
        self._stopping = threading.Event()
        self._process: subprocess.Popen[str] | None = None
        self.port = 0

    def start(self) -> None:
        """Start it and wait until it listens, or raise GatewayNotStartedError."""
        self._launch()
        threading.Thread(target=self._watch, name="gateway", daemon=True).start()

    def stop(self) -> None:
        """End it in good order, so that it saves its state; by force when it takes too long."""
        self._stopping.set()
        process = self._process
        if process is None:
            return
        end_process(process)
        _let_go(process)

    @property
    def lifeline(self) -> int | None:
        """The file that keeps it alive for as long as anybody holds it open."""
        process = self._process
        if process is None or process.stdin is None or process.stdin.closed:
            return None
        return process.stdin.fileno()

    def _launch(self) -> None:
        command = [sys.executable, "-m", "thetawarden", "gateway", *self._options]
        command += ["--port", str(self.port), "--state", str(self._state), "--while-stdin-open"]
        process = subprocess.Popen(  # noqa: S603  # our own program, no shell
            command,
            stdin=subprocess.PIPE,  # closed by our end, however we end: the gateway goes too
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=without_secrets(),
            start_new_session=True,
        )
        self._process = process
        errors = _Tail(process.stderr)
        late = threading.Timer(START_TIMEOUT_S, process.kill)
        late.start()
        line = process.stdout.readline() if process.stdout is not None else ""
        late.cancel()
        try:
            self.port = int(msgspec.json.decode(line, type=_Ready).listening.rpartition(":")[2])
        except (msgspec.MsgspecError, ValueError):
            process.kill()
            process.wait()
            _let_go(process)
            raise GatewayNotStartedError(errors.text()) from None
        _log.info("practice_gateway_started", extra={"port": self.port, "pid": process.pid})

    def _watch(self) -> None:
        failures = 0
        while self._process is not None:
            code = self._process.wait()
            _let_go(self._process)
            if self._stopping.is_set():
                return
            _log.error("practice_gateway_ended", extra={"code": code})
            if self._stopping.wait(pause_s(failures)):
                return
            try:
                self._launch()
                failures = 0
            except (GatewayNotStartedError, OSError) as error:
                failures += 1
                _log.error(
                    "practice_gateway_not_restarted", extra={"found": str(error)}
                )  # its text says all


class _Tail:
    """Reads a stream to its end on a thread and keeps its last words."""

    def __init__(self, stream: IO[str] | None) -> None:
        self._text = ""
        self._thread = threading.Thread(target=self._read, args=(stream,), daemon=True)
        self._thread.start()

    def text(self) -> str:
        """The last line that was a complaint of ours, or whatever came last."""
        self._thread.join(STOP_TIMEOUT_S)
        lines = [line for line in self._text.splitlines() if line.strip()]
        ours = [line for line in lines if line.startswith("thetawarden: ")]
        return (ours or lines or [""])[-1]

    def _read(self, stream: IO[str] | None) -> None:
        if stream is not None:
            with stream:
                for line in stream:
                    self._text = (self._text + line)[-ERRORS_KEPT:]


def _let_go(process: subprocess.Popen[str]) -> None:
    """Close our ends of the pipes to a process that has ended."""
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            stream.close()
