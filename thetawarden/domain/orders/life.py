"""Follows one order of ours by what is told of it: its stage, its fills, what is asked of it.

Fills are known by the stem of their execution, so that a repeated one counts once, a correction
replaces and a bust removes. How much is filled is the most that fills or reports tell; what a bust
takes away, no report gives back. Stages move by the table in `machine` alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import msgspec

from thetawarden.domain.broker.instrument import InstrumentKind
from thetawarden.domain.broker.orders import (
    BrokerOrder,
    BrokerOrderState,
    Execution,
    as_it_counts,
    latest_revisions,
)
from thetawarden.domain.instants import UnixNs
from thetawarden.domain.orders.intent import Gate, Intent, OrderRole
from thetawarden.domain.orders.machine import Evidence, is_over, step
from thetawarden.domain.orders.proposal import Exits
from thetawarden.domain.orders.stages import Stage
from thetawarden.domain.orders.walking import Walk
from thetawarden.domain.remembering import remembered

OPEN_STATES = frozenset(
    {BrokerOrderState.PENDING, BrokerOrderState.WORKING, BrokerOrderState.CANCELLING}
)
"""What the broker says of an order that may still fill."""
LIVES_KEPT = 4096
EXIT_ROLES = frozenset({OrderRole.TAKE_PROFIT, OrderRole.STOP})


class Cancelling(msgspec.Struct, frozen=True, kw_only=True):
    """That an order is to end: why, how often it was asked for, and when it is asked again."""

    reason: str
    tries: int
    due_ns: UnixNs


class Unseen(msgspec.Struct, frozen=True, kw_only=True):
    """Since which whole book an order in doubt is on no list of the broker's.

    `book` is that book's fingerprint; `rounds` counts the books since, unchanged.
    """

    since_ns: UnixNs
    book: str
    rounds: int


class OrderLife(msgspec.Struct, frozen=True, kw_only=True):
    """One order of ours and all that is known of it.

    `intent` is the order as it last left; `change` is how it shall be, until that has left too, and
    `changes` counts them. `units_max` is the most that was ever asked for. `held` is what the
    broker counted of its legs when it was intended. `fills` are the latest revisions. `exits` are
    the prices that hold for what it brings.
    """

    intent: Intent
    approval_key: str
    proposal_key: str
    gate: Gate
    stage: Stage
    epoch: int
    made_ns: UnixNs
    since_ns: UnixNs
    units_max: int
    held: tuple[tuple[int, Decimal], ...] = ()
    perm_id: int = 0
    order_id: int = 0
    fills: tuple[Execution, ...] = ()
    told_units: int = 0
    refusal: str = ""
    inactive: bool = False
    changes: int = 0
    change: Intent | None = None
    change_due_ns: UnixNs = UnixNs(0)
    exits: Exits | None = None
    walk: Walk | None = None
    cancel: Cancelling | None = None
    unseen: Unseen | None = None

    @property
    def order_ref(self) -> str:
        """Our name of it."""
        return self.intent.order_ref

    @property
    def is_over(self) -> bool:
        """Whether nothing more comes of it."""
        return is_over(self.stage)

    @property
    def is_exit(self) -> bool:
        """Whether it stands by to end a position, at a profit or at a loss."""
        return self.intent.role in EXIT_ROLES

    @property
    def is_acknowledged(self) -> bool:
        """Whether the broker has ever spoken of it."""
        return self.perm_id > 0

    @property
    def units_filled(self) -> int:
        """Whole units of all fills so far, by fills or by reports, whichever is more."""
        return max(units_executed(self), self.told_units)

    @property
    def units_left(self) -> int:
        """Units that may still fill."""
        return 0 if self.is_over else max(self.intent.units - self.units_filled, 0)


@remembered(LIVES_KEPT)
def units_executed(life: OrderLife) -> int:
    """Return the whole units that fills alone tell of."""
    wholes = sum(
        (abs(one.quantity) for one in life.fills if one.instrument.kind is InstrumentKind.COMBO),
        Decimal(),
    )
    legs = leg_fills(life)
    ratios = ((abs(legs[leg.instrument.conid]), abs(leg.ratio)) for leg in life.intent.legs)
    return max(int(wholes), min(int(done // ratio) for done, ratio in ratios))


@remembered(LIVES_KEPT)
def leg_fills(life: OrderLife) -> Mapping[int, Decimal]:
    """Return the signed quantity that was filled of every leg."""
    filled = {leg.instrument.conid: Decimal() for leg in life.intent.legs}
    for one in life.fills:
        if one.instrument.conid in filled:
            filled[one.instrument.conid] += one.quantity
    return filled


@remembered(LIVES_KEPT)
def leg_contracts(life: OrderLife) -> Mapping[int, int]:
    """Return what an order has brought of each leg, signed: by its fills, or as its units say.

    The fills of a combination's legs are told after its own; until then its units stand for them.
    Of a leg of which a fill was busted its fills alone say what is left.
    """
    units, fills = life.units_filled, leg_fills(life)
    busted = {one.instrument.conid for one in life.fills if not one.quantity}
    found = {}
    for leg in life.intent.legs:
        conid = leg.instrument.conid
        told, filled = units * leg.ratio, int(fills[conid])
        found[conid] = told if conid not in busted and abs(told) > abs(filled) else filled
    return found


def is_uneven(life: OrderLife) -> bool:
    """Whether some legs of a combination have filled without the others."""
    units = life.units_filled
    contracts = leg_contracts(life)
    return any(contracts[leg.instrument.conid] != units * leg.ratio for leg in life.intent.legs)


def is_otherwise_filled(before: OrderLife | None, after: OrderLife) -> bool:
    """Whether an order has brought more, less or something else than before."""
    return (
        before is None
        or before.units_filled != after.units_filled
        or leg_contracts(before) != leg_contracts(after)
    )


def is_overfilled(life: OrderLife) -> bool:
    """Whether more was filled than was ever asked for."""
    contracts = leg_contracts(life)
    units = life.units_max
    return life.units_filled > units or any(
        abs(contracts[leg.instrument.conid]) > abs(leg.ratio) * units for leg in life.intent.legs
    )


def with_execution(life: OrderLife, execution: Execution) -> OrderLife:
    """Take a fill in, once; a correction that lowers it lowers what reports told as well."""
    fills = latest_revisions((*life.fills, as_it_counts(execution)))
    if fills == life.fills:
        return life
    after = msgspec.structs.replace(life, fills=fills)
    lost = units_executed(life) - units_executed(after)
    if lost > 0:
        after = msgspec.structs.replace(after, told_units=max(after.told_units - lost, 0))
    perm_id = execution.perm_id or life.perm_id
    return msgspec.structs.replace(after, perm_id=perm_id)


def with_report(life: OrderLife, order: BrokerOrder, *, now: UnixNs) -> OrderLife:
    """Take what the broker says of its numbers and fills in; a new permanent number replaces.

    A fill that was busted is not given back by a report that had counted it. Size and price are
    told again as they were until a change has come there, so they count once they are as asked.
    """
    busted = any(not one.quantity for one in life.fills)
    told = life.told_units if busted else max(life.told_units, units_of(life, order.filled))
    if order.state is BrokerOrderState.FILLED and not busted:
        told = max(told, units_of(life, order.quantity))
    return msgspec.structs.replace(
        life,
        intent=_as_told(life, order, now),
        change_due_ns=UnixNs(0) if _is_as_asked(life, order) else life.change_due_ns,
        inactive=order.state is BrokerOrderState.INACTIVE,
        told_units=told,
        perm_id=order.perm_id or life.perm_id,
        order_id=order.order_id or life.order_id,
    )


def with_listing(life: OrderLife, order: BrokerOrder, *, now: UnixNs) -> OrderLife:
    """Take what a whole list says: also of an exit that is larger there than it was to become.

    A change of it was refused after it had left. One that may still be on its way is waited for.
    """
    after = with_report(life, order, now=now)
    units = units_of(life, order.quantity)
    if (
        _is_changing(life, now)
        or not life.is_exit
        or order.state not in OPEN_STATES
        or units <= after.intent.units
    ):
        return after
    return msgspec.structs.replace(
        after,
        intent=msgspec.structs.replace(after.intent, units=units),
        units_max=max(after.units_max, units),
    )


def units_of(life: OrderLife, quantity: Decimal) -> int:
    """Return how many units a quantity of the broker's is, who counts contracts or combos."""
    legs = life.intent.legs
    each = abs(legs[0].ratio) if len(legs) == 1 else 1
    return int(abs(quantity) // each)


def _is_changing(life: OrderLife, now: UnixNs) -> bool:
    """Whether a change is asked for, or has left and may not have come there yet."""
    return life.change is not None or now < life.change_due_ns


def _is_as_asked(life: OrderLife, order: BrokerOrder) -> bool:
    """Whether the broker has an order as it last left."""
    intent = life.intent
    priced = order.limit_usd is None or intent.limit_usd in (None, order.limit_usd)
    return life.change is None and priced and units_of(life, order.quantity) == intent.units


def _as_told(life: OrderLife, order: BrokerOrder, now: UnixNs) -> Intent:
    """The broker shrinks an exit whose sibling or parent filled in part; its price is the truth."""
    intent = life.intent
    if _is_changing(life, now) or order.state not in OPEN_STATES:
        return intent
    units = units_of(life, order.quantity)
    if life.is_exit and 0 < units < intent.units:
        intent = msgspec.structs.replace(intent, units=units)
    if order.limit_usd is not None and intent.limit_usd is not None:
        intent = msgspec.structs.replace(intent, limit_usd=order.limit_usd)
    return intent


def evidence_of_fills(life: OrderLife, before: OrderLife) -> Evidence | None:
    """Return what more, or fewer, fills than before are evidence of."""
    filled = life.units_filled
    if filled >= life.intent.units:
        return Evidence.WHOLLY
    if filled > 0 or any(leg_fills(life).values()):
        return Evidence.PARTLY
    return Evidence.EMPTIED if before.units_filled else None


def evidence_of_report(life: OrderLife, order: BrokerOrder) -> Evidence | None:
    """Return what a report is evidence of; inactive alone is no end: it may come back."""
    match order.state:
        case BrokerOrderState.FILLED:
            return Evidence.WHOLLY
        case BrokerOrderState.CANCELLED:
            return Evidence.CANCELLED
        case BrokerOrderState.INACTIVE:
            return Evidence.REFUSED if life.refusal else Evidence.DOUBTED
        case BrokerOrderState.WORKING | BrokerOrderState.CANCELLING:
            return Evidence.REPORTED
        case BrokerOrderState.PENDING:
            return Evidence.REPORTED if order.perm_id else None
        case BrokerOrderState.UNKNOWN:
            return None


def moved(life: OrderLife, evidence: Evidence | None, now: UnixNs) -> tuple[OrderLife, bool]:
    """Return the order at the stage that evidence leads to, and whether that resurrects it."""
    if evidence is None:
        return life, False
    after = step(life.stage, evidence)
    if after.stage is life.stage:
        return life, False
    changed = msgspec.structs.replace(life, stage=after.stage, since_ns=now, unseen=None)
    return changed, after.resurrects
