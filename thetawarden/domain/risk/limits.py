"""Defines every number the risk rules use. Data only: the defaults live in the configuration.

Fractions are of net liquidation value unless the name says otherwise, losses are positive. A limit
refuses at construction what no person can have meant: a number that is not finite, a negative one,
a warning above its limit.
"""

from __future__ import annotations

import enum
import math

import msgspec
from typing_extensions import override

from thetawarden.domain.portfolio.shock import Scenario


class MarginModel(enum.StrEnum):
    """How margin is projected where no broker can be asked."""

    STRATEGY = "strategy"
    RISK = "risk"


class AtMarginLimit(enum.StrEnum):
    """What a margin utilisation at its limit does."""

    HALT = "halt"
    CAUTIOUS = "cautious"


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What all groups of limits have in common: every number is finite and not negative."""

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if isinstance(value, float) and not 0.0 <= value < math.inf:
                raise ValueError(f"{name} must be finite and not negative, found {value}")


class SizingLimits(Limits, frozen=True, kw_only=True):
    """R1: how old a regime may be, how close to the money a short may be, what is marginal."""

    regime_age_ns_max: int
    short_delta_per_share_max: float
    index_short_delta_per_share_max: float
    marginal_premium_fraction: float


class GreekLimits(Limits, frozen=True, kw_only=True):
    """R2: what small moves may cost, what the book may control, and how full entries may make it.

    Entries never fill more of a limit than that part of it from which reduction is demanded.
    """

    index_drop_warn_fraction: float
    index_drop_max_fraction: float
    theta_min_fraction: float
    theta_max_fraction: float
    vega_max_fraction: float
    gamma_max_fraction: float
    notional_warn_nlv: float
    notional_max_nlv: float
    theta_per_index_delta_min_usd: float
    entry_fill_fraction: float
    reduce_from_fraction: float


class MarginLimits(Limits, frozen=True, kw_only=True):
    """R3 and R4: the margin in use, and in use after a crash."""

    utilisation_target_fraction: float
    utilisation_max_fraction: float
    excess_liquidity_min_fraction: float
    per_trade_max_fraction: float
    auto_select_max_fraction: float
    stressed_utilisation_max_fraction: float
    answer_age_ns_max: int
    account_age_ns_max: int
    model: MarginModel


class BrakeLimits(Limits, frozen=True, kw_only=True):
    """R5: losses at which the desk warns, slows down and stops."""

    day_loss_fraction: float
    week_loss_fraction: float
    month_loss_fraction: float
    drawdown_fraction: float
    warn_from_fraction: float
    margin_warn_from_fraction: float
    slow_from_fraction: float
    slow_size_fraction: float
    streak_slow_losses_max: int
    streak_pause_losses_max: int
    at_margin_limit: AtMarginLimit


class StressLimits(Limits, frozen=True, kw_only=True):
    """R6: the largest loss of any scenario, and the scenarios a person has added."""

    entry_loss_fraction: float
    reduce_loss_fraction: float
    age_ns_max: int
    own: tuple[Scenario, ...]
    map_spot_fraction: float
    map_vix_points: float


class ExpiryLimits(Limits, frozen=True, kw_only=True):
    """R7: how much of the book may end together."""

    per_date_max_fraction: float
    per_bucket_max_fraction: float
    exempt_positions_max: int


class RecoveryLimits(Limits, frozen=True, kw_only=True):
    """R8: the way back after a drawdown halt."""

    pause_weeks: int
    half_until_weeks: int
    most_until_weeks: int
    half_size_fraction: float
    most_size_fraction: float
    recovered_fraction: float
    drawdown_factor_min_fraction: float

    @override
    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.pause_weeks <= self.half_until_weeks <= self.most_until_weeks:
            raise ValueError("the weeks of the recovery must follow each other")


class ConcentrationLimits(Limits, frozen=True, kw_only=True):
    """R10: how much may hang on one name, one sector, one order."""

    name_warn_fraction: float
    name_max_fraction: float
    sector_underlyings_max: int
    positions_max: int
    order_contracts_max: int
    same_entry_ns: int


class OrderLimits(Limits, frozen=True, kw_only=True):
    """R12: what an order must look like, and how many there may be."""

    collar_fraction: float
    collar_min_usd: float
    reducing_collar_fraction: float
    spread_max_fraction: float
    spread_fine_usd: float
    quote_age_ns_max: int
    order_value_max_usd: float
    entries_per_minute_max: int
    orders_per_minute_max: int
    cancels_per_minute_max: int
    entries_per_strategy_max: int
    duplicate_ns: int
    approval_ns: int


class HaltLimits(Limits, frozen=True, kw_only=True):
    """R13: what a halted desk still does."""

    reduce_when_halted: bool


class BookLimits(Limits, frozen=True, kw_only=True):
    """R14: how old the book a decision rests on may be."""

    age_ns_max: int


class DefinedRiskLimits(Limits, frozen=True, kw_only=True):
    """R15: from where on nothing naked is sold."""

    vix_max_points: float
    notional_max_nlv: float
    margin_near_fraction: float


class LiveLimits(Limits, frozen=True, kw_only=True):
    """R16: how ready the desk must be for real money."""

    readiness_min_points: float


class RiskLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Every limit there is, by the rule that reads it."""

    sizing: SizingLimits
    greeks: GreekLimits
    margin: MarginLimits
    brakes: BrakeLimits
    stress: StressLimits
    expiry: ExpiryLimits
    recovery: RecoveryLimits
    concentration: ConcentrationLimits
    orders: OrderLimits
    halt: HaltLimits
    book: BookLimits
    defined_risk: DefinedRiskLimits
    live: LiveLimits
