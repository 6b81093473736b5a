"""Realised volatility against its definitions, another library, and a process of known size."""

import math
import statistics

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from thetawarden.domain.indicators.realised import (
    WINDOWS,
    close_to_close,
    garman_klass,
    log_returns,
    parkinson,
    yang_zhang,
)


@pytest.fixture(scope="module")
def bars(shared_data):
    table = pl.read_csv(shared_data / "equity_indices/SPY_1993_2025__silverlight.csv")
    names = {"Open": "open_", "High": "high", "Low": "low", "Close": "close"}
    return {ours: table[theirs].to_numpy() for theirs, ours in names.items()}


def brownian_bars(*, vol_annual, gap_fraction, sessions, seed):
    """Bars of a driftless random walk whose variance lies partly in the night."""
    rng = np.random.default_rng(seed)
    daily = vol_annual**2 / 252
    steps = rng.normal(0, math.sqrt(daily * (1 - gap_fraction) / 2_000), (sessions, 2_000))
    gaps = rng.normal(0, math.sqrt(daily * gap_fraction), sessions)
    path = np.cumsum(steps, axis=1)
    opens = np.cumsum(gaps) + np.concatenate([[0.0], np.cumsum(path[:-1, -1])])
    prices = {
        "open_": opens,
        "high": opens + np.maximum(path.max(axis=1), 0),
        "low": opens + np.minimum(path.min(axis=1), 0),
        "close": opens + path[:, -1],
    }
    return {name: 100.0 * np.exp(series) for name, series in prices.items()}


@pytest.mark.parametrize("window", WINDOWS)
def test_close_to_close_on_real_closes_is_another_librarys_deviation(bars, window):
    returns = pl.Series(bars["close"]).log().diff()

    theirs = returns.rolling_std(window, ddof=1).to_numpy() * math.sqrt(252)

    np.testing.assert_allclose(close_to_close(bars["close"], window), theirs, atol=1e-10)


@pytest.mark.parametrize("window", WINDOWS)
def test_range_estimators_on_real_bars_follow_their_formulas(bars, window):
    ours = {
        "parkinson": parkinson(high=bars["high"], low=bars["low"], window=window),
        "garman_klass": garman_klass(**bars, window=window),
        "yang_zhang": yang_zhang(**bars, window=window),
    }

    for end in range(window + 1, len(bars["close"]), 911):
        rows = range(end - window, end)
        o, h, lo, c = (
            [math.log(bars[name][i]) for i in rows] for name in ("open_", "high", "low", "close")
        )
        before = [math.log(bars["close"][i - 1]) for i in rows]
        days = list(zip(o, h, lo, c, strict=True))
        k = 0.34 / (1.34 + (window + 1) / (window - 1))
        rogers_satchell = [(u - e) * (u - s) + (d - e) * (d - s) for s, u, d, e in days]
        variance = {
            "parkinson": sum((u - d) ** 2 for _, u, d, _ in days) / (4 * math.log(2) * window),
            "garman_klass": sum(
                (u - d) ** 2 / 2 - (2 * math.log(2) - 1) * (e - s) ** 2 for s, u, d, e in days
            )
            / window,
            "yang_zhang": statistics.variance(s - b for s, b in zip(o, before, strict=True))
            + k * statistics.variance(e - s for s, _, _, e in days)
            + (1 - k) * sum(rogers_satchell) / window,
        }
        for name, value in variance.items():
            assert ours[name][end - 1] == pytest.approx(math.sqrt(252 * value), rel=1e-9)


def test_a_process_of_known_volatility_is_measured_right_by_all_four():
    bars = brownian_bars(vol_annual=0.20, gap_fraction=0.0, sessions=1_500, seed=7)

    measured = (
        close_to_close(bars["close"], 1_499)[-1],
        parkinson(high=bars["high"], low=bars["low"], window=1_500)[-1],
        garman_klass(**bars, window=1_500)[-1],
        yang_zhang(**bars, window=1_499)[-1],
    )

    assert measured == pytest.approx([0.20] * 4, rel=0.05)


def test_nights_are_seen_by_two_estimators_and_hidden_from_two():
    bars = brownian_bars(vol_annual=0.20, gap_fraction=0.4, sessions=1_500, seed=8)
    by_day = 0.20 * math.sqrt(0.6)

    assert close_to_close(bars["close"], 1_499)[-1] == pytest.approx(0.20, rel=0.06)
    assert yang_zhang(**bars, window=1_499)[-1] == pytest.approx(0.20, rel=0.06)
    assert garman_klass(**bars, window=1_500)[-1] == pytest.approx(by_day, rel=0.06)
    assert parkinson(high=bars["high"], low=bars["low"], window=1_500)[-1] == pytest.approx(
        by_day, rel=0.06
    )


@given(
    closes=arrays(float, st.integers(6, 40), elements=st.floats(1.0, 500.0)),
    scale=st.floats(0.01, 100.0),
)
def test_volatility_does_not_depend_on_the_unit_of_price(closes, scale):
    np.testing.assert_allclose(
        close_to_close(closes * scale, 5), close_to_close(closes, 5), atol=1e-9
    )


@pytest.mark.parametrize("bad", [0.0, -1.0, np.nan, np.inf])
def test_an_impossible_price_is_a_hole_not_a_number(bad):
    close = np.linspace(100.0, 120.0, 12)
    close[6] = bad

    returns, vols = log_returns(close), close_to_close(close, 2)

    assert np.isnan(returns).nonzero()[0].tolist() == [0, 6, 7]
    assert np.isnan(vols).nonzero()[0].tolist() == [0, 1, 6, 7, 8]


def test_a_bar_whose_range_does_not_hold_its_close_is_a_hole():
    close = np.full(8, 100.0)
    bars = {"open_": close, "high": close + 1, "low": close - 1, "close": close.copy()}
    bars["close"][5] = 102.0

    assert np.isnan(garman_klass(**bars, window=2)).nonzero()[0].tolist() == [0, 5, 6]
    assert np.isnan(yang_zhang(**bars, window=2)[5:]).all()


def test_a_day_without_a_range_is_calm_not_a_hole():
    flat = np.full(6, 100.0)

    assert parkinson(high=flat, low=flat, window=2)[1:].tolist() == [0.0] * 5


def test_a_high_below_its_low_is_a_hole():
    high, low = np.full(6, 101.0), np.full(6, 99.0)
    high[3] = 98.0

    assert np.isnan(parkinson(high=high, low=low, window=1)).tolist() == [
        False,
        False,
        False,
        True,
        False,
        False,
    ]


def test_a_deviation_of_one_value_is_refused():
    with pytest.raises(ValueError, match="at least 2"):
        close_to_close(np.ones(5), 1)
