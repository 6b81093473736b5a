import numpy as np
import pytest

from thetawarden.domain.pricing.anchors import lay
from thetawarden.domain.pricing.nearby import solve_nearby

STRIKE = 100.0


def _anchored(size, seed):
    """Out-of-the-money rows of all ordinary kinds: total deviation and forward."""
    rng = np.random.default_rng(seed)
    s = np.exp(rng.uniform(np.log(0.005), np.log(1.2), size))
    h = rng.uniform(0.0, 5.5, size) * rng.choice([-1.0, 1.0], size)
    return s, STRIKE * np.exp(h * s)


def _columns(price, forward, is_call):
    """Rows of one year and no discount, so that volatility and total deviation are the same."""
    ones = np.ones(forward.size)
    return [price, forward, STRIKE * ones, ones, ones, is_call.astype(np.float64)]


def _moved(prices, s, forward, *, scale, seed):
    """Rows moved to the rim of their anchors' reach, times a scale; their anchors and answers."""
    rng = np.random.default_rng(seed)
    is_call = forward <= STRIKE
    price = prices(forward, np.full(s.size, STRIKE), s)
    low = np.minimum(forward, STRIKE)
    anchors = lay(_columns(price, forward, is_call), s, np.zeros(s.size, dtype=np.int8))
    by_a, by_e = anchors.rough[-2:].astype(np.float64)
    laid = np.isfinite(by_a) & (price < 0.4 * low)
    angle = rng.uniform(0.0, 2.0 * np.pi, s.size)
    x = np.abs(np.log(forward / STRIKE))
    vega = low * np.exp(-0.5 * (-x / s + 0.5 * s) ** 2) / np.sqrt(2.0 * np.pi)
    s_moved = s * (1.0 + scale * np.sin(angle) * price / (s * vega) / by_e)
    forward_moved = forward * (1.0 + scale * np.cos(angle) / by_a * s)
    laid &= (forward_moved <= STRIKE) == is_call
    return anchors, laid, is_call, s_moved, forward_moved


def test_within_reach_the_volatility_is_right_to_twelve_digits(exact_out_of_the_money_prices):
    s, forward = _anchored(4000, seed=31)
    anchors, laid, is_call, s_moved, forward_moved = _moved(
        exact_out_of_the_money_prices, s, forward, scale=0.97, seed=32
    )
    price = exact_out_of_the_money_prices(forward_moved, np.full(s.size, STRIKE), s_moved)
    found = np.empty(s.size)

    sure = solve_nearby(_columns(price, forward_moved, is_call), anchors, found)

    assert laid.sum() > 3000
    assert sure[laid].mean() > 0.95
    np.testing.assert_allclose(found[sure], s_moved[sure], rtol=1e-12)


def test_beyond_reach_it_is_not_sure(exact_out_of_the_money_prices):
    s, forward = _anchored(500, seed=33)
    anchors, laid, is_call, s_moved, forward_moved = _moved(
        exact_out_of_the_money_prices, s, forward, scale=1.1, seed=34
    )
    price = exact_out_of_the_money_prices(forward_moved, np.full(s.size, STRIKE), s_moved)

    sure = solve_nearby(_columns(price, forward_moved, is_call), anchors, np.empty(s.size))

    assert not sure[laid].any()


@pytest.mark.parametrize("column", ["price", "forward", "strike", "discount", "tau", "is_call"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 0.0, -1.0])
def test_it_is_not_sure_of_a_row_that_is_not_a_market(column, value, exact_out_of_the_money_prices):
    s, forward = _anchored(200, seed=35)
    price = exact_out_of_the_money_prices(forward, np.full(s.size, STRIKE), s)
    columns = _columns(price, forward, forward <= STRIKE)
    anchors = lay(columns, s, np.zeros(s.size, dtype=np.int8))
    place = ["price", "forward", "strike", "discount", "tau", "is_call"].index(column)
    spoilt = list(columns)
    spoilt[place] = np.full(s.size, value)

    sure = solve_nearby(spoilt, anchors, np.empty(s.size))

    same_right = (columns[5] == value) & (column == "is_call")
    assert not sure[~same_right].any()


def test_a_row_without_a_volatility_gets_no_anchor():
    forward = np.full(3, 95.0)
    columns = _columns(np.full(3, 4.0), forward, forward <= STRIKE)
    codes = np.array([0, 3, 0], dtype=np.int8)

    anchors = lay(columns, np.array([0.2, 0.2, np.nan]), codes)

    assert np.isfinite(anchors.rough[-2]).tolist() == [True, False, False]
