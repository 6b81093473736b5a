"""Turns the section `strategy` into what the strategist keeps to; apart, as it loads the models."""

from __future__ import annotations

import msgspec

from thetawarden.config.strategy import (
    EntriesConfig,
    IndexPutsConfig,
    PutSpreadsConfig,
    Section,
    StockPutsConfig,
    StrategyConfig,
    TwoSidedConfig,
)
from thetawarden.domain.instants import NS_PER_SECOND
from thetawarden.domain.strategy.settings import (
    Concession,
    ProfitTargets,
    ScoreWeights,
    SelectorWeights,
    SkewShift,
    Staging,
    StrategySettings,
    Terms,
    Timing,
)

REGIMES_MISSED_MAX = 3
_PARTS = ("target", "low", "high", "step", "floor", "ceiling")
_NAMES = {f"{part}_delta": f"delta_{part}" for part in _PARTS} | {
    f"{part}_call_delta": f"call_delta_{part}" for part in _PARTS
}

_IN_PROPORTION = ("delta_low", "delta_high", "delta_step", "delta_floor", "delta_ceiling")

Selling = IndexPutsConfig | StockPutsConfig | PutSpreadsConfig | TwoSidedConfig


def strategy_settings(
    config: StrategyConfig, *, speed: float = 1.0, say_regime_s: float = 300.0
) -> StrategySettings:
    """Return what the strategist keeps to on a market that runs `speed` times as fast as we do."""
    sections = _sections(config)
    entries = config.entries
    return StrategySettings(
        level=config.level,
        terms={name: _terms(section) for name, section in sections.items() if section.enabled},
        weights=ScoreWeights(**_bare(config.scores, "_weight")),
        selector=SelectorWeights(**_bare(config.selector, "_weight")),
        skew=SkewShift(delta_max=entries.skew_shift_delta),
        targets=ProfitTargets(**_bare(config.targets, "_fraction")),
        timing=_timing(entries, speed=speed, say_regime_s=say_regime_s),
        concession=Concession(
            concede_half_spreads=entries.concede_spread_fraction,
            concede_fraction_max=entries.concede_mid_fraction,
            concede_usd_fine=entries.concede_fine_usd,
        ),
        staging=Staging(**msgspec.structs.asdict(config.lineup)),
    )


def own_targets(config: StrategyConfig) -> dict[str, float]:
    """Return the profit every strategy aims at; one that is switched off may still hold trades."""
    return {name: one.profit_target_fraction for name, one in _sections(config).items()}


def _sections(config: StrategyConfig) -> dict[str, Selling]:
    return {
        "index_puts": config.index_puts,
        "stock_puts": config.stock_puts,
        "put_spreads": config.put_spreads,
        "strangles": config.strangles,
        "condors": config.condors,
    }


def _terms(section: Selling) -> Terms:
    """The section's own keys; where a delta has no band to widen into, the band is the bound.

    The two-sided aim at a put's delta alone: its band is the usual one in proportion.
    """
    found = {_NAMES.get(key, key): value for key, value in msgspec.structs.asdict(section).items()}
    del found["enabled"]
    if isinstance(section, StockPutsConfig):
        found |= {"delta_floor": section.low_delta, "delta_ceiling": section.high_delta}
    if isinstance(section, TwoSidedConfig):
        found["call_delta_target"] = (section.low_call_delta + section.high_call_delta) / 2.0
        usual = Terms()
        scale = section.target_delta / usual.delta_target
        found |= {name: scale * getattr(usual, name) for name in _IN_PROPORTION}
    return Terms(**found)


def _bare(section: Section, unit: str) -> dict[str, float]:
    """The values of a section by their names without the unit they all have."""
    return {
        name.removesuffix(unit): value for name, value in msgspec.structs.asdict(section).items()
    }


def _timing(entries: EntriesConfig, *, speed: float, say_regime_s: float) -> Timing:
    usual = Timing()
    machine = speed * NS_PER_SECOND
    regime_ns = round(REGIMES_MISSED_MAX * say_regime_s * machine)
    return Timing(
        entry_times=tuple(sorted(entries.times)),
        open_for_ns=round(entries.open_market_s * NS_PER_SECOND),
        proposal_ns=round(entries.answer_s * machine),
        view_age_ns_max=round(usual.view_age_ns_max * speed),
        regime_age_ns_max=max(usual.regime_age_ns_max, regime_ns),
        sweep_ns=round(usual.sweep_ns * speed),
        say_ns=round(usual.say_ns * speed),
        quote_age_ns_max=round(entries.quote_age_s_max * machine),
        again_ns=round(entries.again_market_s * NS_PER_SECOND),
        same_again_ns=round(entries.same_again_market_s * NS_PER_SECOND),
        unseen_again_ns=round(max(entries.unseen_again_market_s * NS_PER_SECOND, 2.0 * machine)),
        preview_ns=round(usual.preview_ns * speed),
        keep_watching_ns=round(usual.keep_watching_ns * speed),
    )
