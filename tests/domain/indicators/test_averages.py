"""Moving averages against another library's and against their own definitions."""

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thetawarden.domain.indicators.averages import ema, sma, wilder

SERIES = st.lists(st.floats(1.0, 1_000.0), max_size=60).map(np.array)
WINDOWS = st.integers(1, 20)


@pytest.fixture(scope="module")
def closes(shared_data):
    table = pl.read_csv(shared_data / "equity_indices/SPY_1993_2025__silverlight.csv")
    return table["Close"].to_numpy()


@pytest.mark.parametrize("window", [1, 20, 50, 200])
def test_the_simple_average_of_real_closes_is_another_librarys(closes, window):
    theirs = pl.Series(closes).rolling_mean(window).to_numpy()

    np.testing.assert_allclose(sma(closes, window), theirs, rtol=1e-12)


@pytest.mark.parametrize("average", [ema, wilder])
@pytest.mark.parametrize("window", [1, 14, 20, 50])
def test_an_exponential_average_follows_its_recursion(closes, average, window):
    weight = {ema: 2 / (window + 1), wilder: 1 / window}[average]
    expected = math.fsum(closes[:window]) / window

    ours = average(closes, window)

    for today, close in zip(ours[window:], closes[window:], strict=True):
        expected += weight * (close - expected)
        assert today == pytest.approx(expected, rel=1e-12)


@given(values=SERIES, window=WINDOWS)
@pytest.mark.parametrize("average", [sma, ema, wilder])
def test_an_average_stays_within_what_it_averages_and_waits_for_a_full_window(
    average, values, window
):
    result = average(values, window)

    assert len(result) == len(values)
    assert np.isnan(result[: window - 1]).all()
    known = result[window - 1 :]
    assert not np.isnan(known).any()
    assert (known <= values.max(initial=0.0) * (1 + 1e-12)).all()
    assert (known >= values.min(initial=np.inf) * (1 - 1e-12)).all()


def test_a_hole_passes_through_a_simple_average_but_stays_in_an_exponential_one():
    values = np.arange(1.0, 11.0)
    values[4] = np.nan

    simple, exponential = sma(values, 3), ema(values, 3)

    assert np.isnan(simple).tolist() == [True] * 2 + [False] * 2 + [True] * 3 + [False] * 3
    assert np.isnan(exponential).tolist() == [True] * 2 + [False] * 2 + [True] * 6


@pytest.mark.parametrize("average", [sma, ema, wilder])
def test_a_window_of_nothing_is_refused(average):
    with pytest.raises(ValueError, match="window"):
        average(np.ones(5), 0)
