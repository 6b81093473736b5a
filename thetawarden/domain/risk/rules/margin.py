"""R3: margin by the broker's own answer; without one, no trade."""

from __future__ import annotations

import math

from thetawarden.domain.risk.case import Case
from thetawarden.domain.risk.finding import Check, RuleFinding, RuleId, Usage, given, percent
from thetawarden.domain.risk.rule import Rule

_ACCOUNT = Check(rule=RuleId.R3, name="account")
_ANSWER = Check(rule=RuleId.R3, name="broker_answer")


def judge(case: Case) -> tuple[RuleFinding, ...]:
    """Return how many units fit into utilisation, excess liquidity, one trade and the budget."""
    account = case.desk.account
    if account is None or case.account_fault is not None:
        fault = case.account_fault
        assert fault is not None  # noqa: S101  (a missing account is a fault)
        return (_ACCOUNT.cannot_see("account", fault),)
    if case.whatif_fault is not None:
        return (_ANSWER.cannot_see("broker_margin_answer", case.whatif_fault),)
    limits, nlv = case.limits.margin, case.nlv_usd
    a_unit, reserved = case.margin_usd_per_unit / nlv, case.reserved_margin_usd / nlv
    excess = account.excess_liquidity_usd / nlv
    usages = {
        "utilisation": Usage(
            what="margin in use is",
            used=case.utilisation_fraction,
            per_unit=a_unit,
            limit=limits.utilisation_max_fraction,
            warn=limits.utilisation_target_fraction,
            show=percent,
        ),
        "excess_liquidity": Usage(
            what="of NLV, not liquid is",
            used=1.0 - excess + reserved,
            per_unit=a_unit,
            limit=1.0 - limits.excess_liquidity_min_fraction,
            show=percent,
        ),
        "per_trade": Usage(
            what="margin of this trade is",
            used=0.0,
            per_unit=a_unit,
            limit=limits.per_trade_max_fraction,
            show=percent,
        ),
    }
    if case.candidate.auto_selected:
        usages["auto_select_budget"] = _budget(case, a_unit)
    inputs = given(nlv_usd=nlv, margin_usd_per_unit=case.margin_usd_per_unit)
    wanted = case.candidate.units
    return tuple(
        Check(rule=RuleId.R3, name=name).caps(usage, wanted=wanted, inputs=inputs)
        for name, usage in usages.items()
    )


def _budget(case: Case, a_unit: float) -> Usage:
    account = case.desk.account
    held = math.nan if account is None else account.auto_select_margin_usd
    waiting = math.fsum(one.margin_usd for one in case.book.pending if one.auto_selected)
    return Usage(
        what="margin of what was selected automatically is",
        used=(held + waiting) / case.nlv_usd,
        per_unit=a_unit,
        limit=case.limits.margin.auto_select_max_fraction,
        show=percent,
    )


RULE = Rule(
    id=RuleId.R3,
    does=(
        "caps units by utilisation, excess liquidity, one trade and the budget of "
        "automatic selection; refuses without the broker's answer"
    ),
    reads=("the broker's margin answer", "account", "margin kept free for pending orders"),
    limits="margin",
    judge=judge,
)
