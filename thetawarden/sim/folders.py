"""Gives each world a folder of its own, in memory where there is one to be had.

Who is killed takes nothing along. The next to come clears what nobody holds any more: whoever lives
in a folder has it locked, and a lock ends with its process.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PREFIX = "thetawarden-world-"
NEW_S = 60.0
"""A folder this young may not be locked yet."""
_MEMORY = Path("/dev/shm")  # noqa: S108  # only the parent of folders of our own


def _parent() -> Path:
    """Where the folders are."""
    return _MEMORY if os.access(_MEMORY, os.W_OK) else Path(tempfile.gettempdir())


@contextmanager
def world_folder(beside: Path | None = None) -> Iterator[Path]:
    """A locked folder that is gone afterwards; what the dead have left is cleared first."""
    where = _parent() if beside is None else beside
    with tempfile.TemporaryDirectory(prefix=PREFIX, dir=where) as made, _locked(Path(made)):
        _clear(where, before_s=Path(made).stat().st_mtime - NEW_S)
        yield Path(made)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold a folder; `BlockingIOError` where another process does."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)


def _clear(where: Path, *, before_s: float) -> None:
    """Remove folders that nobody holds; one that is not ours to remove stays."""
    for folder in where.glob(f"{PREFIX}*"):
        with suppress(OSError):
            if folder.stat().st_mtime < before_s:
                with _locked(folder):
                    shutil.rmtree(folder)
