"""Reads marks and Greeks of what is held off a chain's view.

A mark is the middle of a quote that is believed; where there is none the mark before stays, and its
age tells. The Greeks are our own model's.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from decimal import Decimal

import msgspec

from thetawarden.domain.books.rows import Mark
from thetawarden.domain.chains.view import ChainView, read_rows, row_places
from thetawarden.domain.instants import UnixNs
from thetawarden.domain.units import to_decimal

_PLACES = 6
_GREEKS = ("delta_per_share", "gamma_per_usd", "vega_usd_per_vol_point", "theta_usd_per_day")


def viewed_marks(
    view: ChainView, conids: Iterable[int], known: Mapping[int, Mark]
) -> dict[int, Mark]:
    """Return the marks of these options that the view makes newer or completer."""
    places = row_places(view)
    wanted = sorted({places[conid] for conid in conids if conid in places})
    if not wanted:
        return {}
    rows = read_rows(view)
    mid_usd = rows.mid_usd
    found: dict[int, Mark] = {}
    for row in wanted:
        conid = int(rows.conid[row])
        mark = _mark(
            mid=float(mid_usd[row]),
            greeks={name: float(getattr(rows, name)[row]) for name in _GREEKS},
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


def _mark(
    *, mid: float, greeks: Mapping[str, float], at_ns: UnixNs, known: Mark | None
) -> Mark | None:
    price = to_decimal(mid, places=_PLACES)
    if price is None and known is None:
        return None
    before = Mark(mark_usd=Decimal(0), at_ns=at_ns) if known is None else known
    new = {name: value for name, value in greeks.items() if math.isfinite(value)}
    if price is None:
        return msgspec.structs.replace(before, **new)
    return msgspec.structs.replace(before, mark_usd=price.normalize(), at_ns=at_ns, **new)
