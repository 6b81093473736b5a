"""R16: whether this desk may trade this account at all; binds exits as much as entries."""

from __future__ import annotations

from thetawarden.domain.risk.case import Case
from thetawarden.domain.risk.finding import Check, RuleFinding, RuleId, given
from thetawarden.domain.risk.rule import Rule

_CHECK = Check(rule=RuleId.R16, name="live_interlock", sanity=True)


def judge(case: Case) -> tuple[RuleFinding, ...]:
    """Return what still stands between this desk and real money."""
    gaps = ", ".join(gap.value.replace("_", " ") for gap in case.desk.interlock)
    if gaps:
        return (_CHECK.refuses(f"real money is locked: {gaps}", inputs=given(gaps=gaps)),)
    return (_CHECK.passes("the account may be traded in this mode"),)


RULE = Rule(
    id=RuleId.R16,
    does="refuses everything until real money is meant, spelled out and earned",
    reads=("interlock",),
    limits="live",
    exits=("live_interlock",),
    judge=judge,
)
