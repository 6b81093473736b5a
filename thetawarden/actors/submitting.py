"""From an approval to an order on its way: what holds it back, what it waits for, what leaves.

An approval is used once or not at all. What adds risk leaves only while everything can be rested
on; what reduces risk needs a link. A trade is closed by one order at a time: its standing exits are
taken back first, so that nothing is bought back twice.
"""

from __future__ import annotations

import msgspec

from thetawarden.actors.executing import (
    ME,
    ExecutorState,
    Says,
    Waiting,
    cancelled,
    heard,
    held_of,
    in_doubt,
    lives_of,
    next_number,
    paced,
    rests,
    there,
    unclaimed,
)
from thetawarden.domain.instants import UnixNs
from thetawarden.domain.link.states import LinkState
from thetawarden.domain.orders.building import (
    ROLES,
    ExitOrder,
    exit_intents,
    exits_for,
    main_intent,
    reversed_legs,
)
from thetawarden.domain.orders.intent import Gate, Intent, OrderRole
from thetawarden.domain.orders.life import OrderLife
from thetawarden.domain.orders.machine import Evidence
from thetawarden.domain.orders.naming import order_ref
from thetawarden.domain.orders.proposal import OrderLeg, Pricing, Proposal
from thetawarden.domain.orders.settings import ExecutorSettings
from thetawarden.domain.orders.stages import Stage
from thetawarden.domain.orders.trade import (
    TradeLife,
    ever_held,
    options_in,
    same_unit,
    unit_of,
    units_closed,
)
from thetawarden.domain.orders.walking import Walk, begun
from thetawarden.domain.risk.candidate import Purpose
from thetawarden.domain.risk.ledger import Approval
from thetawarden.messages.orders import SubmitOrder
from thetawarden.messages.trading import Halt

PACED = "as many orders as are allowed have just left"
CLOSING_ROLES = frozenset({OrderRole.EXIT, OrderRole.ROLL})


def approved(
    state: ExecutorState,
    proposal: Proposal,
    approval: Approval,
    *,
    now: UnixNs,
    settings: ExecutorSettings,
) -> tuple[Says, ...]:
    """Use an approval: now, as soon as what it waits for has come, or not at all."""
    counted = state.approved.get(proposal.strategy, 0)
    state.approved[proposal.strategy] = counted + approval.units
    asked = state.asked.pop(proposal.key, None)
    one = Waiting(
        proposal=proposal,
        approval=approval,
        quote_ns_max=settings.quote_ns_max,
        urgent=asked is not None and asked.closing,
    )
    if asked is not None and not asked.closing:
        return protect(state, one, now=now, settings=settings)
    return use(state, one, now, settings)


def use(
    state: ExecutorState, one: Waiting, now: UnixNs, settings: ExecutorSettings
) -> tuple[Says, ...]:
    """Send what was approved, let it wait, or withhold it, and say which."""
    state.waiting.pop(one.approval.key, None)
    why = _objection(state, one, now)
    if why:
        return withhold(state, one, why, now=now)
    wait, said = _obstacle(state, one, now, settings)
    if wait:
        state.waiting[one.approval.key] = msgspec.structs.replace(one, why=wait)
        return said
    return (*said, *_submit(state, one, now=now, settings=settings))


def withhold(state: ExecutorState, one: Waiting, why: str, *, now: UnixNs) -> tuple[Says, ...]:
    """Let an approval lapse: nothing leaves, and everybody is told why."""
    state.waiting.pop(one.approval.key, None)
    life = _life(
        state,
        one,
        intent=main_intent(
            one.proposal,
            order_ref=_named(state, one.proposal, now),
            units=one.approval.units,
            reducing=one.approval.reducing,
        ),
        now=now,
    )
    return heard(state, life, Evidence.HELD_BACK, now=now, words=f"not sent: {why}")


def _objection(state: ExecutorState, one: Waiting, now: UnixNs) -> str:
    """Why an approval must not be used any more; empty when it may."""
    proposal, approval = one.proposal, one.approval
    if now >= min(approval.expires_ns, proposal.expires_ns):
        return f"its approval ran out{f' while it waited: {one.why}' if one.why else ''}"
    if now < approval.approved_ns:
        return "it was approved by a clock that has been set back since"
    if state.quiet:
        return "the desk is about to stop"
    risk = "" if approval.reducing else _against_risk(state, proposal, approval)
    return risk or _against_closing(state, proposal)


def _against_risk(state: ExecutorState, proposal: Proposal, approval: Approval) -> str:
    if state.halted:
        return "trading is halted"
    if state.no_entries:
        return f"nothing may be opened: {state.no_entries}"
    if approval.halt_epoch < state.halt_epoch:
        return "it was approved before a halt"
    if not state.entries:
        return "the link cannot be rested on"
    if not state.reconciled or in_doubt(state):
        return "orders are not reconciled with the broker's yet"
    flattening = state.flattening
    if flattening is not None and flattening.concerns(proposal.underlying):
        return f"{proposal.underlying} is being closed"
    return ""


def _against_closing(state: ExecutorState, proposal: Proposal) -> str:
    """A trade is closed once; what is not held any more is not closed at all."""
    trade = state.trades.get(proposal.trade)
    if trade is None or proposal.purpose not in (Purpose.CLOSE, Purpose.ROLL):
        return ""
    if not held_of(state, trade):
        return "nothing is held any more"
    lives = lives_of(state, proposal.trade)
    if any(life.intent.role in CLOSING_ROLES and not life.is_over for life in lives):
        return "another order closes or rolls it already"
    return ""


def _obstacle(
    state: ExecutorState, one: Waiting, now: UnixNs, settings: ExecutorSettings
) -> tuple[str, tuple[Says, ...]]:
    """What an approval has to wait for, and what is done about it; empty when for nothing."""
    if not _has_link(state, one):
        return "there is no link to rest on", ()
    if one.proposal.purpose in (Purpose.CLOSE, Purpose.ROLL):
        exits = [life for life in lives_of(state, one.proposal.trade) if life.is_exit]
        living = [life for life in exits if not life.is_over]
        said = [
            each
            for life in living
            for each in cancelled(
                state, life, reason="the trade is closed or rolled", now=now, settings=settings
            )
        ]
        if living:
            return "its standing exits are taken back first", tuple(said)
    if paced(state, settings, now) is not None:
        return PACED, ()
    return "", ()


def _has_link(state: ExecutorState, one: Waiting) -> bool:
    """What adds risk needs a link that is ready, what reduces it one on which its trade rests."""
    ready = state.link is LinkState.READY
    return ready or (one.approval.reducing and rests(state, one.proposal.trade))


def _submit(
    state: ExecutorState, one: Waiting, *, now: UnixNs, settings: ExecutorSettings
) -> tuple[Says, ...]:
    proposal, approval = one.proposal, one.approval
    trade = _trade(state, proposal)
    units = _units(state, trade, proposal, approval)
    if units <= 0:
        return withhold(state, one, "nothing of it is held any more", now=now)
    exits = exits_for(proposal, settings.exits)
    intent = main_intent(
        proposal,
        order_ref=_named(state, proposal, now),
        units=units,
        reducing=approval.reducing,
    )
    if not _counts(state, proposal.strategy, units):
        words = f"more orders than approvals for {proposal.strategy}"
        return (Halt(reason=words, by=ME), *withhold(state, one, words, now=now))
    children: tuple[Intent, ...] = ()
    if exits is not None and proposal.purpose is Purpose.OPEN:
        order = exit_order(state, trade, unit=proposal.legs, units=units, now=now)
        attached = msgspec.structs.replace(order, parent_ref=intent.order_ref)
        children = exit_intents(exits, attached, settings.exits)
        trade = msgspec.structs.replace(trade, exits=exits, unit=proposal.legs)
    state.trades[trade.name] = trade
    life = _life(state, one, intent=intent, now=now)
    life = msgspec.structs.replace(
        life, walk=_walk(one, now, settings), exits=exits, stage=Stage.INTENDED
    )
    command = SubmitOrder(epoch=state.epoch, intent=intent, exits=children, gate=life.gate)
    state.sent_ns = (*state.sent_ns, *((now,) * (1 + len(children))))
    said = list(heard(state, life, None, now=now, words="intended: on its way to the broker"))
    for child in children:
        own = _life(state, one, intent=child, now=now)
        own = msgspec.structs.replace(own, approval_key="")
        said += heard(state, own, None, now=now, words=f"leaves with {intent.order_ref}")
    return (*said, command)


def protect(
    state: ExecutorState, one: Waiting, *, now: UnixNs, settings: ExecutorSettings
) -> tuple[Says, ...]:
    """Place the exits that were approved for a trade that lacks them."""
    proposal, approval = one.proposal, one.approval
    trade = state.trades.get(proposal.trade)
    why = _objection(state, one, now)
    if not _has_link(state, one):
        why = why or "there is no link to rest on"
    if trade is None or proposal.exits is None:
        why = why or "the trade is not known any more"
    if why or trade is None or proposal.exits is None:
        return withhold(state, one, why, now=now)
    if any(life.is_exit and not life.is_over for life in lives_of(state, trade.name)):
        return withhold(state, one, "exits of it live by now", now=now)
    unit, units = unit_of(options_in(there(state, trade)))
    if not units or not same_unit(unit, reversed_legs(proposal.legs)):
        return withhold(state, one, "what is held has changed", now=now)
    if not _counts(state, proposal.strategy, min(units, approval.units)):
        words = f"more orders than approvals for {proposal.strategy}"
        return (Halt(reason=words, by=ME), *withhold(state, one, words, now=now))
    order = exit_order(state, trade, unit=unit, units=min(units, approval.units), now=now)
    revised = trade.exits if same_unit(trade.unit, unit) else None  # perhaps while it was judged
    intents = exit_intents(revised or proposal.exits, order, settings.exits)
    lives = [_life(state, one, intent=intent, now=now) for intent in intents]
    others = [msgspec.structs.replace(life, approval_key="") for life in lives[1:]]
    gate = lives[0].gate
    state.sent_ns = (*state.sent_ns, *((now,) * len(intents)))
    command = SubmitOrder(epoch=state.epoch, intent=intents[0], exits=intents[1:], gate=gate)
    words = "placed again to protect its trade"
    told = [
        each
        for life in (lives[0], *others)
        for each in heard(state, life, None, now=now, words=words)
    ]
    return (*told, command)


def exit_order(
    state: ExecutorState,
    trade: TradeLife,
    *,
    unit: tuple[OrderLeg, ...],
    units: int,
    now: UnixNs,
) -> ExitOrder:
    """Name the exits of a unit and the group in which only one of them fills."""
    names = [
        order_ref(
            trade=trade.name,
            role=role,
            base=state.base,
            number=next_number(state, now),
            attempt=1,
        )
        for role in (OrderRole.TAKE_PROFIT, OrderRole.STOP)
    ]
    return ExitOrder(
        trade=trade.name,
        strategy=trade.strategy,
        unit=unit,
        units=units,
        parent_ref="",
        oca_group=f"{names[0]}.oca",
        take_profit_ref=names[0],
        stop_ref=names[1],
    )


def drop_waiting(state: ExecutorState, why: str, *, now: UnixNs) -> tuple[Says, ...]:
    """Withhold every approval that waits, but those that reduce risk."""
    return tuple(
        said
        for one in list(state.waiting.values())
        if not one.approval.reducing
        for said in withhold(state, one, why, now=now)
    )


def _named(state: ExecutorState, proposal: Proposal, now: UnixNs) -> str:
    number = next_number(state, now)
    before = sum(1 for life in state.orders.values() if life.proposal_key == proposal.key)
    return order_ref(
        trade=proposal.trade,
        role=ROLES[proposal.purpose],
        base=state.base,
        number=number,
        attempt=before + 1,
    )


def _trade(state: ExecutorState, proposal: Proposal) -> TradeLife:
    known = state.trades.get(proposal.trade)
    return known or TradeLife(
        name=proposal.trade, strategy=proposal.strategy, underlying=proposal.underlying
    )


def _counts(state: ExecutorState, strategy: str, units: int) -> bool:
    """Count what leaves against what was approved; false when it would be more."""
    out = state.submitted.get(strategy, 0) + units
    if out > state.approved.get(strategy, 0):
        return False
    state.submitted[strategy] = out
    return True


def _units(state: ExecutorState, trade: TradeLife, proposal: Proposal, approval: Approval) -> int:
    """What closes never takes more than is there; of a roll that binds the legs it closes."""
    if proposal.purpose not in (Purpose.CLOSE, Purpose.ROLL):
        return approval.units
    lives, legs = lives_of(state, trade.name), proposal.legs
    if proposal.purpose is Purpose.ROLL:
        legs = tuple(leg for leg in legs if leg.instrument.conid in ever_held(trade, lives))
    if lives or trade.carried:
        left = {one.instrument.conid: one.contracts for one in there(state, trade)}
    else:
        left = unclaimed(state)
    fits = (units_closed(leg, left.get(leg.instrument.conid, 0)) for leg in legs)
    return min((approval.units, *fits)) if legs else 0


def _walk(one: Waiting, now: UnixNs, settings: ExecutorSettings) -> Walk | None:
    """A fixed price of what only reduces risk stands for the day; everything else is given up."""
    proposal = one.proposal
    if proposal.pricing is Pricing.FIXED and one.approval.reducing:
        return None
    return begun(
        worst_usd=proposal.worst_usd,
        now=now,
        rules=settings.urgent if one.urgent else settings.walk,
        patient=proposal.pricing is not Pricing.WALK,
        urgent=one.urgent,
    )


def _life(state: ExecutorState, one: Waiting, *, intent: Intent, now: UnixNs) -> OrderLife:
    proposal, approval = one.proposal, one.approval
    quotes = [each.at_ns for each in approval.quotes]
    rests = bool(quotes) and not approval.reducing
    gate = Gate(
        approval_key=approval.key,
        halt_epoch=approval.halt_epoch,
        expires_ns=min(approval.expires_ns, proposal.expires_ns),
        quoted_ns=min(quotes) if rests else UnixNs(0),
        quote_age_ns_max=one.quote_ns_max,
    )
    conids = [leg.instrument.conid for leg in intent.legs]
    return OrderLife(
        intent=intent,
        approval_key=approval.key,
        proposal_key=proposal.key,
        gate=gate,
        stage=Stage.INTENDED,
        epoch=state.epoch,
        made_ns=now,
        since_ns=now,
        units_max=intent.units,
        held=tuple((conid, state.positions[conid]) for conid in conids if conid in state.positions),
    )
