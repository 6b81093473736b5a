"""Decides what the likeness of the held underlyings costs (G5).

Correlations are averages over all pairs, 60 sessions, from -1 to 1. With fewer than two underlyings
there is no pair and nothing to shrink. A boundary belongs to the worse side, except the last one,
which must be exceeded.
"""

from __future__ import annotations

import enum

import msgspec

from thetawarden.domain.instants import NS_PER_DAY
from thetawarden.domain.regime.factors import (
    EntryPolicy,
    Factor,
    Rule,
    require_fractions,
    require_rising,
    unusable,
)
from thetawarden.domain.regime.readings import Bounds, Fault, Reading, fault_of


class Likeness(enum.StrEnum):
    """How alike the held underlyings move."""

    NO_PAIR = "no_pair"
    DIVERSE = "diverse"
    STANDARD = "standard"
    ALIKE = "alike"
    ONE_BET = "one_bet"


class CorrelationLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Where likeness begins to cost, and how much.

    Between alike and one bet, sizes shrink in a straight line between the two fractions.
    """

    standard_from: float = 0.30
    alike_from: float = 0.50
    one_bet_above: float = 0.70
    diverse_size_fraction: float = 1.0
    standard_size_fraction: float = 1.0
    alike_size_fraction_max: float = 0.8
    alike_size_fraction_min: float = 0.7
    age_ns_max: int = 5 * NS_PER_DAY

    def __post_init__(self) -> None:
        require_rising(
            lowest=-1.0,
            standard_from=self.standard_from,
            alike_from=self.alike_from,
            one_bet_above=self.one_bet_above,
            highest=1.0,
        )
        if self.alike_from == self.one_bet_above:
            raise ValueError("thresholds must rise: alike holdings need room before one bet")
        require_fractions(diverse_size_fraction=self.diverse_size_fraction)
        require_rising(
            zero=0.0,
            alike_size_fraction_min=self.alike_size_fraction_min,
            alike_size_fraction_max=self.alike_size_fraction_max,
            standard_size_fraction=self.standard_size_fraction,
            diverse_size_fraction=self.diverse_size_fraction,
        )


class CorrelationState(msgspec.Struct, frozen=True, kw_only=True):
    """How alike the holdings are, by which average, and what follows."""

    likeness: Likeness | None
    average: float | None
    factor: Factor


def judge_correlation(
    *, underlyings: int, average: Reading | None, now_ns: int, limits: CorrelationLimits
) -> CorrelationState:
    """Return the likeness of the held underlyings; unknown among two or more: no entries."""
    if underlyings < 2:
        factor = Factor(rule=Rule.CORRELATION, label=Likeness.NO_PAIR.value, size_fraction=1.0)
        return CorrelationState(likeness=Likeness.NO_PAIR, average=None, factor=factor)
    bounds = Bounds(age_ns_max=limits.age_ns_max, value_min=-1.0, value_max=1.0)
    fault = fault_of(reading=average, now_ns=now_ns, bounds=bounds)
    if average is None or fault is not None:
        faults = () if fault is None else (Fault(name="average_correlation", fault=fault),)
        return CorrelationState(
            likeness=None, average=None, factor=unusable(Rule.CORRELATION, faults)
        )
    likeness = likeness_of(average.value, limits)
    factor = _factor(likeness, average.value, limits)
    return CorrelationState(likeness=likeness, average=average.value, factor=factor)


def likeness_of(average: float, limits: CorrelationLimits) -> Likeness:
    """Return the likeness an average correlation amounts to."""
    if average > limits.one_bet_above:
        return Likeness.ONE_BET
    if average >= limits.alike_from:
        return Likeness.ALIKE
    return Likeness.STANDARD if average >= limits.standard_from else Likeness.DIVERSE


def _factor(likeness: Likeness, average: float, limits: CorrelationLimits) -> Factor:
    way = (average - limits.alike_from) / (limits.one_bet_above - limits.alike_from)
    most, least = limits.alike_size_fraction_max, limits.alike_size_fraction_min
    size = {
        Likeness.DIVERSE: limits.diverse_size_fraction,
        Likeness.STANDARD: limits.standard_size_fraction,
        Likeness.ALIKE: most + (least - most) * way,
        Likeness.ONE_BET: 0.0,
    }[likeness]
    refuse = likeness is Likeness.ONE_BET
    return Factor(
        rule=Rule.CORRELATION,
        label=likeness.value,
        size_fraction=size,
        entries=EntryPolicy.NONE if refuse else EntryPolicy.ALL,
    )
