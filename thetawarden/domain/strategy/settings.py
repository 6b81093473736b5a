"""Gathers everything that can be set about what is sold and when; durations are market time.

Deltas are absolute and per share, prices USD per share, fractions of one. `*_points` are points of
a full-sized index; an index or fund of a tenth of its size takes a tenth of them.
"""

from __future__ import annotations

import datetime as dt

import msgspec

from thetawarden.domain.instants import NS_PER_MINUTE, NS_PER_SECOND
from thetawarden.domain.regime.derived import DerivedRegime
from thetawarden.domain.strategy.level import Level
from thetawarden.domain.surface.liquidity import LiquidityScale


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What one strategy looks for; what does not concern it is left at its default.

    The delta aimed at lies between `delta_low` and `delta_high`, which widen by `delta_step` at a
    time to `delta_floor` and `delta_ceiling` when nothing else is left. A stop multiple of 0 is no
    stop; 3 buys back at three times the credit.
    """

    underlyings: tuple[str, ...] = ()
    dte_min: int = 1
    dte_max: int = 4
    delta_target: float = 0.065
    delta_low: float = 0.055
    delta_high: float = 0.075
    delta_step: float = 0.005
    delta_floor: float = 0.03
    delta_ceiling: float = 0.10
    otm_fraction_min: float = 0.0
    premium_usd_min: float = 0.05
    premium_spot_fraction_min: float = 0.0
    width_points_min: float = 50.0
    width_points_max: float = 100.0
    width_fraction_min: float = 0.05
    width_fraction_max: float = 0.10
    call_delta_target: float = 0.025
    call_delta_low: float = 0.02
    call_delta_high: float = 0.03
    profit_target_fraction: float = 0.70
    stop_multiple: float = 0.0
    latest_entry: dt.time = dt.time(15, 30)
    units: int = 1


class ScoreWeights(msgspec.Struct, frozen=True, kw_only=True):
    """What each part of a score weighs; only their proportion matters."""

    safety: float = 40.0
    liquidity: float = 30.0
    judgement: float = 20.0
    efficiency: float = 10.0


class SelectorWeights(msgspec.Struct, frozen=True, kw_only=True):
    """What each part weighs where strategies compete for one underlying."""

    return_on_risk: float = 20.0
    profit_probability: float = 30.0
    skew: float = 10.0
    regime: float = 15.0
    liquidity: float = 15.0
    portfolio_fit: float = 10.0


class SkewShift(msgspec.Struct, frozen=True, kw_only=True):
    """How much more delta the richer side gets at most, and the poorer side less."""

    delta_max: float = 0.01


class ProfitTargets(msgspec.Struct, frozen=True, kw_only=True):
    """Which part of a credit is aimed at in which regime."""

    crash: float = 0.40
    high_volatility: float = 0.50
    normal: float = 0.80
    range_bound: float = 0.80
    trending: float = 0.85
    low_volatility: float = 0.90

    def fraction(self, regime: DerivedRegime) -> float:
        """Return the target of a regime."""
        found: float = getattr(self, regime.value)
        return found


class Timing(msgspec.Struct, frozen=True, kw_only=True):
    """When entries are tried, for how long, and how patiently; times of day are New York's."""

    entry_times: tuple[dt.time, ...] = (
        dt.time(9, 40),
        dt.time(10, 10),
        dt.time(10, 40),
        dt.time(11, 30),
        dt.time(13, 0),
    )
    open_for_ns: int = 25 * NS_PER_MINUTE
    proposal_ns: int = 30 * NS_PER_SECOND
    view_age_ns_max: int = 15 * NS_PER_SECOND
    regime_age_ns_max: int = 15 * NS_PER_MINUTE
    sweep_ns: int = 5 * NS_PER_SECOND
    say_ns: int = 15 * NS_PER_SECOND
    quote_age_ns_max: int = 10 * NS_PER_SECOND
    again_ns: int = 10 * NS_PER_MINUTE
    same_again_ns: int = 60 * NS_PER_MINUTE
    unseen_again_ns: int = NS_PER_MINUTE
    preview_ns: int = 30 * NS_PER_SECOND
    keep_watching_ns: int = 10 * NS_PER_MINUTE


class Concession(msgspec.Struct, frozen=True, kw_only=True):
    """How far below the middle an entry may sell: of the half spread, and of the middle."""

    concede_half_spreads: float = 1.0
    concede_fraction_max: float = 0.08
    concede_usd_fine: float = 0.05


class Staging(msgspec.Struct, frozen=True, kw_only=True):
    """How a line-up fills the margin budget; over-allocation of 0 stages no more than fits."""

    budget_fraction: float = 0.20
    over_allocation_fraction: float = 0.0
    strikes_away_max: int = 3
    adapt_from: dt.time = dt.time(9, 35)


class StrategySettings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything; `terms` by the name of the strategy, one that is not there trades nothing."""

    level: Level
    terms: dict[str, Terms]
    weights: ScoreWeights = ScoreWeights()
    selector: SelectorWeights = SelectorWeights()
    skew: SkewShift = SkewShift()
    targets: ProfitTargets = ProfitTargets()
    timing: Timing = Timing()
    concession: Concession = Concession()
    staging: Staging = Staging()
    liquidity: LiquidityScale = LiquidityScale()

    @property
    def underlyings(self) -> tuple[str, ...]:
        """Everything that any strategy trades, each once, in order."""
        return tuple(
            dict.fromkeys(one for terms in self.terms.values() for one in terms.underlyings)
        )
