"""Explains every cent of an account's cash: typed entries whose sum is the cash, always.

Amounts are signed USD as the account sees them: a fee is negative. Nothing else in the practice
account may move cash, so that balance and explanation cannot part. Old entries are folded into
sums by kind; the sums stay exact, because amounts are Decimal and are only ever added.
"""

from __future__ import annotations

import enum
from decimal import Decimal

import msgspec

ENTRIES_MAX = 5_000
"""How many entries are kept one by one before the older half is folded into sums."""

ZERO = Decimal(0)


class EntryKind(enum.StrEnum):
    """Why cash moved."""

    DEPOSIT = "deposit"
    TRADE = "trade"
    COMMISSION = "commission"
    VARIATION = "variation"
    SETTLEMENT = "settlement"
    ASSIGNMENT = "assignment"
    EXERCISE = "exercise"
    DIVIDEND = "dividend"
    INTEREST = "interest"
    CORRECTION = "correction"
    CASH_IN_LIEU = "cash_in_lieu"


class Entry(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One movement of cash; `reference` is an execution id or words, `con_id` 0 when none."""

    at_ns: int
    kind: EntryKind
    amount_usd: Decimal
    con_id: int = 0
    reference: str = ""


class Ledger(msgspec.Struct, kw_only=True):
    """The movements of one account, oldest first, and the sums of those folded away."""

    entries: list[Entry] = msgspec.field(default_factory=list)
    folded_usd: dict[EntryKind, Decimal] = msgspec.field(default_factory=dict)
    cash_usd: Decimal = ZERO


def post(ledger: Ledger, entry: Entry) -> None:
    """Move cash; an entry of nothing leaves no trace."""
    if not entry.amount_usd:
        return
    ledger.entries.append(entry)
    ledger.cash_usd += entry.amount_usd
    if len(ledger.entries) > ENTRIES_MAX:
        _fold(ledger)


def totals_usd(ledger: Ledger) -> dict[EntryKind, Decimal]:
    """Return what each kind of movement has brought since the account was opened."""
    sums = dict(ledger.folded_usd)
    for entry in ledger.entries:
        sums[entry.kind] = sums.get(entry.kind, ZERO) + entry.amount_usd
    return sums


def _fold(ledger: Ledger) -> None:
    kept = ENTRIES_MAX // 2
    for entry in ledger.entries[:-kept]:
        ledger.folded_usd[entry.kind] = ledger.folded_usd.get(entry.kind, ZERO) + entry.amount_usd
    del ledger.entries[:-kept]
