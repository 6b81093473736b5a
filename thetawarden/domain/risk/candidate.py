"""Defines what is proposed: legs by ratio, how many units, at which price, the broker's margin.

A leg's ratio is contracts per unit, > 0 bought, < 0 sold. `limit_usd` is what one unit pays per
share of its first option's multiplier: a credit is negative, as of an order that buys the unit.
The purpose is what somebody says; no rule believes it where it matters.
"""

from __future__ import annotations

import enum
from decimal import Decimal

import msgspec

from thetawarden.domain.instants import UnixNs
from thetawarden.domain.market.events import EarningsRisk
from thetawarden.domain.market.ticks import TickRule
from thetawarden.domain.risk.instrument import ConId, Instrument, LegQuote, Marks


class Purpose(enum.StrEnum):
    """What the order is for, in the words of who proposes it."""

    OPEN = "open"
    CLOSE = "close"
    ROLL = "roll"
    HEDGE = "hedge"


class OrderKind(enum.StrEnum):
    """How the order is priced."""

    LIMIT = "limit"
    MARKET = "market"


class Leg(msgspec.Struct, frozen=True, kw_only=True):
    """One leg of a unit."""

    instrument: Instrument
    ratio: int
    marks: Marks
    quote: LegQuote | None
    delta_per_share: float


class WhatIf(msgspec.Struct, frozen=True, kw_only=True):
    """The broker's answer to what so many units would do to margin."""

    units: int
    initial_change_usd: float
    maintenance_change_usd: float
    at_ns: UnixNs


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """One order that somebody would like to send."""

    key: str
    strategy: str
    purpose: Purpose
    legs: tuple[Leg, ...]
    units: int
    limit_usd: Decimal | None
    kind: OrderKind
    ticks: TickRule
    whatif: WhatIf | None
    earnings: EarningsRisk | None = None
    """None for what never reports: indices and funds."""
    ex_dividend_tonight: bool | None = False
    """Whether the underlying goes ex tomorrow; None when nobody knows."""
    auto_selected: bool = False

    @property
    def underlying(self) -> str:
        """The one underlying of all legs; orders never span two."""
        return self.legs[0].instrument.underlying

    @property
    def multiplier(self) -> float:
        """Shares per unit that the limit price is multiplied with: the options', else 1."""
        options = (leg.instrument.multiplier for leg in self.legs if leg.instrument.is_option)
        return next(options, self.legs[0].instrument.multiplier)

    @property
    def contracts(self) -> int:
        """How many contracts of its busiest leg the whole order moves."""
        return self.units * max(abs(leg.ratio) for leg in self.legs)

    @property
    def fingerprint(self) -> tuple[tuple[ConId, int], ...]:
        """What is bought and sold, whatever the size and price: equal for repeated orders."""
        return tuple(sorted((leg.instrument.con_id, leg.ratio) for leg in self.legs))


class Malformed(enum.StrEnum):
    """Why something is no order at all."""

    NO_LEGS = "no_legs"
    NO_UNITS = "no_units"
    ZERO_RATIO = "zero_ratio"
    SEVERAL_UNDERLYINGS = "several_underlyings"
    REPEATED_LEG = "repeated_leg"


def malformation(candidate: Candidate) -> Malformed | None:
    """Return why a candidate cannot be judged, or None when it can."""
    legs = candidate.legs
    if not legs:
        return Malformed.NO_LEGS
    if candidate.units <= 0:
        return Malformed.NO_UNITS
    if any(leg.ratio == 0 for leg in legs):
        return Malformed.ZERO_RATIO
    if len({leg.instrument.underlying for leg in legs}) > 1:
        return Malformed.SEVERAL_UNDERLYINGS
    if len({leg.instrument.con_id for leg in legs}) < len(legs):
        return Malformed.REPEATED_LEG
    return None
