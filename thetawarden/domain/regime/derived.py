"""Names the market's overall state (G4) from the rules' states, and says on which evidence.

Checked from the most dangerous to the most ordinary; the first that applies is the regime. The VIX
enters by its settled band, so that the name does not flap either. A high VIX names the regime
alone; for everything calmer the trend must be known as well, else there is no name.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

import msgspec

from thetawarden.domain.regime.trend import Trend, TrendState
from thetawarden.domain.regime.vix_limits import VixBand

if TYPE_CHECKING:
    from thetawarden.domain.regime.term_structure import TermState
    from thetawarden.domain.regime.vix_band import VixState


class DerivedRegime(enum.StrEnum):
    """The market's overall state; profit targets hang on it."""

    CRASH = "crash"
    HIGH_VOLATILITY = "high_volatility"
    NORMAL = "normal"
    LOW_VOLATILITY = "low_volatility"
    TRENDING = "trending"
    RANGE_BOUND = "range_bound"


class DerivedLimits(msgspec.Struct, frozen=True, kw_only=True):
    """From which ADX on a market is trending."""

    trending_adx_min: float = 25.0


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """One figure or state that was looked at, as it was."""

    name: str
    value: float | str


def derive_regime(
    *, vix: VixState, term: TermState, trend: TrendState, limits: DerivedLimits
) -> DerivedRegime | None:
    """Return the regime, or None when too little is known to name one."""
    band, figures = vix.band, trend.figures
    if trend.trend is Trend.CRASH or band is VixBand.CRISIS:
        return DerivedRegime.CRASH
    if band in {VixBand.HIGH, VixBand.VERY_HIGH} or term.close_naked:
        return DerivedRegime.HIGH_VOLATILITY
    if band is None or figures is None:
        return None
    if band in {VixBand.ULTRA_LOW, VixBand.LOW}:
        return DerivedRegime.LOW_VOLATILITY
    if figures.adx >= limits.trending_adx_min:
        return DerivedRegime.TRENDING
    return DerivedRegime.RANGE_BOUND if trend.trend is Trend.SIDEWAYS else DerivedRegime.NORMAL


def evidence_of(*, vix: VixState, term: TermState, trend: TrendState) -> tuple[Evidence, ...]:
    """Return everything usable the regime rests on, in a fixed order."""
    figures = {} if trend.figures is None else msgspec.structs.asdict(trend.figures)
    found: dict[str, float | str | None] = {
        "vix_points": vix.points,
        "vix_band": vix.band,
        "term_structure": term.structure,
        "inversion_points": term.inversion_points,
        "spot_over_first_future_points": term.spot_over_first_future_points,
        "trend": trend.trend,
        **{name: figures.get(name) for name in ("price", "sma20", "sma50", "sma200", "adx")},
    }
    return tuple(
        Evidence(name=name, value=str(value) if isinstance(value, str) else value)
        for name, value in found.items()
        if value is not None
    )
