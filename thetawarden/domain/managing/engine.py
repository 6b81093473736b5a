"""Decides what is to be done with one trade now: every rule is asked in its order, the first wins.

Pure and total: whatever is unknown decides nothing, and a trade whose quotes may not be used waits
for ones that may. What is decided still has to find an order; when none is there, a roll or a
rearrangement becomes a close, and a close waits.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from thetawarden.domain.managing import judges
from thetawarden.domain.managing.case import Case, World
from thetawarden.domain.managing.decision import Decision, Rule
from thetawarden.domain.managing.limits import ManagingLimits
from thetawarden.domain.managing.sight import TradeSight

Judge = Callable[[Case], Decision | None]


class RuleSpec(msgspec.Struct, frozen=True, kw_only=True):
    """One rule: what it looks for and what it does, in words, and the judge."""

    rule: Rule
    when: str
    then: str
    judge: Judge


def decide(sight: TradeSight, *, world: World, limits: ManagingLimits) -> Decision:
    """Return the decision about a trade; there always is one."""
    case = Case(sight=sight, world=world, limits=limits)
    found = (spec.judge(case) for spec in RULES)
    decision = next((one for one in found if one is not None), None)
    return judges.watched(case) if decision is None else decision


RULES: tuple[RuleSpec, ...] = (
    RuleSpec(
        rule=Rule.MANUAL,
        when="it was not opened by the desk",
        then="hold: shown, never touched",
        judge=judges.judge_manual,
    ),
    RuleSpec(
        rule=Rule.BUSY,
        when="an order of an earlier decision is under way",
        then="hold until it is over",
        judge=judges.judge_busy,
    ),
    RuleSpec(
        rule=Rule.BLIND,
        when="a leg has no usable quote, or the chain was not seen lately",
        then="hold and tell a person; no price is made up",
        judge=judges.judge_blind,
    ),
    RuleSpec(
        rule=Rule.DEMANDED,
        when="the governor demands less risk and this trade's turn has come",
        then="reduce by as many units as are enough, else close",
        judge=judges.judge_demanded,
    ),
    RuleSpec(
        rule=Rule.DELIVERED,
        when="it holds shares that were put to us and no call is sold on them",
        then="sell a covered call",
        judge=judges.judge_delivered,
    ),
    RuleSpec(
        rule=Rule.HEDGE_UNNEEDED,
        when="it is a hedge, and without it all scenarios stay well inside their limits",
        then="close",
        judge=judges.judge_hedge_unneeded,
    ),
    RuleSpec(
        rule=Rule.LAST_DAY,
        when="a short option at or in the money is about to stop trading for good",
        then="close, or leave a put of the wheel to be assigned",
        judge=judges.judge_last_day,
    ),
    RuleSpec(
        rule=Rule.DELTA,
        when="a short option's delta is over its limit",
        then="roll, else close",
        judge=judges.judge_delta,
    ),
    RuleSpec(
        rule=Rule.LOSS,
        when="it has lost a multiple of its premium",
        then="roll, else close",
        judge=judges.judge_loss,
    ),
    RuleSpec(
        rule=Rule.STOP,
        when="it has lost as much as its stop allows, where one is set",
        then="close",
        judge=judges.judge_stop,
    ),
    RuleSpec(
        rule=Rule.VOLATILITY,
        when="the VIX has risen far since it was opened, and it is behind",
        then="close",
        judge=judges.judge_volatility,
    ),
    RuleSpec(
        rule=Rule.TRAILING,
        when="it has given back a part of the best it was ahead by",
        then="close",
        judge=judges.judge_trailing,
    ),
    RuleSpec(
        rule=Rule.PROFIT_TARGET,
        when="its target can be taken and no exit works at the broker",
        then="close",
        judge=judges.judge_profit,
    ),
    RuleSpec(
        rule=Rule.DAYS_LEFT,
        when="it ends in so many days, where a number is set",
        then="close",
        judge=judges.judge_days_left,
    ),
    RuleSpec(
        rule=Rule.TIME_OF_DAY,
        when="it is late on its last day, much is earned and something is still at risk",
        then="close",
        judge=judges.judge_time_of_day,
    ),
    RuleSpec(
        rule=Rule.BAND,
        when="the delta of a unit is out of its band",
        then="rebalance, else close",
        judge=judges.judge_band,
    ),
    RuleSpec(
        rule=Rule.NEW_TARGET,
        when="the market's state asks for another profit target",
        then="hold, and move the exits that work",
        judge=judges.judge_new_target,
    ),
    RuleSpec(
        rule=Rule.WATCHED,
        when="nothing of this",
        then="hold",
        judge=judges.watched,
    ),
)
"""Every rule, the most urgent first; the first that finds something is the decision."""
