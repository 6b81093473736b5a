"""Matches what was closed with what was opened first, lot by lot.

The broker states results at average cost; taxes and trades are told by lots. Both are sums of the
same cash: over any span, what lots have brought less what open ones cost is the cash that moved.
Units that come without a trade are a lot of their own; a split grows those that are open.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from thetawarden.domain.books.amounts import ZERO, part_usd
from thetawarden.domain.books.holding import RESTATEMENTS, Cause, Move
from thetawarden.domain.instants import UnixNs


class Lot(msgspec.Struct, frozen=True, kw_only=True):
    """Units opened by one move; cost is signed as a holding's, commissions included."""

    key: str
    opened_ns: UnixNs
    quantity: Decimal
    cost_usd: Decimal


class ClosedLot(msgspec.Struct, frozen=True, kw_only=True):
    """Units of a lot that a later move closed; `cause` is why they were closed."""

    lot: Lot
    closed_by: str
    closed_ns: UnixNs
    cause: Cause
    proceeds_usd: Decimal

    @property
    def result_usd(self) -> Decimal:
        """What these units have brought, net of all commissions."""
        return self.proceeds_usd - self.lot.cost_usd


class Lots(msgspec.Struct, frozen=True, kw_only=True):
    """One contract's lots, oldest first; `corrected_usd` came when nothing was held any more."""

    open: tuple[Lot, ...] = ()
    closed: tuple[ClosedLot, ...] = ()
    corrected_usd: Decimal = ZERO


def lots_of(moves: tuple[Move, ...]) -> Lots:
    """Return the lots that moves in order of their time make, first opened first closed."""
    lots = Lots()
    for move in moves:
        lots = _restated(lots, move) if move.cause in RESTATEMENTS else _traded(lots, move)
    return lots


def _traded(lots: Lots, move: Move) -> Lots:
    left, cost = move.quantity, move.gross_usd + move.fees_usd
    if not left:
        return _corrected(lots, cost)
    waiting, closed = list(lots.open), list(lots.closed)
    while left and waiting and waiting[0].quantity * left < 0:
        lot = waiting.pop(0)
        units = min(abs(lot.quantity), abs(left))
        share = part_usd(whole_usd=cost, part=units, of=abs(left))
        taken, kept = _cut(lot, units)
        closed.append(
            ClosedLot(
                lot=taken,
                closed_by=move.key,
                closed_ns=move.at_ns,
                cause=move.cause,
                proceeds_usd=-share,
            )
        )
        left, cost = left - units.copy_sign(left), cost - share
        if kept is not None:
            waiting.insert(0, kept)
    if left:
        waiting.append(Lot(key=move.key, opened_ns=move.at_ns, quantity=left, cost_usd=cost))
    return msgspec.structs.replace(lots, open=tuple(waiting), closed=tuple(closed))


def _corrected(lots: Lots, cost: Decimal) -> Lots:
    """A price corrected after the fact changes the latest open lot, or a result alone."""
    if not lots.open:
        return msgspec.structs.replace(lots, corrected_usd=lots.corrected_usd - cost)
    *older, last = lots.open
    mended = msgspec.structs.replace(last, cost_usd=last.cost_usd + cost)
    return msgspec.structs.replace(lots, open=(*older, mended))


def _restated(lots: Lots, move: Move) -> Lots:
    """A split grows all open lots alike; other units that come are a lot, those that go a share."""
    held = sum((one.quantity for one in lots.open), ZERO)
    after = held + move.quantity
    if not after:
        return msgspec.structs.replace(lots, open=())
    came = move.cause is not Cause.SPLIT and held * move.quantity >= 0
    if came or held * after <= 0:
        cost = move.gross_usd if came else move.gross_usd + _cost(lots)
        units = move.quantity if came else after
        new = Lot(key=move.key, opened_ns=move.at_ns, quantity=units, cost_usd=cost)
        return msgspec.structs.replace(lots, open=(*(lots.open if came else ()), new))
    left, left_usd, of, scaled = after, move.gross_usd, held, []
    for one in lots.open:
        units = part_usd(whole_usd=left, part=abs(one.quantity), of=abs(of))
        share = part_usd(whole_usd=left_usd, part=abs(one.quantity), of=abs(of))
        cost = one.cost_usd + share
        scaled.append(msgspec.structs.replace(one, quantity=units, cost_usd=cost))
        left, left_usd, of = left - units, left_usd - share, of - one.quantity
    return msgspec.structs.replace(lots, open=tuple(scaled))


def _cost(lots: Lots) -> Decimal:
    return sum((one.cost_usd for one in lots.open), ZERO)


def _cut(lot: Lot, units: Decimal) -> tuple[Lot, Lot | None]:
    """So many units of a lot, and what is left of it."""
    if units == abs(lot.quantity):
        return lot, None
    signed = units.copy_sign(lot.quantity)
    cost = part_usd(whole_usd=lot.cost_usd, part=units, of=abs(lot.quantity))
    taken = msgspec.structs.replace(lot, quantity=signed, cost_usd=cost)
    kept = msgspec.structs.replace(
        lot, quantity=lot.quantity - signed, cost_usd=lot.cost_usd - cost
    )
    return taken, kept
