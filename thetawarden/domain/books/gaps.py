"""Finds where our book and the broker's differ, contract by contract and in cash.

Compares quantities exactly, the terms of options, and cash to the cent. Average cost is not
compared: it follows from what was traded, and the broker rounds it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

import msgspec

from thetawarden.domain.books.amounts import ZERO, plain
from thetawarden.domain.books.book import holding_key
from thetawarden.domain.books.holding import Holding
from thetawarden.domain.broker.account import BrokerPosition
from thetawarden.domain.broker.instrument import Instrument, InstrumentKind


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """A holding of which the broker counts other units than we do, or knows other terms."""

    ours: Holding
    theirs: Decimal
    instrument: Instrument
    average_cost_usd: Decimal = ZERO

    @property
    def moved(self) -> Decimal:
        """By how much the broker's count is above ours."""
        return self.theirs - self.ours.quantity

    @property
    def their_cost_usd(self) -> Decimal:
        """The whole position's cost as the broker counts it."""
        return self.theirs * self.average_cost_usd

    @property
    def only_shrank(self) -> bool:
        """Whether units are gone and none have come."""
        held = self.ours.quantity
        return self.theirs * held >= 0 and abs(self.theirs) < abs(held)


def find_gaps(
    holdings: Mapping[str, Holding], positions: Iterable[BrokerPosition], *, account: str
) -> tuple[Gap, ...]:
    """Return every difference of one account; what the broker does not list, it does not hold."""
    told = {one.instrument.conid: one for one in positions if one.account == account}
    ours = {one.instrument.conid: one for one in holdings.values() if one.account == account}
    gaps = []
    for conid in sorted(told.keys() | ours.keys()):
        gap = _gap(account, ours.get(conid), told.get(conid))
        if gap is not None:
            gaps.append(gap)
    return tuple(gaps)


def contract_words(instrument: Instrument) -> str:
    """Return an instrument's name for people."""
    if instrument.local_symbol:
        return " ".join(instrument.local_symbol.split())
    if instrument.kind is InstrumentKind.OPTION and instrument.expiry is not None:
        right, strike = instrument.right or "?", instrument.strike
        return f"{instrument.symbol} {instrument.expiry:%y%m%d} {right} {strike}"
    return instrument.symbol or str(instrument.conid)


def gap_words(gap: Gap) -> str:
    """Return a difference in one line."""
    name = contract_words(gap.instrument)
    if not gap.moved:
        return f"{name}: the broker knows other terms than our book"
    return f"{name}: the broker holds {plain(gap.theirs)}, our book {plain(gap.ours.quantity)}"


def key_of(gap: Gap) -> str:
    """Return the name of the holding that differs."""
    return holding_key(gap.ours.account, gap.instrument.conid)


def _gap(account: str, ours: Holding | None, told: BrokerPosition | None) -> Gap | None:
    if told is None:
        if ours is None or not ours.quantity:
            return None
        return Gap(ours=ours, theirs=ZERO, instrument=ours.instrument)
    held = ours or Holding(account=account, instrument=told.instrument)
    same = held.quantity == told.quantity
    if same and (not told.quantity or _same_terms(held.instrument, told.instrument)):
        return None
    return Gap(
        ours=held,
        theirs=told.quantity,
        instrument=told.instrument,
        average_cost_usd=told.average_cost_usd,
    )


def _same_terms(ours: Instrument, theirs: Instrument) -> bool:
    if theirs.kind is not InstrumentKind.OPTION:
        return True
    return (ours.strike, ours.multiplier) == (theirs.strike, theirs.multiplier)
