"""R11: what is announced near the session, and whether this company reports in the position's life.

Before an ex-dividend day nobody sells calls that might be exercised for the dividend.
"""

from __future__ import annotations

from thetawarden.domain.regime.event_factor import judge_earnings
from thetawarden.domain.regime.readings import InputFault
from thetawarden.domain.risk.case import Case
from thetawarden.domain.risk.finding import Check, RuleFinding, RuleId
from thetawarden.domain.risk.rule import Rule
from thetawarden.domain.risk.rules.regime_sizing import factor_finding

_EVENTS = Check(rule=RuleId.R11, name="events")
_DIVIDEND = Check(rule=RuleId.R11, name="ex_dividend")


def judge(case: Case) -> tuple[RuleFinding, ...]:
    """Return the factors of announcements, of earnings, and of tonight's dividend."""
    seen, earnings = case.desk.regime, case.candidate.earnings
    market = (
        _EVENTS.cannot_see("events", InputFault.MISSING)
        if seen is None
        else factor_finding(RuleId.R11, seen.regime.events)
    )
    if earnings is None:
        company = Check(rule=RuleId.R11, name="earnings").passes("it never reports earnings")
    else:
        company = factor_finding(RuleId.R11, judge_earnings(earnings))
    return (market, company, _dividend(case))


def _dividend(case: Case) -> RuleFinding:
    tonight = case.candidate.ex_dividend_tonight
    calls = any(
        leg.ratio < 0 and leg.instrument.is_option and leg.instrument.is_call
        for leg in case.candidate.legs
    )
    if not calls:
        return _DIVIDEND.passes("no call is sold")
    if tonight is None:
        return _DIVIDEND.cannot_see("ex_dividend_date", InputFault.MISSING)
    if tonight:
        return _DIVIDEND.refuses("it goes ex-dividend tomorrow: a sold call may be exercised")
    return _DIVIDEND.passes("no dividend is near")


RULE = Rule(
    id=RuleId.R11,
    does=(
        "multiplies sizes by the factor of announcements; refuses earnings within the "
        "position and calls before an ex-dividend day"
    ),
    reads=("regime", "earnings and dividend dates"),
    judge=judge,
)
