"""What the executor holds and says, and the small steps that all of its work is made of.

Every order changes by `heard` alone, which moves it by the table, tells what changed, and never
lets more fill than was asked for pass in silence.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from thetawarden.domain.broker.orders import Execution
from thetawarden.domain.instants import UnixNs
from thetawarden.domain.link.states import LinkState
from thetawarden.domain.orders.intent import Gate
from thetawarden.domain.orders.life import Cancelling, OrderLife, is_overfilled, moved
from thetawarden.domain.orders.machine import Evidence
from thetawarden.domain.orders.naming import number_base
from thetawarden.domain.orders.proposal import Proposal
from thetawarden.domain.orders.settings import ExecutorSettings
from thetawarden.domain.orders.stages import Stage
from thetawarden.domain.orders.trade import Held, TradeLife, held_by, shared
from thetawarden.domain.orders.walking import LegPrice
from thetawarden.domain.risk.ledger import Approval
from thetawarden.messages.books import RefreshBook
from thetawarden.messages.operations import NotifyPerson, Urgency
from thetawarden.messages.orders import (
    CancelOrder,
    ModifyOrder,
    OrdersReconciled,
    OrderStageChanged,
    ProposeOrder,
    ProtectionChanged,
    SubmitOrder,
)
from thetawarden.messages.timers import StartTimer
from thetawarden.messages.trading import Halt

ME = "executor"
CANCEL_TRIES = 3
NAMES_MAX = 500

Says = (
    SubmitOrder
    | ModifyOrder
    | CancelOrder
    | OrderStageChanged
    | OrdersReconciled
    | ProtectionChanged
    | ProposeOrder
    | RefreshBook
    | NotifyPerson
    | Halt
    | StartTimer
)


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A proposal of our own that is not answered yet: for which trade, and to protect or close."""

    trade: str
    closing: bool
    due_ns: UnixNs


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """An approval that cannot be used yet."""

    proposal: Proposal
    approval: Approval
    quote_ns_max: int
    urgent: bool = False
    why: str = ""


class Flattening(msgspec.Struct, frozen=True, kw_only=True):
    """What a person ordered to be closed: underlyings, none for everything; tries by trade."""

    reason: str
    underlyings: tuple[str, ...]
    tries: dict[str, int]

    def concerns(self, underlying: str) -> bool:
        """Whether it is to be closed."""
        return not self.underlyings or underlying in self.underlyings

    @property
    def what(self) -> str:
        """What is to be closed, for people."""
        return ", ".join(self.underlyings) or "everything"


class ForeignFill(msgspec.Struct, frozen=True, kw_only=True):
    """A fill of others; `counted` once a later book agreed, `back` what was corrected since."""

    execution: Execution
    noted_ns: UnixNs
    counted: bool = False
    back: int = 0


class ExecutorState(msgspec.Struct, kw_only=True):
    """Every order of ours that lives or ended lately, the trades they make, and what they rest on.

    `positions` are the broker's counts by contract, by the last whole book and the fills since; the
    last one that agreed did so at `agreed_ns`.
    `approved` and `submitted` count by strategy: never more out than in. `checked` tells whether
    a whole book of this link has been compared since we began. `due_ns` is when the timer rings.
    `no_entries` is why the governor demands that nothing be opened, empty when it does not.
    `foreign` are the latest fills of options that no order of ours made, by their stems.
    """

    orders: dict[str, OrderLife] = msgspec.field(default_factory=dict)
    trades: dict[str, TradeLife] = msgspec.field(default_factory=dict)
    asked: dict[str, Asked] = msgspec.field(default_factory=dict)
    waiting: dict[str, Waiting] = msgspec.field(default_factory=dict)
    quotes: dict[int, LegPrice] = msgspec.field(default_factory=dict)
    positions: dict[int, Decimal] = msgspec.field(default_factory=dict)
    marks: dict[int, Decimal] = msgspec.field(default_factory=dict)
    uneven: dict[str, UnixNs] = msgspec.field(default_factory=dict)
    agreed_ns: UnixNs = UnixNs(0)
    link: LinkState = LinkState.DOWN
    entries: bool = False
    epoch: int = 0
    checked: bool = False
    reconciled: bool = False
    query_ns: UnixNs = UnixNs(0)
    halted: bool = False
    halt_epoch: int = 0
    quiet: bool = False
    base: str = ""
    number: int = 0
    approved: dict[str, int] = msgspec.field(default_factory=dict)
    submitted: dict[str, int] = msgspec.field(default_factory=dict)
    sent_ns: tuple[int, ...] = ()
    flattening: Flattening | None = None
    moved: tuple[str, ...] = ()
    overfilled: tuple[str, ...] = ()
    due_ns: UnixNs = UnixNs(0)
    no_entries: str = ""
    foreign: dict[str, ForeignFill] = msgspec.field(default_factory=dict)


def lives_of(state: ExecutorState, trade: str) -> tuple[OrderLife, ...]:
    """Return all orders of a trade that are remembered."""
    return tuple(life for life in state.orders.values() if life.intent.trade == trade)


def held_of(state: ExecutorState, trade: TradeLife) -> tuple[Held, ...]:
    """Return what a trade holds."""
    return held_by(trade, lives_of(state, trade.name))


def in_doubt(state: ExecutorState) -> tuple[str, ...]:
    """Return the orders of which it is not known what became of them."""
    return tuple(ref for ref, life in state.orders.items() if life.stage is Stage.UNKNOWN)


def rests(state: ExecutorState, trade: str) -> bool:
    """Whether what reduces a trade's risk may leave: a link, and its own orders are certain.

    While the books differ the link is not ready, perhaps for hours; whatever differs, a trade whose
    orders were all compared with the broker's is closed and protected as ever.
    """
    if state.link is LinkState.READY:
        return True
    if state.link is not LinkState.SYNCING or not state.checked:
        return False
    return all(life.stage is not Stage.UNKNOWN for life in lives_of(state, trade))


def there(state: ExecutorState, trade: TradeLife) -> tuple[Held, ...]:
    """Return what of a trade is surely there: while books differ no more than the broker counts."""
    if state.link is LinkState.READY:
        return held_of(state, trade)
    return left_of(state)[trade.name]


def left_of(state: ExecutorState) -> dict[str, tuple[Held, ...]]:
    """Return what of every trade the broker counts."""
    held = {trade.name: held_of(state, trade) for trade in state.trades.values()}
    return shared(held, state.positions)


def unclaimed(state: ExecutorState) -> dict[int, int]:
    """Return what the broker counts that no trade holds: of an unknown trade all there can be."""
    left = {conid: int(count) for conid, count in state.positions.items()}
    for trade in state.trades.values():
        for one in held_of(state, trade):
            conid = one.instrument.conid
            left[conid] = left.get(conid, 0) - one.contracts
    return left


def next_number(state: ExecutorState, now: UnixNs) -> int:
    """Return a number that no other order of this desk ever has."""
    state.base = state.base or number_base(now)
    state.number += 1
    return state.number


def stage_said(life: OrderLife, words: str) -> OrderStageChanged:
    """Say where an order stands."""
    return OrderStageChanged(
        order_ref=life.order_ref,
        trade=life.intent.trade,
        strategy=life.intent.strategy,
        role=life.intent.role,
        approval_key=life.approval_key,
        proposal_key=life.proposal_key,
        stage=life.stage,
        units=life.intent.units,
        units_filled=life.units_filled,
        perm_id=life.perm_id,
        words=words,
    )


def page(topic: str, text: str, urgency: Urgency = Urgency.CRITICAL) -> NotifyPerson:
    """Tell a person about an order or a trade."""
    return NotifyPerson(urgency=urgency, topic=f"orders:{topic}", text=text)


def heard(
    state: ExecutorState, life: OrderLife, evidence: Evidence | None, *, now: UnixNs, words: str
) -> tuple[Says, ...]:
    """Take new knowledge of an order in and say what it changed; words say where from."""
    before = state.orders.get(life.order_ref)
    after, resurrected = moved(life, evidence, now)
    if before is not None and _filled(before) != _filled(after):
        after = msgspec.structs.replace(after, since_ns=now)
    if after.is_over and after.cancel is not None:
        after = msgspec.structs.replace(after, cancel=None)
    state.orders[life.order_ref] = after
    said: list[Says] = []
    if before is None or _essence(before) != _essence(after):
        said.append(stage_said(after, words))
    if resurrected:
        text = f"{life.order_ref} had ended as {life.stage} and is {after.stage} after all: {words}"
        said.append(page(life.order_ref, text))
    if is_overfilled(after) and after.order_ref not in state.overfilled:
        state.overfilled = (*state.overfilled, after.order_ref)[-NAMES_MAX:]
        text = f"more of {life.order_ref} was filled than the {after.units_max} units asked for"
        said += [Halt(reason=text, by=ME), page(life.order_ref, text)]
    return tuple(said)


def cancelled(
    state: ExecutorState,
    life: OrderLife,
    *,
    reason: str,
    now: UnixNs,
    settings: ExecutorSettings,
) -> tuple[Says, ...]:
    """Ask for an order's end, once; deadlines ask again."""
    if life.is_over or life.cancel is not None:
        return ()
    cancel = Cancelling(reason=reason, tries=1, due_ns=UnixNs(now + settings.cancel_ns))
    state.orders[life.order_ref] = msgspec.structs.replace(life, cancel=cancel, walk=None)
    return (cancel_said(state, life, reason),)


def cancel_said(state: ExecutorState, life: OrderLife, reason: str) -> CancelOrder:
    """Tell the broker to end an order."""
    return CancelOrder(
        epoch=state.epoch, order_ref=life.order_ref, perm_id=life.perm_id, reason=reason
    )


def query(state: ExecutorState, reason: str, *, now: UnixNs, every_ns: int) -> tuple[Says, ...]:
    """Have the whole book fetched, unless that was asked for a moment ago or there is no link."""
    if state.link not in (LinkState.READY, LinkState.SYNCING) or now < state.query_ns:
        return ()
    state.query_ns = UnixNs(now + every_ns)
    return (RefreshBook(reason=reason),)


def changed(
    state: ExecutorState,
    life: OrderLife,
    *,
    now: UnixNs,
    settings: ExecutorSettings,
    quoted_ns: UnixNs,
    **fields: object,
) -> tuple[Says, ...]:
    """Ask for an order to be changed; one change at a time is on its way."""
    if life.is_over or life.change is not None or life.cancel is not None:
        return ()
    intent = msgspec.structs.replace(life.intent, **fields)
    if intent == life.intent:
        return ()
    gate = Gate(
        approval_key=life.approval_key,
        halt_epoch=life.gate.halt_epoch,
        expires_ns=UnixNs(now + settings.ack_ns),
        quoted_ns=quoted_ns,
        quote_age_ns_max=life.gate.quote_age_ns_max,
    )
    after = msgspec.structs.replace(
        life,
        change=intent,
        changes=life.changes + 1,
        change_due_ns=UnixNs(now + settings.ack_ns),
        units_max=max(life.units_max, intent.units),
    )
    state.orders[life.order_ref] = after
    state.sent_ns = (*state.sent_ns, now)
    return (ModifyOrder(epoch=state.epoch, intent=intent, gate=gate, number=after.changes),)


def paced(state: ExecutorState, settings: ExecutorSettings, now: UnixNs) -> UnixNs | None:
    """Return when another order may leave, None for now; what left long ago is forgotten."""
    recent = tuple(at for at in state.sent_ns if now - at < settings.pace_ns)
    state.sent_ns = recent
    if len(recent) < settings.orders_max:
        return None
    return UnixNs(recent[-settings.orders_max] + settings.pace_ns)


def carried_over(trade: TradeLife, lives: tuple[OrderLife, ...]) -> TradeLife:
    """Return a trade that holds by itself what orders brought that are about to be forgotten."""
    return msgspec.structs.replace(trade, carried=held_by(trade, lives))


def _filled(life: OrderLife) -> tuple[object, ...]:
    return (life.fills, life.told_units)


def _essence(life: OrderLife) -> tuple[Stage, int, int, int]:
    return (life.stage, life.units_filled, life.intent.units, life.perm_id)
