"""Defines what can be held and what it is worth by a model: terms, model inputs, a quote.

Terms never change; marks and quotes do, and carry what is needed to doubt them. Prices per share.
"""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal
from typing import NewType

import msgspec

from thetawarden.domain.instants import UnixNs
from thetawarden.domain.portfolio.book import PositionKind

ConId = NewType("ConId", int)


class Instrument(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that can be held, by the broker's number; expiry and strike of options only."""

    con_id: ConId
    underlying: str
    kind: PositionKind
    multiplier: float
    expiry: dt.date | None = None
    is_call: bool = False
    strike_usd: float = 0.0

    @property
    def is_option(self) -> bool:
        """Whether there is a strike and an end."""
        return self.kind is not PositionKind.LINEAR


class Marks(msgspec.Struct, frozen=True, kw_only=True):
    """What a model needs of an instrument besides its terms; of shares nothing is read."""

    tau_years: float = 0.0
    iv_annual: float = 0.0
    rate_annual: float = 0.0
    yield_annual: float = 0.0


UNMARKED = Marks(
    tau_years=math.nan, iv_annual=math.nan, rate_annual=math.nan, yield_annual=math.nan
)
"""What is known of an option that no chain shows."""


class LegQuote(msgspec.Struct, frozen=True, kw_only=True):
    """A quote as it was seen; `live` when it is neither delayed nor frozen, None is no price."""

    seq: int
    bid_usd: Decimal | None
    ask_usd: Decimal | None
    at_ns: UnixNs
    epoch: int
    live: bool = True


class UnderlyingView(msgspec.Struct, frozen=True, kw_only=True):
    """What an underlying stands at and how it follows the index.

    A broad index (or a fund of one) belongs to no sector and is no single name.
    """

    symbol: str
    spot_usd: float
    spot_at_ns: UnixNs
    beta: float
    iv_beta: float
    sector: str
    broad_index: bool = False


class QuoteSeen(msgspec.Struct, frozen=True, kw_only=True):
    """The name of a quote that a decision rests on."""

    con_id: ConId
    seq: int
    at_ns: UnixNs
