"""Correlations against other libraries, and effective bets in cases worked by hand."""

import gzip

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from thetawarden.domain.indicators.correlation import (
    average_correlation,
    correlation_matrix,
    effective_bets,
    rolling_correlation,
)

TABLES = arrays(
    float, st.tuples(st.integers(3, 30), st.integers(2, 6)), elements=st.floats(-0.1, 0.1)
)


@pytest.fixture(scope="module")
def returns(shared_data):
    with gzip.open(shared_data / "stocks/skfolio_sp500_20stocks_adjclose.csv.gz") as text:
        prices = pl.read_csv(text.read()).drop("Date").to_numpy()
    return np.diff(np.log(prices[-1_000:]), axis=0)


def test_rolling_correlation_of_real_stocks_is_another_librarys(returns):
    first, second = returns[:, 0], returns[:, 12]
    table = pl.DataFrame({"a": first, "b": second})

    theirs = table.select(pl.rolling_corr("a", "b", window_size=60, min_samples=60)).to_numpy()[
        :, 0
    ]

    ours = rolling_correlation(first=first, second=second, window=60)
    np.testing.assert_allclose(ours[59:], theirs[59:], atol=1e-9)
    assert np.isnan(ours[:59]).all()


def test_the_matrix_of_real_stocks_is_numpys(returns):
    window = returns[-60:]

    matrix = correlation_matrix(window)

    np.testing.assert_allclose(matrix, np.corrcoef(window.T), atol=1e-12)
    pairs = matrix[np.triu_indices(20, 1)]
    assert average_correlation(matrix) == pytest.approx(pairs.mean())
    assert effective_bets(matrix) == pytest.approx(400 / np.corrcoef(window.T).sum())


@given(returns=TABLES)
def test_correlations_are_symmetric_and_bounded(returns):
    matrix = correlation_matrix(returns)

    np.testing.assert_array_equal(matrix, matrix.T)
    known = matrix[~np.isnan(matrix)]
    assert (np.abs(known) <= 1.0).all()


@pytest.mark.parametrize(
    ("matrix", "average", "bets"),
    [
        (np.eye(4), 0.0, 4.0),
        (np.ones((4, 4)), 1.0, 1.0),
        (np.array([[1.0, 0.5], [0.5, 1.0]]), 0.5, 4 / 3),
        (np.array([[1.0, -0.5], [-0.5, 1.0]]), -0.5, 4.0),
        (np.array([[1.0, -1.0], [-1.0, 1.0]]), -1.0, np.inf),
    ],
)
def test_bets_count_as_many_as_they_are_independent(matrix, average, bets):
    assert average_correlation(matrix) == pytest.approx(average)
    assert effective_bets(matrix) == pytest.approx(bets)


def test_one_series_alone_has_no_pair_but_is_one_bet():
    assert np.isnan(average_correlation(np.eye(1)))
    assert effective_bets(np.eye(1)) == 1.0


def test_a_series_that_did_not_move_has_no_correlation_and_hides_the_average():
    moving = np.random.default_rng(3).normal(size=60)
    still = np.full(60, 0.1)

    matrix = correlation_matrix(np.column_stack([moving, still]))

    assert np.isnan(matrix[0, 1])
    assert np.isnan(matrix[1, 1])
    assert np.isnan(average_correlation(matrix))
    assert np.isnan(effective_bets(matrix))
    assert np.isnan(rolling_correlation(first=moving, second=still, window=20)).all()


def test_a_missing_return_hides_its_series():
    table = np.random.default_rng(4).normal(size=(60, 3))
    table[10, 1] = np.nan

    matrix = correlation_matrix(table)

    assert np.isnan(matrix[1]).all()
    assert not np.isnan(matrix[0, 2])


def test_two_values_are_enough_and_always_wholly_alike_or_opposed():
    rising, falling = np.array([1.0, 2.0]), np.array([5.0, 3.0])

    assert rolling_correlation(first=rising, second=falling, window=2)[-1] == pytest.approx(-1.0)


def test_a_correlation_of_one_value_is_refused():
    with pytest.raises(ValueError, match="at least 2"):
        rolling_correlation(first=np.ones(5), second=np.ones(5), window=1)
