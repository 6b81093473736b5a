"""Decides which quotes to ask for once: of what wants no stream, and of what can have none now.

A snapshot holds no line at the broker, yet costs a message and may take many seconds, so only some
are out at a time, one batch a listener, and batches keep a distance. The most important go first,
shared fairly among listeners, each of whom gets those first that have been due longest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import repeat
from operator import add

import msgspec

from thetawarden.domain.broker.lines import LinePriority
from thetawarden.domain.remembering import OneOfEquals, remembered
from thetawarden.domain.slots.choosing import barred_now
from thetawarden.domain.slots.limits import LineLimits
from thetawarden.domain.slots.sharing import share
from thetawarden.domain.slots.state import Ledger, Refusal, TakeSnapshots, Wish
from thetawarden.domain.slots.wishes import LEDGERS_KEPT

NEVER_NS = 0
_NEVER_SEEN_NS = -(1 << 62)  # whatever is allowed to be old, is long due
LISTENERS_KEPT = 4 * LEDGERS_KEPT
_Due = tuple[int, int, int, str]
"""A snapshot to take: its class, from when on, of what, and for which listener."""
_Heard = tuple[tuple[int, int, int], ...]
"""What one listener is to hear of: its class, how old it may become, and what it is."""
_NO_INSTANTS: dict[int, int] = {}
_one_of_equals = OneOfEquals[frozenset[int]](LISTENERS_KEPT)


class _Resting(msgspec.Struct, frozen=True):
    """What of all that a listener hears of does not stream: class, age allowed, and what it is."""

    priorities: tuple[int, ...]
    refresh_ns: tuple[int, ...]
    conids: tuple[int, ...]
    known: frozenset[int]


class _Awaited(msgspec.Struct, frozen=True):
    """What a listener waits for, from when on each is due, and when the first is.

    What was never seen is due since an instant long before all others.
    """

    resting: _Resting
    due_ns: Sequence[int]
    first_ns: int | None


def pick_snapshots(
    *,
    ledger: Ledger,
    wishes: Mapping[int, Wish],
    streaming: frozenset[int],
    limits: LineLimits,
    now_ns: int,
) -> list[TakeSnapshots]:
    """The batches to send now."""
    out = {name: batch for name, batch in ledger.batches.items() if now_ns < batch.until_ns}
    places = limits.snapshots_max - sum(len(batch.conids) for batch in out.values())
    if now_ns < ledger.snapshots_from_ns or places <= 0:
        return []
    barred = barred_now(ledger, now_ns)
    ready = sorted(
        (priority, at_ns, conid, listener)
        for listener, heard in _by_listener(wishes, limits).items()
        if listener not in out
        for at_ns, priority, conid in _until(now_ns, _due(ledger, listener, heard, streaming))
        if conid not in barred
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
    streaming: frozenset[int],
    limits: LineLimits,
) -> int | None:
    """When the next one may be due though no report comes; None for never."""
    ends = [batch.until_ns for batch in ledger.batches.values()]
    if sum(len(batch.conids) for batch in ledger.batches.values()) >= limits.snapshots_max:
        return min(ends, default=None)
    for listener, heard in _by_listener(wishes, limits).items():
        if listener not in ledger.batches:
            first_ns = _first_ns(_due(ledger, listener, heard, streaming), ledger.refused)
            ends += [] if first_ns is None else [max(first_ns, ledger.snapshots_from_ns)]
    return min(ends, default=None)


@remembered(LEDGERS_KEPT)
def _by_listener(wishes: Mapping[int, Wish], limits: LineLimits) -> Mapping[str, _Heard]:
    """What each listener is to hear of."""
    found: dict[str, list[tuple[int, int, int]]] = {}
    for conid, wish in wishes.items():
        refresh_ns = max(wish.refresh_ns, limits.snapshot_refresh_ns_min)
        for listener in wish.listeners:
            found.setdefault(listener, []).append((int(wish.priority), refresh_ns, conid))
    return {listener: tuple(heard) for listener, heard in found.items()}


def _due(ledger: Ledger, listener: str, heard: _Heard, streaming: frozenset[int]) -> _Awaited:
    """Everything of a listener that does not stream, with when its quote will be too old."""
    heard_ns = ledger.snapshot_ns.get(listener, _NO_INSTANTS)
    return _awaited(heard_ns, _resting(heard, streaming))


@remembered(LISTENERS_KEPT)
def _resting(heard: _Heard, streaming: frozenset[int]) -> _Resting:
    return _resting_but(heard, _one_of_equals(streaming & _conids(heard)))


@remembered(LISTENERS_KEPT)
def _conids(heard: _Heard) -> frozenset[int]:
    return frozenset([conid for _, _, conid in heard])


@remembered(LISTENERS_KEPT)
def _resting_but(heard: _Heard, streaming: frozenset[int]) -> _Resting:
    resting = [each for each in heard if each[2] not in streaming]
    priorities, refresh_ns, conids = zip(*resting, strict=True) if resting else ((), (), ())
    return _Resting(priorities, refresh_ns, conids, frozenset(conids))


@remembered(LISTENERS_KEPT)
def _awaited(heard_ns: Mapping[int, int], resting: _Resting) -> _Awaited:
    last_ns = map(heard_ns.get, resting.conids, repeat(_NEVER_SEEN_NS))
    due_ns = list(map(add, last_ns, resting.refresh_ns))
    return _Awaited(resting, due_ns, max(min(due_ns), NEVER_NS) if due_ns else None)


def _until(now_ns: int, awaited: _Awaited) -> list[tuple[int, int, int]]:
    """What is due by now: from when on, its class, and what it is."""
    if awaited.first_ns is None or awaited.first_ns > now_ns:
        return []
    resting = awaited.resting
    every = zip(awaited.due_ns, resting.priorities, resting.conids, strict=True)
    return [
        (max(at_ns, NEVER_NS), priority, conid)
        for at_ns, priority, conid in every
        if at_ns <= now_ns
    ]


@remembered(LISTENERS_KEPT)
def _first_ns(awaited: _Awaited, refused: Mapping[int, Refusal]) -> int | None:
    """When the first of them is due and may be asked for."""
    if awaited.resting.known.isdisjoint(refused):
        return awaited.first_ns
    again_ns = {conid: refusal.again_ns for conid, refusal in refused.items()}
    may_ns = map(again_ns.get, awaited.resting.conids, repeat(NEVER_NS))
    return min(map(max, awaited.due_ns, may_ns), default=None)


def _share(ready: list[_Due], places: int) -> dict[str, list[int]]:
    """Who gets how many of the places: class by class, listeners of a class alike."""
    by_class: dict[int, dict[str, list[int]]] = {}
    # a number stands for a pair here: one instrument may be due for two listeners
    for number, (priority, _, _, listener) in enumerate(ready):
        queue = by_class.setdefault(priority, {}).setdefault(listener, [])
        if len(queue) < places:
            queue.append(number)
    picked: dict[str, list[int]] = {}
    for priority in LinePriority:
        for number in share(queues=by_class.get(priority, {}), kept=(), places=places):
            _, _, conid, listener = ready[number]
            picked.setdefault(listener, []).append(conid)
            places -= 1
    return picked
