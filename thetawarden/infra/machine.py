"""What the operating system tells of this process: how much it uses, how much is left."""

from __future__ import annotations

import contextlib
import os
import resource
from pathlib import Path

_FILES = Path("/proc/self/fd")
_SIZES = Path("/proc/self/statm")


def files_left() -> int | None:
    """How many files and sockets may still be opened; 0 when not even that can be looked at.

    None where the system has no way to tell.
    """
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if not _FILES.is_dir():
        return None
    try:
        used = len(os.listdir(_FILES))  # noqa: PTH208  # one directory entry a file, nothing more
    except OSError:
        return 0
    return max(0, limit - used)


def memory_bytes() -> int | None:
    """How much memory the process holds, None where the system does not tell."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        return int(_SIZES.read_text().split()[1]) * resource.getpagesize()
    return None
