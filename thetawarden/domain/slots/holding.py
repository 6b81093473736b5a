"""Decides what the places that are held amount to: of what, since when, and who wants them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence

import msgspec

from thetawarden.domain.remembering import remembered
from thetawarden.domain.slots.state import HELD, Slot
from thetawarden.domain.slots.wishes import LEDGERS_KEPT


class Holding(msgspec.Struct, frozen=True, kw_only=True):
    """The places that are held; those whose stream somebody wants are as old as the ledger has it.

    `since_ns` are the instants at which all were given, the earliest first, `unwanted` those that
    nobody wants, the longest unwanted first, each with since when.
    """

    conids: frozenset[int]
    wanted: tuple[Slot, ...]
    unwanted: tuple[tuple[int, int], ...]
    since_ns: tuple[int, ...]

    @property
    def youngest_ns(self) -> int:
        """When the last one was given."""
        return self.since_ns[-1] if self.since_ns else 0


@remembered(LEDGERS_KEPT)
def holding(slots: Mapping[int, Slot]) -> Holding:
    """Look at all places that are not being given back."""
    held = [slot for slot in slots.values() if slot.phase is HELD]
    return Holding(
        conids=frozenset([slot.conid for slot in held]),
        wanted=tuple(slot for slot in held if slot.unwanted_ns is None),
        unwanted=tuple(
            sorted((slot.unwanted_ns, slot.conid) for slot in held if slot.unwanted_ns is not None)
        ),
        since_ns=tuple(sorted(slot.since_ns for slot in held)),
    )


def first_after(instants_ns: Sequence[int], after_ns: int) -> list[int]:
    """Return the first of these, which are in order, that is later; none if there is none."""
    at = bisect_right(instants_ns, after_ns)
    return [instants_ns[at]] if at < len(instants_ns) else []
