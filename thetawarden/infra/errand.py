"""One job in a process of its own: in on standard input, out on standard output.

The process gets none of our secrets but what stands in the job, and does not outlive whoever sent
it: a stop ends it, and lets no other begin.
"""

from __future__ import annotations

import subprocess
import sys
import threading

from thetawarden.infra.child_process import without_secrets


class Errand:
    """Sends one process after another; `stop` may come from any thread."""

    def __init__(self, module: str) -> None:
        self._command = [sys.executable, "-m", module]
        self._turn = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self.stopped = False

    def run(self, job: bytes, *, timeout_s: float) -> subprocess.CompletedProcess[bytes]:
        """Do a job and wait for it; raises TimeoutExpired once it was ended for its slowness."""
        with self._turn:
            if self.stopped:
                return subprocess.CompletedProcess(self._command, -1, b"", b"stopped")
            self._process = process = subprocess.Popen(  # noqa: S603  # our own program, no shell
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=without_secrets(),
            )
        with process:
            try:
                out, errors = process.communicate(job, timeout=timeout_s)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
        return subprocess.CompletedProcess(self._command, process.returncode, out, errors)

    def stop(self) -> None:
        """End the job that is being done, if any, and do no more."""
        with self._turn:
            self.stopped = True
            process = self._process
        if process is not None and process.poll() is None:
            process.kill()
