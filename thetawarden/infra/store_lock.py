"""One desk a store: a lock the kernel gives back however the process ends."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

from thetawarden.errors import RefusedError

LOOK_S = 0.2  # whoever only looks whether a desk runs holds the lock for less


class SecondDeskError(RefusedError):
    """Another desk runs on this store. Nothing was touched; the person uses or stops that one."""

    def __init__(self, folder: Path, holder: str) -> None:
        super().__init__(
            f"a desk already runs on {folder} (process {holder}); one is allowed."
            " Use it (`thetawarden status`), stop it (`thetawarden stop`),"
            " or choose another --data-dir"
        )


class StoreLock:
    """Held from before the first read until the process is gone."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take the lock, or raise SecondDeskError when another still has it at a second look."""
        path = self._folder / "lock"
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if not (_locked(descriptor) or _locked(descriptor, after_s=LOOK_S)):
            holder = os.read(descriptor, 32).decode(errors="replace").strip() or "unknown"
            os.close(descriptor)
            raise SecondDeskError(self._folder, holder)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        self._descriptor = descriptor

    def release(self) -> None:
        """Give the lock back."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _locked(descriptor: int, *, after_s: float = 0.0) -> bool:
    time.sleep(after_s)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
