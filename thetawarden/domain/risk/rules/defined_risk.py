"""R15: from where on nothing naked is sold: make it a spread, or leave it."""

from __future__ import annotations

from thetawarden.domain.regime.factors import EntryPolicy
from thetawarden.domain.regime.readings import InputFault
from thetawarden.domain.risk.case import Case
from thetawarden.domain.risk.exposure import is_naked
from thetawarden.domain.risk.finding import (
    Check,
    RuleFinding,
    RuleId,
    Usage,
    given,
    multiple,
    percent,
    reaches,
)
from thetawarden.domain.risk.measure import Figure
from thetawarden.domain.risk.rule import Rule

_NAKED = Check(rule=RuleId.R15, name="defined_risk")
_VIX = Check(rule=RuleId.R15, name="naked_vix")
_REGIME = Check(rule=RuleId.R15, name="naked_regime")
_NOTIONAL = Check(rule=RuleId.R15, name="naked_notional")
_MARGIN = Check(rule=RuleId.R15, name="naked_margin")
REMEDY = "make it a spread"


def judge(case: Case) -> tuple[RuleFinding, ...]:
    """Return whether a naked candidate may stand; one of defined risk always may, here."""
    if not is_naked(case.candidate, held=case.book.held, pending=case.book.pending):
        return (_NAKED.passes("its risk is defined"),)
    return (_vix(case), _regime(case), _notional(case), _margin(case))


def _vix(case: Case) -> RuleFinding:
    seen = case.desk.regime
    points = None if seen is None else seen.regime.vix.points
    if points is None:
        return _VIX.cannot_see("vix", InputFault.MISSING)
    limit = case.limits.defined_risk.vix_max_points
    words = f"VIX is {points:.2f}, naked at most {limit:.2f}"
    if points > limit:
        return _VIX.refuses(f"{words}: {REMEDY}", limit=limit, used=points)
    return _VIX.passes(words, limit=limit, used=points)


def _regime(case: Case) -> RuleFinding:
    seen = case.desk.regime
    if seen is None:
        return _REGIME.cannot_see("regime", InputFault.MISSING)
    policy = seen.regime.entries
    inputs = given(entries=policy.value)
    if policy is not EntryPolicy.ALL:
        return _REGIME.refuses(f"the regime allows nothing naked: {REMEDY}", inputs=inputs)
    return _REGIME.passes("the regime allows naked entries", inputs=inputs)


def _notional(case: Case) -> RuleFinding:
    place = case.book.scenarios.size + Figure.NOTIONAL
    usage = Usage(
        what="for naked entries controlled notional is",
        used=case.worst(place) / case.nlv_usd,
        per_unit=case.cost(place) / case.nlv_usd,
        limit=case.limits.defined_risk.notional_max_nlv,
        show=multiple,
    )
    return _NOTIONAL.caps(usage, wanted=case.candidate.units)


def _margin(case: Case) -> RuleFinding:
    used = case.utilisation_fraction
    near = case.limits.defined_risk.margin_near_fraction
    limit = near * case.limits.margin.utilisation_max_fraction
    if used != used:  # noqa: PLR0124  (only NaN differs from itself)
        return _MARGIN.cannot_see("margin", InputFault.MISSING)
    words = f"margin in use is {percent(used)}, naked below {percent(limit)}"
    if reaches(used, limit):
        return _MARGIN.refuses(f"{words}: {REMEDY}", limit=limit, used=used)
    return _MARGIN.passes(words, limit=limit, used=used)


RULE = Rule(
    id=RuleId.R15,
    does=(
        "refuses what is naked above a VIX, near the margin limit or where the regime "
        "says so; caps it by notional"
    ),
    reads=("legs and free shares", "VIX", "notional", "utilisation", "regime"),
    limits="defined_risk",
    judge=judge,
)
