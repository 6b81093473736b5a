"""Decides which daily bars are still missing and joins new ones to those already kept.

Pure. A request starts at the last day already kept, so that each bar is fetched once and a single
one overlaps: when that one no longer agrees, prices were adjusted (a split) and all is fetched
anew. A bar of a session that is not over is never kept.
"""

from __future__ import annotations

import datetime as dt
import math
from typing import TYPE_CHECKING

import msgspec

from thetawarden.domain.broker.bars import DailyBar
from thetawarden.domain.market.calendar import previous_session, sessions_between

if TYPE_CHECKING:
    from thetawarden.domain.market.sessions import Sessions

SAME_WITHIN_FRACTION = 0.005


class History(msgspec.Struct, frozen=True, kw_only=True):
    """An instrument's sessions, oldest first; `gaps` are sessions the broker has no bar for."""

    bars: tuple[DailyBar, ...] = ()
    gaps: int = 0

    @property
    def last_day(self) -> dt.date | None:
        """The latest session kept."""
        return self.bars[-1].day if self.bars else None


def fetch_from(
    history: History, *, today: dt.date, sessions: Sessions, days: int
) -> dt.date | None:
    """Return the day to fetch from, or None when every finished session is there."""
    newest = previous_session(today, sessions)
    if history.last_day is not None and history.last_day >= newest:
        return None
    return history.last_day or today - dt.timedelta(days=days)


def joined(
    history: History,
    fetched: tuple[DailyBar, ...],
    *,
    today: dt.date,
    sessions: Sessions,
    adjusts: bool = True,
) -> History | None:
    """Return the longer history, or None when prices were adjusted and all must be fetched anew.

    What is no price (`adjusts` is False) is never adjusted: what was sent last is right.
    """
    usable = {bar.day: bar for bar in fetched if bar.day < today and _is_sane(bar)}
    for bar in history.bars:
        again = usable.get(bar.day)
        if adjusts and again is not None and not _agree(bar, again):
            return None
    kept = {bar.day: bar for bar in history.bars}
    bars = tuple(bar for _, bar in sorted({**kept, **usable}.items()))
    return History(bars=bars, gaps=_gaps(bars, sessions))


def trimmed(history: History, *, days_max: int) -> History:
    """Return the history without its oldest bars beyond a number."""
    return msgspec.structs.replace(history, bars=history.bars[-days_max:])


def _agree(kept: DailyBar, again: DailyBar) -> bool:
    return abs(again.close_usd / kept.close_usd - 1.0) <= SAME_WITHIN_FRACTION


def _is_sane(bar: DailyBar) -> bool:
    low, high = bar.low_usd, bar.high_usd
    return 0.0 < low <= bar.open_usd <= high < math.inf and low <= bar.close_usd <= high


def _gaps(bars: tuple[DailyBar, ...], sessions: Sessions) -> int:
    if not bars:
        return 0
    days = {bar.day for bar in bars}
    due = sessions_between(bars[0].day, bars[-1].day, sessions)
    return sum(day not in days for day in due)
