"""What can be traded: contracts, their details, chains and price ladders.

A `Contract` is listed and has a conId that never changes for the same instrument; a `ContractQuery`
is what a client wrote, any part of which may be empty. Expiries are dates; times of day are text.
"""

from __future__ import annotations

import datetime as dt
import enum

import msgspec

USD_COMBO_CON_ID = 28812380
"""The conId a gateway echoes for every USD combination."""


class SecType(enum.StrEnum):
    """Security types the practice market lists."""

    STOCK = "STK"
    INDEX = "IND"
    OPTION = "OPT"
    FUTURE = "FUT"
    CASH = "CASH"
    COMBO = "BAG"


class Leg(msgspec.Struct, frozen=True, kw_only=True):
    """One leg of a combination; buying the combination does `action` on each leg, `ratio` times."""

    con_id: int
    ratio: int
    action: str
    exchange: str
    open_close: int = 0
    short_sale_slot: int = 0
    designated_location: str = ""
    exempt_code: int = -1


class ContractQuery(msgspec.Struct, frozen=True, kw_only=True):
    """A contract as a client describes it; empty text, 0 and None mean "not said".

    `expiry` is `YYYYMMDD`, `YYYYMM` or empty; `right` is `C`, `P` or empty, already normalised.
    """

    con_id: int = 0
    symbol: str = ""
    sec_type: str = ""
    expiry: str = ""
    strike: float | None = None
    right: str = ""
    multiplier: str = ""
    exchange: str = ""
    primary_exchange: str = ""
    currency: str = ""
    local_symbol: str = ""
    trading_class: str = ""
    include_expired: bool = False
    sec_id_type: str = ""
    sec_id: str = ""
    issuer_id: str = ""
    legs: tuple[Leg, ...] = ()


class Contract(msgspec.Struct, frozen=True, kw_only=True):
    """A listed contract; `multiplier` is 1 for stocks and indices.

    A combination has `sec_type` BAG, `con_id` USD_COMBO_CON_ID, `trading_class` COMB and legs.
    """

    con_id: int
    symbol: str
    sec_type: SecType
    expiry: dt.date | None = None
    strike: float | None = None
    right: str = ""
    multiplier: int = 1
    exchange: str = "SMART"
    primary_exchange: str = ""
    currency: str = "USD"
    local_symbol: str = ""
    trading_class: str = ""
    legs: tuple[Leg, ...] = ()


class ContractDetails(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a contract details request answers about one contract.

    `market_rule_ids` has one entry per valid exchange. Hours are texts as the gateway writes them:
    `20260928:0930-20260928:1615;20260929:CLOSED`, in `time_zone_id`. `last_trade_time` is
    `HH:MM:SS` there, empty when the contract does not expire. The last two are not on
    the wire; the exchange settles by them.
    """

    contract: Contract
    min_tick: float
    market_name: str
    order_types: tuple[str, ...]
    valid_exchanges: tuple[str, ...]
    market_rule_ids: tuple[int, ...]
    long_name: str
    under_con_id: int = 0
    under_symbol: str = ""
    under_sec_type: str = ""
    contract_month: str = ""
    last_trade_time: str = ""
    real_expiry: dt.date | None = None
    industry: str = ""
    category: str = ""
    subcategory: str = ""
    stock_type: str = ""
    time_zone_id: str = "US/Eastern"
    trading_hours: str = ""
    liquid_hours: str = ""
    price_magnifier: int = 1
    agg_group: int = 1
    sec_ids: tuple[tuple[str, str], ...] = ()
    min_size: float = 1.0
    size_increment: float = 1.0
    suggested_size_increment: float = 1.0
    am_settled: bool = False
    cash_settled: bool = False


class PriceBand(msgspec.Struct, frozen=True, kw_only=True):
    """Prices at or above `low_edge` move in steps of `increment`, until the next band."""

    low_edge: float
    increment: float


class Chain(msgspec.Struct, frozen=True, kw_only=True):
    """One row of option parameters: unions of expiries and strikes of a class on an exchange.

    Not every expiry has every strike, exactly as with the real gateway.
    """

    exchange: str
    under_con_id: int
    trading_class: str
    multiplier: int
    expiries: tuple[dt.date, ...]
    strikes: tuple[float, ...]
