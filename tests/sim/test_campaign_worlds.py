"""The worlds of a campaign: each desk has limits of its own, and one that it may have."""

import pytest

from thetawarden.config.rules import find_clashes
from thetawarden.sim.campaign import settings_of

SEEDS = range(1, 61)


def test_nearly_every_desk_has_other_limits():
    risks = [settings_of(seed).config.risk for seed in SEEDS]

    assert len(set(risks)) > len(risks) - 3
    assert {risk.greeks.notional_max_nlv for risk in risks} == {0.4, 0.8, 2.0}
    assert {risk.halt.reduce_when_halted for risk in risks} == {True, False}
    assert len({risk.orders.entries_per_minute_max for risk in risks}) > 1
    assert len({risk.margin.utilisation_max_fraction for risk in risks}) > 1


@pytest.mark.parametrize("seed", SEEDS)
def test_no_desk_has_limits_that_a_person_could_not_set(seed):
    settings = settings_of(seed)

    assert find_clashes(settings.config) == ()
    assert settings == settings_of(seed)
