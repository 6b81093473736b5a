"""Defines what the account holds and what may yet be held: filled, and every order not yet done.

An order that has been approved counts as if it were filled wherever that is worse, until it is
known to be over: working, in flight, partly filled or unknown makes no difference.
"""

from __future__ import annotations

import math

import msgspec

from thetawarden.domain.instants import UnixNs
from thetawarden.domain.risk.instrument import ConId, Instrument, Marks, UnderlyingView


class Holding(msgspec.Struct, frozen=True, kw_only=True):
    """Contracts held, > 0 long; legs of one position share its name.

    `margin_usd` is its part of the margin: the broker's answer when it was opened, or the model's.
    """

    instrument: Instrument
    contracts: float
    position: str
    margin_usd: float


class HeldBook(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is filled, as the keeper knows it; `reconciled` when the broker agrees."""

    version: str
    at_ns: UnixNs
    reconciled: bool
    holdings: tuple[Holding, ...]

    def contracts(self, con_id: ConId) -> float:
        """How many contracts of an instrument are held, over all positions."""
        return math.fsum(one.contracts for one in self.holdings if one.instrument.con_id == con_id)


def is_shrunk(held_contracts: float, change: float) -> bool:
    """Return whether a change of contracts takes away from what is held and no more than that."""
    return held_contracts * change < 0.0 and abs(change) <= abs(held_contracts) + 1e-9


def left_to_close(
    held_contracts: float, *, pending: tuple[PendingOrder, ...], con_id: ConId
) -> float:
    """Return what of a holding no order that may yet fill would take away."""
    changes = (
        leg.ratio * order.units
        for order in pending
        for leg in order.legs
        if leg.instrument.con_id == con_id and leg.ratio * held_contracts < 0.0
    )
    left = abs(held_contracts) - math.fsum(map(abs, changes))
    return math.copysign(max(left, 0.0), held_contracts)


class PendingLeg(msgspec.Struct, frozen=True, kw_only=True):
    """One leg of an order that may yet fill, with the marks it was approved on."""

    instrument: Instrument
    ratio: int
    marks: Marks


class PendingOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An approved order that is not known to be over; `units` may yet be filled or booked."""

    key: str
    strategy: str
    legs: tuple[PendingLeg, ...]
    units: int
    margin_usd_per_unit: float
    reducing: bool
    auto_selected: bool

    @property
    def margin_usd(self) -> float:
        """Margin kept free for it."""
        return self.units * self.margin_usd_per_unit

    def takes_away(self, held: HeldBook) -> bool:
        """Whether every leg only makes a held position smaller."""
        changes = ((leg.instrument.con_id, leg.ratio * self.units) for leg in self.legs)
        return all(is_shrunk(held.contracts(con_id), change) for con_id, change in changes)


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """The broker's figures of the account, as of one instant."""

    at_ns: UnixNs
    nlv_usd: float
    initial_margin_usd: float
    excess_liquidity_usd: float
    auto_select_margin_usd: float = 0.0


class MarketView(msgspec.Struct, frozen=True, kw_only=True):
    """What the models need of the market: the index, the VIX, underlyings, marks by instrument.

    `at_ns` is when the oldest part of it was true: a whole is no fresher than that.
    """

    at_ns: UnixNs
    index_usd: float
    vix_points: float
    underlyings: tuple[UnderlyingView, ...]
    marks: dict[ConId, Marks]

    def underlying(self, symbol: str) -> UnderlyingView | None:
        """One underlying, or None when nothing is known of it."""
        return next((one for one in self.underlyings if one.symbol == symbol), None)
