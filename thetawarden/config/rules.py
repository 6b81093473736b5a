"""Judges values that are fine alone and wrong together.

Pure: a configuration in, clashes out. Which account a gateway really serves is checked again when
it answers; this only refuses what contradicts itself on paper. Real money needs two words: mode
live and i_mean_live, and a pinned account that is not a paper one.
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING

import msgspec

from thetawarden.config.regime import regime_limits
from thetawarden.config.schema import Mode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from thetawarden.config.broker import BrokerConfig
    from thetawarden.config.lines import LinesConfig
    from thetawarden.config.managing import ManagingConfig
    from thetawarden.config.regime import RegimeConfig
    from thetawarden.config.risk import RiskConfig
    from thetawarden.config.schema import Config, SupervisorConfig
    from thetawarden.config.strategy import StrategyConfig

PAPER_PREFIX = "D"  # DU, DF, DUH ...: every paper account begins with it, no real one does
DATA_MESSAGES_PER_S_MIN = 4
LIVE_PORTS = (4001, 4003, 7496, 7498)  # 4003 and 7498: as the usual containers pass them on
PAPER_PORTS = (4002, 4004, 7497, 7499)

MANAGING_IN_ORDER = (
    ("exits.loss_alert_fraction", "exits.loss_exit_fraction"),
    ("exits.alert_delta", "exits.exit_delta"),
    ("wheel.dte_min", "wheel.dte_max"),
    ("hedges.dte_min", "hedges.dte_max"),
)
STRATEGIES = ("index_puts", "stock_puts", "put_spreads", "strangles", "condors")
STRATEGY_IN_ORDER = (
    ("dte_min", "dte_max"),
    ("floor_delta", "low_delta"),
    ("low_delta", "target_delta"),
    ("target_delta", "high_delta"),
    ("high_delta", "ceiling_delta"),
    ("low_call_delta", "high_call_delta"),
    ("width_points_min", "width_points_max"),
    ("width_fraction_min", "width_fraction_max"),
)
IN_ORDER = (
    ("greeks.index_drop_warn_fraction", "greeks.index_drop_max_fraction"),
    ("greeks.theta_min_fraction", "greeks.theta_max_fraction"),
    ("greeks.notional_warn_nlv", "greeks.notional_max_nlv"),
    ("margin.utilisation_target_fraction", "margin.utilisation_max_fraction"),
    ("brakes.day_loss_fraction", "brakes.week_loss_fraction"),
    ("brakes.week_loss_fraction", "brakes.month_loss_fraction"),
    ("brakes.month_loss_fraction", "brakes.drawdown_fraction"),
    ("brakes.warn_from_fraction", "brakes.slow_from_fraction"),
    ("brakes.streak_slow_losses_max", "brakes.streak_pause_losses_max"),
    ("stress.entry_loss_fraction", "stress.reduce_loss_fraction"),
    ("recovery.pause_weeks", "recovery.half_until_weeks"),
    ("recovery.half_until_weeks", "recovery.most_until_weeks"),
    ("recovery.half_size_fraction", "recovery.most_size_fraction"),
    ("concentration.name_warn_fraction", "concentration.name_max_fraction"),
    ("orders.collar_fraction", "orders.reducing_collar_fraction"),
    ("orders.entries_per_minute_max", "orders.orders_per_minute_max"),
    ("defined_risk.notional_max_nlv", "greeks.notional_max_nlv"),
)
"""Pairs of risk keys of which the first may not exceed the second."""


class Clash(msgspec.Struct, frozen=True, kw_only=True):
    """A key whose value contradicts another."""

    path: str
    found: str
    allowed: str
    remedy: str


def find_clashes(config: Config) -> tuple[Clash, ...]:
    """Every contradiction, in the order of the schema."""
    judged = {Mode.PRACTICE: lambda _: iter(()), Mode.PAPER: _paper, Mode.LIVE: _live}
    return (
        *judged[config.mode](config.broker),
        *_link(config.broker),
        *_backoffs(config.supervisor),
        *_regime(config.regime),
        *_risk(config.risk),
        *_managing(config.managing),
        *_strategy(config.strategy),
        *_lines(config.lines),
        *_stops(config),
    )


def _stops(config: Config) -> Iterator[Clash]:
    """A stop at the credit itself or below it is hit as soon as it stands."""
    multiples = {f"strategy.{name}": getattr(config.strategy, name) for name in STRATEGIES}
    multiples |= {
        "execution.exits": config.execution.exits,
        "managing.exits": config.managing.exits,
    }
    for path, section in multiples.items():
        if 0.0 < section.stop_multiple <= 1.0:
            yield Clash(
                path=f"{path}.stop_multiple",
                found=f"{section.stop_multiple}, which is hit as soon as it stands",
                allowed="more than 1 (so many credits), or 0 for no stop",
                remedy="name a price above the credit",
            )


def _strategy(strategy: StrategyConfig) -> Iterator[Clash]:
    """Every band has its lower end below its upper one, and the delta aimed at within it."""
    for name in STRATEGIES:
        section = getattr(strategy, name)
        for low, high in STRATEGY_IN_ORDER:
            if not (hasattr(section, low) and hasattr(section, high)):
                continue
            least, most = getattr(section, low), getattr(section, high)
            if least > most:
                yield Clash(
                    path=f"strategy.{name}.{low}",
                    found=f"{least}, more than {high}",
                    allowed=f"at most {most}",
                    remedy=f"lower it, or raise {high}",
                )


def _paper(broker: BrokerConfig) -> Iterator[Clash]:
    if broker.port in LIVE_PORTS:
        yield Clash(
            path="broker.port",
            found=f"{broker.port}, a live gateway's port, in mode paper",
            allowed="4002 (paper gateway), 7497 (paper TWS) or another",
            remedy="name the paper gateway's port",
        )
    if broker.account and not broker.account.startswith(PAPER_PREFIX):
        yield Clash(
            path="broker.account",
            found=f"a real account (ending in {broker.account[-2:]}) in mode paper",
            allowed="a paper account (DU..., DF...) or none",
            remedy="name the paper account, or choose mode live if you mean real money",
        )


def _live(broker: BrokerConfig) -> Iterator[Clash]:
    if broker.port in PAPER_PORTS:
        yield Clash(
            path="broker.port",
            found=f"{broker.port}, a paper gateway's port, in mode live",
            allowed="4001 (gateway), 7496 (TWS) or another",
            remedy="name the live gateway's port, or choose mode paper",
        )
    if not broker.account or broker.account.startswith(PAPER_PREFIX):
        yield Clash(
            path="broker.account",
            found="a paper account in mode live" if broker.account else "no account in mode live",
            allowed="the one real account to trade",
            remedy="name it, or choose mode paper",
        )
    if not broker.i_mean_live:
        yield Clash(
            path="broker.i_mean_live",
            found="false in mode live",
            allowed="true: real money is traded",
            remedy="set it to true if you mean it, or choose mode paper",
        )


def _link(broker: BrokerConfig) -> Iterator[Clash]:
    if broker.backoff_min_s > broker.backoff_max_s:
        yield Clash(
            path="broker.backoff_min_s",
            found=f"{broker.backoff_min_s}, more than backoff_max_s",
            allowed=f"at most {broker.backoff_max_s}",
            remedy="lower it, or raise backoff_max_s",
        )
    most = broker.messages_per_s_max - DATA_MESSAGES_PER_S_MIN
    if broker.messages_reserved > most:
        yield Clash(
            path="broker.messages_reserved",
            found=f"{broker.messages_reserved}, of {broker.messages_per_s_max} messages in all",
            allowed=f"at most {most}",
            remedy="leave some messages to data",
        )
    if broker.night_begins == broker.night_ends:
        yield Clash(
            path="broker.night_ends",
            found=f"{broker.night_ends:%H:%M}, when the night begins",
            allowed="another time: the night would last all day",
            remedy="name the end of the broker's nightly restart",
        )


def _backoffs(supervisor: SupervisorConfig) -> Iterator[Clash]:
    for name in supervisor.__struct_fields__:
        group = getattr(supervisor, name)
        if group.backoff_min_s > group.backoff_max_s:
            yield Clash(
                path=f"supervisor.{name}.backoff_min_s",
                found=f"{group.backoff_min_s}, more than backoff_max_s",
                allowed=f"at most {group.backoff_max_s}",
                remedy="lower it, or raise backoff_max_s",
            )


def _lines(lines: LinesConfig) -> Iterator[Clash]:
    if lines.reserve >= lines.limit:
        yield Clash(
            path="lines.reserve",
            found=f"{lines.reserve}, of {lines.limit} lines in all",
            allowed="fewer than lines.limit",
            remedy="leave some lines to what is neither a position nor an order",
        )


def _regime(regime: RegimeConfig) -> Iterator[Clash]:
    try:
        regime_limits(regime)
    except ValueError as error:
        yield Clash(
            path="regime",
            found=str(error),
            allowed="thresholds in their order",
            remedy="compare them with the reference in docs/configuration.md",
        )


def _managing(managing: ManagingConfig) -> Iterator[Clash]:
    for lower, upper in MANAGING_IN_ORDER:
        least, most = (attrgetter(path)(managing) for path in (lower, upper))
        if least > most > 0:
            yield Clash(
                path=f"managing.{lower}",
                found=f"{least}, more than managing.{upper}",
                allowed=f"at most {most}",
                remedy=f"lower it, or raise managing.{upper}",
            )


def _risk(risk: RiskConfig) -> Iterator[Clash]:
    for lower, upper in IN_ORDER:
        least, most = (attrgetter(path)(risk) for path in (lower, upper))
        if least > most:
            yield Clash(
                path=f"risk.{lower}",
                found=f"{least}, more than risk.{upper}",
                allowed=f"at most {most}",
                remedy=f"lower it, or raise risk.{upper}",
            )
