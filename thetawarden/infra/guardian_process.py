"""Starts the guardian beside a desk and ends it with the desk; while both live they share nothing.

A guardian that dies is started again. It outlives a desk that is killed, on purpose.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from collections.abc import Sequence

STOP_TIMEOUT_S = 10.0
AGAIN_AFTER_S = 2.0
_log = logging.getLogger("thetawarden.guardian")


class GuardianProcess:
    """One guardian, for as long as the desk runs."""

    def __init__(self, options: Sequence[str], *, lifeline: int | None = None) -> None:
        self._options = tuple(options)
        self._lifeline = lifeline
        self._stopping = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; the desk does not wait until it looks."""
        self._launch()
        threading.Thread(target=self._keep, name="guardian", daemon=True).start()

    def stop(self) -> None:
        """End it: the desk ends in good order and needs it no longer."""
        self._stopping.set()
        process = self._process
        if process is None:
            return
        process.terminate()
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def let_go(self) -> None:
        """Leave it to itself: the desk gave up, and it has work to do."""
        self._stopping.set()

    def _launch(self) -> None:
        command = [sys.executable, "-m", "thetawarden", *self._options]
        keep: tuple[int, ...] = ()
        if self._lifeline is not None:
            command += ["--lifeline", str(self._lifeline)]
            keep = (self._lifeline,)
        self._process = subprocess.Popen(  # noqa: S603  # our own program, no shell
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=dict(os.environ),
            pass_fds=keep,
            start_new_session=True,  # what ends the desk from its terminal must not end this
        )
        _log.info("guardian_started", extra={"pid": self._process.pid})

    def _keep(self) -> None:
        while self._process is not None:
            code = self._process.wait()
            if self._stopping.is_set() or code == 0:
                return
            _log.error("guardian_ended", extra={"code": code})
            if self._stopping.wait(AGAIN_AFTER_S):
                return
            self._launch()
