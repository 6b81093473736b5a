"""What must be true of orders after a kill: by the log on one side, by the gateway on the other.

Pure. Findings are words. What `repeated` and `lost_intents` find never heals; all others may be of
the moment in which an order moved, and count only when they stay.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from soak.kill_record import Record
from soak.kill_truth import Truth, Working
from thetawarden.domain.broker.orders import execution_stem
from thetawarden.domain.orders.intent import OrderRole
from thetawarden.domain.orders.stages import ENDS, Stage

CENT = Decimal("0.01")
NEVER_LEFT = frozenset({Stage.WITHHELD, Stage.ABSENT})
PARTS = 4  # of a reference that the desk gives


def repeated(record: Record, truth: Truth) -> Iterator[str]:
    """Find everything that was sent twice: a reference, a leave for an entry, or a closing."""
    for ref in record.resubmitted:
        yield f"{ref} was intended twice"
    for ref, numbers in truth.perm_ids.items():
        if len(numbers) > 1:
            yield f"{ref} stands at the gateway {len(numbers)} times"
    for key in {one.proposal_key for one in record.stages.values()}:
        sent = [ref for ref in record.entries_of(key) if ref in truth.perm_ids]
        if len(sent) > 1:
            yield f"{key} reached the gateway as {', '.join(sent)}"
    yield from _turned_over(record, truth)


def lost_intents(record: Record, truth: Truth) -> Iterator[str]:
    """Find orders of ours at the gateway that the log knows nothing of."""
    for ref in truth.perm_ids:
        if ref.count(".") == PARTS - 1 and ref not in record.intents:
            yield f"{ref} is at the gateway and was never intended"


def lost(record: Record, truth: Truth) -> Iterator[str]:
    """Find orders and fills of which desk and gateway do not think the same."""
    working = {one.order_ref for one in truth.working}
    for ref in record.intents:
        told = record.stages.get(ref)
        if told is None:
            yield f"{ref} was intended and never followed"
        elif told.stage in ENDS and ref in working:
            yield f"{ref} is {told.stage} here and works at the gateway"
        elif told.stage not in ENDS and ref not in working:
            yield f"{ref} is {told.stage} here and does not work at the gateway"
        elif told.stage in NEVER_LEFT and ref in truth.perm_ids:
            yield f"{ref} is {told.stage} here and reached the gateway"
    booked = {execution_stem(one) for one in record.booked}
    for fill in truth.fills:
        ours = fill.order_ref in record.intents and not fill.is_combination
        if ours and execution_stem(fill.execution_id) not in booked:
            yield f"a fill of {fill.quantity} by {fill.order_ref} is not booked"


def in_doubt(record: Record) -> Iterator[str]:
    """Find orders of which nobody knows what became of them."""
    for ref, told in record.stages.items():
        if told.stage is Stage.UNKNOWN:
            yield f"{ref} is in doubt: {told.words}"


def books(record: Record, truth: Truth) -> Iterator[str]:
    """Find where the keeper's book is not the gateway's, to the cent."""
    valued = record.valued
    if valued is None:
        yield "the desk never told its book"
        return
    held = {one.instrument.conid: one.quantity for one in valued.positions if one.quantity}
    for conid in sorted(held.keys() | truth.positions.keys()):
        ours, theirs = held.get(conid, Decimal()), truth.positions.get(conid, Decimal())
        if ours != theirs:
            yield f"contract {conid}: {ours} here, {theirs} at the gateway"
    cash = {one.quantize(CENT) for one in valued.cash_usd.values()}
    if cash != {truth.cash_usd.quantize(CENT)}:
        yield f"cash: {sorted(cash)} here, {truth.cash_usd} at the gateway"


def unprotected(truth: Truth) -> Iterator[str]:
    """Find short options that no working order of the account would buy back in full.

    Of one group that cancels each other only the largest counts. A leg that a long one of the same
    unit covers is bought back by the same order.
    """
    for conid in sorted(truth.shorts):
        short = -truth.positions[conid]
        back = sum(_most_of_each_group(truth.working, conid), Decimal())
        if back < short:
            yield f"contract {conid}: {short} short, {back} would be bought back"


def _most_of_each_group(working: tuple[Working, ...], conid: int) -> Iterator[Decimal]:
    groups: dict[str, Decimal] = {}
    for one in working:
        bought = one.legs.get(conid, Decimal())
        group = one.oca_group or f"{one.order_ref}|{one.perm_id}"
        groups[group] = max(groups.get(group, Decimal()), bought)
    yield from groups.values()


def _turned_over(record: Record, truth: Truth) -> Iterator[str]:
    """A trade whose closing was sent twice ends on the other side of nothing."""
    trades = {ref: one.trade for ref, one in record.intents.items()}
    opened: dict[tuple[str, int], Decimal] = {}
    left: dict[tuple[str, int], Decimal] = {}
    for fill in truth.fills:
        if fill.is_combination or fill.order_ref not in trades:
            continue
        key = (trades[fill.order_ref], fill.conid)
        left[key] = left.get(key, Decimal()) + fill.quantity
        if record.intents[fill.order_ref].role is OrderRole.ENTRY:
            opened[key] = opened.get(key, Decimal()) + fill.quantity
    for (trade, conid), quantity in left.items():
        if quantity * opened.get((trade, conid), Decimal()) < 0:
            yield f"{trade} holds {quantity} of contract {conid}: closed more than once"
