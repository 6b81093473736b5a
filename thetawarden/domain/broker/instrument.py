"""Defines which thing in the market is meant, by the broker's own number for it.

The number (`conid`) is the identity; the rest is what a person, a pricing model or a check needs.
`symbol` is the underlying's for an option or future. `multiplier` is USD per point, 1 for a share
and for an index.
"""

from __future__ import annotations

import datetime as dt
import enum
from decimal import Decimal

import msgspec

from thetawarden.domain.market.contracts import Right


class InstrumentKind(enum.StrEnum):
    """What sort of thing it is."""

    STOCK = "stock"
    INDEX = "index"
    OPTION = "option"
    FUTURE = "future"
    COMBO = "combo"
    OTHER = "other"


class Instrument(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that can be quoted or held."""

    conid: int
    kind: InstrumentKind
    symbol: str
    exchange: str = "SMART"
    currency: str = "USD"
    multiplier: int = 1
    trading_class: str = ""
    local_symbol: str = ""
    expiry: dt.date | None = None
    strike: Decimal | None = None
    right: Right | None = None
