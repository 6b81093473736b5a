"""Decides which legs are to be quoted all the time: those wanted now, and lately wanted ones.

Pure. What is offered moves from strike to strike and back; a line that is given back and asked for
again each time costs requests, and a leg that is quoted anew has no price at first. So a leg that
is wanted no more keeps its line for a while, as far as there is room.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from thetawarden.domain.broker.instrument import Instrument
from thetawarden.domain.instants import UnixNs

WANTED_MAX = 8
FEW = 4
"""So many are kept in all, or as many as are wanted besides them: lines are few."""


class WatchedLeg(msgspec.Struct, frozen=True, kw_only=True):
    """A leg that is quoted all the time, and when it was wanted last."""

    instrument: Instrument
    wanted_ns: UnixNs


def keep_watching(
    watched: Sequence[WatchedLeg],
    wanted: Iterable[Instrument],
    *,
    now: UnixNs,
    keep_ns: int,
) -> tuple[WatchedLeg, ...]:
    """Return what to watch from now on, in the order it was first wanted.

    Where there is no room for all, those first in the list of the wanted stay, and of the others
    those that were wanted last.
    """
    legs = {leg.conid: WatchedLeg(instrument=leg, wanted_ns=now) for leg in wanted}
    kept = dict(list(legs.items())[:WANTED_MAX])
    room = min(max(FEW, 2 * len(kept)), WANTED_MAX)
    for one in sorted(watched, key=lambda one: -one.wanted_ns):
        if len(kept) < room and now - one.wanted_ns < keep_ns:
            kept.setdefault(one.instrument.conid, one)
    order = (*(one.instrument.conid for one in watched), *kept)
    return tuple(kept[conid] for conid in dict.fromkeys(order) if conid in kept)
