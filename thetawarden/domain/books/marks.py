"""Reads marks and deltas of what is held off a chain's view.

A mark is the middle of a quote that is believed; where there is none the mark before stays, and its
age tells. The delta is our own model's.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from decimal import Decimal

import numpy as np

from thetawarden.domain.books.rows import Mark
from thetawarden.domain.chains.view import ChainView, read_rows
from thetawarden.domain.instants import UnixNs
from thetawarden.domain.units import to_decimal

_PLACES = 6


def viewed_marks(
    view: ChainView, conids: Iterable[int], known: Mapping[int, Mark]
) -> dict[int, Mark]:
    """Return the marks of these options that the view makes newer or completer."""
    wanted = dict.fromkeys(conids)
    rows = read_rows(view)
    mid_usd = rows.mid_usd
    found: dict[int, Mark] = {}
    for row in np.flatnonzero(np.isin(rows.conid, list(wanted))).tolist():
        conid = int(rows.conid[row])
        mark = _mark(
            mid=float(mid_usd[row]),
            delta=float(rows.delta_per_share[row]),
            at_ns=UnixNs(int(rows.at_ns[row])),
            known=known.get(conid),
        )
        if mark is not None:
            found[conid] = mark
    return found


def viewed_spot(view: ChainView) -> Decimal | None:
    """Return where the underlying stands, None when that is doubted."""
    if view.spot_doubt or view.spot_usd is None:
        return None
    return to_decimal(view.spot_usd, places=_PLACES)


def _mark(*, mid: float, delta: float, at_ns: UnixNs, known: Mark | None) -> Mark | None:
    price = to_decimal(mid, places=_PLACES)
    per_share = delta if math.isfinite(delta) else None
    if per_share is None and known is not None:
        per_share = known.delta_per_share
    if price is not None:
        return Mark(mark_usd=price.normalize(), at_ns=at_ns, delta_per_share=per_share)
    if known is None:
        return None
    return Mark(mark_usd=known.mark_usd, at_ns=known.at_ns, delta_per_share=per_share)
