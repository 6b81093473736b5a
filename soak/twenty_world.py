"""The world of the twenty days: indices, a fund and stocks, and everything that sells switched on.

What a desk does about what it holds comes from the market's own moves, so what it holds has to be
enough: puts near enough to the money to be rolled, rearranged and delivered, expiries that follow
each other closely, and an account small enough for its limits to be met. Every limit stays on.
"""

from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path

import msgspec

from thetawarden.config.risk import RiskConfig
from thetawarden.config.schema import Config
from thetawarden.config.strategy import StrategyConfig
from thetawarden.practice.market.parts import Terms, assemble
from thetawarden.practice.market.scenario import ScenarioName
from thetawarden.sim.settings import FIRST_DAY

INDEX = "XSP"
DELIVERED = ("IWM", "BAC")
UNITS = 12
LINES = 1000
"""As many as all chains have rows: a minute of the machine is hours here, and a scan takes one."""
KNOWN_FROM, KNOWN_UNTIL = FIRST_DAY - dt.timedelta(days=90), FIRST_DAY + dt.timedelta(days=180)
TIMES = tuple(
    dt.time(*at) for at in ((9, 40), (10, 10), (10, 40), (11, 30), (12, 15), (13, 0), (14, 0))
)

JUMP = 1.0
"""Four minutes lie between two looks: an option that ends today moves by much of its price."""


def wide(config: Config, companies: Path) -> Config:
    """Return a configuration with more to sell, and more done about what was sold."""
    replace, managing = msgspec.structs.replace, config.managing
    expiries = replace(
        config.chains.index,
        near_days_max=7,
        near_min=2,
        near_max=2,
        far_days_min=38,
        far_days_max=45,
        far_max=1,
    )
    return replace(
        config,
        lines=replace(config.lines, limit=LINES, rotated_max=LINES),
        chains=replace(
            config.chains,
            underlyings=(INDEX, *DELIVERED),
            index=expiries,
            share=expiries,
            strikes=replace(config.chains.strikes, puts_max=14, calls_max=10, expiries_max=20),
            quotes=replace(config.chains.quotes, jump_fraction=JUMP),
            cadence=replace(config.chains.cadence, fit_american_s=10.0),
        ),
        strategy=_selling(config.strategy),
        risk=_limits(config.risk, companies),
        managing=replace(
            managing,
            wheel=replace(
                managing.wheel,
                dte_min=1,
                dte_max=16,
                delta_per_share=0.50,
                shares_nlv_fraction_max=0.50,
            ),
        ),
    )


def _selling(strategy: StrategyConfig) -> StrategyConfig:
    """Index puts and spreads a few days out, and puts on what is delivered nearer to the money."""
    replace = msgspec.structs.replace
    return replace(
        strategy,
        entries=replace(strategy.entries, times=TIMES),
        index_puts=replace(strategy.index_puts, underlyings=(INDEX,), dte_max=7, units=UNITS),
        put_spreads=replace(
            strategy.put_spreads,
            underlyings=(INDEX, *DELIVERED),
            dte_max=7,
            units=UNITS,
            width_fraction_min=0.01,
        ),
        strangles=replace(
            strategy.strangles, enabled=True, underlyings=(INDEX,), dte_max=7, units=UNITS
        ),
        condors=replace(strategy.condors, underlyings=(INDEX,), dte_max=7, units=UNITS),
        stock_puts=replace(
            strategy.stock_puts,
            enabled=True,
            underlyings=DELIVERED,
            dte_max=7,
            target_delta=0.27,
            low_delta=0.15,
            high_delta=0.30,
            otm_fraction_min=0.0,
            premium_usd_min=0.05,
            units=UNITS,
        ),
    )


def _limits(risk: RiskConfig, companies: Path) -> RiskConfig:
    """The limits as they are, but for the delta of what is sold on a fund, and the notional."""
    replace = msgspec.structs.replace
    return replace(
        risk,
        sizing=replace(risk.sizing, index_short_delta_per_share_max=0.30),
        greeks=RiskConfig().greeks,
        expiry=replace(risk.expiry, per_date_max_fraction=1.0, per_bucket_max_fraction=1.0),
        known=replace(risk.known, companies=str(companies)),
    )


def write_companies(path: Path, *, seed: int, start_ns: int, scenario: ScenarioName) -> None:
    """Write down what everybody knows: when who reports, and what it pays."""
    market = assemble(Terms(seed=seed, start_ns=start_ns, scenario=scenario)).motion
    rows: list[tuple[str, str, dt.date, str]] = []
    for symbol in DELIVERED:
        rows += [
            (symbol, "earnings_from", KNOWN_FROM, ""),
            (symbol, "earnings_until", KNOWN_UNTIL, ""),
            (symbol, "dividends_until", KNOWN_UNTIL, ""),
            *(
                (symbol, "earnings", one.day, one.time.value)
                for one in market.earnings.reports(symbol, KNOWN_FROM, KNOWN_UNTIL)
            ),
            *(
                (symbol, "dividend", one.ex_day, f"{one.amount_usd:.4f}")
                for one in market.carry.dividends(symbol)
                if KNOWN_FROM <= one.ex_day <= KNOWN_UNTIL
            ),
        ]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("symbol", "kind", "day", "value"))
        writer.writerows(rows)
