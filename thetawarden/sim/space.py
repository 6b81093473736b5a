"""How much room a simulated disk has: plenty, or what a reserve gives back, or none."""

from __future__ import annotations

RESERVE_ENTRIES = 3000
"""So many entries of a log fit into what was set aside: halts and cancels, not a day of quotes."""


class DiskFullError(OSError):
    """Not even the reserve has room for what is to be written."""

    def __init__(self) -> None:
        super().__init__("no room on the disk, and the reserve is used up")


class DiskSpace:
    """Somebody may fill it; while it is full a log lives on its reserve, given back once.

    `filled` counts how often a log had to take to it.
    """

    def __init__(self) -> None:
        self.is_full, self.filled = False, 0
        self._is_set_aside, self._left = True, RESERVE_ENTRIES

    def set_aside(self) -> None:
        """Have the whole reserve again, as every process that begins with room."""
        self._is_set_aside, self._left = True, RESERVE_ENTRIES

    def fill(self, reserve: int) -> None:
        """Use everything up, but for the reserve, of which so much fits the log."""
        self.is_full, self._left = True, reserve

    def free(self) -> None:
        """Give everything back."""
        self.is_full = False

    def take(self, entries: int) -> bool:
        """Write so many, or raise DiskFullError; whether the reserve was given back for them."""
        if not self.is_full:
            return False
        gave_back, self._is_set_aside = self._is_set_aside, False
        self.filled += gave_back
        if entries > self._left:
            raise DiskFullError
        self._left -= entries
        return gave_back
