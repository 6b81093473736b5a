"""Decides what becomes of a candidate: granted, refused, or asked about once more.

Pure. The broker is asked for margin only when nothing else stands against an order, and the book is
fetched anew only when its age alone does. Whoever is refused is told by the rules that refuse now,
not by what was never asked.
"""

from __future__ import annotations

import datetime as dt
import enum
from typing import Final

import msgspec

from thetawarden.domain.governing.stock import Stock
from thetawarden.domain.instants import UnixNs
from thetawarden.domain.risk.approving import ApprovalGap, Approved, approve
from thetawarden.domain.risk.candidate import Candidate
from thetawarden.domain.risk.case import Desk
from thetawarden.domain.risk.finding import RuleFinding, RuleId
from thetawarden.domain.risk.ledger import Ledger
from thetawarden.domain.risk.limits import RiskLimits
from thetawarden.domain.risk.review import Review, compose, review

ANSWER: Final = (RuleId.R3, "broker_answer")
OLD: Final = frozenset(
    {
        (RuleId.R14, "book_age"),
        (RuleId.R3, "account"),
        (RuleId.R5, "losses"),
        (RuleId.R6, "stress_age"),
    }
)
"""The findings that a book fetched anew may cure."""
PREMIUM: Final = (RuleId.R1, "marginal_premium")
"""The findings that rest on the broker's answer; those of R7 that do name it as their fault."""


class Need(enum.StrEnum):
    """What must be known before there is a verdict."""

    MARGIN = "margin"
    BOOK = "book"


class Granted(msgspec.Struct, frozen=True, kw_only=True):
    """Leave is given, and these are the books that contain it."""

    review: Review
    approved: Approved


class Denied(msgspec.Struct, frozen=True, kw_only=True):
    """Nothing of it may be sent."""

    review: Review
    words: str


class Bench(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Everything but the candidate."""

    stock: Stock
    desk: Desk
    ledger: Ledger
    limits: RiskLimits
    now_ns: UnixNs
    day: dt.date


def decide(candidate: Candidate, bench: Bench) -> Granted | Denied | Need:
    """Return the verdict on a candidate, or what is needed for one."""
    found = _review(candidate, bench)
    if found.approved:
        return _grant(candidate, found, bench)
    against = [one for one in found.findings if found.applies(one) and one.stops]
    if any(_name(one) in OLD for one in against) and all(one.faults for one in against):
        return Need.BOOK
    if candidate.whatif is not None or not any(_name(one) == ANSWER for one in against):
        return Denied(review=found, words=found.words)
    seeing = tuple(one for one in found.findings if not _waits_for_margin(one))
    otherwise = compose(candidate, seeing, found.reduction)
    if otherwise.approved:
        return Need.MARGIN
    return Denied(review=otherwise, words=otherwise.words)


def denied_without_answer(candidate: Candidate, bench: Bench, *, words: str) -> Denied:
    """Return the refusal of a candidate for which the broker had no usable answer in time."""
    found = _review(candidate, bench)
    return Denied(review=found, words=f"{words}; {found.words}")


def _review(candidate: Candidate, bench: Bench) -> Review:
    return review(
        candidate,
        book=bench.stock.book,
        ruler=bench.stock.ruler,
        desk=bench.desk,
        limits=bench.limits,
        now_ns=bench.now_ns,
        day=bench.day,
    )


def _grant(candidate: Candidate, found: Review, bench: Bench) -> Granted | Denied:
    approved = approve(
        found,
        candidate=candidate,
        book=bench.stock.book,
        desk=bench.desk,
        ledger=bench.ledger,
        limits=bench.limits,
        now_ns=bench.now_ns,
    )
    if isinstance(approved, ApprovalGap):
        return Denied(review=found, words=approved.value.replace("_", " "))
    return Granted(review=found, approved=approved)


def _waits_for_margin(finding: RuleFinding) -> bool:
    """Whether a finding only says that the broker's answer is missing."""
    blind = finding.rule is RuleId.R7 and bool(finding.faults)
    return _name(finding) in {ANSWER, PREMIUM} or blind


def _name(finding: RuleFinding) -> tuple[RuleId, str]:
    return (finding.rule, finding.check)
