"""Decides in which band the VIX is (G1), with hysteresis.

A band starts at its boundary (the crisis only above its own). A stricter band than the previous one
is entered at once; a freer one only when the VIX has left the boundary behind by a margin, from
whichever side. Stricter is the smaller size, and among equal sizes the higher VIX: so a VIX that
hovers at a boundary changes the band once, to the strict side.
"""

from __future__ import annotations

import msgspec

from thetawarden.domain.regime.factors import Factor, Rule, unusable
from thetawarden.domain.regime.readings import Fault, Reading, fault_of
from thetawarden.domain.regime.vix_limits import VixBand, VixBandRule, VixLimits


class VixState(msgspec.Struct, frozen=True, kw_only=True):
    """The band with what it allows, or neither when the VIX could not be used."""

    terms: VixBandRule | None
    points: float | None
    factor: Factor

    @property
    def band(self) -> VixBand | None:
        """The band, to be handed in again as the previous one."""
        return None if self.terms is None else self.terms.band


def judge_vix(
    *, vix: Reading | None, previous: VixBand | None, now_ns: int, limits: VixLimits
) -> VixState:
    """Return the band a fresh VIX falls into and its factor; without one, no entries."""
    fault = fault_of(reading=vix, now_ns=now_ns, bounds=limits.bounds)
    if vix is None or fault is not None:
        faults = () if fault is None else (Fault(name="vix", fault=fault),)
        return VixState(terms=None, points=None, factor=unusable(Rule.VIX, faults))
    terms = limits.rule(settle_band(vix_points=vix.value, previous=previous, limits=limits))
    factor = Factor(
        rule=Rule.VIX,
        label=terms.band.value,
        size_fraction=terms.size_fraction,
        entries=terms.entries,
    )
    return VixState(terms=terms, points=vix.value, factor=factor)


def band_of(vix_points: float, limits: VixLimits) -> VixBand:
    """Return the band a VIX falls into by the table alone."""
    return next(rule.band for rule in reversed(limits.bands) if _reaches(vix_points, rule))


def settle_band(*, vix_points: float, previous: VixBand | None, limits: VixLimits) -> VixBand:
    """Return the band to be in, given the one we were in."""
    by_table = limits.rule(band_of(vix_points, limits))
    if previous is None:
        return by_table.band
    before = limits.rule(previous)
    if _strictness(by_table) >= _strictness(before):
        return by_table.band
    fell = by_table.from_points < before.from_points
    margin = limits.relax_margin_points if fell else -limits.relax_margin_points
    edges = sorted([by_table, before], key=lambda rule: rule.from_points)
    held = limits.rule(band_of(max(vix_points + margin, 0.0), limits))
    # A far jump must not overshoot either end of the way from the old band to the table's.
    held = min(max(held, edges[0], key=_from), edges[1], key=_from)
    return max(by_table, held, key=_strictness).band


def _reaches(vix_points: float, rule: VixBandRule) -> bool:
    start = rule.from_points
    return vix_points > start if rule.starts_above else vix_points >= start


def _strictness(rule: VixBandRule) -> tuple[float, float]:
    return (-rule.size_fraction, rule.from_points)


def _from(rule: VixBandRule) -> float:
    return rule.from_points
