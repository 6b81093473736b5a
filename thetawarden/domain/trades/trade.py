"""Defines a trade: opened by an approved order, held by its fills, until nothing of it is left.

Every movement of units or cash that belongs to it is a part, told again whenever a correction or
its cost comes; what it holds, has brought and has cost are sums of its parts, exact. Quantities
above zero are long; cash above zero was received, commissions taken off.
"""

from __future__ import annotations

import enum
from decimal import Decimal

import msgspec

from thetawarden.domain.books.amounts import ZERO, part_usd
from thetawarden.domain.books.holding import Cause
from thetawarden.domain.broker.instrument import Instrument, InstrumentKind
from thetawarden.domain.instants import UnixNs
from thetawarden.domain.orders.intent import OrderRole
from thetawarden.domain.orders.proposal import Exits
from thetawarden.domain.remembering import remembered

TRADES_KEPT = 2048
HEDGE = "hedge"
"""The strategy of a trade that protects the book; what it bought is no cost of premium sold."""


class TradeState(enum.StrEnum):
    """How far a trade is."""

    OPENING = "opening"
    OPEN = "open"
    CLOSING = "closing"
    CLOSED = "closed"
    ABANDONED = "abandoned"


class TradeStage(enum.StrEnum):
    """What a trade holds: options alone, shares that were delivered, or shares with calls sold."""

    OPTIONS = "options"
    SHARES = "shares"
    COVERED = "covered"


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One fill, settlement or delivery; `key` is its identity over all revisions.

    `because_of` is the option whose delivery brought shares.
    """

    key: str
    at_ns: UnixNs
    instrument: Instrument
    quantity: Decimal
    cash_usd: Decimal
    commission_usd: Decimal
    cause: Cause
    role: OrderRole | None = None
    order_ref: str = ""
    because_of: int = 0

    @property
    def gross_usd(self) -> Decimal:
        """The cash before commissions."""
        return self.cash_usd + self.commission_usd


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """What a trade holds of one instrument, and the cash that opening it brought, before costs."""

    instrument: Instrument
    quantity: Decimal
    opened_usd: Decimal


class Trade(msgspec.Struct, frozen=True, kw_only=True):
    """One trade; `manual` ones were not opened by us and are only watched.

    `scores` are its proposal's, `entry_delta_per_share` is its short option's delta then;
    `approved_fraction` is which part of what was asked for was approved.
    `best_fraction` is the largest part of its premium that it was ahead by. A wheel cycle is one
    trade, from the put sold to the shares called away. `rolled` names the proposals that rolled it.
    """

    name: str
    strategy: str
    underlying: str
    opened_ns: UnixNs
    closed_ns: UnixNs = UnixNs(0)
    state: TradeState = TradeState.OPENING
    manual: bool = False
    parts: tuple[Part, ...] = ()
    exits: Exits | None = None
    rolled: tuple[str, ...] = ()
    scores: tuple[tuple[str, float], ...] = ()
    approved_fraction: float = 1.0
    reasons: tuple[str, ...] = ()
    entry_delta_per_share: float | None = None
    entry_vix_points: float | None = None
    best_fraction: float = 0.0
    ended_by: str = ""

    @property
    def cash_usd(self) -> Decimal:
        """All cash so far, commissions taken off; the whole result once nothing is held."""
        return sum((one.cash_usd for one in self.parts), ZERO)

    @property
    def commission_usd(self) -> Decimal:
        """All commissions so far."""
        return sum((one.commission_usd for one in self.parts), ZERO)

    @property
    def held(self) -> tuple[Held, ...]:
        """What it holds, in the order in which it was first traded."""
        return _held(self.parts)

    @property
    def premium_usd(self) -> Decimal:
        """What opening the options it holds now has brought, before commissions."""
        options = (one for one in self.held if one.instrument.kind is InstrumentKind.OPTION)
        return sum((one.opened_usd for one in options), ZERO)

    @property
    def stage(self) -> TradeStage:
        """What it holds, by kind."""
        return _stage(self.held)

    @property
    def assigned_strike_usd(self) -> Decimal | None:
        """What shares that were put to us were paid with, the dearest; None when none were."""
        paid = [
            -part.gross_usd / part.quantity
            for part in self.parts
            if _is_delivered(part) and part.quantity > 0
        ]
        return max(paid, default=None)

    def quantity(self, conid: int) -> Decimal:
        """How much of an instrument it holds."""
        return sum((one.quantity for one in self.parts if one.instrument.conid == conid), ZERO)


@remembered(TRADES_KEPT)
def _stage(held: tuple[Held, ...]) -> TradeStage:
    if not any(one.instrument.kind is InstrumentKind.STOCK for one in held):
        return TradeStage.OPTIONS
    covered = any(one.instrument.kind is InstrumentKind.OPTION for one in held)
    return TradeStage.COVERED if covered else TradeStage.SHARES


@remembered(TRADES_KEPT)
def _held(parts: tuple[Part, ...]) -> tuple[Held, ...]:
    rows: dict[int, Held] = {}
    for part in parts:
        rows[part.instrument.conid] = _after(rows.get(part.instrument.conid), part)
    return tuple(one for one in rows.values() if one.quantity)


def _is_delivered(part: Part) -> bool:
    delivered = part.cause in {Cause.ASSIGNMENT, Cause.EXERCISE}
    return delivered and part.instrument.kind is InstrumentKind.STOCK


def _after(held: Held | None, part: Part) -> Held:
    """What is held once a part is added; closing takes its share of what opening brought."""
    if held is None or not held.quantity:
        return Held(instrument=part.instrument, quantity=part.quantity, opened_usd=part.gross_usd)
    total = held.quantity + part.quantity
    if held.quantity * part.quantity >= 0:
        opened = held.opened_usd + part.gross_usd
    elif total * held.quantity >= 0:
        opened = part_usd(whole_usd=held.opened_usd, part=abs(total), of=abs(held.quantity))
    else:
        opened = part_usd(whole_usd=part.gross_usd, part=abs(total), of=abs(part.quantity))
    return msgspec.structs.replace(held, quantity=total, opened_usd=opened)
