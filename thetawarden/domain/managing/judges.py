"""Judges a trade by one rule each: a decision, or None where the rule finds nothing to do.

Total: every comparison is written so that an unknown number finds nothing.
"""

from __future__ import annotations

import math

from thetawarden.domain.instants import new_york_clock
from thetawarden.domain.managing.case import WORTHLESS_USD, Case, ends_today
from thetawarden.domain.managing.decision import Action, Decision, Rule
from thetawarden.domain.managing.sight import NAN, days_left
from thetawarden.domain.managing.targets import target_of
from thetawarden.domain.market.contracts import Right
from thetawarden.domain.trades.trade import HEDGE, TradeStage


def judge_manual(case: Case) -> Decision | None:
    """What a person opened is watched."""
    if not case.sight.trade.manual:
        return None
    return case.decides(Action.HOLD, Rule.MANUAL, "it was traded by hand: watched, never touched")


def judge_busy(case: Case) -> Decision | None:
    """One action at a time."""
    if not case.world.busy:
        return None
    return case.decides(Action.HOLD, Rule.BUSY, case.world.busy)


def judge_blind(case: Case) -> Decision | None:
    """Nothing is decided on what cannot be seen."""
    sight, limits = case.sight, case.limits
    age_ns = case.world.now_ns - sight.at_ns
    if sight.doubts:
        return case.decides(Action.HOLD, Rule.BLIND, f"no usable quote: {sight.doubts[0]}")
    if not 0 <= age_ns <= limits.view_age_ns_max:
        words = f"what was seen is {age_ns / 1e9:.0f} s old"
        return case.decides(Action.HOLD, Rule.BLIND, words)
    return None if sight.units else case.decides(Action.HOLD, Rule.BLIND, "it holds no whole unit")


def judge_demanded(case: Case) -> Decision | None:
    """What the governor wants smaller goes first: as many units of it as are enough."""
    world, units = case.world, case.sight.units
    if not world.demand or case.sight.trade.strategy == HEDGE:
        return None
    words, part = f"demanded: {world.demand}", world.demand_part
    enough = math.ceil(part * units - 1e-9) if 0.0 < part < 1.0 else units
    if enough < units:
        few = f"{enough} of its {units} units are enough"
        return case.decides(Action.REDUCE, Rule.DEMANDED, words, few, units=enough)
    return case.decides(Action.CLOSE, Rule.DEMANDED, words)


def judge_delivered(case: Case) -> Decision | None:
    """Shares that were put to us have calls sold on them."""
    if case.sight.trade.stage is not TradeStage.SHARES:
        return None
    if not case.limits.wheel.enabled:
        return case.decides(Action.HOLD, Rule.DELIVERED, "shares were delivered; no wheel is on")
    strike = case.sight.trade.assigned_strike_usd
    words = f"shares were put to us at {strike}: a call is to be sold on them"
    return case.decides(Action.COVER, Rule.DELIVERED, words)


def judge_hedge_unneeded(case: Case) -> Decision | None:
    """Protection that is not needed is sold."""
    if case.sight.trade.strategy != HEDGE or not case.world.hedge_unneeded:
        return None
    words = "without it every scenario stays well inside its limit"
    return case.decides(Action.CLOSE, Rule.HEDGE_UNNEEDED, words)


def judge_last_day(case: Case) -> Decision | None:
    """A short option near the money is not left to its end by default."""
    sight, limits = case.sight, case.limits
    if not case.is_short_premium:
        return None
    edge = limits.exits.at_the_money_fraction * sight.spot_usd
    for leg in sight.shorts:
        left_ns = leg.last_trade_ns - case.world.now_ns
        near = 0 < left_ns <= limits.exits.last_day_ns
        inside = leg.inside_usd(sight.spot_usd)
        if not near or not inside >= -edge:
            continue
        where = "in" if inside > 0.0 else "at"
        words = f"its last trade is in {left_ns / 6e10:.0f} min and it is {where} the money"
        if may_be_assigned(case):
            words = f"{words}: the shares are wanted, it is left to be assigned"
            return case.decides(Action.HOLD, Rule.LAST_DAY, words)
        return case.decides(Action.CLOSE, Rule.LAST_DAY, words)
    return None


def may_be_assigned(case: Case) -> bool:
    """Whether shares may be put to us: a put of the wheel's, alone, for no more than is allowed."""
    sight, wheel = case.sight, case.limits.wheel
    alone = len(sight.legs) == 1 and sight.legs[0].instrument.right is Right.PUT
    if not (wheel.enabled and case.world.physical and alone):
        return False
    if sight.trade.strategy not in wheel.strategies:
        return False
    cost = sight.legs[0].strike_usd * sight.multiplier * sight.units
    return cost <= wheel.shares_nlv_fraction_max * case.world.nlv_usd


def judge_delta(case: Case) -> Decision | None:
    """Too much delta is left."""
    exits, delta = case.limits.exits, case.sight.known_short_delta
    if not case.is_short_premium or not delta > exits.exit_delta:
        return None
    if ends_today(case) and may_be_assigned(case):
        return case.decides(Action.HOLD, Rule.LAST_DAY, "its last day: it may be assigned")
    words = f"its delta is {delta:.2f}, over {exits.exit_delta:.2f}"
    return _leave(case, Rule.DELTA, words)


def judge_loss(case: Case) -> Decision | None:
    """Too large a loss is left."""
    exits = case.limits.exits
    if not case.is_short_premium or not exits.loss_exit_fraction > 0.0:
        return None
    if not case.sight.profit_fraction <= -exits.loss_exit_fraction:
        return None
    if ends_today(case) and may_be_assigned(case):
        return case.decides(Action.HOLD, Rule.LAST_DAY, "its last day: it may be assigned")
    lost = -100.0 * case.sight.profit_fraction
    limit = 100.0 * exits.loss_exit_fraction
    return _leave(case, Rule.LOSS, f"it has lost {lost:.0f} % of its premium, over {limit:.0f} %")


def _leave(case: Case, rule: Rule, words: str) -> Decision:
    """Roll where that may still be done, else close."""
    sight, rolls = case.sight, case.limits.rolls
    done = len(sight.trade.rolled)
    if done >= rolls.rolls_max:
        return case.decides(Action.CLOSE, rule, words, f"it was rolled {done} times already")
    if not case.world.can_roll:
        return case.decides(Action.CLOSE, rule, words, "no roll of it was to be had")
    worst = sight.worst_short
    inside = NAN if worst is None else worst.inside_usd(sight.spot_usd)
    time_value = NAN if worst is None else worst.mid_usd - max(inside, 0.0)
    if not time_value >= rolls.time_value_usd_min:
        return case.decides(Action.CLOSE, rule, words, "no time value is left in it")
    return case.decides(Action.ROLL, rule, words)


def judge_stop(case: Case) -> Decision | None:
    """The stop, where one is set."""
    multiple = case.limits.exits.stop_multiple
    if not case.is_short_premium or not multiple > 0.0:
        return None
    if not case.sight.profit_fraction <= 1.0 - multiple:
        return None
    costs = 1.0 - case.sight.profit_fraction
    words = f"buying it back costs {costs:.1f} times its premium, its stop is at {multiple:.1f}"
    return case.decides(Action.CLOSE, Rule.STOP, words)


def judge_volatility(case: Case) -> Decision | None:
    """A market that has changed under a losing trade."""
    before = case.sight.trade.entry_vix_points
    limit = case.limits.exits.vix_rise_points
    if not case.is_short_premium or before is None or not limit > 0.0:
        return None
    risen = case.world.vix_points - before
    if not (risen >= limit and case.sight.profit_fraction < 0.0):
        return None
    words = f"the VIX has risen {risen:.1f} points since it was opened, and it is behind"
    return case.decides(Action.CLOSE, Rule.VOLATILITY, words)


def judge_trailing(case: Case) -> Decision | None:
    """What was earned is not given back."""
    exits, best = case.limits.exits, case.sight.trade.best_fraction
    if not case.is_short_premium or not exits.trailing_from_fraction > 0.0:
        return None
    kept = best * (1.0 - exits.trailing_back_fraction)
    if not (best >= exits.trailing_from_fraction and case.sight.profit_fraction <= kept):
        return None
    words = (
        f"it was {100.0 * best:.0f} % of its premium ahead and is"
        f" {100.0 * case.sight.profit_fraction:.0f} % now"
    )
    return case.decides(Action.CLOSE, Rule.TRAILING, words)


def judge_profit(case: Case) -> Decision | None:
    """The target, where no exit stands at the broker."""
    sight = case.sight
    sold = sight.trade.stage is not TradeStage.SHARES and bool(sight.shorts)
    working = case.world.exits is not None and case.world.exits.take_profit_usd is not None
    premium = sight.premium_usd
    if not sold or working or not premium > 0.0:
        return None
    target = target_of(case.sight.trade.strategy, case.world.regime, case.limits.targets)
    earned = (premium - sight.natural_usd) / premium
    if not earned >= target:
        return None
    words = f"{100.0 * earned:.0f} % of its premium can be kept, the target is {100 * target:.0f} %"
    return case.decides(Action.CLOSE, Rule.PROFIT_TARGET, words)


def judge_days_left(case: Case) -> Decision | None:
    """So many days before its end, where set."""
    limit = case.limits.exits.exit_days
    if not case.is_short_premium or limit <= 0:
        return None
    left = min((days_left(leg, case.world.now_ns) or 0 for leg in case.sight.shorts), default=0)
    if left > limit:
        return None
    words = f"it ends in {left} days, it is left at {limit}"
    return case.decides(Action.CLOSE, Rule.DAYS_LEFT, words)


def judge_time_of_day(case: Case) -> Decision | None:
    """Late on the last day little is left to earn."""
    exits, sight = case.limits.exits, case.sight
    if not case.is_short_premium or not ends_today(case):
        return None
    clock = new_york_clock(case.world.now_ns).time()
    earned = sight.profit_fraction
    if clock < exits.time_exit or not earned >= exits.time_exit_fraction:
        return None
    if not sight.cost_usd > WORTHLESS_USD:
        return None
    words = f"{clock:%H:%M} of its last day with {100.0 * earned:.0f} % of its premium earned"
    return case.decides(Action.CLOSE, Rule.TIME_OF_DAY, words)


def judge_band(case: Case) -> Decision | None:
    """A unit's delta stays in its band."""
    delta, band = case.sight.delta_per_share, case.limits.band.delta_per_share
    if not case.is_short_premium or not abs(delta) > band:
        return None
    if ends_today(case) and may_be_assigned(case):
        return case.decides(Action.HOLD, Rule.LAST_DAY, "its last day: it may be assigned")
    words = f"its delta a share is {delta:+.2f}, its band ends at {band:.2f}"
    if not case.world.can_rearrange:
        return case.decides(Action.CLOSE, Rule.BAND, words, "it could not be rearranged")
    return case.decides(Action.REBALANCE, Rule.BAND, words)


def judge_new_target(case: Case) -> Decision | None:
    """The market's state moves the exits."""
    new = case.world.new_exits
    if new is None:
        return None
    target = target_of(case.sight.trade.strategy, case.world.regime, case.limits.targets)
    told = "unknown" if case.world.regime is None else case.world.regime.value.replace("_", " ")
    words = f"in a market that is {told} {100 * target:.0f} % of its premium is aimed at"
    price = f"its take profit moves to {new.take_profit_usd}"
    return case.decides(Action.HOLD, Rule.NEW_TARGET, words, price)


def watched(case: Case) -> Decision:
    """Nothing is to be done."""
    return case.decides(Action.HOLD, Rule.WATCHED, _standing(case))


def _standing(case: Case) -> str:
    earned = case.sight.profit_fraction
    if math.isnan(earned):
        return "nothing is to be done"
    return f"{100.0 * earned:+.0f} % of its premium, delta {case.sight.short_delta:.2f}"
