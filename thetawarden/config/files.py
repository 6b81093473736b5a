"""Reads one small regular file, or says why not. Never blocks on a pipe, never reads without end.

The descriptor is asked, not the path, so nothing can be swapped between the check and the reading.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from thetawarden.config.problems import ConfigError, Problem, one_line

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def read_small_file(
    path: Path,
    *,
    bytes_max: int,
    check: Callable[[os.stat_result], Problem | None] = lambda _: None,
) -> bytes | None:
    """The file's bytes, or None when there is no such file; `check` may refuse what was opened."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        raise ConfigError([_unreadable(path, error)]) from None
    try:
        status = os.fstat(descriptor)
        problem = _irregular(path, status, bytes_max) or check(status)
        if problem is not None:
            raise ConfigError([problem])
        with open(descriptor, "rb", closefd=False) as file:
            content = file.read(bytes_max + 1)
    except OSError as error:
        raise ConfigError([_unreadable(path, error)]) from None
    finally:
        os.close(descriptor)
    if len(content) > bytes_max:
        raise ConfigError([_too_large(path, bytes_max)])
    return content


def _irregular(path: Path, status: os.stat_result, bytes_max: int) -> Problem | None:
    if not stat.S_ISREG(status.st_mode):
        return Problem(
            where=one_line(str(path), 400),
            path="",
            found="a folder" if stat.S_ISDIR(status.st_mode) else "no regular file",
            allowed="a regular file",
            remedy="name the file itself",
        )
    return _too_large(path, bytes_max) if status.st_size > bytes_max else None


def _too_large(path: Path, bytes_max: int) -> Problem:
    return Problem(
        where=one_line(str(path), 400),
        path="",
        found=f"more than {bytes_max} bytes",
        allowed=f"at most {bytes_max} bytes",
        remedy="check that this is the file you mean",
    )


def _unreadable(path: Path, error: Exception) -> Problem:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return Problem(
        where=one_line(str(path), 400),
        path="",
        found=f"a file that cannot be read ({one_line(reason)})",
        allowed="a file this user may read",
        remedy="check its path and permissions",
    )
