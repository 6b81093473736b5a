"""What a simulated desk is set to: the real configuration, with a small universe and rare looks.

Nothing that decides is switched off. A market minute a machine second would be honest too, and four
times as slow.
"""

from __future__ import annotations

import datetime as dt

import msgspec
import numpy as np

from thetawarden.config.chains import CadenceConfig, ChainsConfig, ExpiriesConfig, StrikesConfig
from thetawarden.config.risk import RiskConfig
from thetawarden.config.schema import Config
from thetawarden.domain.instants import NS_PER_MINUTE, NS_PER_SECOND, UnixNs, new_york_ns
from thetawarden.domain.risk.limits import AtMarginLimit
from thetawarden.practice.market.scenario import ScenarioName
from thetawarden.sim.broker.adapter import BrokerHabits

FIRST_DAY = dt.date(2026, 9, 14)
BEFORE_THE_BELL = dt.time(9, 25)
SPEED = 240.0
UNDERLYING = "XSP"
NOTIONAL_NLV_MAX = 0.8
"""Small enough to be reached within a day."""
FEW_SPREADS = 0.0006
"""Of NLV: margin, or the loss of a scenario, of so few spreads that some desks reach it."""


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


def with_limits(risk: RiskConfig, rng: np.random.Generator) -> RiskConfig:
    """The limits of one desk among many: some bind early, some hardly ever."""
    replace = msgspec.structs.replace
    notional, greeks_fill = rng.choice([0.4, NOTIONAL_NLV_MAX, 2.0]), rng.choice([0.5, 0.75, 1.0])
    per_trade, used = rng.choice([0.05, 0.10, 0.20]), rng.choice([0.30, 0.60, 0.80])
    day_loss, contracts = rng.choice([0.01, 0.02, 0.05]), rng.choice([2, 5, 10])
    positions, name = rng.choice([3, 8, 20]), rng.choice([0.05, 0.10, 0.30])
    approval_s, quote_age_s = rng.choice([5.0, 15.0, 60.0]), rng.choice([10.0, 15.0, 30.0])
    entries, orders = rng.choice([1, 3, 10]), rng.choice([20, 60])
    reduces = bool(rng.choice([True, True, False]))
    drawn = replace(
        risk,
        greeks=replace(
            risk.greeks,
            notional_warn_nlv=float(notional) / 2.0,
            notional_max_nlv=float(notional),
            entry_fill_fraction=float(greeks_fill),
        ),
        defined_risk=replace(
            risk.defined_risk,
            notional_max_nlv=min(float(notional), risk.defined_risk.notional_max_nlv),
        ),
        margin=replace(
            risk.margin,
            per_trade_max_fraction=float(per_trade),
            utilisation_target_fraction=min(float(used), risk.margin.utilisation_target_fraction),
            utilisation_max_fraction=float(used),
        ),
        brakes=replace(risk.brakes, day_loss_fraction=float(day_loss)),
        concentration=replace(
            risk.concentration,
            name_warn_fraction=float(name) / 2.0,
            name_max_fraction=float(name),
            positions_max=int(positions),
            order_contracts_max=int(contracts),
        ),
        orders=replace(
            risk.orders,
            approval_s=float(approval_s),
            quote_age_s_max=float(quote_age_s),
            entries_per_minute_max=int(entries),
            orders_per_minute_max=int(orders),
        ),
        halt=replace(risk.halt, reduce_when_halted=reduces),
    )
    return _with_room_for_few(drawn, rng)


def _with_room_for_few(risk: RiskConfig, rng: np.random.Generator) -> RiskConfig:
    """One desk in four has margin for few spreads, one in four may lose what few would cost."""
    replace = msgspec.structs.replace
    if int(rng.integers(4)) == 3:
        used = FEW_SPREADS
        margin = replace(
            risk.margin, utilisation_target_fraction=used, utilisation_max_fraction=used
        )
        brakes = replace(risk.brakes, at_margin_limit=AtMarginLimit.CAUTIOUS)
        risk = replace(risk, margin=margin, brakes=brakes)
    if int(rng.integers(4)) == 3:
        risk = replace(risk, stress=replace(risk.stress, entry_loss_fraction=FEW_SPREADS))
    return risk


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
