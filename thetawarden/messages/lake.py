"""The lake: what is kept for good, who keeps it, and how far each table is.

`through_seq` is a message's number in the log: everything up to it that belongs in the table is
there.
"""

from __future__ import annotations

import datetime as dt
import enum

from thetawarden.messages.base import Command, Event


class FlushLake(Command, frozen=True, kw_only=True):
    """Write what has gathered, and catch up where a table is behind."""


class MaintainLake(Command, frozen=True, kw_only=True):
    """Compact the days before this one, archive their messages, remove what nobody needs."""

    day: dt.date


class RebuildTable(Command, frozen=True, kw_only=True):
    """Write a table anew from the message log."""

    table: str


class LakeCommitted(Event, frozen=True, kw_only=True):
    """Rows are safe in a table."""

    table: str
    through_seq: int
    rows: int
    files: int


class LakeTrouble(enum.StrEnum):
    """What keeps a table from being written."""

    AWAY = "away"
    DAMAGED = "damaged"
    NEWER = "newer"
    AHEAD = "ahead"
    LOG_UNREADABLE = "log_unreadable"


class LakeUnavailable(Event, frozen=True, kw_only=True):
    """A table cannot be written now; what belongs in it waits in the message log."""

    table: str
    trouble: LakeTrouble
    error: str


class LakeFellBehind(Event, frozen=True, kw_only=True):
    """More waited for a table than may be held; it will be read from the message log again.

    Of table `*`, what waited for all of them: its rows are messages.
    """

    table: str
    rows: int


class LakeSkipped(Event, frozen=True, kw_only=True):
    """A message could not be made into rows; it stays in the message log alone."""

    seq: int
    kind: str
    error: str


class LakeRebuilt(Event, frozen=True, kw_only=True):
    """A table was emptied from this message on and is being written anew."""

    table: str
    from_seq: int


class LakeMaintained(Event, frozen=True, kw_only=True):
    """The housekeeping of the days before this one is done; `faults` names what could not be."""

    day: dt.date
    files: int
    files_removed: int
    archived: tuple[dt.date, ...]
    logs_removed: tuple[dt.date, ...]
    faults: tuple[str, ...]
