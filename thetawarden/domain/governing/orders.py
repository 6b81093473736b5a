"""Follows our orders from intent to end, and moves their reservations into the book exactly once.

Pure. What a fill has brought counts with its order until the account shows it: a combination's leg
that has filled ahead of the others stays with its order as well. An order in doubt counts in full.
The account's margin may come later than its positions: until then what an entry needs is kept free.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from thetawarden.domain.instants import UnixNs
from thetawarden.domain.orders.intent import OrderRole
from thetawarden.domain.orders.stages import ENDS, Stage
from thetawarden.domain.risk.instrument import ConId
from thetawarden.domain.risk.ledger import (
    Ledger,
    LedgerRefusal,
    OrderState,
    Reservation,
    book,
    fill,
    move,
)

STATE_OF: Final = {
    Stage.INTENDED: OrderState.IN_FLIGHT,
    Stage.SENT: OrderState.IN_FLIGHT,
    Stage.WORKING: OrderState.WORKING,
    Stage.PARTIAL: OrderState.WORKING,
    Stage.UNKNOWN: OrderState.UNKNOWN,
    Stage.FILLED: OrderState.FILLED,
    Stage.CANCELLED: OrderState.CANCELLED,
    Stage.REJECTED: OrderState.REJECTED,
    Stage.EXPIRED: OrderState.EXPIRED,
    Stage.WITHHELD: OrderState.CANCELLED,
    Stage.ABSENT: OrderState.ABSENT,
}
"""Where a reservation stands at each stage of its order."""


class Noted(msgspec.Struct, frozen=True, array_like=True):
    """A fill of an order, as it was last told."""

    con_id: ConId
    contracts: float
    cash_usd: float


class MarginAhead(msgspec.Struct, frozen=True, array_like=True):
    """Margin that a filled entry needs, which account figures as of `filled_ns` may not have."""

    filled_ns: UnixNs
    usd: float


class KnownOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order of ours; `fills` by identity, `ended_ns` 0 while something may come of it.

    `filled_ns` is when its latest fill was booked.
    """

    order_ref: str
    trade: str
    strategy: str
    role: OrderRole
    approval_key: str
    stage: Stage
    units_filled: int
    fills: dict[str, Noted] = {}
    ended_ns: UnixNs = UnixNs(0)
    filled_ns: UnixNs = UnixNs(0)

    @property
    def is_over(self) -> bool:
        """Whether nothing more is expected of it."""
        return self.stage in ENDS

    def booked(self, con_id: ConId) -> float:
        """Contracts that our book has of it."""
        return math.fsum(one.contracts for one in self.fills.values() if one.con_id == con_id)


def noted(order: KnownOrder, identity: str, fill_told: Noted) -> tuple[KnownOrder, Noted]:
    """Return the order with a fill as it stands now, and what of it is new."""
    before = order.fills.get(identity, Noted(fill_told.con_id, 0.0, 0.0))
    news = Noted(
        fill_told.con_id,
        fill_told.contracts - before.contracts,
        fill_told.cash_usd - before.cash_usd,
    )
    return msgspec.structs.replace(order, fills=order.fills | {identity: fill_told}), news


def staged(ledger: Ledger, order: KnownOrder) -> Ledger:
    """Return the ledger once an order is at its stage; fills never go back.

    Fills are noted before the end: what is over and has filled nothing is forgotten.
    """
    key = order.approval_key
    held = ledger.reservations.get(key)
    if held is None:
        return ledger
    units = max(order.units_filled, held.units_filled, _units_touched(held, order))
    ledger = _or_same(ledger, fill(ledger, key, units_filled=units))
    return _or_same(ledger, move(ledger, key, state=STATE_OF[order.stage]))


def booked_up(
    ledger: Ledger,
    orders: Iterable[KnownOrder],
    *,
    agreed: Mapping[ConId, bool],
    now_ns: int,
    settle_ns: int,
) -> tuple[Ledger, tuple[MarginAhead, ...]]:
    """Return the ledger once the account shows what has filled, and the margin it lets go of.

    Nothing moves while book and broker count a contract differently. What an order that has been
    over for a while is said to have filled, and the account does not show, will not come any more.
    """
    ahead = []
    for order in orders:
        held = ledger.reservations.get(order.approval_key)
        if held is None:
            continue
        if not all(agreed.get(leg.instrument.con_id, True) for leg in held.legs):
            continue
        ended = order.ended_ns and now_ns - order.ended_ns > settle_ns
        units = held.units_filled if held.is_over and ended else units_whole(held, order)
        units = max(units, held.units_booked)
        if units > held.units_filled:
            ledger = _or_same(ledger, fill(ledger, order.approval_key, units_filled=units))
        ledger = _or_same(ledger, book(ledger, order.approval_key, units_booked=units))
        usd = (units - held.units_booked) * held.margin_usd_per_unit
        if usd > 0.0 and not held.approval.reducing:
            ahead.append(MarginAhead(order.filled_ns, usd))
    return ledger, tuple(ahead)


def still_ahead(
    ahead: Iterable[MarginAhead], *, account_ns: UnixNs, now: UnixNs
) -> tuple[MarginAhead, ...]:
    """Return what account figures of that instant may not have; nothing has filled after now."""
    return tuple(one for one in ahead if account_ns <= one.filled_ns <= now)


def pieces_of(ledger: Ledger, orders: Iterable[KnownOrder]) -> dict[ConId, float]:
    """Return the contracts filled of units that are not booked yet, by contract."""
    pieces: dict[ConId, float] = {}
    for order in orders:
        held = ledger.reservations.get(order.approval_key)
        if held is None:
            continue
        for leg in held.legs:
            con_id = leg.instrument.con_id
            part = order.booked(con_id) - leg.ratio * held.units_booked
            if part:
                pieces[con_id] = pieces.get(con_id, 0.0) + part
    return pieces


def units_whole(held: Reservation, order: KnownOrder) -> int:
    """Return how many whole units our book has of an order."""
    units = (order.booked(leg.instrument.con_id) / leg.ratio for leg in held.legs)
    return max(math.floor(min(units, default=0.0) + 1e-9), 0)


def _units_touched(held: Reservation, order: KnownOrder) -> int:
    units = (order.booked(leg.instrument.con_id) / leg.ratio for leg in held.legs)
    return max(math.ceil(max(units, default=0.0) - 1e-9), 0)


def _or_same(ledger: Ledger, changed: Ledger | LedgerRefusal) -> Ledger:
    """What the ledger does not take leaves it as it was: it then counts more, never less."""
    return changed if isinstance(changed, Ledger) else ledger
