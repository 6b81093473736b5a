"""Decides where the market is heading (G3), from price against its averages, ADX and VIX.

The worst state that applies wins: crash, strong down, then sideways before mild down (a market
that hugs its average without direction is not falling), then up. A VIX exactly between mild and
strong down makes it strong. Breadth is advancing minus declining, in any unit; it only tells
strong up from mild up and may be missing.
"""

from __future__ import annotations

import enum
import math

import msgspec

from thetawarden.domain.instants import NS_PER_DAY, NS_PER_MINUTE
from thetawarden.domain.regime.factors import (
    EntryPolicy,
    Factor,
    Rule,
    require_fractions,
    require_rising,
    unusable,
)
from thetawarden.domain.regime.readings import Bounds, Fault, InputFault, Reading, fault_of, sift


class Trend(enum.StrEnum):
    """Where the market is heading."""

    STRONG_UP = "strong_up"
    MILD_UP = "mild_up"
    SIDEWAYS = "sideways"
    MILD_DOWN = "mild_down"
    STRONG_DOWN = "strong_down"
    CRASH = "crash"


class TrendInputs(msgspec.Struct, frozen=True, kw_only=True):
    """The benchmark's price and what its daily history says."""

    price: Reading | None
    sma20: Reading | None
    sma50: Reading | None
    sma200: Reading | None
    adx: Reading | None
    breadth: Reading | None = None


class TrendLimits(msgspec.Struct, frozen=True, kw_only=True):
    """The thresholds between the states and what each costs."""

    strong_down_vix_points: float = 25.0
    crash_vix_points: float = 35.0
    sideways_within_fraction: float = 0.01
    sideways_adx_max: float = 20.0
    mild_down_size_fraction: float = 0.75
    down_delta_fraction: float = 0.8
    strong_down_size_fraction: float = 0.5
    crash_size_fraction: float = 0.5
    pause_on_strong_down: bool = False
    price_age_ns_max: int = 15 * NS_PER_MINUTE
    history_age_ns_max: int = 5 * NS_PER_DAY
    """Daily figures outlive the longest weekend with a holiday on each side of it."""

    def __post_init__(self) -> None:
        require_fractions(
            down_delta_fraction=self.down_delta_fraction,
            sideways_within_fraction=self.sideways_within_fraction,
            mild_down_size_fraction=self.mild_down_size_fraction,
        )
        require_rising(
            zero=0.0,
            strong_down_vix_points=self.strong_down_vix_points,
            crash_vix_points=self.crash_vix_points,
        )
        require_rising(
            zero=0.0,
            crash_size_fraction=self.crash_size_fraction,
            strong_down_size_fraction=self.strong_down_size_fraction,
            mild_down_size_fraction=self.mild_down_size_fraction,
        )


class TrendFigures(msgspec.Struct, frozen=True, kw_only=True):
    """The figures once they may be used; `broad` when more stocks rise than fall."""

    price: float
    sma20: float
    sma50: float
    sma200: float
    adx: float
    vix_points: float
    broad: bool


class TrendState(msgspec.Struct, frozen=True, kw_only=True):
    """Where the market is heading, on which figures, and what follows."""

    trend: Trend | None
    figures: TrendFigures | None
    factor: Factor


def judge_trend(
    *, inputs: TrendInputs, vix_points: float | None, now_ns: int, limits: TrendLimits
) -> TrendState:
    """Return the trend; without every figure of it, and a usable VIX, no entries."""
    live = Bounds(age_ns_max=limits.price_age_ns_max, value_min=1e-9, value_max=math.inf)
    daily = msgspec.structs.replace(live, age_ns_max=limits.history_age_ns_max)
    directed = msgspec.structs.replace(daily, value_min=0.0, value_max=100.0)
    means = {"sma20": inputs.sma20, "sma50": inputs.sma50, "sma200": inputs.sma200}
    parts = [
        sift(readings={"price": inputs.price}, now_ns=now_ns, bounds=live),
        sift(readings=means, now_ns=now_ns, bounds=daily),
        sift(readings={"adx": inputs.adx}, now_ns=now_ns, bounds=directed),
    ]
    faults = [fault for part in parts for fault in part.faults]
    if vix_points is None:
        faults.append(Fault(name="vix", fault=InputFault.MISSING))
    if vix_points is None or faults:
        return TrendState(trend=None, figures=None, factor=unusable(Rule.TREND, tuple(faults)))
    broad = _is_broad(breadth=inputs.breadth, now_ns=now_ns, daily=daily)
    values = {name: value for part in parts for name, value in part.values.items()}
    figures = TrendFigures(**values, vix_points=vix_points, broad=broad)
    trend = trend_of(figures, limits)
    return TrendState(trend=trend, figures=figures, factor=_factor(trend, limits))


def trend_of(figures: TrendFigures, limits: TrendLimits) -> Trend:
    """Return the worst state that applies."""
    price, vix_points = figures.price, figures.vix_points
    if price < figures.sma200 and vix_points > limits.crash_vix_points:
        return Trend.CRASH
    falling = price < figures.sma50
    if falling and vix_points >= limits.strong_down_vix_points:
        return Trend.STRONG_DOWN
    distance_fraction = abs(price / figures.sma50 - 1.0)
    near = distance_fraction <= limits.sideways_within_fraction
    if near and figures.adx <= limits.sideways_adx_max:
        return Trend.SIDEWAYS
    if falling:
        return Trend.MILD_DOWN
    stacked = price > figures.sma20 > figures.sma50
    return Trend.STRONG_UP if stacked and figures.broad else Trend.MILD_UP


def _is_broad(*, breadth: Reading | None, now_ns: int, daily: Bounds) -> bool:
    anything = msgspec.structs.replace(daily, value_min=-math.inf)
    fault = fault_of(reading=breadth, now_ns=now_ns, bounds=anything)
    return breadth is not None and fault is None and breadth.value > 0.0


def _factor(trend: Trend, limits: TrendLimits) -> Factor:
    size, delta, entries = 1.0, 1.0, EntryPolicy.ALL
    if trend is Trend.MILD_DOWN:
        size, delta = limits.mild_down_size_fraction, limits.down_delta_fraction
    elif trend is Trend.STRONG_DOWN:
        size, delta = limits.strong_down_size_fraction, limits.down_delta_fraction
        entries = EntryPolicy.NONE if limits.pause_on_strong_down else EntryPolicy.ALL
    elif trend is Trend.CRASH:
        size, delta = limits.crash_size_fraction, limits.down_delta_fraction
        entries = EntryPolicy.DEFINED_RISK_ONLY
    return Factor(
        rule=Rule.TREND,
        label=trend.value,
        size_fraction=size,
        delta_fraction=delta,
        entries=entries,
    )
