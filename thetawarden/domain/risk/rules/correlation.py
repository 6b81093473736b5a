"""R9: how alike the held underlyings move (G5), as the regime has found it."""

from __future__ import annotations

from thetawarden.domain.regime.readings import InputFault
from thetawarden.domain.risk.case import Case
from thetawarden.domain.risk.finding import Check, RuleFinding, RuleId
from thetawarden.domain.risk.rule import Rule
from thetawarden.domain.risk.rules.regime_sizing import factor_finding


def judge(case: Case) -> tuple[RuleFinding, ...]:
    """Return the correlation's factor; without a regime there is none."""
    seen = case.desk.regime
    if seen is None:
        check = Check(rule=RuleId.R9, name="correlation")
        return (check.cannot_see("correlation", InputFault.MISSING),)
    return (factor_finding(RuleId.R9, seen.regime.correlation.factor),)


RULE = Rule(
    id=RuleId.R9,
    does="multiplies sizes by the factor of the average correlation",
    reads=("regime",),
    judge=judge,
)
