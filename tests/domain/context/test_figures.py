"""Daily figures and likenesses: known only where the history is long enough."""

import datetime as dt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thetawarden.domain.broker.bars import DailyBar
from thetawarden.domain.context.figures import (
    Figures,
    bets_of,
    breadth_of,
    figures_of,
    likenesses_of,
)
from thetawarden.domain.context.histories import History

FIRST = dt.date(2026, 1, 1)


def history_of(closes):
    return History(
        bars=tuple(
            DailyBar(
                day=FIRST + dt.timedelta(days=n),
                open_usd=close,
                high_usd=close * 1.01,
                low_usd=close * 0.99,
                close_usd=close,
            )
            for n, close in enumerate(closes)
        )
    )


def walk(days, seed, *, common=None, share=0.0):
    rng = np.random.default_rng(seed)
    own = rng.normal(0.0, 0.01, days)
    steps = own if common is None else share * common + np.sqrt(1.0 - share**2) * own
    return 100.0 * np.exp(np.cumsum(steps))


@pytest.mark.parametrize(
    ("days", "unknown"),
    [
        (1, {"change_fraction", "sma20", "realised5_annual", "adx"}),
        (20, {"sma50", "sma200", "ema50", "realised21_annual", "realised63_annual"}),
        (199, {"sma200", "ema200", "iv_rank_fraction", "iv_percentile_fraction"}),
        (200, set()),
    ],
)
def test_a_figure_the_history_is_too_short_for_is_unknown(days, unknown):
    figures = figures_of(history_of(walk(days, 1)), history_of(walk(days, 2)))

    missing = {name for name in Figures.__struct_fields__ if getattr(figures, name) is None}
    assert unknown <= missing
    assert bool(missing) == bool(unknown)


@settings(max_examples=50, deadline=None)
@given(st.integers(200, 320), st.integers(0, 1000))
def test_rank_and_percentile_place_the_latest_volatility_within_its_year(days, seed):
    closes = walk(days, seed)

    figures = figures_of(history_of([100.0]), history_of(closes))

    year = closes[-252:]
    lower = sum(one < year[-1] for one in year[:-1])
    assert figures.iv_annual == year[-1]
    assert figures.iv_rank_fraction == pytest.approx(
        (year[-1] - min(year)) / (max(year) - min(year))
    )
    assert figures.iv_percentile_fraction == pytest.approx(lower / (len(year) - 1))


def test_a_volatility_that_never_moved_has_no_rank():
    figures = figures_of(history_of([100.0]), history_of([0.2] * 252))

    assert figures.iv_rank_fraction is None
    assert figures.iv_percentile_fraction == 0.5


@settings(max_examples=25, deadline=None)
@given(st.integers(200, 320), st.integers(0, 1000))
def test_averages_lie_within_the_range_of_their_window(days, seed):
    closes = walk(days, seed)

    figures = figures_of(history_of(closes))

    for name, window in (("sma20", 20), ("sma50", 50), ("sma200", 200)):
        assert closes[-window:].min() <= getattr(figures, name) <= closes[-window:].max()
    assert figures.change_fraction == pytest.approx(closes[-1] / closes[-2] - 1.0)


def test_nothing_is_known_of_no_history():
    assert figures_of(History()) is None


def test_likenesses_find_the_common_part_of_two_walks():
    common = np.random.default_rng(9).normal(0.0, 0.01, 400)
    histories = {
        name: history_of(walk(400, seed, common=common, share=0.9))
        for seed, name in enumerate("ABC")
    }

    alike = likenesses_of(histories, symbols=("A", "B", "C"), days=300)

    assert alike.average == pytest.approx(0.81, abs=0.08)
    assert 1.0 < alike.effective_bets < 1.5


def test_a_symbol_without_a_history_leaves_the_average_unknown():
    histories = {"A": history_of(walk(200, 1)), "B": history_of(walk(30, 2))}

    alike = likenesses_of(histories, symbols=("A", "B"))

    assert alike.average is None
    assert alike.effective_bets is None
    assert likenesses_of(histories, symbols=("A", "Z")) is None


def test_breadth_counts_only_the_latest_session():
    up, down = walk(30, 1), walk(30, 2)
    up[-1], down[-1] = up[-2] * 1.01, down[-2] * 0.99
    figures = {
        "A": figures_of(history_of(up)),
        "B": figures_of(history_of(up)),
        "C": figures_of(history_of(down)),
        "old": figures_of(history_of(up[:-1])),
    }

    assert breadth_of(figures) == (FIRST + dt.timedelta(days=29), 1.0)
    assert breadth_of({}) is None


@given(st.lists(st.sampled_from(["SPX", "XSP", "SPY", "QQQ", "NDX", "IWM", "AAPL", "KO"])))
def test_what_follows_one_index_is_one_bet_and_everything_else_its_own(held):
    bets = bets_of(tuple(held))

    families = {"XSP": "SPX", "SPY": "SPX", "QQQ": "NDX", "IWM": "RUT"}
    assert set(bets) <= set(held)
    assert len(bets) == len({families.get(one, one) for one in held})
    assert bets == bets_of(tuple(reversed(held)))
