"""Brings the rules G1 to G6 together into the one verdict that is stored with every decision.

Sizes multiply and the strictest policy wins; what a rule could not see is named. The caller keeps
the last known VIX band and hands it in again. A company's earnings are judged per entry, not here.
"""

from __future__ import annotations

import msgspec

from thetawarden.domain.market.events import DayNote, MacroNote
from thetawarden.domain.regime.correlation_gate import (
    CorrelationLimits,
    CorrelationState,
    judge_correlation,
)
from thetawarden.domain.regime.derived import (
    DerivedLimits,
    DerivedRegime,
    Evidence,
    derive_regime,
    evidence_of,
)
from thetawarden.domain.regime.event_factor import EventLimits, judge_events
from thetawarden.domain.regime.factors import (
    EntryPolicy,
    Factor,
    combined_delta_fraction,
    combined_size_fraction,
    strictest,
)
from thetawarden.domain.regime.readings import Fault, Reading
from thetawarden.domain.regime.term_structure import (
    TermLimits,
    TermState,
    VolCurve,
    judge_term_structure,
)
from thetawarden.domain.regime.trend import TrendInputs, TrendLimits, TrendState, judge_trend
from thetawarden.domain.regime.vix_band import VixState, judge_vix
from thetawarden.domain.regime.vix_limits import VixBand, VixLimits


class RegimeLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Every number the regime uses."""

    vix: VixLimits = VixLimits()
    term_structure: TermLimits = TermLimits()
    trend: TrendLimits = TrendLimits()
    correlation: CorrelationLimits = CorrelationLimits()
    events: EventLimits = EventLimits()
    derived: DerivedLimits = DerivedLimits()


class RegimeInputs(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the regime looks at."""

    curve: VolCurve
    trend: TrendInputs
    underlyings: int
    average_correlation: Reading | None
    macro: tuple[MacroNote, ...]
    days: tuple[DayNote, ...]


class Regime(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict: the overall state, what it allows, and the factors with their reasons."""

    derived: DerivedRegime | None
    evidence: tuple[Evidence, ...]
    vix: VixState
    term_structure: TermState
    trend: TrendState
    correlation: CorrelationState
    events: Factor
    size_fraction: float
    delta_fraction: float
    entries: EntryPolicy
    close_naked: bool

    @property
    def factors(self) -> tuple[Factor, ...]:
        """Every rule's answer, in the rules' order."""
        return (
            self.vix.factor,
            self.term_structure.factor,
            self.trend.factor,
            self.correlation.factor,
            self.events,
        )

    @property
    def faults(self) -> tuple[Fault, ...]:
        """Everything that could not be seen."""
        return tuple(fault for factor in self.factors for fault in factor.faults)


def assess(
    *, inputs: RegimeInputs, previous_band: VixBand | None, now_ns: int, limits: RegimeLimits
) -> Regime:
    """Return the regime at an instant."""
    vix = judge_vix(vix=inputs.curve.vix, previous=previous_band, now_ns=now_ns, limits=limits.vix)
    term = judge_term_structure(curve=inputs.curve, now_ns=now_ns, limits=limits.term_structure)
    trend = judge_trend(
        inputs=inputs.trend, vix_points=vix.points, now_ns=now_ns, limits=limits.trend
    )
    correlation = judge_correlation(
        underlyings=inputs.underlyings,
        average=inputs.average_correlation,
        now_ns=now_ns,
        limits=limits.correlation,
    )
    events = judge_events(macro=inputs.macro, days=inputs.days, limits=limits.events)
    factors = (vix.factor, term.factor, trend.factor, correlation.factor, events)
    return Regime(
        derived=derive_regime(vix=vix, term=term, trend=trend, limits=limits.derived),
        evidence=evidence_of(vix=vix, term=term, trend=trend),
        vix=vix,
        term_structure=term,
        trend=trend,
        correlation=correlation,
        events=events,
        size_fraction=combined_size_fraction(factors),
        delta_fraction=combined_delta_fraction(factors),
        entries=strictest(factor.entries for factor in factors),
        close_naked=term.close_naked,
    )
