"""The regime's numbers: what stands in the configuration is what the rules use."""

import pytest

from thetawarden.config.loader import load_config
from thetawarden.config.problems import ConfigError
from thetawarden.config.regime import RegimeConfig, regime_limits
from thetawarden.domain.regime.assess import RegimeLimits
from thetawarden.domain.regime.vix_limits import VixBand


def loaded(tmp_path, text):
    file = tmp_path / "thetawarden.yaml"
    file.write_text(text)
    return load_config(named_file=file, default_file=file, environment={}, flags={}).config.regime


def test_the_defaults_are_those_of_the_rules():
    assert regime_limits(RegimeConfig()) == RegimeLimits()


def test_a_number_in_the_file_reaches_its_rule(tmp_path):
    regime = loaded(
        tmp_path,
        "regime:\n  vix:\n    high: {size_fraction: 0.4, positions_max: 7}\n"
        "  events: {cpi_size_fraction: 0.1}\n  trend: {pause_on_strong_down: true}\n",
    )

    limits = regime_limits(regime)

    assert limits.vix.rule(VixBand.HIGH).size_fraction == 0.4
    assert limits.vix.rule(VixBand.HIGH).positions_max == 7
    assert limits.events.cpi_size_fraction == 0.1
    assert limits.trend.pause_on_strong_down


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("regime:\n  vix:\n    high: {from_points: 19.0}\n", "VIX bands must rise"),
        ("regime:\n  trend: {crash_vix_points: 20.0}\n", "finite and rise"),
        ("regime:\n  correlation: {alike_from_correlation: 0.7}\n", "alike holdings need room"),
        ("regime:\n  vix:\n    high: {size_fraction: 1.5}\n", "1.5"),
    ],
)
def test_thresholds_out_of_order_are_refused_in_one_line(tmp_path, text, words):
    with pytest.raises(ConfigError) as refusal:
        loaded(tmp_path, text)

    assert words in str(refusal.value)
    assert len(str(refusal.value).splitlines()) == 1
