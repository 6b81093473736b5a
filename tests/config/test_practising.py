"""What ends the same day is for practice alone, and for whoever has not said otherwise."""

import datetime as dt

from thetawarden.config.loader import load_config
from thetawarden.config.practising import practised
from thetawarden.config.schema import Config


def practised_with(tmp_path, **flags):
    given = {path.replace("__", "."): text for path, text in flags.items()}
    nowhere = tmp_path / "none.yaml"
    return practised(
        load_config(named_file=None, default_file=nowhere, environment={}, flags=given)
    )


def days(loaded):
    puts = loaded.config.strategy.index_puts
    return puts.dte_min, puts.dte_max


def test_a_practice_desk_sells_what_ends_today_in_the_afternoon_too(tmp_path):
    loaded = practised_with(tmp_path)
    strategy = loaded.config.strategy

    begin = loaded.config.practice.begin
    for one in (strategy.index_puts, strategy.put_spreads, strategy.condors, strategy.strangles):
        assert (one.dte_min, one.dte_max) == (0, 0)
    assert strategy.stock_puts == Config().strategy.stock_puts
    assert any(one >= begin for one in loaded.config.strategy.entries.times)
    for path in ("index_puts.dte_min", "index_puts.dte_max", "entries.times"):
        assert loaded.origins[f"strategy.{path}"].source == "practice.same_day"
    assert loaded.origins["strategy.index_puts.dte_max"].value == 0


def test_days_and_times_of_ones_own_win(tmp_path):
    own = practised_with(
        tmp_path, strategy__index_puts__dte_max="3", strategy__entries__times="10:00"
    )

    assert days(own) == (1, 3)
    assert own.config.strategy.entries.times == (dt.time(10),)
    assert own.origins["strategy.entries.times"].source != "practice.same_day"


def test_neither_another_mode_nor_a_refusal_changes_the_days_of_the_strategy(tmp_path):
    usual = Config().strategy

    paper = practised_with(tmp_path, mode="paper")
    off = practised_with(tmp_path, practice__same_day="false")

    assert days(paper) == days(off) == (1, 4)
    assert paper.config.strategy == off.config.strategy == usual


def test_two_configurations_that_differ_in_it_have_different_fingerprints(tmp_path):
    on, off = practised_with(tmp_path), practised_with(tmp_path, practice__same_day="false")

    assert on.fingerprint != off.fingerprint
