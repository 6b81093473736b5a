"""Turns the section `managing` into what the steward keeps to; apart, as it loads the models."""

from __future__ import annotations

from msgspec.structs import asdict

from thetawarden.config.managing import ManagingConfig
from thetawarden.config.risk import OrdersConfig
from thetawarden.config.selling import own_targets, strategy_settings
from thetawarden.config.strategy import StrategyConfig
from thetawarden.domain.instants import NS_PER_MINUTE, NS_PER_SECOND
from thetawarden.domain.managing.limits import (
    BandLimits,
    ExitLimits,
    HedgeLimits,
    Ladder,
    ManagingLimits,
    RollLimits,
    TargetLimits,
    WheelLimits,
)

_ORDERS = OrdersConfig()
_BUSY_S = 1.0
_VIEW_AGE_S = 15.0
_GOOD_FOR_S = 10.0


def managing_limits(
    config: ManagingConfig,
    *,
    strategy: StrategyConfig,
    orders: OrdersConfig = _ORDERS,
    speed: float = 1.0,
) -> ManagingLimits:
    """Return what the steward goes by on a market that runs `speed` times as fast as we do."""
    exits, ladder = asdict(config.exits), asdict(config.ladder)
    last_day = exits.pop("last_day_min")
    good_for, again = ladder.pop("good_for_s"), ladder.pop("again_after_s")
    selling = strategy_settings(strategy, speed=speed)
    return ManagingLimits(
        targets=TargetLimits(
            regimes=selling.targets,
            own=own_targets(strategy),
            change_min=config.target_change_min,
        ),
        exits=ExitLimits(**exits, last_day_ns=last_day * NS_PER_MINUTE),
        rolls=RollLimits(**asdict(config.rolls)),
        band=BandLimits(**asdict(config.band)),
        wheel=WheelLimits(**asdict(config.wheel)),
        hedges=HedgeLimits(**asdict(config.hedges)),
        ladder=Ladder(
            **ladder,
            good_for_ns=_at_least(good_for, _GOOD_FOR_S, speed),
            again_after_ns=_at_least(again, _BUSY_S, speed),
            collar_fraction=max(orders.reducing_collar_fraction, orders.collar_fraction),
            collar_usd_min=orders.collar_min_usd,
            entry_collar_fraction=orders.collar_fraction,
        ),
        every_ns=_at_least(config.look_every_s, _BUSY_S, speed),
        snapshot_ns=_at_least(config.snapshot_every_s, _BUSY_S, speed),
        view_age_ns_max=_at_least(ManagingLimits().view_age_ns_max / 1e9, _VIEW_AGE_S, speed),
        blind_alert_ns=round(config.blind_alert_s * NS_PER_SECOND),
    )


def _at_least(market_s: float, machine_s: float, speed: float) -> int:
    """A duration of market time, but never shorter than so much of the machine's."""
    return round(max(market_s, machine_s * speed) * NS_PER_SECOND)
