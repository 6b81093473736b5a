"""Turns a review into an approval with its reservation; what is approved counts from that instant.

An approval names the quotes and the stress result it rests on, and carries the halt epoch: none of
them may have changed when it is used.
"""

from __future__ import annotations

import enum

import msgspec

from thetawarden.domain.instants import UnixNs
from thetawarden.domain.risk.candidate import Candidate
from thetawarden.domain.risk.case import ABSURD_USD, Desk
from thetawarden.domain.risk.flow import OrderFlow, lock_strategy, record_order
from thetawarden.domain.risk.holdings import PendingLeg
from thetawarden.domain.risk.instrument import QuoteSeen
from thetawarden.domain.risk.ledger import (
    Approval,
    Ledger,
    Reservation,
    mint_key,
    pending_orders,
    reserve,
)
from thetawarden.domain.risk.limits import RiskLimits
from thetawarden.domain.risk.measure import BookMeasure
from thetawarden.domain.risk.review import Review


class ApprovalGap(enum.StrEnum):
    """Why a review does not become an approval."""

    NOTHING_MAY_BE_SENT = "nothing_may_be_sent"
    OTHER_CANDIDATE = "other_candidate"
    BOOK_IS_BEHIND = "book_is_behind"


class Approved(msgspec.Struct, frozen=True, kw_only=True):
    """An approval, and the ledger and the order flow that contain it."""

    approval: Approval
    ledger: Ledger
    flow: OrderFlow


def approve(
    reviewed: Review,
    *,
    candidate: Candidate,
    book: BookMeasure,
    desk: Desk,
    ledger: Ledger,
    limits: RiskLimits,
    now_ns: UnixNs,
) -> Approved | ApprovalGap:
    """Return the approval of a review, or why there is none.

    A review that did not count exactly what the ledger holds by now is no longer true.
    """
    if not reviewed.approved:
        return ApprovalGap.NOTHING_MAY_BE_SENT
    if reviewed.candidate_key != candidate.key:
        return ApprovalGap.OTHER_CANDIDATE
    if book.pending != pending_orders(ledger):
        return ApprovalGap.BOOK_IS_BEHIND
    reducing = reviewed.reduction.proved
    approval = Approval(
        key=mint_key(ledger),
        candidate_key=candidate.key,
        units=reviewed.units,
        approved_ns=now_ns,
        expires_ns=UnixNs(now_ns + limits.orders.approval_ns),
        halt_epoch=desk.posture.latch.epoch,
        quotes=_quotes(candidate),
        stress_key=book.key,
        stress_at_ns=book.at_ns,
        worst_loss_usd=-float(book.worst[: len(book.scenarios.limited)].min()),
        book_version=book.held.version,
        reducing=reducing,
    )
    reservation = Reservation(
        approval=approval,
        strategy=candidate.strategy,
        legs=_legs(candidate),
        margin_usd_per_unit=_margin_usd(candidate),
        auto_selected=candidate.auto_selected,
    )
    return Approved(
        approval=approval,
        ledger=reserve(ledger, reservation),
        flow=_flow(candidate, reviewed, desk=desk, limits=limits, now_ns=now_ns),
    )


def _flow(
    candidate: Candidate, reviewed: Review, *, desk: Desk, limits: RiskLimits, now_ns: UnixNs
) -> OrderFlow:
    """The entry that reaches the number allowed locks its strategy until a person has looked."""
    entry = not reviewed.reduction.proved
    kept = max(limits.concentration.same_entry_ns, limits.orders.duplicate_ns)
    flow = record_order(
        desk.flow, candidate, units=reviewed.units, entry=entry, at_ns=now_ns, kept_ns=kept
    )
    entered = flow.entries_by_strategy.get(candidate.strategy, 0)
    full = entry and entered >= limits.orders.entries_per_strategy_max
    return lock_strategy(flow, candidate.strategy) if full else flow


def _quotes(candidate: Candidate) -> tuple[QuoteSeen, ...]:
    return tuple(
        QuoteSeen(con_id=leg.instrument.con_id, seq=leg.quote.seq, at_ns=leg.quote.at_ns)
        for leg in candidate.legs
        if leg.quote is not None
    )


def _legs(candidate: Candidate) -> tuple[PendingLeg, ...]:
    return tuple(
        PendingLeg(instrument=leg.instrument, ratio=leg.ratio, marks=leg.marks)
        for leg in candidate.legs
    )


def _margin_usd(candidate: Candidate) -> float:
    """What the broker says a unit needs; an exit without an answer keeps nothing free."""
    answer = candidate.whatif
    if answer is None or answer.units <= 0:
        return 0.0
    change = max(answer.initial_change_usd, answer.maintenance_change_usd, 0.0)
    return change / answer.units if change < ABSURD_USD else 0.0
