"""Decides how the volatility curve lies (G2): points of near over far, the worst pair counting.

Pairs are spot VIX against VIX3M, spot against the second future, first future against second. Spot
against the first future is stored as evidence only: near its settlement the two are one figure.
A partly unusable curve allows no entry, yet what is seen of it still demands closing.
"""

from __future__ import annotations

import enum
import math

import msgspec

from thetawarden.domain.instants import NS_PER_MINUTE
from thetawarden.domain.regime.factors import (
    EntryPolicy,
    Factor,
    Rule,
    require_fractions,
    require_rising,
    unusable,
)
from thetawarden.domain.regime.readings import Bounds, Reading, sift


class TermStructure(enum.StrEnum):
    """How the curve lies, from benign to broken."""

    CONTANGO = "contango"
    FLAT = "flat"
    INVERTED = "inverted"
    DEEPLY_INVERTED = "deeply_inverted"


class VolCurve(msgspec.Struct, frozen=True, kw_only=True):
    """Spot VIX, the three-month index, and the first and second VIX future."""

    vix: Reading | None
    vix3m: Reading | None
    first_future: Reading | None
    second_future: Reading | None


class TermLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Where the curve counts as flat or deeply inverted, and what each state costs.

    Inverted sizes shrink in a straight line from the shallow to the deep fraction.
    """

    flat_within_points: float = 0.5
    deep_above_points: float = 5.0
    flat_size_fraction: float = 0.8
    inverted_shallow_size_fraction: float = 0.6
    inverted_deep_size_fraction: float = 0.5
    age_ns_max: int = 15 * NS_PER_MINUTE

    def __post_init__(self) -> None:
        require_fractions(flat_size_fraction=self.flat_size_fraction)
        require_rising(
            floor=0.0,
            inverted_deep_size_fraction=self.inverted_deep_size_fraction,
            inverted_shallow_size_fraction=self.inverted_shallow_size_fraction,
            flat_size_fraction=self.flat_size_fraction,
        )
        require_rising(zero=0.0, flat_within_points=self.flat_within_points)
        if not 0.0 < self.deep_above_points < math.inf:
            raise ValueError("a deep inversion must begin above zero points")


class TermState(msgspec.Struct, frozen=True, kw_only=True):
    """How the curve lies, by how many points the worst pair is inverted, and what follows."""

    structure: TermStructure | None
    inversion_points: float | None
    spot_over_first_future_points: float | None
    close_naked: bool
    factor: Factor


_PAIRS = (("vix", "vix3m"), ("vix", "second_future"), ("first_future", "second_future"))


def judge_term_structure(*, curve: VolCurve, now_ns: int, limits: TermLimits) -> TermState:
    """Return the state of the curve; every part of it must be usable for any entry."""
    bounds = Bounds(age_ns_max=limits.age_ns_max, value_min=5.0, value_max=200.0)
    parts = sift(readings=msgspec.structs.asdict(curve), now_ns=now_ns, bounds=bounds)
    seen = parts.values
    inversions = [seen[a] - seen[b] for a, b in _PAIRS if a in seen and b in seen]
    worst = max(inversions, default=None)
    structure = None if worst is None else structure_of(worst, limits)
    if structure is None or worst is None or parts.faults:
        factor = unusable(Rule.TERM_STRUCTURE, parts.faults)
    else:
        factor = _factor(structure, worst, limits)
    spot, first = seen.get("vix"), seen.get("first_future")
    return TermState(
        structure=structure,
        inversion_points=worst,
        spot_over_first_future_points=None if spot is None or first is None else spot - first,
        close_naked=structure is TermStructure.DEEPLY_INVERTED,
        factor=factor,
    )


def structure_of(inversion_points: float, limits: TermLimits) -> TermStructure:
    """Return the state for the points by which near exceeds far."""
    if inversion_points > limits.deep_above_points:
        return TermStructure.DEEPLY_INVERTED
    if inversion_points > 0.0:
        return TermStructure.INVERTED
    if inversion_points >= -limits.flat_within_points:
        return TermStructure.FLAT
    return TermStructure.CONTANGO


def _factor(structure: TermStructure, inversion_points: float, limits: TermLimits) -> Factor:
    shallow, deep = limits.inverted_shallow_size_fraction, limits.inverted_deep_size_fraction
    depth = inversion_points / limits.deep_above_points
    size = {
        TermStructure.CONTANGO: 1.0,
        TermStructure.FLAT: limits.flat_size_fraction,
        TermStructure.INVERTED: shallow + (deep - shallow) * depth,
        TermStructure.DEEPLY_INVERTED: deep,
    }[structure]
    broken = structure is TermStructure.DEEPLY_INVERTED
    return Factor(
        rule=Rule.TERM_STRUCTURE,
        label=structure.value,
        size_fraction=size,
        entries=EntryPolicy.DEFINED_RISK_ONLY if broken else EntryPolicy.ALL,
    )
