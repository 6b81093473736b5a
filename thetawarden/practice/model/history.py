"""What the past looked like: bars, ticks, sessions; requests ask for it by market time."""

from __future__ import annotations

import datetime as dt

import msgspec


class Bar(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One bar, stamped with its start; an empty interval repeats the last close, volume 0.

    MIDPOINT, BID and ASK bars carry volume, wap and count -1, as the gateway sends them.
    """

    start_ns: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    wap: float
    count: int


class BarRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Bars of `bar_s` seconds that start in [start_ns, end_ns); `end_ns` never exceeds now.

    A daily, weekly or monthly bar has `bar_s` 86400, 604800 or 2592000 and starts at its session's
    day in New York. The bar still forming is included when `end_ns` lies in it. `what` is TRADES,
    MIDPOINT, BID, ASK, BID_ASK, HISTORICAL_VOLATILITY or OPTION_IMPLIED_VOLATILITY. `count_max`,
    when set, keeps the latest so many.
    """

    con_id: int
    bar_s: int
    start_ns: int
    end_ns: int
    what: str
    regular_hours_only: bool
    count_max: int | None = None


class TickRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Ticks with start_ns < time <= end_ns, at most `count_max`: the latest, or the first.

    With `first` the earliest in the interval are kept (a client asked from a start), else the
    latest. The same interval always yields the same ticks.
    """

    con_id: int
    start_ns: int
    end_ns: int
    count_max: int
    first: bool = False
    regular_hours_only: bool = False


class TradeTick(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One print."""

    at_ns: int
    price: float
    size: int
    exchange: str = ""
    conditions: str = ""
    unreported: bool = False


class QuoteTick(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One change of the best bid or ask."""

    at_ns: int
    bid: float
    ask: float
    bid_size: int
    ask_size: int


class MidTick(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One change of the midpoint."""

    at_ns: int
    price: float


class HistogramBin(msgspec.Struct, frozen=True, kw_only=True):
    """Volume traded at one price."""

    price: float
    size: int


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """One trading session of a schedule."""

    day: dt.date
    open_ns: int
    close_ns: int
