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
from thetawarden.domain.risk.candidate import Candidate, WhatIf
from thetawarden.domain.risk.case import Desk
from thetawarden.domain.risk.finding import RuleFinding, RuleId, Verdict
from thetawarden.domain.risk.ledger import Ledger
from thetawarden.domain.risk.limits import RiskLimits
from thetawarden.domain.risk.review import RULES, Review, compose, review

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
_BUT_MARGIN: Final = tuple(rule for rule in RULES if rule.id is not RuleId.R3)


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
    against = [one for one in found.findings if found.applies(one) and _refuses(one)]
    if any(_name(one) in OLD for one in against) and all(one.faults for one in against):
        return Need.BOOK
    if candidate.whatif is not None or not any(_name(one) == ANSWER for one in against):
        return Denied(review=found, words=found.words)
    free = WhatIf(
        units=max(candidate.units, 1),
        initial_change_usd=0.0,
        maintenance_change_usd=0.0,
        at_ns=bench.now_ns,
    )
    otherwise = _review(msgspec.structs.replace(candidate, whatif=free), bench, rules=_BUT_MARGIN)
    if otherwise.approved:
        return Need.MARGIN
    told = tuple(one for one in found.findings if _name(one) != ANSWER)
    said = {_name(one) for one in otherwise.findings}
    others = tuple(one for one in told if _name(one) not in said)
    kept = compose(candidate, (*otherwise.findings, *others), found.reduction)
    return Denied(review=kept, words=kept.words)


def denied_without_answer(candidate: Candidate, bench: Bench, *, words: str) -> Denied:
    """Return the refusal of a candidate for which the broker had no usable answer in time."""
    found = _review(candidate, bench)
    return Denied(review=found, words=f"{words}; {found.words}")


def _review(candidate: Candidate, bench: Bench, *, rules: tuple = RULES) -> Review:  # type: ignore[type-arg]
    return review(
        candidate,
        book=bench.stock.book,
        ruler=bench.stock.ruler,
        desk=bench.desk,
        limits=bench.limits,
        now_ns=bench.now_ns,
        day=bench.day,
        rules=rules,
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


def _name(finding: RuleFinding) -> tuple[RuleId, str]:
    return (finding.rule, finding.check)


def _refuses(finding: RuleFinding) -> bool:
    return (
        finding.verdict is Verdict.REFUSE
        or finding.units_max == 0
        or not 0.0 < finding.factor <= 1.0
    )
