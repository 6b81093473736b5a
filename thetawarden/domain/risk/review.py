"""Reviews a candidate: every rule is asked, and their answers become one size with its reasons.

Factors multiply, the smallest maximum wins, rounding is down, zero means no trade. An order proved
to reduce risk is bound by sanity alone; the other findings are told and waived. Adding a rule can
only make a size smaller.
"""

from __future__ import annotations

import datetime as dt
import math

import msgspec

from thetawarden.domain.instants import UnixNs
from thetawarden.domain.risk.candidate import Candidate, malformation
from thetawarden.domain.risk.case import Case, Desk
from thetawarden.domain.risk.finding import Check, RuleFinding, RuleId, Verdict
from thetawarden.domain.risk.limits import RiskLimits
from thetawarden.domain.risk.measure import BookMeasure, measure_candidate
from thetawarden.domain.risk.reducing import Reduction, prove_reduction
from thetawarden.domain.risk.rule import Rule
from thetawarden.domain.risk.ruler import Ruler
from thetawarden.domain.risk.rules import (
    book_greeks,
    concentration,
    correlation,
    defined_risk,
    events,
    expiries,
    halt_state,
    integration,
    live,
    margin,
    margin_stress,
    order_flow,
    order_sanity,
    recovering,
    regime_sizing,
    soft_brakes,
    stress,
)

RULES: tuple[Rule, ...] = (
    regime_sizing.RULE,
    book_greeks.RULE,
    margin.RULE,
    margin_stress.RULE,
    soft_brakes.RULE,
    stress.RULE,
    expiries.RULE,
    recovering.RULE,
    correlation.RULE,
    concentration.RULE,
    events.RULE,
    order_sanity.RULE,
    order_flow.RULE,
    halt_state.RULE,
    integration.RULE,
    defined_risk.RULE,
    live.RULE,
)
"""Every rule, in the order of the specification."""


class Review(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict on a candidate: how many units, every finding, and which of them decided.

    `binding` names the rules without which the size would have been larger; it is empty when the
    whole order may be sent.
    """

    candidate_key: str
    wanted: int
    units: int
    reduction: Reduction
    findings: tuple[RuleFinding, ...]
    binding: tuple[RuleId, ...]
    words: str

    @property
    def approved(self) -> bool:
        """Whether anything at all may be sent."""
        return self.units > 0

    def applies(self, finding: RuleFinding) -> bool:
        """Whether a finding binds this order, or is waived because it reduces risk."""
        return finding.sanity or not self.reduction.proved


def review(
    candidate: Candidate,
    *,
    book: BookMeasure,
    ruler: Ruler,
    desk: Desk,
    limits: RiskLimits,
    now_ns: UnixNs,
    day: dt.date,
    rules: tuple[Rule, ...] = RULES,
) -> Review:
    """Return the verdict on a candidate at an instant."""
    wrong = malformation(candidate)
    if wrong is not None:
        words = f"no order at all: {wrong.value.replace('_', ' ')}"
        finding = Check(rule=RuleId.R12, name="form", sanity=True).refuses(words)
        return compose(candidate, (finding,), Reduction(proved=False, words=words))
    added = measure_candidate(candidate, ruler)
    case = Case(
        candidate=candidate,
        added=added,
        book=book,
        desk=desk,
        market=ruler.market,
        limits=limits,
        now_ns=now_ns,
        day=day,
    )
    findings = tuple(finding for rule in rules for finding in rule.judge(case))
    return compose(candidate, findings, _reduction(candidate, findings, case, ruler))


def compose(
    candidate: Candidate, findings: tuple[RuleFinding, ...], reduction: Reduction
) -> Review:
    """Make one size of all findings that apply, and say which decided it."""
    applying = [one for one in findings if one.sanity or not reduction.proved]
    wanted = max(candidate.units, 0)
    units = sized(wanted, applying)
    deciding = _deciding(wanted, units, applying)
    binding = tuple(dict.fromkeys(one.rule for one in deciding))
    return Review(
        candidate_key=candidate.key,
        wanted=wanted,
        units=units,
        reduction=reduction,
        findings=findings,
        binding=binding,
        words=_words(wanted, units, deciding),
    )


def sized(wanted: int, findings: list[RuleFinding]) -> int:
    """Return wanted times every factor, rounded down, at most the smallest maximum."""
    scaled = math.floor(wanted * math.prod(_factor(one) for one in findings) + 1e-9)
    caps = [one.units_max for one in findings if one.units_max is not None]
    return max(min([scaled, wanted, *caps]), 0)


def _factor(finding: RuleFinding) -> float:
    """A refusal is a factor of zero; a factor that is no factor refuses too."""
    refused = finding.verdict is Verdict.REFUSE or not 0.0 <= finding.factor <= 1.0
    return 0.0 if refused else finding.factor


def _deciding(wanted: int, units: int, findings: list[RuleFinding]) -> list[RuleFinding]:
    """Every finding but for which the size would be larger, the strictest reasons first."""
    rest, deciding = list(findings), []
    while rest and sized(wanted, rest) == units < wanted:
        now = [one for one in rest if _factor(one) == 0.0 or one.units_max == units]
        now = now or [one for one in rest if _factor(one) < 1.0]
        deciding += now
        rest = [one for one in rest if one not in now]
    return deciding


def _reduction(
    candidate: Candidate, findings: tuple[RuleFinding, ...], case: Case, ruler: Ruler
) -> Reduction:
    """The proof is of the size that sanity leaves, for no more than that can be sent."""
    units = sized(candidate.units, [one for one in findings if one.sanity])
    answer = candidate.whatif if case.whatif_fault is None else None
    change = None
    if answer is not None:
        change = max(answer.initial_change_usd, answer.maintenance_change_usd) / answer.units
    return prove_reduction(
        candidate,
        added=case.added,
        book=case.book,
        ruler=ruler,
        units=max(units, 1),
        margin_change_usd_per_unit=change,
    )


def _words(wanted: int, units: int, deciding: list[RuleFinding]) -> str:
    if not deciding:
        return f"all {wanted} approved"
    told = "; ".join(f"{one.rule.value} {one.check}: {one.words}" for one in deciding)
    return f"{units} of {wanted} approved because of {told}"
