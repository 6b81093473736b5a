"""Every number of the regime a person may set, and the limits that follow from them.

Points are VIX points. A fraction scales what is normal: 0.75 is three quarters of the size.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from thetawarden.domain.instants import NS_PER_DAY, NS_PER_MINUTE
from thetawarden.domain.regime.assess import RegimeLimits
from thetawarden.domain.regime.correlation_gate import CorrelationLimits
from thetawarden.domain.regime.derived import DerivedLimits
from thetawarden.domain.regime.event_factor import EventLimits
from thetawarden.domain.regime.term_structure import TermLimits
from thetawarden.domain.regime.trend import TrendLimits
from thetawarden.domain.regime.vix_limits import DEFAULT_BANDS, VixBand, VixBandRule, VixLimits


def _fraction(words: str) -> Meta:
    return Meta(ge=0.0, le=1.0, description=words)


class BandConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one band of the VIX allows."""

    from_points: Annotated[
        float, Meta(ge=0.0, le=200.0, description="VIX at which the band begins.")
    ]
    size_fraction: Annotated[float, _fraction("Size of an entry, of the normal one.")]
    positions_fraction: Annotated[float, _fraction("Positions, of the normal number.")]
    positions_max: Annotated[
        int, Meta(ge=0, le=1000, description="Positions in all; 1000 sets no other limit.")
    ]
    delta_per_share_min: Annotated[float, _fraction("Smallest delta of a short option.")]
    delta_per_share_max: Annotated[float, _fraction("Largest delta of a short option.")]


def _band(name: VixBand) -> BandConfig:
    rule = next(each for each in DEFAULT_BANDS if each.band is name)
    return BandConfig(
        from_points=rule.from_points,
        size_fraction=rule.size_fraction,
        positions_fraction=rule.positions_fraction,
        positions_max=NO_CAP if rule.positions_max is None else rule.positions_max,
        delta_per_share_min=rule.delta_per_share_min,
        delta_per_share_max=rule.delta_per_share_max,
    )


NO_CAP = 1000


class VixConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The VIX's bands, from calm to crisis; above the start of crisis nothing is opened."""

    ultra_low: BandConfig = _band(VixBand.ULTRA_LOW)
    low: BandConfig = _band(VixBand.LOW)
    normal: BandConfig = _band(VixBand.NORMAL)
    elevated: BandConfig = _band(VixBand.ELEVATED)
    high: BandConfig = _band(VixBand.HIGH)
    very_high: BandConfig = _band(VixBand.VERY_HIGH)
    crisis: BandConfig = _band(VixBand.CRISIS)
    relax_margin_points: Annotated[
        float,
        Meta(gt=0.0, le=10.0, description="A band is left this far below its start."),
    ] = 0.75
    age_min_max: Annotated[
        float, Meta(gt=0.0, le=120.0, description="An older VIX allows no entries (minutes).")
    ] = 15.0


class TermConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """VIX against VIX3M and the first two VIX futures."""

    flat_within_points: Annotated[
        float, Meta(ge=0.0, le=10.0, description="Closer than this counts as flat.")
    ] = 0.5
    deep_above_points: Annotated[
        float,
        Meta(gt=0.0, le=50.0, description="Inverted by more: close all naked positions."),
    ] = 5.0
    flat_size_fraction: Annotated[float, _fraction("Size when flat.")] = 0.8
    inverted_shallow_size_fraction: Annotated[float, _fraction("Size when just inverted.")] = 0.6
    inverted_deep_size_fraction: Annotated[float, _fraction("Size when deeply inverted.")] = 0.5


class TrendConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """SPX against its averages."""

    strong_down_vix_points: Annotated[
        float, Meta(gt=0.0, le=200.0, description="Falling with a VIX from here on: strong down.")
    ] = 25.0
    crash_vix_points: Annotated[
        float, Meta(gt=0.0, le=200.0, description="Below SMA200 with a VIX above: crash.")
    ] = 35.0
    sideways_within_fraction: Annotated[
        float, _fraction("This close to SMA50 may be sideways.")
    ] = 0.01
    sideways_adx_max: Annotated[
        float, Meta(ge=0.0, le=100.0, description="Sideways needs an ADX up to this.")
    ] = 20.0
    mild_down_size_fraction: Annotated[float, _fraction("Size when mildly down.")] = 0.75
    strong_down_size_fraction: Annotated[float, _fraction("Size when strongly down.")] = 0.5
    crash_size_fraction: Annotated[
        float, _fraction("Size of defined-risk entries in a crash; nothing naked is opened.")
    ] = 0.5
    down_delta_fraction: Annotated[float, _fraction("Delta when down, of the normal one.")] = 0.8
    pause_on_strong_down: Annotated[
        bool, Meta(description="Open nothing at all while strongly down.")
    ] = False


class CorrelationConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How alike the held underlyings moved over 60 days."""

    standard_from_correlation: Annotated[
        float, Meta(ge=-1.0, le=1.0, description="Below: diverse.")
    ] = 0.30
    alike_from_correlation: Annotated[
        float, Meta(ge=-1.0, le=1.0, description="From here on new entries shrink.")
    ] = 0.50
    one_bet_above_correlation: Annotated[
        float, Meta(ge=-1.0, le=1.0, description="Above: one bet, nothing new is opened.")
    ] = 0.70
    alike_size_fraction_max: Annotated[float, _fraction("Size where shrinking begins.")] = 0.8
    alike_size_fraction_min: Annotated[float, _fraction("Size where it ends.")] = 0.7


class EventsConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The day of an announcement and the day before it."""

    macro_dates: Annotated[
        str,
        Meta(
            max_length=400,
            title="the path of a YAML file of dates, or empty for our own",
            description="Your own FOMC, CPI and NFP dates in the place of ours.",
        ),
    ] = ""
    fomc_size_fraction: Annotated[float, _fraction("Size around a rate decision.")] = 0.5
    cpi_size_fraction: Annotated[float, _fraction("Size around the price report.")] = 0.75
    nfp_size_fraction: Annotated[float, _fraction("Size around the jobs report.")] = 0.75
    unknown_size_fraction: Annotated[
        float, _fraction("Size while the dates of one are not known; 0 opens nothing.")
    ] = 0.0
    macro_delta_fraction: Annotated[float, _fraction("Delta around any of them.")] = 0.8
    holiday_delta_fraction: Annotated[float, _fraction("Delta next to a holiday.")] = 0.8


class RegimeConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the market's state does to entries. Sizes multiply, the strictest rule wins."""

    look_every_s: Annotated[
        float, Meta(ge=1.0, le=3600.0, description="How often the market is looked at.")
    ] = 15.0
    say_every_s: Annotated[
        float, Meta(ge=1.0, le=86400.0, description="How often an unchanged verdict is recorded.")
    ] = 300.0
    trending_adx_min: Annotated[
        float, Meta(ge=0.0, le=100.0, description="From this ADX on the market trends.")
    ] = 25.0
    vix: VixConfig = VixConfig()
    term_structure: TermConfig = TermConfig()
    trend: TrendConfig = TrendConfig()
    correlation: CorrelationConfig = CorrelationConfig()
    events: EventsConfig = EventsConfig()


def regime_limits(config: RegimeConfig) -> RegimeLimits:
    """Return the limits; ValueError when thresholds contradict each other."""
    correlation = config.correlation
    age_ns_max = round(config.vix.age_min_max * NS_PER_MINUTE)
    names = EventLimits.__struct_fields__
    return RegimeLimits(
        vix=VixLimits(
            bands=tuple(map(_rule, DEFAULT_BANDS, _bands(config.vix))),
            relax_margin_points=config.vix.relax_margin_points,
            age_ns_max=age_ns_max,
        ),
        term_structure=TermLimits(
            **msgspec.structs.asdict(config.term_structure), age_ns_max=age_ns_max
        ),
        trend=TrendLimits(
            **msgspec.structs.asdict(config.trend),
            price_age_ns_max=age_ns_max,
            history_age_ns_max=5 * NS_PER_DAY,
        ),
        correlation=CorrelationLimits(
            standard_from=correlation.standard_from_correlation,
            alike_from=correlation.alike_from_correlation,
            one_bet_above=correlation.one_bet_above_correlation,
            alike_size_fraction_max=correlation.alike_size_fraction_max,
            alike_size_fraction_min=correlation.alike_size_fraction_min,
        ),
        events=EventLimits(**{name: getattr(config.events, name) for name in names}),
        derived=DerivedLimits(trending_adx_min=config.trending_adx_min),
    )


def _bands(vix: VixConfig) -> tuple[BandConfig, ...]:
    calm = (vix.ultra_low, vix.low, vix.normal)
    return (*calm, vix.elevated, vix.high, vix.very_high, vix.crisis)


def _rule(default: VixBandRule, band: BandConfig) -> VixBandRule:
    return msgspec.structs.replace(
        default,
        from_points=band.from_points,
        size_fraction=band.size_fraction,
        positions_fraction=band.positions_fraction,
        positions_max=None if band.positions_max == NO_CAP else band.positions_max,
        delta_per_share_min=band.delta_per_share_min,
        delta_per_share_max=band.delta_per_share_max,
    )
