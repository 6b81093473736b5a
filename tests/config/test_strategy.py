"""The strategy section: bands in their order, and what the strategist keeps to."""

import datetime as dt

import msgspec
import pytest

from thetawarden.config.rules import STRATEGIES, STRATEGY_IN_ORDER, find_clashes
from thetawarden.config.schema import Config
from thetawarden.config.selling import strategy_settings
from thetawarden.domain.strategy.catalog import STRATEGIES as CATALOG


def with_section(name, **changes):
    config = Config()
    section = msgspec.structs.replace(getattr(config.strategy, name), **changes)
    strategy = msgspec.structs.replace(config.strategy, **{name: section})
    return msgspec.structs.replace(config, strategy=strategy)


@pytest.mark.parametrize("name", STRATEGIES)
def test_a_band_whose_ends_are_crossed_is_refused_by_name(name):
    section = getattr(Config().strategy, name)
    for low, high in STRATEGY_IN_ORDER:
        if hasattr(section, low) and hasattr(section, high):
            crossed = with_section(name, **{low: getattr(section, high) + 1})

            assert f"strategy.{name}.{low}" in {clash.path for clash in find_clashes(crossed)}


def test_the_defaults_contradict_nothing_and_every_strategy_has_its_section():
    assert find_clashes(Config()) == ()
    assert tuple(one.name for one in CATALOG) == STRATEGIES


@pytest.mark.parametrize("name", STRATEGIES)
def test_a_strategy_that_is_disabled_trades_nothing(name):
    on = strategy_settings(with_section(name, enabled=True).strategy)
    off = strategy_settings(with_section(name, enabled=False).strategy)

    assert name in on.terms
    assert name not in off.terms


def test_what_a_person_sets_is_what_the_strategist_keeps_to():
    chosen = with_section("index_puts", target_delta=0.05, floor_delta=0.02, units=3)
    terms = strategy_settings(chosen.strategy).terms["index_puts"]
    condors = strategy_settings(with_section("condors", enabled=True).strategy).terms["condors"]

    assert (terms.delta_target, terms.delta_floor, terms.units) == (0.05, 0.02, 3)
    assert condors.latest_entry == dt.time(15)
    assert (condors.call_delta_low, condors.call_delta_high) == (0.02, 0.03)


def test_durations_of_the_machine_run_with_the_market_and_those_of_the_market_do_not():
    slow, fast = (strategy_settings(Config().strategy, speed=speed).timing for speed in (1, 60))

    assert fast.proposal_ns == 60 * slow.proposal_ns
    assert fast.quote_age_ns_max == 60 * slow.quote_age_ns_max
    assert (fast.again_ns, fast.open_for_ns) == (slow.again_ns, slow.open_for_ns)
