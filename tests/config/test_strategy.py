"""The strategy section: bands in their order, and what the strategist keeps to."""

import datetime as dt
from types import SimpleNamespace

import msgspec
import pytest

from thetawarden.config.rules import STRATEGIES, STRATEGY_IN_ORDER, find_clashes
from thetawarden.config.schema import Config
from thetawarden.config.selling import strategy_settings
from thetawarden.domain.strategy.candidate import SkewSeen
from thetawarden.domain.strategy.catalog import STRATEGIES as CATALOG
from thetawarden.domain.strategy.settings import Terms
from thetawarden.domain.strategy.strikes import put_band

NEUTRAL = SkewSeen(log_ratio=None, normalised=None, percentile=None, gap="none", shift_delta=0.0)


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


@pytest.mark.parametrize(("multiple", "clashes"), [(0.0, 0), (0.5, 1), (1.0, 1), (1.5, 0)])
@pytest.mark.parametrize("name", STRATEGIES)
def test_a_stop_within_the_credit_is_refused_by_name(name, multiple, clashes):
    found = find_clashes(with_section(name, stop_multiple=multiple))

    assert [one.path for one in found] == [f"strategy.{name}.stop_multiple"] * clashes


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


@pytest.mark.parametrize("target", [0.02, 0.065, 0.20, 0.5])
@pytest.mark.parametrize("name", STRATEGIES)
def test_the_delta_a_person_aims_at_is_aimed_at(name, target):
    section = getattr(Config().strategy, name)
    band = {"low_delta": target * 0.8, "high_delta": min(target * 1.2, 0.5)}
    band |= {"floor_delta": target * 0.5, "ceiling_delta": min(target * 1.5, 0.5)}
    chosen = {key: value for key, value in band.items() if hasattr(section, key)}
    config = with_section(name, enabled=True, target_delta=target, **chosen)
    terms = strategy_settings(config.strategy).terms[name]

    aimed = put_band(SimpleNamespace(delta_scale=1.0), terms, NEUTRAL)

    assert find_clashes(config) == ()
    assert aimed.target == pytest.approx(target)
    assert aimed.floor <= aimed.low <= aimed.target <= aimed.high <= aimed.ceiling


def test_the_usual_band_of_the_two_sided_is_that_of_all_others():
    terms = strategy_settings(with_section("strangles", enabled=True).strategy).terms

    parts = ("low", "high", "step", "floor", "ceiling")
    usual, own = (
        [getattr(one, f"delta_{part}") for part in parts] for one in (Terms(), terms["strangles"])
    )
    assert own == pytest.approx(usual)


def test_durations_of_the_machine_run_with_the_market_and_those_of_the_market_do_not():
    slow, fast = (strategy_settings(Config().strategy, speed=speed).timing for speed in (1, 60))

    assert fast.proposal_ns == 60 * slow.proposal_ns
    assert fast.quote_age_ns_max == 60 * slow.quote_age_ns_max
    assert (fast.again_ns, fast.open_for_ns) == (slow.again_ns, slow.open_for_ns)
