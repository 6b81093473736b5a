"""Disk space set aside, so that halts and orders still fit when everything else is full."""

from __future__ import annotations

import os
from pathlib import Path


class DiskReserve:
    """A file of real (not sparse) bytes that can be given back once."""

    def __init__(self, path: Path, size_bytes: int) -> None:
        self.path = path
        self._size_bytes = size_bytes

    def take(self) -> bool:
        """Set the space aside if it is not; false when the disk has not that much to spare."""
        if self.path.exists() and self.path.stat().st_size == self._size_bytes:
            return True
        try:
            with self.path.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, self._size_bytes)
        except OSError:
            self.path.unlink(missing_ok=True)
            return False
        return True

    def release(self) -> bool:
        """Give the space back; false when there was none left to give."""
        try:
            self.path.unlink()
        except FileNotFoundError:
            return False
        return True
