"""R5: how near the losses and the margin are to their limits, and what that costs an entry."""

from __future__ import annotations

from thetawarden.domain.regime.readings import InputFault
from thetawarden.domain.risk.brakes import Brake, BrakeLevel, BrakeName, read_brakes
from thetawarden.domain.risk.case import Case, age_fault
from thetawarden.domain.risk.equity import losses_of
from thetawarden.domain.risk.finding import Check, RuleFinding, RuleId, Told, given, percent
from thetawarden.domain.risk.rule import Rule


def judge(case: Case) -> tuple[RuleFinding, ...]:
    """Return one finding a brake, and one for the losses in a row."""
    known = _equity_check(case)
    brakes = tuple(_finding(one, case) for one in brakes_of(case))
    return (*known, *brakes, _streak(case))


def brakes_of(case: Case) -> tuple[Brake, ...]:
    """Return the brakes as they stand for a case."""
    return read_brakes(
        losses=losses_of(case.desk.equity),
        utilisation_fraction=case.utilisation_fraction,
        margin_max_fraction=case.limits.margin.utilisation_max_fraction,
        limits=case.limits.brakes,
    )


def _equity_check(case: Case) -> tuple[RuleFinding, ...]:
    """Losses that were last measured long ago say nothing about now."""
    equity = case.desk.equity
    if equity.nlv_usd is None:
        return ()
    old = age_fault(
        equity.at_ns, now_ns=case.now_ns, age_ns_max=case.limits.margin.account_age_ns_max
    )
    if old is None:
        return ()
    return (Check(rule=RuleId.R5, name="losses").cannot_see("losses", old),)


def _finding(brake: Brake, case: Case) -> RuleFinding:
    check = Check(rule=RuleId.R5, name=brake.name.value)
    name = brake.name.value.replace("_", " ")
    if brake.level is BrakeLevel.UNKNOWN:
        return check.cannot_see(brake.name.value, InputFault.MISSING)
    used, limit = brake.used_fraction, brake.limit_fraction
    words = (
        f"{name} is {percent(brake.value_fraction)}, "
        f"{used * 100.0:.0f} % of its limit {percent(limit)}"
    )
    inputs = given(level=brake.level.value, used_fraction=used)
    told = Told(inputs=inputs, limit=limit, used=brake.value_fraction)
    slow = case.limits.brakes.slow_size_fraction
    if brake.level is BrakeLevel.STOP:
        return check.refuses(f"{words}: stop", **told)
    if brake.level is BrakeLevel.SLOW and brake.name is BrakeName.DAY_LOSS:
        return check.refuses(f"{words}: no new positions today", **told)
    if brake.level is BrakeLevel.SLOW:
        return check.scales(slow, f"{words}: {percent(slow)} of the size", inputs=inputs)
    if brake.level is BrakeLevel.WARN:
        return check.warns(words, **told)
    return check.passes(words, **told)


def _streak(case: Case) -> RuleFinding:
    check = Check(rule=RuleId.R5, name="losing_streak")
    limits, equity = case.limits.brakes, case.desk.equity
    streak = equity.losing_streak
    inputs = given(losses_in_a_row=float(streak))
    words = f"{streak} losses in a row"
    if streak >= limits.streak_pause_losses_max and equity.last_loss_day == case.day:
        return check.refuses(f"{words}: no new positions today", inputs=inputs)
    if streak >= limits.streak_slow_losses_max:
        slow = limits.slow_size_fraction
        return check.scales(slow, f"{words}: {percent(slow)} of the size", inputs=inputs)
    return check.passes(words, inputs=inputs)


RULE = Rule(
    id=RuleId.R5,
    does=(
        "warns, shrinks and refuses by how near losses and margin are to their limits; "
        "refuses after too many losses in a row"
    ),
    reads=("losses of day, week, month and from the peak", "utilisation", "losses in a row"),
    limits="brakes",
    judge=judge,
)
