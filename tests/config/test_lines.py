"""The lines' numbers: what stands in the configuration is what the ledger keeps to."""

import pytest

from thetawarden.config.lines import LinesConfig, line_limits
from thetawarden.config.loader import load_config
from thetawarden.config.problems import ConfigError
from thetawarden.domain.slots.limits import LineLimits
from thetawarden.infra.ib.quotes import LineSettings, line_settings


def loaded(tmp_path, text):
    file = tmp_path / "thetawarden.yaml"
    file.write_text(text)
    return load_config(named_file=file, default_file=file, environment={}, flags={}).config.lines


def test_the_defaults_are_those_of_the_ledger_and_the_adapter():
    assert line_limits(LinesConfig()) == LineLimits()
    assert line_settings(LinesConfig()) == LineSettings()


def test_a_number_in_the_file_reaches_the_ledger(tmp_path):
    lines = loaded(tmp_path, "lines: {limit: 80, reserve: 8, snapshots_per_s: 5, flush_ms: 20}\n")

    limits = line_limits(lines)

    assert (limits.lines_max, limits.reserve) == (80, 8)
    assert limits.snapshot_gap_ns == 200_000_000
    assert line_settings(lines).flush_ns == 20_000_000


def test_on_a_fast_market_the_machine_is_asked_no_more_often():
    usual, fast = line_limits(LinesConfig()), line_limits(LinesConfig(), speed=60.0)

    assert fast.rotation_ns == 60 * usual.rotation_ns
    assert fast.snapshot_gap_ns == pytest.approx(60 * usual.snapshot_gap_ns, rel=1e-6)
    assert fast.retry_ns == 60 * usual.retry_ns
    assert (fast.lines_max, fast.snapshots_max) == (usual.lines_max, usual.snapshots_max)


def test_a_reserve_that_leaves_nothing_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"lines\.reserve"):
        loaded(tmp_path, "lines: {limit: 10, reserve: 10}\n")
