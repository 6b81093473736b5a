"""Sums up who has lines and who waits, for a person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from operator import add

import msgspec

from thetawarden.domain.broker.lines import LineManner, LinePriority, LineUse
from thetawarden.domain.remembering import remembered
from thetawarden.domain.slots.state import HELD, Ledger, Slot, Wish
from thetawarden.domain.slots.wishes import LEDGERS_KEPT, gather


class OwnerUse(msgspec.Struct, frozen=True, kw_only=True):
    """What one owner has of what it wants; a line that several want counts for each."""

    owner: str
    priority: LinePriority
    streaming: int
    waiting: int
    snapshots: int


def uses(ledger: Ledger, wishes: Mapping[int, Wish] | None = None) -> tuple[LineUse, ...]:
    """Each class that is wanted, most important first; `wishes` are the ledger's, if at hand."""
    return _uses(ledger.slots, gather(ledger.wants) if wishes is None else wishes)


@remembered(LEDGERS_KEPT)
def _uses(slots: Mapping[int, Slot], wishes: Mapping[int, Wish]) -> tuple[LineUse, ...]:
    waiting, snapshots = (list(counts) for counts in _unserved(wishes))
    wanted, streaming = list(map(add, waiting, snapshots)), [0] * len(LinePriority)
    for slot in slots.values():
        wish = wishes.get(slot.conid)
        if wish is not None and slot.phase is HELD:
            if wish.stream is None:
                snapshots[wish.priority] -= 1
            else:
                waiting[wish.stream] -= 1
            streaming[wish.priority if wish.stream is None else wish.stream] += 1
    return tuple(
        LineUse(
            priority=priority,
            streaming=streaming[priority],
            waiting=waiting[priority],
            snapshots=snapshots[priority],
        )
        for priority in LinePriority
        if wanted[priority]
    )


@remembered(LEDGERS_KEPT)
def _unserved(wishes: Mapping[int, Wish]) -> tuple[list[int], list[int]]:
    """How many of each class would wait for a line, and for a snapshot, if nothing streamed."""
    waiting, snapshots = [0] * len(LinePriority), [0] * len(LinePriority)
    for wish in wishes.values():
        if wish.stream is None:
            snapshots[wish.priority] += 1
        else:
            waiting[wish.stream] += 1
    return waiting, snapshots


def owner_uses(ledger: Ledger) -> tuple[OwnerUse, ...]:
    """Each owner in each class, most important first, by name within a class."""
    counts: Counter[tuple[LinePriority, str, str]] = Counter()
    for owner, wants in ledger.wants.items():
        for want in wants:
            stream = want.priority if want.manner is LineManner.STREAM else None
            _, kind = _place(ledger, want.instrument.conid, stream, want.priority)
            counts[want.priority, owner, kind] += 1
    return tuple(
        OwnerUse(
            owner=owner,
            priority=priority,
            streaming=counts[priority, owner, "streaming"],
            waiting=counts[priority, owner, "waiting"],
            snapshots=counts[priority, owner, "snapshots"],
        )
        for priority, owner in sorted({(priority, owner) for priority, owner, _ in counts})
    )


def _place(
    ledger: Ledger, conid: int, stream: LinePriority | None, priority: LinePriority
) -> tuple[LinePriority, str]:
    slot = ledger.slots.get(conid)
    if slot is not None and slot.phase is HELD:
        return (priority if stream is None else stream), "streaming"
    if stream is not None:
        return stream, "waiting"
    return priority, "snapshots"
