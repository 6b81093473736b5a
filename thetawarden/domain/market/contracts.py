"""Defines what a contract is: the terms its class sets, and which one of the class it is.

Terms only; which classes exist is data, in `products`. Multipliers are USD per point. An option's
expiry is the date its symbol carries: for an AM-settled class the morning of settlement, one
session after its last trade.
"""

from __future__ import annotations

import datetime as dt
import enum
from decimal import Decimal

import msgspec

from thetawarden.domain.market.hours import TradingHours
from thetawarden.domain.market.ticks import TickRule


class Right(enum.StrEnum):
    """What the holder may do; array code uses `is_call` instead."""

    CALL = "C"
    PUT = "P"


class Settlement(enum.StrEnum):
    """Which print of the expiry day decides: the opening one or the closing one."""

    AM = "am"
    PM = "pm"


class Delivery(enum.StrEnum):
    """What changes hands at the end."""

    CASH = "cash"
    PHYSICAL = "physical"


class ExerciseStyle(enum.StrEnum):
    """Whether a holder may exercise early, and so a writer be assigned early."""

    AMERICAN = "american"
    EUROPEAN = "european"


class UnderlyingKind(enum.StrEnum):
    """What an option is written on."""

    INDEX = "index"
    ETF = "etf"
    STOCK = "stock"


class ExpiryCycle(enum.StrEnum):
    """By which rule a series' expiry days follow each other; `listings` turns a rule into days."""

    DAILY = "daily"
    FRIDAY = "friday"
    THIRD_FRIDAY = "third_friday"
    OTHER_DAY = "other_day"
    MONTH_END = "month_end"
    VIX_MONTHLY = "vix_monthly"
    VIX_WEEKLY = "vix_weekly"


ALL_MONTHS = tuple(range(1, 13))
QUARTER_MONTHS = (3, 6, 9, 12)


class ListedCycle(msgspec.Struct, frozen=True, kw_only=True):
    """How many expiries of a cycle are listed at a time, counting only the given months."""

    cycle: ExpiryCycle
    ahead: int
    months: tuple[int, ...] = ALL_MONTHS


class OptionClass(msgspec.Struct, frozen=True, kw_only=True):
    """The terms shared by every option under one trading class."""

    trading_class: str
    underlying: str
    underlying_kind: UnderlyingKind
    multiplier: int
    ticks: TickRule
    combo_ticks: TickRule
    settlement: Settlement
    delivery: Delivery
    style: ExerciseStyle
    hours: TradingHours
    expiring_lag_minutes: int
    """Minutes after the exchange's close at which an expiring PM series stops trading."""
    listing: tuple[ListedCycle, ...]


class OptionContract(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """One series: what an OCC symbol says and nothing more."""

    trading_class: str
    expiry: dt.date
    right: Right
    strike: Decimal


class FutureProduct(msgspec.Struct, frozen=True, kw_only=True):
    """The terms shared by every month of one future."""

    symbol: str
    trading_class: str
    underlying: str
    listing_exchange: str
    multiplier: int
    ticks: TickRule
    spread_ticks: TickRule
    hours: TradingHours
    cycle: ExpiryCycle
    months: tuple[int, ...]
    last_trade_at: dt.time
    """New York's clock time at which the expiring month stops trading on its last day."""
