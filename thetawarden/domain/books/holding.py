"""Keeps one position: quantity, cost by the broker's convention, and what closing it has brought.

`cost_usd` is signed, with multiplier and commission: what was paid (long, positive) or received
(short, negative). Average cost is cost over quantity, so it is positive, above the price for a
long and below it for a short. Closing units realises at average cost.
"""

from __future__ import annotations

import enum
from decimal import Decimal

import msgspec

from thetawarden.domain.books.amounts import ZERO, part_usd
from thetawarden.domain.books.fills import richness
from thetawarden.domain.broker.instrument import Instrument
from thetawarden.domain.instants import UnixNs


class Cause(enum.StrEnum):
    """Why a holding or the cash changed."""

    OPENING = "opening"
    TRADE = "trade"
    MANUAL_TRADE = "manual_trade"
    LIQUIDATION = "liquidation"
    CORRECTION = "correction"
    ASSIGNMENT = "assignment"
    EXERCISE = "exercise"
    EXPIRY = "expiry"
    SETTLEMENT = "settlement"
    SPLIT = "split"
    TRANSFER = "transfer"
    COMMISSION = "commission"
    DIVIDEND = "dividend"
    INTEREST = "interest"
    VARIATION = "variation"
    ACCEPTED = "accepted"


RESTATEMENTS = (Cause.OPENING, Cause.SPLIT, Cause.TRANSFER, Cause.ACCEPTED)
"""Causes that move units together with their cost: nothing is bought, sold or realised."""


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """One change of a holding: units, what they cost without commission, commission, and cash."""

    key: str
    at_ns: UnixNs
    instrument: Instrument
    quantity: Decimal
    gross_usd: Decimal
    fees_usd: Decimal = ZERO
    cash_usd: Decimal = ZERO
    cause: Cause = Cause.TRADE


class Holding(msgspec.Struct, frozen=True, kw_only=True):
    """What is held of one contract in one account, and what it has brought so far.

    `flow_usd` is all cash that trading it has moved, commissions included.
    """

    account: str
    instrument: Instrument
    quantity: Decimal = ZERO
    cost_usd: Decimal = ZERO
    realised_usd: Decimal = ZERO
    fees_usd: Decimal = ZERO
    flow_usd: Decimal = ZERO

    @property
    def average_cost_usd(self) -> Decimal:
        """The cost of one unit with multiplier and commission, 0 when nothing is held."""
        return self.cost_usd / self.quantity if self.quantity else ZERO

    def unrealised_usd(self, mark_usd: Decimal) -> Decimal:
        """What closing at this price a share would bring, before commission."""
        return self.value_usd(mark_usd) - self.cost_usd

    def value_usd(self, mark_usd: Decimal) -> Decimal:
        """The position's value at this price a share, with multiplier and sign."""
        return mark_usd * self.instrument.multiplier * self.quantity


def moved(holding: Holding, move: Move) -> Holding:
    """Return the holding after one change."""
    after = _restated(holding, move) if move.cause in RESTATEMENTS else _traded(holding, move)
    return msgspec.structs.replace(
        after,
        fees_usd=holding.fees_usd + move.fees_usd,
        flow_usd=holding.flow_usd + move.cash_usd,
    )


def _restated(holding: Holding, move: Move) -> Holding:
    """Units come or go together with their cost; the terms are those of the latest word."""
    return msgspec.structs.replace(
        holding,
        instrument=move.instrument,
        quantity=holding.quantity + move.quantity,
        cost_usd=holding.cost_usd + move.gross_usd,
    )


def _traded(holding: Holding, move: Move) -> Holding:
    held, added, cost = holding.quantity, move.quantity, move.gross_usd + move.fees_usd
    named = _named(holding, move)
    if not added and not held:
        return msgspec.structs.replace(named, realised_usd=holding.realised_usd - cost)
    if held * added >= 0:
        return msgspec.structs.replace(
            named, quantity=held + added, cost_usd=holding.cost_usd + cost
        )
    closed = min(abs(held), abs(added))
    closed_cost = part_usd(whole_usd=holding.cost_usd, part=closed, of=abs(held))
    closing = part_usd(whole_usd=cost, part=closed, of=abs(added))
    return msgspec.structs.replace(
        named,
        quantity=held + added,
        cost_usd=holding.cost_usd - closed_cost + (cost - closing),
        realised_usd=holding.realised_usd - closing - closed_cost,
    )


def _named(holding: Holding, move: Move) -> Holding:
    """Executions of legs leave the trading class out: keep the fuller description."""
    if richness(move.instrument) > richness(holding.instrument):
        return msgspec.structs.replace(holding, instrument=move.instrument)
    return holding
