"""What a contract is quoted at: two-sided prices, sizes, Greeks and slow-moving reference data.

None means "no such value now" (an index has no bid; a far option may have none either). Sizes are
contracts or shares; volume is the day's. Greeks are per share of the underlying: theta in USD a
calendar day, vega in USD a volatility point, iv_annual as a fraction.
"""

from __future__ import annotations

import datetime as dt

import msgspec


class Greeks(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One option computation; None where the model gives no value."""

    iv_annual: float | None
    price: float | None
    delta: float | None
    gamma: float | None
    vega: float | None
    theta: float | None
    pv_dividend: float | None
    under_price: float | None


class Quote(msgspec.Struct, frozen=True, kw_only=True):
    """The state of one contract's market at `at_ns`; equal quotes mean nothing to send."""

    con_id: int
    at_ns: int
    bid: float | None = None
    ask: float | None = None
    bid_size: int = 0
    ask_size: int = 0
    last: float | None = None
    last_size: int = 0
    last_at_ns: int | None = None
    volume: int | None = None
    open: float | None = None
    high: float | None = None
    low: float | None = None
    close: float | None = None
    mark: float | None = None
    open_interest: int | None = None
    halted: bool = False
    bid_exchanges: str = ""
    ask_exchanges: str = ""
    model: Greeks | None = None
    bid_greeks: Greeks | None = None
    ask_greeks: Greeks | None = None
    last_greeks: Greeks | None = None


class Reference(msgspec.Struct, frozen=True, kw_only=True):
    """What generic ticks tell about an underlying; changes daily rather than by the second.

    `dividend_*` feed tick 59: sums of the past and next twelve months, next ex-date and amount.
    """

    hist_vol_annual: float | None = None
    implied_vol_annual: float | None = None
    avg_volume: int | None = None
    avg_option_volume: int | None = None
    call_open_interest: int | None = None
    put_open_interest: int | None = None
    call_volume: int | None = None
    put_volume: int | None = None
    trade_count: int | None = None
    shortable_shares: int | None = None
    dividend_past_year: float | None = None
    dividend_next_year: float | None = None
    dividend_next_date: dt.date | None = None
    dividend_next_amount: float | None = None
    sector: str = ""
    market_cap_usd: float | None = None


class DepthRow(msgspec.Struct, frozen=True, kw_only=True):
    """One level of a book side."""

    price: float
    size: int
    market_maker: str = ""


class Depth(msgspec.Struct, frozen=True, kw_only=True):
    """A book: best level first on both sides."""

    bids: tuple[DepthRow, ...]
    asks: tuple[DepthRow, ...]
