"""Reads the message log as the lake's spool: what was said of some kinds after a position.

Days that are no longer in the log come from the archive, when there is one. Keeps the newest file
open, so that counting every few seconds costs next to nothing. For one thread.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import zip_longest
from pathlib import Path

from thetawarden.infra.journal.reader import DayLog
from thetawarden.infra.journal.store import day_files
from thetawarden.messages.base import Envelope, Message

Older = Callable[[tuple[str, ...], int, int], Iterator[Envelope[Message]]]


class Spool:
    """The message log behind the lake; `older` reads what is in the archive alone."""

    def __init__(self, folder: Path, *, older: Older | None = None) -> None:
        self._folder = folder
        self._older = older
        self._days: dict[Path, DayLog] = {}

    def top(self) -> int:
        """The last message that is safe on disk."""
        days = self._open()
        return days[-1].tops()[0] if days else 0

    def first(self) -> int:
        """The oldest message that is still in the log itself; 1 when there is no log."""
        days = self._open()
        return days[0].first_seq if days else 1

    def count(self, kinds: tuple[str, ...], *, after_seq: int, until_seq: int) -> dict[str, int]:
        """How many messages of each kind lie in a range."""
        counts: Counter[str] = Counter()
        for day in self._within(after_seq, until_seq):
            counts.update(day.count_kinds(kinds, after_seq=after_seq, until_seq=until_seq))
        return counts

    def read(
        self, kinds: tuple[str, ...], *, after_seq: int, until_seq: int
    ) -> Iterator[Envelope[Message]]:
        """The messages of these kinds in a range, in order."""
        first = self.first()
        if self._older is not None and after_seq + 1 < first:
            yield from self._older(kinds, after_seq, min(until_seq, first - 1))
        for day in self._within(after_seq, until_seq):
            yield from day.of_kinds(kinds, after_seq=after_seq, until_seq=until_seq)

    def close(self) -> None:
        """Let go of all files."""
        for day in self._days.values():
            day.close()
        self._days.clear()

    def _within(self, after_seq: int, until_seq: int) -> list[DayLog]:
        days = self._open()
        return [
            day
            for day, later in zip_longest(days, days[1:])
            if day.first_seq <= until_seq and (later is None or later.first_seq - 1 > after_seq)
        ]

    def _open(self) -> list[DayLog]:
        paths = day_files(self._folder)
        for gone in [path for path in self._days if path not in paths]:
            with contextlib.suppress(KeyError):
                self._days.pop(gone).close()
        for path in paths:
            if path not in self._days:
                self._days[path] = DayLog(path)
        return [self._days[path] for path in paths]
