"""Defines what is known of one line of market data, and how far it may be believed as data.

Whatever the broker did not say, or said as -1, NaN or infinity, is None: unknown, never zero. The
instants are ours, taken at receipt. Whether a price may be used is judged elsewhere, from this.
"""

from __future__ import annotations

import enum

import msgspec

from thetawarden.domain.instants import UnixNs


class DataType(enum.StrEnum):
    """What the broker says of the data it sends; only live data may carry a decision."""

    LIVE = "live"
    FROZEN = "frozen"
    DELAYED = "delayed"
    DELAYED_FROZEN = "delayed_frozen"


class BrokerGreeks(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The broker's own model, to be compared with ours and never traded on alone."""

    iv_annual: float | None = None
    delta_per_share: float | None = None
    gamma_shares_per_usd: float | None = None
    vega_usd_per_vol_point: float | None = None
    theta_usd_per_day: float | None = None
    underlying_usd: float | None = None


class Quote(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The latest of one line; `two_sided_ns` is when bid or ask last changed, 0 for never.

    `updates` counts the ticks this stands for since the quote before. A combo's prices may be
    negative; nothing else's.
    """

    conid: int
    at_ns: UnixNs
    two_sided_ns: UnixNs = UnixNs(0)
    data_type: DataType = DataType.LIVE
    bid_usd: float | None = None
    ask_usd: float | None = None
    bid_size: float | None = None
    ask_size: float | None = None
    last_usd: float | None = None
    close_usd: float | None = None
    volume: float | None = None
    open_interest: float | None = None
    halted: bool | None = None
    greeks: BrokerGreeks | None = None
    updates: int = 1
