"""Decides which quotes to ask for once: of what wants no stream, and of what can have none now.

A snapshot holds no line at the broker, yet costs a message and may take many seconds, so only some
are out at a time, one batch a listener, and batches keep a distance. The most important go first,
shared fairly among listeners, each of whom gets those first that have been due longest.
"""

from __future__ import annotations

from collections.abc import Container, Mapping

import msgspec

from thetawarden.domain.broker.lines import LinePriority
from thetawarden.domain.slots.choosing import asks_from_ns, may_ask
from thetawarden.domain.slots.limits import LineLimits
from thetawarden.domain.slots.sharing import share
from thetawarden.domain.slots.state import Ledger, TakeSnapshots, Wish

NEVER_NS = 0


class _Due(msgspec.Struct, frozen=True, gc=False, order=True):
    """A snapshot to take for one listener, and from when on."""

    priority: LinePriority
    at_ns: int
    conid: int
    listener: str


def pick_snapshots(
    *,
    ledger: Ledger,
    wishes: Mapping[int, Wish],
    streaming: Container[int],
    limits: LineLimits,
    now_ns: int,
) -> list[TakeSnapshots]:
    """The batches to send now."""
    out = {name: batch for name, batch in ledger.batches.items() if now_ns < batch.until_ns}
    places = limits.snapshots_max - sum(len(batch.conids) for batch in out.values())
    if now_ns < ledger.snapshots_from_ns or places <= 0:
        return []
    ready = sorted(
        due
        for due in _due(ledger, wishes, streaming, limits)
        if due.at_ns <= now_ns and due.listener not in out and may_ask(ledger, due.conid, now_ns)
    )
    picked = _share(ready, places)
    return [
        TakeSnapshots(
            listener=listener, instruments=tuple(wishes[conid].instrument for conid in conids)
        )
        for listener, conids in sorted(picked.items())
    ]


def next_snapshot_ns(
    *,
    ledger: Ledger,
    wishes: Mapping[int, Wish],
    streaming: Container[int],
    limits: LineLimits,
) -> int | None:
    """When the next one may be due though no report comes; None for never."""
    idle = [
        max(due.at_ns, ledger.snapshots_from_ns, asks_from_ns(ledger, due.conid))
        for due in _due(ledger, wishes, streaming, limits)
        if due.listener not in ledger.batches
    ]
    ends = [batch.until_ns for batch in ledger.batches.values()]
    full = sum(len(batch.conids) for batch in ledger.batches.values()) >= limits.snapshots_max
    return min(ends if full else [*ends, *idle], default=None)


def _due(
    ledger: Ledger, wishes: Mapping[int, Wish], streaming: Container[int], limits: LineLimits
) -> list[_Due]:
    """Everything that does not stream, with when its quote will be too old."""
    found = []
    for conid, wish in wishes.items():
        if conid in streaming:
            continue
        refresh_ns = max(wish.refresh_ns, limits.snapshot_refresh_ns_min)
        streamed_ns = ledger.streamed_ns.get(conid, NEVER_NS)
        for listener in wish.listeners:
            taken_ns = ledger.snapshot_ns.get(listener, {}).get(conid, NEVER_NS)
            last_ns = max(taken_ns, streamed_ns)
            due_ns = NEVER_NS if last_ns == NEVER_NS else last_ns + refresh_ns
            found.append(_Due(wish.priority, due_ns, conid, listener))
    return found


def _share(ready: list[_Due], places: int) -> dict[str, list[int]]:
    """Who gets how many of the places: class by class, listeners of a class alike."""
    picked: dict[str, list[int]] = {}
    for priority in LinePriority:
        queues: dict[str, list[int]] = {}
        # a number stands for a pair here: one instrument may be due for two listeners
        for number, due in enumerate(ready):
            if due.priority is priority:
                queues.setdefault(due.listener, []).append(number)
        for number in share(queues=queues, kept=(), places=places):
            picked.setdefault(ready[number].listener, []).append(ready[number].conid)
            places -= 1
    return picked
