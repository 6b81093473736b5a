"""Defines what somebody would like to trade: legs by ratio, units, prices, and how to end it.

A leg's ratio is contracts per unit, > 0 bought, < 0 sold. Prices are what one unit pays per share
of the options' multiplier, as of an order that buys the unit: a credit is negative. `limit_usd` is
where the order starts, `worst_usd` what it never passes while it walks (at least `limit_usd`).
"""

from __future__ import annotations

import enum
from decimal import Decimal

import msgspec

from thetawarden.domain.broker.instrument import Instrument
from thetawarden.domain.instants import UnixNs
from thetawarden.domain.risk.candidate import Purpose
from thetawarden.domain.risk.instrument import QuoteSeen


class Pricing(enum.StrEnum):
    """How an order finds its price: by steps of ours, by the broker's algorithm, or not at all."""

    WALK = "walk"
    ADAPTIVE = "adaptive"
    FIXED = "fixed"


class OrderLeg(msgspec.Struct, frozen=True, kw_only=True):
    """One leg of a unit."""

    instrument: Instrument
    ratio: int


class Exits(msgspec.Struct, frozen=True, kw_only=True):
    """At which prices the unit is to be bought back, per share, positive where it costs.

    A take profit is a limit, a stop a trigger; either may be missing, not both.
    """

    take_profit_usd: Decimal | None
    stop_usd: Decimal | None


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """One order that is asked for; `key` is its name for ever, `trade` what it opens or changes.

    `quotes` are those it was priced on, one a leg. `reasons` are for people, most telling first.
    `scores` are the strategy's own numbers, named. `replaces` names the order reference of an
    exit that this one takes the place of. It is void from `expires_ns` on.
    """

    key: str
    trade: str
    strategy: str
    purpose: Purpose
    underlying: str
    legs: tuple[OrderLeg, ...]
    units: int
    limit_usd: Decimal
    worst_usd: Decimal
    pricing: Pricing
    expires_ns: UnixNs
    exits: Exits | None = None
    quotes: tuple[QuoteSeen, ...] = ()
    auto_selected: bool = False
    reasons: tuple[str, ...] = ()
    scores: tuple[tuple[str, float], ...] = ()
    replaces: str = ""

    @property
    def is_combination(self) -> bool:
        """Whether it trades as one order of several legs."""
        return len(self.legs) > 1

    @property
    def multiplier(self) -> int:
        """Shares per unit that its prices are multiplied with."""
        return multiplier_of(self.legs)


def multiplier_of(legs: tuple[OrderLeg, ...]) -> int:
    """Return the shares a unit's price is multiplied with: the options', else 1."""
    options = (leg.instrument.multiplier for leg in legs if leg.instrument.strike)
    return next(options, legs[0].instrument.multiplier)
