"""Defines what is shown of one underlying: its best candidates, what stands against them, why not.

Small enough to be said often and kept in a state: one candidate a strategy, no chain.
"""

from __future__ import annotations

import msgspec

from thetawarden.domain.chains.view import ChainView
from thetawarden.domain.instants import UnixNs
from thetawarden.domain.risk.finding import RuleFinding, Verdict
from thetawarden.domain.risk.review import Review
from thetawarden.domain.strategy.candidate import Candidate, Reason
from thetawarden.domain.strategy.catalog import Looked

GAPS_MAX = 8
MARGIN = "margin_usd_per_unit"


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """What could be sold on an underlying, by one view of its chain; `why` says why nothing."""

    underlying: str
    at_ns: UnixNs
    view_number: int
    candidates: tuple[Candidate, ...] = ()
    gaps: tuple[str, ...] = ()
    why: str = ""
    spot_usd: float | None = None
    rows: int = 0
    usable: int = 0

    def differs(self, other: Offer | None) -> bool:
        """Whether it offers other contracts, or other answers, than the other one."""
        return other is None or self.gist() != other.gist()

    def gist(self) -> tuple[object, ...]:
        """What makes it another offer."""
        offered = tuple((one.strategy, one.conids, one.passes) for one in self.candidates)
        return (offered, self.gaps, self.why)


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """What the governor said of a candidate last: how many units, in words, rule by rule."""

    at_ns: UnixNs
    conids: tuple[int, ...]
    wanted: int
    units: int
    words: str
    findings: tuple[Reason, ...]
    margin_usd: float | None = None


def offer_of(looked: Looked, view: ChainView, *, at_ns: UnixNs) -> Offer:
    """Return what is shown of everything found in a view."""
    gaps = tuple(
        f"{one.strategy}{f' {one.expiry}' if one.expiry else ''}: {one.why}"
        for one in looked.nothing
    )
    return Offer(
        underlying=view.underlying,
        at_ns=at_ns,
        view_number=view.number,
        spot_usd=view.spot_usd,
        rows=view.summary.rows,
        usable=view.summary.usable,
        candidates=looked.best(),
        gaps=gaps[:GAPS_MAX],
        why="" if looked.candidates else "no strategy found anything to judge",
    )


def judged_of(
    review: Review | None, words: str, *, conids: tuple[int, ...], at_ns: UnixNs
) -> Judged:
    """Return a verdict in short; without a review there are only words."""
    if review is None:
        told = Reason(rule="R", check="governor", verdict=Verdict.REFUSE, words=words)
        return Judged(at_ns=at_ns, conids=conids, wanted=0, units=0, words=words, findings=(told,))
    return Judged(
        at_ns=at_ns,
        conids=conids,
        wanted=review.wanted,
        units=review.units,
        words=words or review.words,
        findings=tuple(_reason(one) for one in review.findings),
        margin_usd=_margin_usd(review),
    )


def _margin_usd(review: Review) -> float | None:
    """What the broker said a unit needs, as the rules were told it."""
    for finding in review.findings:
        for one in finding.inputs:
            if one.name == MARGIN and isinstance(one.value, float):
                return one.value
    return None


def _reason(finding: RuleFinding) -> Reason:
    return Reason(
        rule=finding.rule.value,
        check=finding.check,
        verdict=finding.verdict,
        words=finding.words,
        used=finding.used,
        limit=finding.limit,
    )
