"""What a desk is set to when it lives through the crash: by default, or so that the crash bites.

By default every limit is as delivered and the desk sells the index alone. The tight ones are of an
owner who bears little of the losses, sells two companies besides and asks for entries all day: then
brakes, halts and the way back have cause, likeness and single names bind. He wants no limit passed,
by whatever the market does, so entries leave more room than they do by default.
"""

from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path

import msgspec

from soak.twenty import universe
from thetawarden.config.chains import ExpiriesConfig
from thetawarden.config.risk import RiskConfig
from thetawarden.config.schema import Config
from thetawarden.config.underlyings import CompanyKind, CompanyRow
from thetawarden.domain.instants import NS_PER_SECOND
from thetawarden.practice.market.parts import Terms as MarketTerms
from thetawarden.practice.market.roster import UNDERLYINGS
from thetawarden.practice.market.scenario import ScenarioName
from thetawarden.practice.model import CorporateEventKind
from thetawarden.sim.broker.adapter import BrokerHabits
from thetawarden.sim.broker.market import market_of
from thetawarden.sim.settings import WorldSettings, small_config

UNDERLYING, UNITS = "XSP", 10
COMPANIES, COMPANY_UNITS = ("AMD", "BA"), 3
BRAKES_SCALE, ENTRY_FILL = 0.015, 0.3
SPEED = 480.0
"""Seconds of the market a second of the machine: quotes and views come every eight minutes."""
ENTRY_TIMES = tuple(dt.time(9 + at // 60, at % 60) for at in range(35, 390, 20))
_KNOWN_DAYS = 400
_TIMES = {"BMO": "before_open", "AMC": "after_close"}


def crash_config() -> Config:
    """The index alone, all three ways of selling it, and every limit as it is by default."""
    config, replace = universe(small_config()), msgspec.structs.replace
    strategy, chains, only = config.strategy, config.chains, (UNDERLYING,)
    return replace(
        config,
        risk=RiskConfig(),
        chains=replace(
            chains,
            underlyings=only,
            index=replace(chains.index, near_min=2, near_max=2),
            strikes=replace(chains.strikes, count_max=18),
            cadence=replace(chains.cadence, scan_s=3.0),
        ),
        strategy=replace(
            strategy,
            index_puts=replace(strategy.index_puts, underlyings=only, units=UNITS),
            put_spreads=replace(strategy.put_spreads, underlyings=only, units=UNITS),
            strangles=replace(strategy.strangles, enabled=True, underlyings=only, units=UNITS),
        ),
    )


def tight_config(companies: Path) -> Config:
    """The same limits of size, an owner who bears little of the loss, and two companies."""
    config, replace = crash_config(), msgspec.structs.replace
    strategy, chains = config.strategy, config.chains
    return replace(
        config,
        risk=_tight(config.risk, companies),
        chains=replace(
            chains,
            underlyings=(UNDERLYING, *COMPANIES),
            share=ExpiriesConfig(
                near_days_max=14, near_min=2, near_max=2, far_days_min=21, far_max=0
            ),
        ),
        strategy=replace(
            strategy,
            entries=replace(strategy.entries, times=ENTRY_TIMES),
            stock_puts=replace(
                strategy.stock_puts, enabled=True, underlyings=COMPANIES, units=COMPANY_UNITS
            ),
        ),
    )


def _tight(risk: RiskConfig, companies: Path) -> RiskConfig:
    """Brakes in the proportion they are delivered in; a way back that thirty sessions hold."""
    brakes, replace = risk.brakes, msgspec.structs.replace
    return replace(
        risk,
        brakes=replace(
            brakes,
            day_loss_fraction=brakes.day_loss_fraction * BRAKES_SCALE,
            week_loss_fraction=brakes.week_loss_fraction * BRAKES_SCALE,
            month_loss_fraction=brakes.month_loss_fraction * BRAKES_SCALE,
            drawdown_fraction=brakes.drawdown_fraction * BRAKES_SCALE,
        ),
        greeks=replace(risk.greeks, entry_fill_fraction=ENTRY_FILL),
        recovery=replace(risk.recovery, pause_weeks=1, half_until_weeks=2, most_until_weeks=4),
        known=replace(risk.known, companies=str(companies)),
    )


def world_settings(seed: int, *, companies: Path | None = None) -> WorldSettings:
    """The world of both desks; tight where there is a file to write companies into."""
    settings = WorldSettings(
        config=crash_config(),
        seed=seed,
        market_seed=seed,
        scenario=ScenarioName.CRASH_2020_LIKE,
        speed=SPEED,
        habits=BrokerHabits(quotes_every_ns=round(SPEED * NS_PER_SECOND)),
    )
    if companies is None:
        return settings
    write_companies(settings, companies)
    return msgspec.structs.replace(settings, config=tight_config(companies))


def write_companies(settings: WorldSettings, path: Path) -> None:
    """Write when the companies of a world's market report and pay, as a person would know it."""
    market = market_of(
        MarketTerms(
            seed=settings.market_seed,
            start_ns=settings.market_start_ns,
            scenario=settings.scenario,
            path=None,
        )
    )
    first = dt.date(2026, 1, 1)
    last = first + dt.timedelta(days=_KNOWN_DAYS)
    rows = []
    for symbol in COMPANIES:
        rows += [
            CompanyRow(symbol=symbol, kind=CompanyKind.EARNINGS_FROM, day=first),
            CompanyRow(symbol=symbol, kind=CompanyKind.EARNINGS_UNTIL, day=last),
            CompanyRow(symbol=symbol, kind=CompanyKind.DIVIDENDS_UNTIL, day=last),
        ]
        for event in market.events(con_id=UNDERLYINGS[symbol].con_id, first=first, last=last):
            if event.kind is CorporateEventKind.EARNINGS:
                time = _TIMES.get(event.time_of_day, "")
                rows.append(
                    CompanyRow(symbol=symbol, kind=CompanyKind.EARNINGS, day=event.day, value=time)
                )
            elif event.kind is CorporateEventKind.DIVIDEND:
                amount = str(event.amount_usd)
                rows.append(
                    CompanyRow(
                        symbol=symbol, kind=CompanyKind.DIVIDEND, day=event.day, value=amount
                    )
                )
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(CompanyRow.__struct_fields__)
        writer.writerows(msgspec.structs.astuple(one) for one in rows)
