"""What the processes beside the desk have in common: their end, the waits between two starts."""

from __future__ import annotations

import os
import subprocess
from typing import Any

from thetawarden.config.secrets import ENVIRONMENT_PREFIX

STOP_TIMEOUT_S = 10.0
RESTART_AFTER_S = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)


def end_process(process: subprocess.Popen[Any]) -> None:
    """Let it end in good order; by force when it takes too long."""
    process.terminate()
    try:
        process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def pause_s(failures: int) -> float:
    """How long to wait before the next start, after so many in a row that came to nothing."""
    return RESTART_AFTER_S[min(failures, len(RESTART_AFTER_S) - 1)]


def without_secrets() -> dict[str, str]:
    """The environment of a process that has no business with our secrets."""
    return {
        name: value for name, value in os.environ.items() if not name.startswith(ENVIRONMENT_PREFIX)
    }
