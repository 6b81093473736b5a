"""Decides which month of a future is in front, when each one ends, and when to leave it.

A contract is in front until a number of calendar days before its last trading day; from that day
on the next one is. Sessions are New York's: every future here is settled by its opening prices.
The broker's local symbol carries one digit of the year, so it is written but never read.
"""

from __future__ import annotations

import datetime as dt
from itertools import islice
from typing import TYPE_CHECKING

import msgspec

from thetawarden.domain.instants import UnixNs, new_york_ns
from thetawarden.domain.market.contracts import FutureProduct, ListedCycle
from thetawarden.domain.market.listings import expiries_from

if TYPE_CHECKING:
    from thetawarden.domain.market.sessions import Sessions

ROLL_DAYS = 7
_OPENING = dt.time(9, 30)
_MONTH_CODES = "FGHJKMNQUVXZ"


class FutureMonth(msgspec.Struct, frozen=True, kw_only=True):
    """One month of a future: its last trading day and instant, and when it is settled."""

    symbol: str
    local_symbol: str
    year: int
    month: int
    last_trade_date: dt.date
    last_trade_ns: UnixNs
    settlement_ns: UnixNs


def months_from(
    *, day: dt.date, product: FutureProduct, count: int, sessions: Sessions
) -> tuple[FutureMonth, ...]:
    """Return the next `count` months whose last trading day lies after the day."""
    cycle = ListedCycle(cycle=product.cycle, ahead=count, months=product.months)
    tomorrow = day + dt.timedelta(days=1)
    expiries = islice(expiries_from(day=tomorrow, listed=cycle, sessions=sessions), count)
    return tuple(_month(product, expiry) for expiry in expiries)


def front_month(
    *, day: dt.date, product: FutureProduct, sessions: Sessions, roll_days: int = ROLL_DAYS
) -> FutureMonth:
    """Return the month to trade on a day, having left each `roll_days` before its last."""
    ahead = day + dt.timedelta(days=roll_days)
    return months_from(day=ahead, product=product, count=1, sessions=sessions)[0]


def roll_day(month: FutureMonth, roll_days: int = ROLL_DAYS) -> dt.date:
    """Return the first day on which the month is no longer in front."""
    return month.last_trade_date - dt.timedelta(days=roll_days)


def _month(product: FutureProduct, expiry: dt.date) -> FutureMonth:
    code = _MONTH_CODES[expiry.month - 1]
    return FutureMonth(
        symbol=product.symbol,
        local_symbol=f"{product.trading_class}{code}{expiry.year % 10}",
        year=expiry.year,
        month=expiry.month,
        last_trade_date=expiry,
        last_trade_ns=new_york_ns(expiry, product.last_trade_at),
        settlement_ns=new_york_ns(expiry, _OPENING),
    )
