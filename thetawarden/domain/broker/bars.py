"""Defines a day of prices as it was, for indicators and the lake."""

from __future__ import annotations

import datetime as dt

import msgspec


class DailyBar(msgspec.Struct, frozen=True, kw_only=True):
    """One session; volume is unknown for an index."""

    day: dt.date
    open_usd: float
    high_usd: float
    low_usd: float
    close_usd: float
    volume: float | None = None
