"""Defines what each band of the VIX allows, with the desk's defaults (G1). Data, no decisions.

VIX in points; deltas per share as absolute values.
"""

from __future__ import annotations

import enum
import itertools
import math

import msgspec

from thetawarden.domain.instants import NS_PER_MINUTE
from thetawarden.domain.regime.factors import EntryPolicy, require_fractions, require_rising
from thetawarden.domain.regime.readings import Bounds


class VixBand(enum.StrEnum):
    """The bands from calm to crisis."""

    ULTRA_LOW = "ultra_low"
    LOW = "low"
    NORMAL = "normal"
    ELEVATED = "elevated"
    HIGH = "high"
    VERY_HIGH = "very_high"
    CRISIS = "crisis"


class VixBandRule(msgspec.Struct, frozen=True, kw_only=True):
    """Where a band starts and what it allows.

    `starts_above`: the boundary itself still belongs to the band below. `positions_fraction`
    scales the normal number of positions, `positions_max` caps it outright.
    """

    band: VixBand
    from_points: float
    starts_above: bool = False
    size_fraction: float
    positions_fraction: float = 1.0
    positions_max: int | None = None
    delta_per_share_min: float = 0.055
    delta_per_share_max: float = 0.075
    entries: EntryPolicy = EntryPolicy.ALL
    skip_marginal_premium: bool = False
    close_weakest: bool = False

    def __post_init__(self) -> None:
        require_fractions(
            size_fraction=self.size_fraction,
            positions_fraction=self.positions_fraction,
            delta_per_share_max=self.delta_per_share_max,
        )
        require_rising(
            delta_per_share_floor=0.0,
            delta_per_share_min=self.delta_per_share_min,
            delta_per_share_max=self.delta_per_share_max,
        )


DEFAULT_BANDS = (
    VixBandRule(
        band=VixBand.ULTRA_LOW, from_points=0.0, size_fraction=0.75, skip_marginal_premium=True
    ),
    VixBandRule(band=VixBand.LOW, from_points=12.0, size_fraction=1.0),
    VixBandRule(band=VixBand.NORMAL, from_points=16.0, size_fraction=1.0),
    VixBandRule(
        band=VixBand.ELEVATED,
        from_points=20.0,
        size_fraction=0.75,
        positions_fraction=0.75,
        delta_per_share_min=0.045,
        delta_per_share_max=0.06,
    ),
    VixBandRule(
        band=VixBand.HIGH,
        from_points=25.0,
        size_fraction=0.5,
        positions_fraction=0.5,
        delta_per_share_min=0.04,
        delta_per_share_max=0.05,
    ),
    VixBandRule(
        band=VixBand.VERY_HIGH,
        from_points=30.0,
        size_fraction=0.25,
        positions_fraction=0.5,
        positions_max=4,
        delta_per_share_min=0.03,
        delta_per_share_max=0.04,
    ),
    VixBandRule(
        band=VixBand.CRISIS,
        from_points=40.0,
        starts_above=True,
        size_fraction=0.0,
        positions_fraction=0.0,
        positions_max=0,
        delta_per_share_min=0.03,
        delta_per_share_max=0.04,
        entries=EntryPolicy.NONE,
        close_weakest=True,
    ),
)


class VixLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Every band once, in order; how far to leave a boundary behind; how old a VIX may be."""

    bands: tuple[VixBandRule, ...] = DEFAULT_BANDS
    relax_margin_points: float = 0.75
    age_ns_max: int = 15 * NS_PER_MINUTE

    def __post_init__(self) -> None:
        edges = [rule.from_points for rule in self.bands]
        if [rule.band for rule in self.bands] != list(VixBand):
            raise ValueError("every VIX band appears once, from calm to crisis")
        if edges[0] != 0.0 or any(b <= a for a, b in itertools.pairwise(edges)):
            raise ValueError(f"VIX bands must rise from 0, found {edges}")
        if not 0.0 < self.relax_margin_points < math.inf:
            raise ValueError("the margin to relax a band must be positive and finite")

    @property
    def bounds(self) -> Bounds:
        """What a VIX can be at all: it has never been outside 5 to 200 points."""
        return Bounds(age_ns_max=self.age_ns_max, value_min=5.0, value_max=200.0)

    def rule(self, band: VixBand) -> VixBandRule:
        """Return what a band allows."""
        return self.bands[list(VixBand).index(band)]
