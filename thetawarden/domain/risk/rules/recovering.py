"""R8: how far the desk has come back after a drawdown, and how deep it still is."""

from __future__ import annotations

from thetawarden.domain.regime.readings import InputFault
from thetawarden.domain.risk.case import Case
from thetawarden.domain.risk.equity import losses_of
from thetawarden.domain.risk.finding import Check, RuleFinding, RuleId, given, percent
from thetawarden.domain.risk.recovery import drawdown_factor, phase_fraction
from thetawarden.domain.risk.rule import Rule

_PHASE = Check(rule=RuleId.R8, name="recovery_phase")
_DEPTH = Check(rule=RuleId.R8, name="drawdown_depth")


def judge(case: Case) -> tuple[RuleFinding, ...]:
    """Return the phase's factor and the depth's: they multiply."""
    return (_phase(case), _depth(case))


def _phase(case: Case) -> RuleFinding:
    state = case.desk.recovery
    fraction = phase_fraction(state.phase, case.limits.recovery)
    since = "" if state.began is None else f" since the halt of {state.began}"
    words = f"recovery is {state.phase.value}{since}: {percent(fraction)} of the size"
    return _PHASE.scales(fraction, words, inputs=given(phase=state.phase.value))


def _depth(case: Case) -> RuleFinding:
    depth = losses_of(case.desk.equity).from_high_water
    limit = case.limits.brakes.drawdown_fraction
    factor = drawdown_factor(depth, limit_fraction=limit, limits=case.limits.recovery)
    if depth != depth:  # noqa: PLR0124  (only NaN differs from itself)
        return _DEPTH.cannot_see("drawdown", InputFault.MISSING)
    words = f"{percent(depth)} below the high water mark: {percent(factor)} of the size"
    return _DEPTH.scales(factor, words, inputs=given(drawdown_fraction=depth, limit=limit))


RULE = Rule(
    id=RuleId.R8,
    does="multiplies sizes by the phase of a recovery and by the depth of the drawdown",
    reads=("recovery", "distance from the high water mark"),
    limits="recovery",
    judge=judge,
)
