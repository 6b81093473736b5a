"""Decides what each execution counts for, however often and in whatever order it is reported.

The identity of a fill is its execution id without the last part. A higher last part replaces what
was said before; one that comes back with no price or no quantity is a bust and counts for nothing.
Commissions are told apart from fills, earlier, later or never.
"""

from __future__ import annotations

import enum
from decimal import Decimal

import msgspec

from thetawarden.domain.books.amounts import ZERO
from thetawarden.domain.books.commissions import estimated_usd
from thetawarden.domain.broker.instrument import Instrument, InstrumentKind
from thetawarden.domain.broker.orders import (
    Commission,
    Execution,
    execution_stem,
    is_bust,
    revision_of,
)


class CommissionKind(enum.StrEnum):
    """How well the cost of a fill is known."""

    ESTIMATED = "estimated"
    INFERRED = "inferred"
    REPORTED = "reported"


class Origin(enum.StrEnum):
    """Who made a fill happen."""

    OURS = "ours"
    MANUAL = "manual"
    LIQUIDATION = "liquidation"
    DELIVERY = "delivery"


class Fill(msgspec.Struct, frozen=True, kw_only=True):
    """One fill as it is known now: its latest revision and what it cost.

    `absorbed` is the revision that an adopted opening balance already contained: only what differs
    from it still counts.
    """

    execution: Execution
    commission: Commission | None = None
    inferred_usd: Decimal | None = None
    absorbed: Execution | None = None

    @property
    def base(self) -> str:
        """The identity of the fill over all its revisions."""
        return execution_stem(self.execution.execution_id)

    @property
    def is_combination(self) -> bool:
        """Whether this is the report of a whole combination, whose legs are reported as well."""
        return self.execution.instrument.kind is InstrumentKind.COMBO

    @property
    def is_bust(self) -> bool:
        """Whether the trade was taken back."""
        return is_bust(self.execution)

    @property
    def commission_kind(self) -> CommissionKind:
        """How well the cost is known."""
        if self._is_settled:
            return CommissionKind.REPORTED
        return CommissionKind.ESTIMATED if self.inferred_usd is None else CommissionKind.INFERRED

    @property
    def fees_usd(self) -> Decimal:
        """What the fill cost, as well as that is known; what was absorbed costs nothing more."""
        if self.absorbed is not None or self.is_combination:
            return ZERO
        if self.inferred_usd is not None and not self._is_settled:
            return self.inferred_usd
        if self.commission is not None:
            return self.commission.commission_usd
        return ZERO if self.is_bust else estimated_usd(self.execution)

    @property
    def quantity(self) -> Decimal:
        """By how many units the fill moves the position."""
        moved = ZERO if self.is_bust else self.execution.quantity
        return moved - (ZERO if self.absorbed is None else _moved(self.absorbed))

    @property
    def gross_usd(self) -> Decimal:
        """What the units cost (> 0) or brought (< 0), without commission."""
        whole = _gross_usd(self.execution)
        return whole - (ZERO if self.absorbed is None else _gross_usd(self.absorbed))

    @property
    def cash_usd(self) -> Decimal:
        """The cash it brought (> 0) or took; a future's price is paid by variation, not here."""
        future = self.execution.instrument.kind is InstrumentKind.FUTURE
        return -self.fees_usd - (ZERO if future or self.is_combination else self.gross_usd)

    @property
    def _is_settled(self) -> bool:
        """Whether the broker has told the cost of the latest revision."""
        told = self.commission
        return told is not None and revision_of(told.execution_id) >= revision_of(
            self.execution.execution_id
        )


def origin_of(execution: Execution, *, client_id: int) -> Origin:
    """Return who made a fill happen; `client_id` is our own number at the broker."""
    if execution.liquidation:
        return Origin.LIQUIDATION
    if execution.perm_id == 0 and execution.order_id == 0:
        return Origin.DELIVERY
    ours = bool(execution.order_ref) and execution.client_id == client_id
    return Origin.OURS if ours else Origin.MANUAL


def revised(known: Execution, told: Execution) -> Execution:
    """Return the later revision, its instrument as completely described as either was."""
    first, last = sorted((known, told), key=_recency)
    richest = max((first.instrument, last.instrument), key=richness)
    return msgspec.structs.replace(last, instrument=richest)


def better(known: Commission | None, told: Commission) -> Commission:
    """Return the cost told for the later revision; of the same one, what was told last."""
    if known is None:
        return told
    older = revision_of(told.execution_id) < revision_of(known.execution_id)
    return known if older else told


def richness(instrument: Instrument) -> tuple[int, int, tuple[str, ...]]:
    """How completely an instrument is described, for choosing between two of one number."""
    said = (
        instrument.trading_class,
        instrument.local_symbol,
        instrument.expiry,
        instrument.strike,
        instrument.right,
    )
    names = (instrument.trading_class, instrument.local_symbol, instrument.exchange)
    return (sum(one not in {"", None} for one in said), instrument.multiplier, names)


def _recency(one: Execution) -> tuple[int, str]:
    return (revision_of(one.execution_id), one.execution_id)


def _moved(one: Execution) -> Decimal:
    return ZERO if is_bust(one) else one.quantity


def _gross_usd(one: Execution) -> Decimal:
    return _moved(one) * one.price_usd * one.instrument.multiplier
