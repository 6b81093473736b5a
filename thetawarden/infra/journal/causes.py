"""Finds the chain of causes of an order in the message log, from the quotes to its last fill.

Every message names the one that was being handled when it was said. Where a chain passes through
something that speaks unasked (the broker, a timer), its ends are joined by what both are about: an
order to its approval, that to its proposal, a margin answer to its question, a proposal to the
decision it was made by, and that to the quotes it rests on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import msgspec

from thetawarden.domain.orders.proposal import Proposal
from thetawarden.infra.journal.reader import DayLog, Wanted
from thetawarden.messages.base import Envelope, Message
from thetawarden.messages.books import ExecutionReported, FillBooked, OrderReported
from thetawarden.messages.chains import ChainViewed
from thetawarden.messages.market import QuotesObserved
from thetawarden.messages.orders import (
    CancelOrder,
    MarginPreviewed,
    ModifyOrder,
    OrderApproved,
    OrderSent,
    OrderStageChanged,
    OrderTroubled,
    OrderWithheld,
    PreviewMargin,
    ProposeOrder,
    SubmitOrder,
)
from thetawarden.messages.steward import PositionDecided
from thetawarden.messages.timers import TimerFired

M = TypeVar("M", bound=Message)
DEPTH_MAX = 40
_CONCERNING: tuple[type[Message], ...] = (
    SubmitOrder,
    ModifyOrder,
    CancelOrder,
    OrderSent,
    OrderWithheld,
    OrderTroubled,
    OrderStageChanged,
    OrderReported,
    ExecutionReported,
    FillBooked,
)


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """One message of the chain; `because_of` is the seq of the link it follows from, if one is."""

    envelope: Envelope[Message]
    because_of: int | None


class Story(msgspec.Struct, frozen=True, kw_only=True):
    """What led to an order, the first cause first, and what came of it, in order."""

    causes: tuple[Link, ...]
    effects: tuple[Link, ...]


def story_of(days: Sequence[DayLog], order_ref: str) -> Story | None:
    """Return the story of an order, None when the log does not know it."""
    told = [one for one in _concerning(days) if order_ref in _references(one.body)]
    if not told:
        return None
    begins = next((one for one in told if isinstance(one.body, SubmitOrder)), told[0])
    causes = tuple(_causes(days, begins))
    known = {link.envelope.seq for link in causes}
    effects: list[Link] = []
    for one in told:
        if one.seq in known:
            continue
        known.add(one.seq)
        joined = one.cause_seq if one.cause_seq in known else begins.seq
        effects.append(Link(envelope=one, because_of=joined))
    return Story(causes=causes, effects=tuple(effects))


def causes_of(days: Sequence[DayLog], seq: int) -> tuple[Link, ...]:
    """Return what led to a message, the first cause first and itself last."""
    last = _message(days, seq)
    return () if last is None else tuple(_causes(days, last))


def known_references(days: Sequence[DayLog], *, most: int) -> tuple[str, ...]:
    """Return the references of the orders that were intended last, the latest first."""
    found: list[str] = []
    for day in reversed(days):
        for one in day.latest(Wanted(kind=SubmitOrder.__name__)):
            found += _references(one.body)
            if len(found) >= most:
                return tuple(found[:most])
    return tuple(found)


def _causes(days: Sequence[DayLog], last: Envelope[Message]) -> Iterator[Link]:
    """From the first cause to the order itself."""
    chain = [last]
    seen = {last.seq}
    while len(chain) < DEPTH_MAX:
        before = _cause(days, chain[-1])
        if before is None or before.seq in seen:
            break
        seen.add(before.seq)
        chain.append(before)
    chain.reverse()
    for place, one in enumerate(chain):
        yield Link(envelope=one, because_of=chain[place - 1].seq if place else None)


def _cause(days: Sequence[DayLog], one: Envelope[Message]) -> Envelope[Message] | None:
    """What a message follows from: what was being handled, or what it is plainly about."""
    body = one.body
    direct = None if one.cause_seq is None else _message(days, one.cause_seq)
    match body:
        case MarginPreviewed(key=key):
            return _latest(days, PreviewMargin, one.seq, lambda asked: asked.key == key)
        case OrderApproved(proposal=proposal):
            if direct is not None and isinstance(direct.body, MarginPreviewed | ProposeOrder):
                return direct
            return _proposed(days, proposal, one.seq)
        case SubmitOrder(intent=intent):
            if direct is not None and isinstance(direct.body, OrderApproved):
                return direct
            return _approved(days, intent.order_ref, one.seq) or direct
        case ProposeOrder(proposal=proposal):
            decided = _decided(days, proposal, one.seq)
            return decided or _seen(days, proposal.underlying, one.seq) or direct
        case PositionDecided(underlying=underlying):
            return _seen(days, underlying, one.seq) or direct
        case ChainViewed(underlying=underlying):
            if direct is not None and isinstance(direct.body, QuotesObserved):
                return direct
            return _latest(
                days, QuotesObserved, one.seq, lambda told: told.underlying == underlying
            )
        case QuotesObserved() | TimerFired():
            return None
        case _:
            return direct


def _seen(days: Sequence[DayLog], underlying: str, before_seq: int) -> Envelope[Message] | None:
    """The view of the chain that was gone by: the last one before."""
    return _latest(days, ChainViewed, before_seq, lambda told: told.underlying == underlying)


def _decided(
    days: Sequence[DayLog], proposal: Proposal, before_seq: int
) -> Envelope[Message] | None:
    """What was to be done with a trade, and why, where this was proposed for it."""
    return _latest(
        days, PositionDecided, before_seq, lambda told: told.proposal_key == proposal.key
    )


def _approved(days: Sequence[DayLog], order_ref: str, before_seq: int) -> Envelope[Message] | None:
    """The approval that an order used, perhaps after it had waited for something else to end."""
    intended = _latest(
        days, OrderStageChanged, before_seq, lambda told: told.order_ref == order_ref
    )
    if intended is None or not isinstance(intended.body, OrderStageChanged):
        return None
    key = intended.body.approval_key
    return _latest(days, OrderApproved, before_seq, lambda told: told.approval.key == key)


def _proposed(
    days: Sequence[DayLog], proposal: Proposal, before_seq: int
) -> Envelope[Message] | None:
    return _latest(days, ProposeOrder, before_seq, lambda told: told.proposal.key == proposal.key)


def _latest(
    days: Sequence[DayLog], kind: type[M], before_seq: int, fits: Callable[[M], bool]
) -> Envelope[Message] | None:
    wanted = Wanted(kind=kind.__name__, until_seq=before_seq - 1)
    for day in reversed(days):
        for one in day.latest(wanted):
            if isinstance(one.body, kind) and fits(one.body):
                return one
    return None


def _message(days: Sequence[DayLog], seq: int) -> Envelope[Message] | None:
    for day in reversed(days):
        found = day.message(seq)
        if found is not None:
            return found
    return None


def _concerning(days: Sequence[DayLog]) -> Iterator[Envelope[Message]]:
    names = tuple(kind.__name__ for kind in _CONCERNING)
    for day in days:
        yield from day.of_kinds(names)


def _references(body: Message) -> tuple[str, ...]:
    match body:
        case SubmitOrder(intent=intent, exits=exits):
            return (intent.order_ref, *(one.order_ref for one in exits))
        case ModifyOrder(intent=intent):
            return (intent.order_ref,)
        case OrderReported(order=order):
            return (order.order_ref,)
        case ExecutionReported(execution=execution) | FillBooked(execution=execution):
            return (execution.order_ref,)
        case _:
            return (getattr(body, "order_ref", ""),)
