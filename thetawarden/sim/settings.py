"""What a simulated desk is set to: the real configuration, with a small universe and rare looks.

Nothing that decides is switched off. A market minute a machine second would be honest too, and four
times as slow.
"""

from __future__ import annotations

import datetime as dt

import msgspec

from thetawarden.config.chains import CadenceConfig, ChainsConfig, ExpiriesConfig, StrikesConfig
from thetawarden.config.schema import Config
from thetawarden.domain.instants import NS_PER_MINUTE, NS_PER_SECOND, UnixNs, new_york_ns
from thetawarden.practice.market.scenario import ScenarioName
from thetawarden.sim.broker.adapter import BrokerHabits

FIRST_DAY = dt.date(2026, 9, 14)
BEFORE_THE_BELL = dt.time(9, 25)
SPEED = 240.0
UNDERLYING = "XSP"
NOTIONAL_NLV_MAX = 0.8
"""Small enough to be reached within a day."""


class WorldSettings(msgspec.Struct, frozen=True, kw_only=True):
    """All that a world is made of; `seed` decides whatever is left to luck.

    The market begins at `market_start_ns`, which may lie before the desk's own beginning.
    """

    config: Config
    seed: int
    market_seed: int = 1
    scenario: ScenarioName = ScenarioName.NORMAL
    market_start_ns: UnixNs = new_york_ns(FIRST_DAY, BEFORE_THE_BELL)
    start_ns: UnixNs = new_york_ns(FIRST_DAY, BEFORE_THE_BELL)
    speed: float = SPEED
    habits: BrokerHabits = BrokerHabits()
    snapshot_every: int = 2000


def plain_settings(seed: int = 1, *, market_seed: int = 1) -> WorldSettings:
    """A world in which nothing is unusual."""
    return WorldSettings(
        config=small_config(),
        seed=seed,
        market_seed=market_seed,
        habits=BrokerHabits(quotes_every_ns=round(SPEED * NS_PER_SECOND)),
    )


def small_config() -> Config:
    """One underlying, two expiries, few strikes; looks that are rare in market time."""
    config, replace = Config(), msgspec.structs.replace
    strategy, risk = config.strategy, config.risk
    return replace(
        config,
        strategy=replace(
            strategy,
            index_puts=replace(strategy.index_puts, underlyings=(UNDERLYING,)),
            put_spreads=replace(strategy.put_spreads, underlyings=(UNDERLYING,)),
        ),
        broker=replace(config.broker, agree_apart_s=3.0),
        regime=replace(config.regime, look_every_s=2.0),
        risk=replace(risk, greeks=replace(risk.greeks, notional_max_nlv=NOTIONAL_NLV_MAX)),
        chains=replace(
            config.chains,
            underlyings=(UNDERLYING,),
            index=ExpiriesConfig(
                near_days_max=7,
                near_min=1,
                near_max=1,
                far_days_min=25,
                far_days_max=45,
                far_max=1,
            ),
            strikes=StrikesConfig(count_min=6, count_max=14, puts_max=8, calls_max=2),
            cadence=CadenceConfig(view_s=1.0, fit_s=5.0, scan_s=30.0),
        ),
    )


def at_pace(chains: ChainsConfig, pace: int) -> ChainsConfig:
    """Look at chains so many times as rarely."""
    cadence, replace = chains.cadence, msgspec.structs.replace
    slower = replace(
        cadence,
        view_s=cadence.view_s * pace,
        fit_s=cadence.fit_s * pace,
        scan_s=cadence.scan_s * pace,
    )
    return replace(chains, cadence=slower)


def minutes(count: float) -> int:
    """So many minutes of market time."""
    return round(count * NS_PER_MINUTE)
