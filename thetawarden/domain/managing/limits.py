"""Gathers every number that managing goes by; durations are market time, fractions of one."""

from __future__ import annotations

import datetime as dt

import msgspec

from thetawarden.domain.instants import NS_PER_MINUTE, NS_PER_SECOND
from thetawarden.domain.strategy.settings import ProfitTargets


class TargetLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Which part of the premium is aimed at: each strategy's own, less where the regime says so."""

    regimes: ProfitTargets = ProfitTargets()
    own: dict[str, float] = {}
    otherwise: float = 0.70
    change_min: float = 0.02

    def of(self, strategy: str) -> float:
        """Return the target of a strategy in a market of no name."""
        return self.own.get(strategy, self.otherwise)


class ExitLimits(msgspec.Struct, frozen=True, kw_only=True):
    """When something is to be done about a trade; losses in parts of its premium, 0 for never.

    The stop is the price of buying it back, in premiums: at 3 twice the premium is lost.
    """

    loss_alert_fraction: float = 1.5
    loss_exit_fraction: float = 2.0
    alert_delta: float = 0.50
    exit_delta: float = 0.60
    move_alert_multiple: float = 1.5
    stop_multiple: float = 0.0
    trailing_from_fraction: float = 0.50
    trailing_back_fraction: float = 0.60
    vix_rise_points: float = 10.0
    exit_days: int = 0
    last_day_ns: int = 45 * NS_PER_MINUTE
    at_the_money_fraction: float = 0.003
    time_exit: dt.time = dt.time(15, 30)
    time_exit_fraction: float = 0.50


class RollLimits(msgspec.Struct, frozen=True, kw_only=True):
    """How a trade may be rolled."""

    rolls_max: int = 2
    credit_usd_min: float = 0.10
    dte_max: int = 45
    delta_over_fraction: float = 0.25
    time_value_usd_min: float = 0.05


class BandLimits(msgspec.Struct, frozen=True, kw_only=True):
    """How far the delta of a unit may be from nothing before its legs are rearranged."""

    delta_per_share: float = 0.30
    legs_max: int = 2
    strikes_max: int = 24


class WheelLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Whose puts may be left to be assigned, and which calls are sold on the shares."""

    enabled: bool = True
    dte_min: int = 14
    dte_max: int = 30
    delta_per_share: float = 0.30
    premium_usd_min: float = 0.05
    strategies: tuple[str, ...] = ("wheel", "stock_puts")
    shares_nlv_fraction_max: float = 0.10


class HedgeLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What protection is bought, with which part of a quarter's premium, and when it is sold."""

    enabled: bool = True
    budget_fraction: float = 0.15
    part_min_fraction: float = 0.10
    underlyings: tuple[str, ...] = ("SPX", "XSP", "SPY")
    dte_min: int = 5
    dte_max: int = 60
    unneeded_fraction: float = 0.75
    quarter_days: int = 91
    units_max: int = 50


class Ladder(msgspec.Struct, frozen=True, kw_only=True):
    """How an exit finds its price: from the middle, at most so far beyond the natural price.

    Nor further from the middle than the governor's collar: beyond it nothing leaves at all. What
    may add risk has the narrower collar of entries: a roll, a call sold on shares, a hedge sold.
    """

    concede_fraction: float = 0.10
    concede_usd_min: float = 0.05
    more_each_time_fraction: float = 0.10
    attempts_bolder_max: int = 4
    good_for_ns: int = 5 * NS_PER_MINUTE
    again_after_ns: int = NS_PER_MINUTE
    collar_fraction: float = 0.50
    collar_usd_min: float = 0.05
    entry_collar_fraction: float = 0.10


class ManagingLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Everything."""

    targets: TargetLimits = TargetLimits()
    exits: ExitLimits = ExitLimits()
    rolls: RollLimits = RollLimits()
    band: BandLimits = BandLimits()
    wheel: WheelLimits = WheelLimits()
    hedges: HedgeLimits = HedgeLimits()
    ladder: Ladder = Ladder()
    every_ns: int = NS_PER_MINUTE
    snapshot_ns: int = 15 * NS_PER_MINUTE
    view_age_ns_max: int = 90 * NS_PER_SECOND
    blind_alert_ns: int = 10 * NS_PER_MINUTE
