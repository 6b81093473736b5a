"""Finds the chain of causes of an order in the message log, from the quotes to its last fill.

Every message names the one that was being handled when it was said, a timer the one that was being
handled when it was started. Where a chain passes through something that speaks unasked (the
broker), its ends are joined by what both are about: an order to its approval, that to its proposal,
a margin answer to its question, the cost of a fill to the fill, a proposal to the decision it was
made by. That rests on the last view its speaker had handled by then, and a view on the last quotes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import TypeVar

import msgspec

from thetawarden.domain.orders.proposal import Proposal
from thetawarden.infra.journal.reader import DayLog, Wanted
from thetawarden.messages.base import Envelope, Message
from thetawarden.messages.books import (
    CommissionReported,
    ExecutionReported,
    FillBooked,
    OrderReported,
)
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
BEATS_MAX = 5_000
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
    """One message of the chain; `because_of` is the seq of the link it follows from, if one is.

    A timer that started itself again each time it fired is one link: `again` counts the firings
    before this one, and it follows from what started it first, unless there are `BEATS_MAX`.
    """

    envelope: Envelope[Message]
    because_of: int | None
    again: int = 0


class Story(msgspec.Struct, frozen=True, kw_only=True):
    """What led to an order, the first cause first, and what came of it, in order.

    Something else may have had a part in what came of it, say the close that took back an exit:
    then the effects tell its causes too, and the first of them follows from nothing.
    """

    causes: tuple[Link, ...]
    effects: tuple[Link, ...]


def story_of(days: Sequence[DayLog], order_ref: str) -> Story | None:
    """Return the story of an order, None when the log does not know it."""
    told = [one for one in _concerning(days) if order_ref in _references(one.body)]
    if not told:
        return None
    begins = next((one for one in told if isinstance(one.body, SubmitOrder)), told[0])
    causes = _chain(days, begins)
    known = {link.envelope.seq: link for link in causes}
    for one in told:
        if one.seq not in known:
            joined = _joined(days, one, begins=causes[-1], known=known)
            known.update((link.envelope.seq, link) for link in joined)
    effects = sorted(known.keys() - {link.envelope.seq for link in causes})
    return Story(causes=causes, effects=tuple(known[seq] for seq in effects))


def causes_of(days: Sequence[DayLog], seq: int) -> tuple[Link, ...]:
    """Return what led to a message, the first cause first and itself last."""
    last = _message(days, seq)
    return () if last is None else _chain(days, last)


def known_references(days: Sequence[DayLog], *, most: int) -> tuple[str, ...]:
    """Return the references of the orders that were intended last, the latest first."""
    found: list[str] = []
    for day in reversed(days):
        for one in day.latest(Wanted(kind=SubmitOrder.__name__)):
            found += _references(one.body)
            if len(found) >= most:
                return tuple(found[:most])
    return tuple(found)


def _joined(
    days: Sequence[DayLog], one: Envelope[Message], *, begins: Link, known: Mapping[int, Link]
) -> tuple[Link, ...]:
    """A message about an order, after those between it and what it follows from.

    What was said together with the order follows from the same as the order. What was said unasked
    follows from the order, and so do a deadline and a cost that lead to nothing known: one timer
    serves many orders, so that what started it may be none of this order's.
    """
    order = begins.envelope
    if one.cause_seq is not None and _step(one) == _step(order):
        return (Link(envelope=one, because_of=begins.because_of),)
    chain = _chain(days, one, known)
    if chain[0].because_of is not None:
        return chain
    near = chain[-2:]
    if len(chain) == 1 or isinstance(near[0].envelope.body, TimerFired | CommissionReported):
        return (msgspec.structs.replace(near[0], because_of=order.seq), *near[1:])
    return chain


def _chain(
    days: Sequence[DayLog], last: Envelope[Message], known: Collection[int] = ()
) -> tuple[Link, ...]:
    """From the first cause, or what follows from something known, to this message."""
    links: list[Link] = []
    at: Envelope[Message] | None = last
    seen = set()
    while at is not None and at.seq not in known:
        seen.add(at.seq)
        first, again = _first_beat(days, at)
        before = None if again == BEATS_MAX else _cause(days, first)
        if before is not None and (before.seq in seen or len(seen) == DEPTH_MAX):
            before = None
        links.append(
            Link(envelope=at, because_of=None if before is None else before.seq, again=again)
        )
        at = before
    return tuple(reversed(links))


def _first_beat(days: Sequence[DayLog], one: Envelope[Message]) -> tuple[Envelope[Message], int]:
    """The first firing of a timer that started itself again, and how many came after it."""
    again = 0
    while isinstance(one.body, TimerFired) and again < BEATS_MAX:
        before = _direct(days, one)
        if before is None or before.body != one.body:
            break
        one, again = before, again + 1
    return one, again


def _cause(days: Sequence[DayLog], one: Envelope[Message]) -> Envelope[Message] | None:
    """What a message follows from: what was being handled, or what it is plainly about."""
    direct = _direct(days, one)
    match one.body:
        case MarginPreviewed(key=key):
            return _latest(days, PreviewMargin, one.seq, lambda asked: asked.key == key)
        case OrderSent(order_ref=order_ref, number=number) if number:
            return _changed(days, order_ref, number, one.seq)
        case OrderWithheld(order_ref=order_ref, number=number) if number:
            return _changed(days, order_ref, number, one.seq)
        case CommissionReported(commission=cost):
            return _executed(days, cost.execution_id, one.seq)
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
            return decided or _seen(days, proposal.underlying, one) or direct
        case PositionDecided(underlying=underlying):
            return _seen(days, underlying, one) or direct
        case ChainViewed(underlying=underlying):
            return _heard(days, QuotesObserved, one, lambda told: told.underlying == underlying)
        case _:
            return direct


def _seen(
    days: Sequence[DayLog], underlying: str, one: Envelope[Message]
) -> Envelope[Message] | None:
    """The view of the chain that was gone by."""
    return _heard(days, ChainViewed, one, lambda told: told.underlying == underlying)


def _heard(
    days: Sequence[DayLog], kind: type[M], one: Envelope[Message], fits: Callable[[M], bool]
) -> Envelope[Message] | None:
    """The last such message that its speaker had handled when it said this one.

    Who speaks unasked handles nothing: then it is the last that was said before.
    """
    if one.cause_seq is None:
        return _latest(days, kind, one.seq, fits)
    direct = _direct(days, one)
    if direct is not None and isinstance(direct.body, kind) and fits(direct.body):
        return direct
    for day, numbers in _handled_before(days, one):
        for seq in reversed(numbers):
            found = day.message(seq)
            if found is not None and isinstance(found.body, kind) and fits(found.body):
                return found
    return None


def _handled_before(
    days: Sequence[DayLog], one: Envelope[Message]
) -> Iterator[tuple[DayLog, list[int]]]:
    """What the speaker of a message had handled before, in order, the latest day first."""
    step, found = (one.cause_seq, one.incarnation), False
    for day in reversed(days):
        if day.first_seq > one.seq:
            continue
        handled = list(day.handled((one.sender,), until_n=day.tops()[1]))
        if not found and step in handled:
            handled, found = handled[: handled.index(step)], True
        if found:
            yield day, [seq for seq, _ in handled]


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


def _changed(
    days: Sequence[DayLog], order_ref: str, number: int, before_seq: int
) -> Envelope[Message] | None:
    def fits(told: ModifyOrder) -> bool:
        return (told.intent.order_ref, told.number) == (order_ref, number)

    return _latest(days, ModifyOrder, before_seq, fits)


def _executed(
    days: Sequence[DayLog], execution_id: str, before_seq: int
) -> Envelope[Message] | None:
    return _latest(
        days,
        ExecutionReported,
        before_seq,
        lambda told: told.execution.execution_id == execution_id,
    )


def _latest(
    days: Sequence[DayLog], kind: type[M], before_seq: int, fits: Callable[[M], bool]
) -> Envelope[Message] | None:
    wanted = Wanted(kind=kind.__name__, until_seq=before_seq - 1)
    for day in reversed(days):
        for one in day.latest(wanted):
            if isinstance(one.body, kind) and fits(one.body):
                return one
    return None


def _step(one: Envelope[Message]) -> tuple[str, int, int | None]:
    """What tells the step in which a message was said from every other."""
    return one.sender, one.incarnation, one.cause_seq


def _direct(days: Sequence[DayLog], one: Envelope[Message]) -> Envelope[Message] | None:
    return None if one.cause_seq is None else _message(days, one.cause_seq)


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
