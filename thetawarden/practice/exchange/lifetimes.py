"""Decides how long an order works: for a session, until a date, or until its owner ends it.

Even a good-till-cancelled order is dropped by the broker, at the end of the quarter after the one
it came in.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from thetawarden.domain.instants import NS_PER_MINUTE, new_york_date, new_york_ns
from thetawarden.practice.exchange.instants import parse_instant
from thetawarden.practice.model import Tif

if TYPE_CHECKING:
    from thetawarden.practice.exchange.floor import Floor
    from thetawarden.practice.model import Contract, OrderRequest

OPENING_GRACE_NS = NS_PER_MINUTE
_LAST_SECOND = dt.time(23, 59, 59)
_MONTHS_PER_QUARTER = 3


def expiry_ns(floor: Floor, request: OrderRequest, contract: Contract) -> int | None:
    """Return when the order ends by itself; None when no session of its contract is in sight."""
    match request.tif:
        case Tif.GTC:
            return _auto_cancel_ns(floor.now_ns)
        case Tif.GTD:
            return parse_instant(request.good_till_date)
        case _:
            return _session_end_ns(floor, request, contract)


def _session_end_ns(floor: Floor, request: OrderRequest, contract: Contract) -> int | None:
    regular = not request.outside_rth
    now = max(floor.now_ns, parse_instant(request.good_after_time) or 0)
    following = floor.hours.following(contract, now, regular=regular)
    if request.tif == Tif.OPG:
        return None if following is None else following.open_ns + OPENING_GRACE_NS
    session = floor.hours.current(contract, now, regular=regular) or following
    return None if session is None else session.close_ns


def _auto_cancel_ns(now_ns: int) -> int:
    today = new_york_date(now_ns)
    quarters = today.year * 4 + (today.month - 1) // _MONTHS_PER_QUARTER + 2
    beyond = dt.date(quarters // 4, quarters % 4 * _MONTHS_PER_QUARTER + 1, 1)
    return new_york_ns(beyond - dt.timedelta(days=1), _LAST_SECOND)
