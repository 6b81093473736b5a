"""The managing section of the configuration: what is done about what is held, and when.

Losses and profits are parts of the premium taken; deltas are absolute and per share. 0 turns a rule
off where its description says so. Durations are market time.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated

import msgspec
from msgspec import Meta


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings that belong together."""


class ExitsConfig(Section, frozen=True, kw_only=True):
    """S13 and S14: when something is to be done about a trade."""

    loss_alert_fraction: Annotated[
        float, Meta(ge=0.1, le=100, description="Loss a person is told of.")
    ] = 1.5
    loss_exit_fraction: Annotated[
        float, Meta(ge=0, le=100, description="Loss at which it is rolled or closed; 0: never.")
    ] = 2.0
    alert_delta: Annotated[
        float, Meta(ge=0.05, le=1, description="Delta of a short option a person is told of.")
    ] = 0.50
    exit_delta: Annotated[
        float, Meta(ge=0.05, le=1, description="Delta above which it is rolled or closed.")
    ] = 0.60
    move_alert_multiple: Annotated[
        float, Meta(ge=0.1, le=100, description="Implied moves of a day a person is told of.")
    ] = 1.5
    stop_multiple: Annotated[
        float, Meta(ge=0, le=100, description="Bought back at so many credits; 0 for no stop.")
    ] = 0.0
    trailing_from_fraction: Annotated[
        float, Meta(ge=0, le=1, description="Profit from which it is trailed; 0: never.")
    ] = 0.50
    trailing_back_fraction: Annotated[
        float, Meta(ge=0.05, le=1, description="Part of the best profit that may be given back.")
    ] = 0.60
    vix_rise_points: Annotated[
        float, Meta(ge=0, le=100, description="Rise of the VIX at which losers go; 0: never.")
    ] = 10.0
    exit_days: Annotated[
        int, Meta(ge=0, le=365, description="Days before its end at which it is closed; 0: never.")
    ] = 0
    last_day_min: Annotated[
        int, Meta(ge=1, le=390, description="Before its last trade, in or at the money: decided.")
    ] = 45
    at_the_money_fraction: Annotated[
        float, Meta(ge=0, le=0.1, description="So near to the strike counts as at the money.")
    ] = 0.003
    time_exit: Annotated[
        dt.time, Meta(description="From then on its last day a profit is taken.")
    ] = dt.time(15, 30)
    time_exit_fraction: Annotated[
        float, Meta(ge=0, le=1, description="If it is at least so large.")
    ] = 0.50


class RollsConfig(Section, frozen=True, kw_only=True):
    """S8: how a losing trade is rolled."""

    rolls_max: Annotated[int, Meta(ge=0, le=2, description="Rolls of one trade at most.")] = 2
    credit_usd_min: Annotated[
        float, Meta(ge=0.10, le=100, description="Least credit a share that a roll brings.")
    ] = 0.10
    dte_max: Annotated[
        int, Meta(ge=1, le=365, description="How far out a roll may go, in days.")
    ] = 45
    delta_over_fraction: Annotated[
        float, Meta(ge=0, le=1, description="How much the new delta may exceed the first one.")
    ] = 0.25
    time_value_usd_min: Annotated[
        float, Meta(ge=0, le=100, description="With less time value left it is closed instead.")
    ] = 0.05


class BandConfig(Section, frozen=True, kw_only=True):
    """S10: in which band the delta of a unit stays."""

    delta_per_share: Annotated[
        float, Meta(ge=0.05, le=1, description="Delta a share beyond which legs are rearranged.")
    ] = 0.30
    legs_max: Annotated[
        int, Meta(ge=1, le=4, description="Leg trades that one rearrangement may take.")
    ] = 2


class WheelConfig(Section, frozen=True, kw_only=True):
    """S7: shares that are put to us, and the calls sold on them."""

    enabled: Annotated[bool, Meta(description="Whether calls are sold on delivered shares.")] = True
    dte_min: Annotated[int, Meta(ge=1, le=365, description="Days to a call's end at least.")] = 14
    dte_max: Annotated[int, Meta(ge=1, le=365, description="Days to a call's end at most.")] = 30
    delta_per_share: Annotated[
        float, Meta(ge=0.01, le=0.99, description="Delta of the call that is aimed at.")
    ] = 0.30
    premium_usd_min: Annotated[
        float, Meta(ge=0.01, le=100, description="Least bid a share that a call is sold for.")
    ] = 0.05
    strategies: Annotated[
        tuple[Annotated[str, Meta(min_length=1, max_length=50, title="a strategy's name")], ...],
        Meta(
            max_length=20,
            title="a list of strategies",
            description="Whose puts may be left to be assigned on their last day.",
        ),
    ] = ("wheel", "stock_puts")
    shares_nlv_fraction_max: Annotated[
        float, Meta(ge=0, le=1, description="If their shares cost no more than this part of NLV.")
    ] = 0.10


class HedgesConfig(Section, frozen=True, kw_only=True):
    """S17: protection bought where a scenario is beyond its limit."""

    enabled: Annotated[bool, Meta(description="Whether protection is bought at all.")] = True
    budget_fraction: Annotated[
        float, Meta(ge=0.10, le=0.20, description="Part of a quarter's premium that may be spent.")
    ] = 0.15
    part_min_fraction: Annotated[
        float, Meta(ge=0, le=1, description="Part of the excess that a hedge removes at least.")
    ] = 0.10
    underlyings: Annotated[
        tuple[Annotated[str, Meta(min_length=1, max_length=12, title="a symbol")], ...],
        Meta(
            max_length=10,
            title="a list of symbols",
            description="On what it is bought: the first whose chain has what is needed.",
        ),
    ] = ("SPX", "XSP", "SPY")
    dte_min: Annotated[int, Meta(ge=0, le=365, description="Days to its end at least.")] = 5
    dte_max: Annotated[int, Meta(ge=1, le=365, description="Days to its end at most.")] = 60
    unneeded_fraction: Annotated[
        float, Meta(ge=0.1, le=1, description="Sold once all scenarios are within this of limits.")
    ] = 0.75
    units_max: Annotated[int, Meta(ge=1, le=1000, description="Units of one hedge at most.")] = 50


class LadderConfig(Section, frozen=True, kw_only=True):
    """How far an exit goes for its fill: from the middle to a bounded price beyond the market."""

    concede_fraction: Annotated[
        float, Meta(ge=0, le=1, description="Beyond the market's own side, a part of its price.")
    ] = 0.10
    concede_usd_min: Annotated[
        float, Meta(ge=0, le=10, description="Or at least so much a share.")
    ] = 0.05
    more_each_time_fraction: Annotated[
        float, Meta(ge=0, le=1, description="More for each time that it ended without a fill.")
    ] = 0.10
    attempts_bolder_max: Annotated[int, Meta(ge=0, le=20, description="So many times at most.")] = 4
    good_for_s: Annotated[
        float, Meta(ge=10, le=3600, description="An order that is not judged by then is void.")
    ] = 300.0
    again_after_s: Annotated[
        float, Meta(ge=1, le=3600, description="After an order without a fill, the next one.")
    ] = 60.0


class ManagingConfig(Section, frozen=True, kw_only=True):
    """What is done about what is held."""

    look_every_s: Annotated[
        float, Meta(ge=60, le=300, description="Everything held is looked at this often.")
    ] = 60.0
    snapshot_every_s: Annotated[
        float, Meta(ge=60, le=86400, description="Every trade is written down this often.")
    ] = 900.0
    blind_alert_s: Annotated[
        float, Meta(ge=10, le=86400, description="Without a usable quote so long: told.")
    ] = 600.0
    target_change_min: Annotated[
        float, Meta(ge=0, le=0.5, description="A smaller change of the target moves no exit.")
    ] = 0.02
    exits: ExitsConfig = ExitsConfig()
    rolls: RollsConfig = RollsConfig()
    band: BandConfig = BandConfig()
    wheel: WheelConfig = WheelConfig()
    hedges: HedgesConfig = HedgesConfig()
    ladder: LadderConfig = LadderConfig()
