"""Defines the ledger of market data lines, and what it orders.

A place is taken from the moment a subscription is ordered until the broker was told to cancel it.
All instants and durations are of one clock, the one whose `now_ns` the caller brings.
"""

from __future__ import annotations

import enum
from typing import Any

import msgspec

from thetawarden.domain.broker.instrument import Instrument
from thetawarden.domain.broker.lines import LinePriority, LineWant


class Phase(enum.StrEnum):
    """Whether a place is held, or being given back."""

    HELD = "held"
    LEAVING = "leaving"


HELD = Phase.HELD  # an enum's attribute is slow to look up a hundred times a step


class Slot(msgspec.Struct, frozen=True, kw_only=True):
    """One place; `unwanted_ns` is since when nobody wants the stream, None while somebody does."""

    conid: int
    listeners: tuple[str, ...]
    since_ns: int
    phase: Phase = Phase.HELD
    unwanted_ns: int | None = None


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """The snapshots that are out for one listener, and when we stop waiting for a report."""

    conids: tuple[int, ...]
    until_ns: int


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """What the broker last said no to, how often in a row, and when it is asked again."""

    code: int
    times: int
    again_ns: int


class Learned(msgspec.Struct, frozen=True, kw_only=True):
    """The broker gave fewer lines than it should; believed for a while."""

    lines_max: int
    at_ns: int


class Ledger(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the ledger knows; `open` tells whether the link takes data requests.

    `streamed_ns` is when an instrument gave its line up, `snapshot_ns` when a listener last had it
    told, by a snapshot or by a line that gave way then. `coming` should stream and waits for a
    place. The lines were looked at at `looked_ns`, and stay as they are until `quiet_until_ns` if
    nothing is heard.
    """

    epoch: int = 0
    open: bool = False
    wants: dict[str, tuple[LineWant, ...]] = msgspec.field(default_factory=dict)
    slots: dict[int, Slot] = msgspec.field(default_factory=dict)
    batches: dict[str, Batch] = msgspec.field(default_factory=dict)
    streamed_ns: dict[int, int] = msgspec.field(default_factory=dict)
    snapshot_ns: dict[str, dict[int, int]] = msgspec.field(default_factory=dict)
    refused: dict[int, Refusal] = msgspec.field(default_factory=dict)
    learned: Learned | None = None
    rotated_ns: int = 0
    snapshots_from_ns: int = 0
    coming: tuple[int, ...] = ()
    quiet_until_ns: int = 0
    looked_ns: int = 0

    def is_quiet(self, now_ns: int) -> bool:
        """Whether no line can be another now; a clock that was set back says nothing of that."""
        return self.looked_ns <= now_ns < self.quiet_until_ns

    def stirred(self, **news: Any) -> Ledger:
        """The ledger with what was heard, after which the lines may be others."""
        return msgspec.structs.replace(self, quiet_until_ns=0, **news)


class Wish(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What all owners together want of one instrument: the best of each.

    `stream` is the class in which a stream is wanted, None when snapshots will do.
    """

    instrument: Instrument
    priority: LinePriority
    stream: LinePriority | None
    refresh_ns: int
    listeners: tuple[str, ...]


class Subscribe(msgspec.Struct, frozen=True, kw_only=True):
    """Open a line for it; its quotes go to these listeners."""

    instrument: Instrument
    listeners: tuple[str, ...]


class Redirect(msgspec.Struct, frozen=True, kw_only=True):
    """Let other listeners hear a line, if it is still open; never opens one.

    A refusal may be on its way, and the place already be another's.
    """

    conid: int
    listeners: tuple[str, ...]


class Unsubscribe(msgspec.Struct, frozen=True, kw_only=True):
    """Cancel the stream."""

    conid: int


class TakeSnapshots(msgspec.Struct, frozen=True, kw_only=True):
    """Ask once for each of these."""

    listener: str
    instruments: tuple[Instrument, ...]


Move = Subscribe | Redirect | Unsubscribe | TakeSnapshots
