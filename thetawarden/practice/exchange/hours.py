"""Answers when a contract is traded, from the market's own sessions.

A combination is traded when all its legs are. Sessions of a week ahead are fetched at a time.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from thetawarden.domain.instants import new_york_date

if TYPE_CHECKING:
    from thetawarden.practice.model import Contract, Market, Session

_BEHIND = dt.timedelta(days=1)
_AHEAD = dt.timedelta(days=9)
_KEPT_MAX = 20_000


class Hours:
    """Sessions by contract; what it keeps is only a memory of the market's answers."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._known: dict[tuple[int, bool, dt.date], tuple[Session, ...]] = {}
        self._dates: dict[int, dt.date] = {}

    def current(self, contract: Contract, at_ns: int, *, regular: bool) -> Session | None:
        """Return the session the instant lies in: the opening belongs to it, the close does not."""
        found = None
        for con_id in con_ids_of(contract):
            found = next(
                (
                    one
                    for one in self._sessions(con_id, at_ns, regular=regular)
                    if one.open_ns <= at_ns < one.close_ns
                ),
                None,
            )
            if found is None:
                return None
        return found

    def following(self, contract: Contract, at_ns: int, *, regular: bool) -> Session | None:
        """Return the next session that opens after the instant; None when none is in sight."""
        opening = [
            next(
                (
                    one
                    for one in self._sessions(con_id, at_ns, regular=regular)
                    if one.open_ns > at_ns
                ),
                None,
            )
            for con_id in con_ids_of(contract)
        ]
        known = [one for one in opening if one is not None]
        return max(known, key=lambda one: one.open_ns) if len(known) == len(opening) else None

    def has_extended(self, contract: Contract, at_ns: int) -> bool:
        """Return whether the contract is traded outside its regular hours at all."""
        return all(
            self._sessions(con_id, at_ns, regular=False)
            != self._sessions(con_id, at_ns, regular=True)
            for con_id in con_ids_of(contract)
        )

    def on(self, con_id: int, day: dt.date) -> Session | None:
        """Return the regular session of a day, the first when there are several."""
        sessions = self._market.sessions(con_id=con_id, first=day, last=day, regular=True)
        return sessions[0] if sessions else None

    def _sessions(self, con_id: int, at_ns: int, *, regular: bool) -> tuple[Session, ...]:
        hour = at_ns // 3_600_000_000_000
        day = self._dates.get(hour)
        if day is None:
            day = self._dates[hour] = new_york_date(at_ns)
        key = (con_id, regular, day)
        known = self._known.get(key)
        if known is None:
            if len(self._known) > _KEPT_MAX:
                self._known.clear()
                self._dates.clear()
            known = self._known[key] = self._market.sessions(
                con_id=con_id, first=day - _BEHIND, last=day + _AHEAD, regular=regular
            )
        return known


def con_ids_of(contract: Contract) -> tuple[int, ...]:
    """Return what is really traded under a contract: itself, or a combination's legs."""
    return tuple(leg.con_id for leg in contract.legs) or (contract.con_id,)
