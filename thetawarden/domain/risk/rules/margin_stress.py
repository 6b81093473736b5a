"""R4: margin in use if the market fell by 10 % and the VIX doubled, the candidate in the book.

A unit's requirement after the shock stands by itself: what the book might net against it is left
out, because the order that would net it may never have been filled.
"""

from __future__ import annotations

from thetawarden.domain.risk.case import Case
from thetawarden.domain.risk.finding import Check, RuleFinding, RuleId, Usage, given, percent
from thetawarden.domain.risk.rule import Rule

_CHECK = Check(rule=RuleId.R4, name="stressed_utilisation")


def judge(case: Case) -> tuple[RuleFinding, ...]:
    """Return how many units keep the projected utilisation within its limit."""
    place = case.book.scenarios.margin_stress
    limit = case.limits.margin.stressed_utilisation_max_fraction
    left_usd = case.nlv_usd - case.worst(place)
    needed_usd = case.book.stressed_requirement_usd
    a_unit_usd = case.added.stressed_requirement_usd
    inputs = given(
        nlv_after_usd=left_usd,
        requirement_after_usd=needed_usd,
        requirement_usd_per_unit=a_unit_usd,
        loss_usd_per_unit=case.cost(place),
    )
    if left_usd <= 0.0:
        return (
            _CHECK.refuses(
                "the margin stress alone would cost all of NLV", inputs=inputs, limit=limit
            ),
        )
    # needed + k a_unit <= limit (left - k cost), divided by what is left now
    usage = Usage(
        what="after -10 % and VIX doubled, margin in use would be",
        used=needed_usd / left_usd,
        per_unit=(a_unit_usd + limit * case.cost(place)) / left_usd,
        limit=limit,
        show=percent,
    )
    return (_CHECK.caps(usage, wanted=case.candidate.units, inputs=inputs),)


RULE = Rule(
    id=RuleId.R4,
    does=(
        "caps units so that utilisation after the index -10 % and VIX doubled stays "
        "within its limit"
    ),
    reads=("revaluation and requirement after the shock", "NLV"),
    limits="margin",
    judge=judge,
)
