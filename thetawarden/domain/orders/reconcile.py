"""Proves what became of an order in doubt by the broker's whole books; silence proves nothing.

Absent is what is on none of open orders, completed orders and executions, in two whole books that
lie far enough apart and are the same, with no position moved that is not explained. An order heard
of a moment ago is no matter for a book that may have been asked for before.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from decimal import Decimal

import msgspec

from thetawarden.domain.instants import UnixNs
from thetawarden.domain.orders.life import OrderLife, Unseen, leg_fills
from thetawarden.domain.orders.stages import Stage


class WholeBook(msgspec.Struct, frozen=True, kw_only=True):
    """One whole answer of the broker, as far as absence can be read off it."""

    fingerprint: str
    at_ns: UnixNs
    positions: dict[int, Decimal]


class Finding(enum.StrEnum):
    """What the books say of an order that is on none of their lists."""

    WAIT = "wait"
    ABSENT = "absent"
    MOVED = "moved"


def is_settled(life: OrderLife, book: WholeBook, *, settle_ns: int) -> bool:
    """Whether a book is late enough to speak of an order that is not on it."""
    return book.at_ns - life.since_ns >= settle_ns


def looked_for(life: OrderLife, book: WholeBook) -> OrderLife:
    """Note that an order in doubt is on no list of a whole book."""
    before = life.unseen
    if before is None or before.book != book.fingerprint:
        unseen = Unseen(since_ns=book.at_ns, book=book.fingerprint, rounds=1)
    else:
        unseen = msgspec.structs.replace(before, rounds=before.rounds + 1)
    return msgspec.structs.replace(life, unseen=unseen)


def conclude(
    life: OrderLife, *, now: UnixNs, positions: Mapping[int, Decimal], agreed: bool, apart_ns: int
) -> Finding:
    """Return what may be concluded once the book was compared with the keeper's.

    A position that moved the order's way while the books do not agree may be its unseen fill.
    """
    unseen = life.unseen
    if life.stage is not Stage.UNKNOWN or unseen is None or unseen.rounds < 2:
        return Finding.WAIT
    if now - unseen.since_ns < apart_ns:
        return Finding.WAIT
    if agreed:
        return Finding.ABSENT
    return Finding.MOVED if has_moved(life, positions) else Finding.WAIT


def units_accepted(life: OrderLife, accepted: Mapping[int, Decimal]) -> int:
    """Return how many units of an order in doubt a person has accepted as held, 0 for none.

    Nothing more will be told of these fills, so all its legs must have moved its way for each.
    """
    if life.stage is not Stage.UNKNOWN:
        return 0
    ratios = {leg.instrument.conid: leg.ratio for leg in life.intent.legs}
    units = (accepted.get(conid, Decimal()) / ratio for conid, ratio in ratios.items())
    return max(0, min(life.units_left, *map(int, units)))


def has_moved(life: OrderLife, positions: Mapping[int, Decimal]) -> bool:
    """Whether a leg's position has gone the order's way by more than its known fills."""
    held, fills = dict(life.held), leg_fills(life)
    for leg in life.intent.legs:
        conid = leg.instrument.conid
        moved = positions.get(conid, Decimal()) - held.get(conid, Decimal()) - fills[conid]
        if moved * leg.ratio > 0:
            return True
    return False
