"""R6: the loss in every scenario with the candidate in the book, fully revalued."""

from __future__ import annotations

from thetawarden.domain.risk.case import Case, age_fault
from thetawarden.domain.risk.finding import Check, RuleFinding, RuleId, Usage, given, percent
from thetawarden.domain.risk.rule import Rule

_AGE = Check(rule=RuleId.R6, name="stress_age")
_UNKNOWN = Check(rule=RuleId.R6, name="revaluation")


def judge(case: Case) -> tuple[RuleFinding, ...]:
    """Return how many units every scenario allows; an old or partial revaluation allows none."""
    limits = case.limits.stress
    old = age_fault(case.book.at_ns, now_ns=case.now_ns, age_ns_max=limits.age_ns_max)
    if old is not None:
        return (_AGE.cannot_see("stress_result", old),)
    unknown = (*case.book.unknown, *case.added.unknown)
    if unknown:
        words = f"cannot be valued: {', '.join(dict.fromkeys(unknown))}"
        return (_UNKNOWN.refuses(words, inputs=given(unknown=", ".join(unknown))),)
    return tuple(
        _scenario(case, place, scenario.name)
        for place, scenario in enumerate(case.book.scenarios.limited)
    )


def _scenario(case: Case, place: int, name: str) -> RuleFinding:
    limits, nlv = case.limits.stress, case.nlv_usd
    usage = Usage(
        what=f"{name} would cost",
        used=case.worst(place) / nlv,
        per_unit=case.cost(place) / nlv,
        limit=limits.entry_loss_fraction,
        show=percent,
    )
    check = Check(rule=RuleId.R6, name=name)
    inputs = given(loss_usd=case.worst(place), loss_usd_per_unit=case.cost(place))
    finding = check.caps(usage, wanted=case.candidate.units, inputs=inputs)
    over = usage.is_known and usage.used > limits.entry_loss_fraction
    if over and finding.units_max is None:
        return check.warns(finding.words, inputs=inputs, limit=usage.limit, used=usage.used)
    return finding


RULE = Rule(
    id=RuleId.R6,
    does=(
        "caps units so that no scenario costs more than its limit; refuses an old "
        "revaluation or one with gaps"
    ),
    reads=("losses in every scenario", "age of the revaluation", "NLV"),
    limits="stress",
    judge=judge,
)
