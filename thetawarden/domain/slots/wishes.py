"""Decides what all owners together want of each instrument: one line for however many of them."""

from __future__ import annotations

from collections.abc import Mapping

from thetawarden.domain.broker.lines import LineManner, LinePriority, LineWant
from thetawarden.domain.remembering import remembered
from thetawarden.domain.slots.state import Wish

LEDGERS_KEPT = 32
CONTEXT = "@context"
_WATCHER = "chain/"
_FOR_WATCHERS = LinePriority.ENTRY
"""What is wanted for the book or an entry is heard by the watcher of its underlying."""


def listener_of(owner: str, want: LineWant) -> str:
    """Who hears the quotes: a watcher its own, what serves the book the underlying's watcher."""
    if owner.startswith(_WATCHER):
        return owner.removeprefix(_WATCHER)
    if want.priority <= _FOR_WATCHERS:
        return want.instrument.symbol
    return CONTEXT


@remembered(LEDGERS_KEPT)
def gather(wants: Mapping[str, tuple[LineWant, ...]]) -> Mapping[int, Wish]:
    """One wish an instrument, in the order of owners' names and of what each names first."""
    wishes: dict[int, Wish] = {}
    for owner in sorted(wants):
        mine = _wishes_of(wants[owner], owner=owner)
        also = {conid: wishes[conid] for conid in wishes.keys() & mine.keys()}
        wishes.update(mine)
        wishes.update((conid, _joined(other, mine[conid])) for conid, other in also.items())
    return wishes


@remembered(LEDGERS_KEPT)
def streams_of(wishes: Mapping[int, Wish]) -> frozenset[int]:
    """What a stream is wanted of."""
    return frozenset(conid for conid, wish in wishes.items() if wish.stream is not None)


@remembered(LEDGERS_KEPT)
def _wishes_of(wants: tuple[LineWant, ...], *, owner: str) -> Mapping[int, Wish]:
    """An owner's own wishes, one an instrument, in the order it names them first."""
    wishes: dict[int, Wish] = {}
    for want in wants:
        wish = Wish(
            instrument=want.instrument,
            priority=want.priority,
            stream=want.priority if want.manner is LineManner.STREAM else None,
            refresh_ns=want.refresh_ns,
            listeners=(listener_of(owner, want),),
        )
        other = wishes.get(want.instrument.conid)
        wishes[want.instrument.conid] = wish if other is None else _joined(other, wish)
    return wishes


def _joined(one: Wish, other: Wish) -> Wish:
    streams = [each.stream for each in (one, other) if each.stream is not None]
    return Wish(
        instrument=one.instrument,
        priority=min(one.priority, other.priority),
        stream=min(streams, default=None),
        refresh_ns=min(one.refresh_ns, other.refresh_ns),
        listeners=tuple(sorted({*one.listeners, *other.listeners})),
    )
