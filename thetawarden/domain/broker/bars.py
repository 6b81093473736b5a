"""Defines a day as it was, of prices or of what options expected, for indicators and the lake."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum

import msgspec


class BarsOf(StrEnum):
    """What daily bars are about."""

    TRADES = "trades"
    IMPLIED_VOLATILITY = "implied_volatility"  # of thirty days, at the money, annual: 0.18


class DailyBar(msgspec.Struct, frozen=True, kw_only=True):
    """One session; volume is unknown for an index, and a volatility is not in dollars."""

    day: dt.date
    open_usd: float
    high_usd: float
    low_usd: float
    close_usd: float
    volume: float | None = None
