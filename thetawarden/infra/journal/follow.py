"""Follows the message log of a desk that runs, or looks back in it: what is new, and its causes.

Reads the files and asks no desk, so that following costs the desk nothing and goes on when it hangs
or has ended. Files stay open between two looks; one thread uses a follower.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from thetawarden.infra.journal.reader import DayLog, Wanted
from thetawarden.infra.journal.store import day_files
from thetawarden.messages.base import Envelope, Message

DAYS_BACK = 2
CHAIN_MAX = 200
ANSWERS_WITHIN = 50_000
ANSWERS_MAX = 200


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """New messages in order; `skipped` older new ones were passed over, up to `last_seq`."""

    messages: tuple[Envelope[Message], ...] = ()
    skipped: int = 0
    last_seq: int = 0


class Follower:
    """Reads one store's log again and again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._days: dict[Path, DayLog] = {}

    def read(self, wanted: Wanted, *, limit: int | None = None) -> Batch:
        """What was said after `wanted.after_seq`: all of it, or the latest `limit` of it.

        Without an `after_seq` it looks no further back than the last two days.
        """
        days = self._open_days()
        if not days:
            return Batch(last_seq=wanted.after_seq)
        last_seq = max(days[-1].tops()[0], wanted.after_seq)
        now = msgspec.structs.replace(wanted, until_seq=last_seq)
        if limit is None:
            every = tuple(envelope for day in days for envelope in day.messages(now))
            return Batch(messages=every, last_seq=last_seq)
        found: list[Envelope[Message]] = []
        skipped = 0
        for day in reversed(days):
            for envelope in day.latest(now):
                if len(found) == limit:
                    break
                found.append(envelope)
            if len(found) == limit:
                skipped = self._passed_over(days, now, found)
                break
        return Batch(messages=tuple(reversed(found)), skipped=skipped, last_seq=last_seq)

    def message(self, seq: int) -> Envelope[Message] | None:
        """One message by its number."""
        for day in reversed(self._open_days(back=None)):
            if day.first_seq <= seq:
                return day.message(seq)
        return None

    def causes(self, seq: int) -> tuple[Envelope[Message], ...]:
        """The message and what it was said because of, back to what had no cause."""
        chain: list[Envelope[Message]] = []
        at: int | None = seq
        while at is not None and len(chain) < CHAIN_MAX:
            envelope = self.message(at)
            if envelope is None:
                break
            chain.append(envelope)
            at = envelope.cause_seq
        return tuple(chain)

    def answers(self, seq: int) -> tuple[Envelope[Message], ...]:
        """What was said because of a message, as far as it was said soon after."""
        wanted = Wanted(cause_seq=seq, after_seq=seq, until_seq=seq + ANSWERS_WITHIN)
        found: list[Envelope[Message]] = []
        for day in self._open_days():
            for envelope in day.messages(wanted):
                found.append(envelope)
                if len(found) == ANSWERS_MAX:
                    return tuple(found)
        return tuple(found)

    def close(self) -> None:
        """Let go of all files."""
        for day in self._days.values():
            day.close()
        self._days.clear()

    def _open_days(self, back: int | None = DAYS_BACK) -> list[DayLog]:
        files = day_files(self._folder)
        return [self._day(path) for path in (files if back is None else files[-back:])]

    def _day(self, path: Path) -> DayLog:
        if path not in self._days:
            self._days[path] = DayLog(path)
        return self._days[path]

    @staticmethod
    def _passed_over(days: list[DayLog], wanted: Wanted, found: list[Envelope[Message]]) -> int:
        """How many fit and were too many; of the first look, which shows an end only, none."""
        if not wanted.after_seq or not found:
            return 0
        return sum(day.count(wanted) for day in days) - len(found)
