"""The section `managing` means what the steward goes by, and refuses what contradicts itself."""

import msgspec
import pytest

from thetawarden.config.managing import BandConfig, ExitsConfig, ManagingConfig, WheelConfig
from thetawarden.config.risk import OrdersConfig
from thetawarden.config.rules import find_clashes
from thetawarden.config.schema import Config
from thetawarden.config.strategy import StockPutsConfig, StrategyConfig, TwoSidedConfig
from thetawarden.config.tending import managing_limits
from thetawarden.domain.instants import NS_PER_SECOND
from thetawarden.domain.managing.limits import ManagingLimits


def limits(speed=1.0, **changes):
    return managing_limits(ManagingConfig(**changes), strategy=StrategyConfig(), speed=speed)


def test_the_defaults_are_those_of_the_rules_and_targets_come_from_the_strategies():
    found, usual = limits(), ManagingLimits()

    for name in ("exits", "rolls", "wheel", "hedges", "ladder", "every_ns", "snapshot_ns"):
        assert getattr(found, name) == getattr(usual, name)
    assert found.band.delta_per_share == usual.band.delta_per_share
    assert found.targets.of("index_puts") == StrategyConfig().index_puts.profit_target_fraction
    assert found.targets.regimes == usual.targets.regimes


def test_a_strategy_that_is_switched_off_keeps_the_target_of_what_it_still_holds():
    off = StrategyConfig(
        stock_puts=StockPutsConfig(enabled=False, profit_target_fraction=0.85),
        condors=TwoSidedConfig(enabled=False, profit_target_fraction=0.45),
    )

    targets = managing_limits(ManagingConfig(), strategy=off).targets

    assert (targets.of("stock_puts"), targets.of("condors")) == (0.85, 0.45)


def test_what_is_set_is_what_is_gone_by():
    found = limits(exits=ExitsConfig(exit_delta=0.7, last_day_min=10), band=BandConfig())

    assert found.exits.exit_delta == 0.7
    assert found.exits.last_day_ns == 600 * NS_PER_SECOND


def test_exits_keep_within_the_collar_that_the_governor_holds_them_to():
    orders = OrdersConfig(reducing_collar_fraction=0.2, collar_min_usd=0.5)

    ladder = managing_limits(ManagingConfig(), strategy=StrategyConfig(), orders=orders).ladder

    assert (ladder.collar_fraction, ladder.collar_usd_min) == (0.2, 0.5)


def test_on_a_fast_market_nothing_is_looked_at_more_often_than_the_machine_can():
    assert limits(speed=600.0).every_ns == 600 * NS_PER_SECOND
    assert limits(speed=1.0).every_ns == 60 * NS_PER_SECOND


@pytest.mark.parametrize(
    ("path", "managing"),
    [
        (
            "managing.exits.alert_delta",
            ManagingConfig(exits=ExitsConfig(alert_delta=0.8, exit_delta=0.6)),
        ),
        ("managing.wheel.dte_min", ManagingConfig(wheel=WheelConfig(dte_min=40, dte_max=30))),
    ],
)
def test_what_contradicts_itself_is_refused_by_name(path, managing):
    config = msgspec.structs.replace(Config(), managing=managing)

    assert [clash.path for clash in find_clashes(config)] == [path]
