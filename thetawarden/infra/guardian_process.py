"""Starts the guardian beside a desk and ends it with the desk; while both live they share nothing.

A guardian that dies is started again. It outlives a desk that is killed, on purpose.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence

from thetawarden.infra.child_process import end_process, pause_s

LIVED_S = 60.0  # a guardian that lived so long had come up: what ended it begins a new count
_log = logging.getLogger("thetawarden.guardian")


def no_lifeline() -> int | None:
    """Nothing has to be kept alive."""
    return None


class GuardianProcess:
    """One guardian, for as long as the desk runs.

    `lifeline` tells at each start which file keeps the gateway alive: a gateway that was started
    again has another one. `told` is what each finds on its standard input.
    """

    def __init__(
        self,
        options: Sequence[str],
        *,
        told: bytes = b"",
        lifeline: Callable[[], int | None] = no_lifeline,
    ) -> None:
        self._options = tuple(options)
        self._told = told
        self._lifeline = lifeline
        self._stopping = threading.Event()
        self._turn = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; the desk does not wait until it looks."""
        first = self._launched()
        threading.Thread(target=self._keep, args=(first,), name="guardian", daemon=True).start()

    def stop(self) -> None:
        """End it: the desk ends in good order and needs it no longer."""
        self.let_go()
        if self._process is not None:
            end_process(self._process)

    def let_go(self) -> None:
        """Leave it to itself: the desk gave up, and it has work to do."""
        with self._turn:  # one that is being started is there afterwards, and none later
            self._stopping.set()

    def _keep(self, process: subprocess.Popen[bytes] | None) -> None:
        failures = 0
        while True:
            began_s = time.monotonic()
            code = None if process is None else process.wait()
            if self._stopping.is_set() or code == 0:
                return
            if process is not None:
                _log.error("guardian_ended", extra={"code": code})
            if time.monotonic() - began_s >= LIVED_S:
                failures = 0
            if self._stopping.wait(pause_s(failures)):
                return
            failures += 1
            process = self._launched()

    def _launched(self) -> subprocess.Popen[bytes] | None:
        """Start one; None when that failed, which is told, or the desk ends."""
        with self._turn:
            if self._stopping.is_set():
                return None
            try:
                self._process = process = self._launch()
            except (OSError, ValueError, subprocess.SubprocessError) as error:
                _log.error("guardian_not_started", extra={"found": str(error)})
                return None
        _log.info("guardian_started", extra={"pid": process.pid})
        return process

    def _launch(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "thetawarden", *self._options]
        keep: tuple[int, ...] = ()
        if (lifeline := self._lifeline()) is not None:
            command += ["--lifeline", str(lifeline)]
            keep = (lifeline,)
        with tempfile.TemporaryFile() as told:  # nobody waits for it to be read, as at a pipe
            told.write(self._told)
            told.seek(0)
            return subprocess.Popen(  # noqa: S603  # our own program, no shell
                command,
                stdin=told,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=dict(os.environ),
                pass_fds=keep,
                start_new_session=True,  # what ends the desk from its terminal must not end this
            )
