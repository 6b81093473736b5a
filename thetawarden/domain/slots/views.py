"""Sums up who has lines and who waits, for a person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import msgspec

from thetawarden.domain.broker.lines import LineManner, LinePriority, LineUse
from thetawarden.domain.slots.state import Ledger, Phase, Wish
from thetawarden.domain.slots.wishes import gather


class OwnerUse(msgspec.Struct, frozen=True, kw_only=True):
    """What one owner has of what it wants; a line that several want counts for each."""

    owner: str
    priority: LinePriority
    streaming: int
    waiting: int
    snapshots: int


def uses(ledger: Ledger, wishes: Mapping[int, Wish] | None = None) -> tuple[LineUse, ...]:
    """Each class that is wanted, most important first; `wishes` are the ledger's, if at hand."""
    counts: Counter[tuple[LinePriority, str]] = Counter()
    for conid, wish in (gather(ledger.wants) if wishes is None else wishes).items():
        counts[_place(ledger, conid, wish.stream, wish.priority)] += 1
    return tuple(
        LineUse(
            priority=priority,
            streaming=counts[priority, "streaming"],
            waiting=counts[priority, "waiting"],
            snapshots=counts[priority, "snapshots"],
        )
        for priority in LinePriority
        if any(each is priority for each, _ in counts)
    )


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
    if slot is not None and slot.phase is Phase.HELD:
        return (priority if stream is None else stream), "streaming"
    if stream is not None:
        return stream, "waiting"
    return priority, "snapshots"
