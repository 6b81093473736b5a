"""Sensitivities of a book in the units of its limits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thetawarden.domain.portfolio.book import joined
from thetawarden.domain.portfolio.greeks import (
    book_greeks,
    per_share_greeks,
    position_greeks,
    profit_of_index_move,
)
from thetawarden.domain.portfolio.revaluation import scenario_profits
from thetawarden.domain.portfolio.scenario import ShockRules
from thetawarden.domain.portfolio.shock import Scenario

SEEDS = st.integers(0, 2**32 - 1)
INDEX = 4000.0


def greeks_of(book, underlyings):
    return position_greeks(
        book, underlyings, per_share=per_share_greeks(book, underlyings), index_usd=INDEX
    )


@given(seed=SEEDS)
@settings(max_examples=30)
def test_a_small_index_move_earns_what_beta_weighted_delta_and_gamma_say(draws, seed):
    book, underlyings = draws(seed)
    totals = book_greeks(greeks_of(book, underlyings))
    moves = (1e-4, -1e-4)

    revalued = scenario_profits(
        book,
        underlyings,
        vix_now=18.0,
        scenarios=tuple(Scenario(name="step", index_return=move) for move in moves),
        rules=ShockRules(),
    ).sum(axis=0)

    scale = np.abs(greeks_of(book, underlyings).delta_usd).sum() * 1e-4 + 1.0
    for move, profit in zip(moves, revalued, strict=True):
        expected = profit_of_index_move(totals, index_usd=INDEX, index_return=move)
        assert profit == pytest.approx(expected, abs=1e-2 * scale)


@given(seed=SEEDS)
@settings(max_examples=30)
def test_a_day_and_a_vol_point_earn_theta_and_vega(draws, seed):
    book, underlyings = draws(seed)
    found = greeks_of(book, underlyings)
    flat = ShockRules(tenor_exponent=0.0)

    day, point = scenario_profits(
        book,
        underlyings,
        vix_now=18.0,
        scenarios=(
            Scenario(name="a hundredth of a day", days_forward=0.01),
            Scenario(name="a hundredth of a point", vix_points=0.01),
        ),
        rules=flat,
    ).T

    follow = underlyings.iv_beta[book.underlying]
    vega = found.vega_usd_per_vol_point
    # two worths of an American option differ by the pricing method's noise, a millionth of it all
    noise = 1e-6 * found.notional_usd + 0.01
    assert np.all(np.abs(day - 0.01 * found.theta_usd_per_day) < noise + 0.02 * np.abs(day))
    assert np.all(np.abs(point - 0.01 * vega * follow) < noise + 0.02 * np.abs(point))


@given(one=SEEDS, other=SEEDS)
@settings(max_examples=20)
def test_greeks_of_two_books_together_are_the_sums(draws, one, other):
    (first, underlyings), (second, _) = draws(one), draws(other)

    together = book_greeks(greeks_of(joined(first, second), underlyings))

    apart = [book_greeks(greeks_of(book, underlyings)) for book in (first, second)]
    for name in ("index_delta_shares", "theta_usd_per_day", "notional_usd"):
        assert getattr(together, name) == pytest.approx(sum(getattr(g, name) for g in apart))


def test_a_short_put_is_long_the_index_short_vega_and_earns_theta(option_book):
    book, underlyings = option_book((95.0, False, -2.0))

    found = book_greeks(
        position_greeks(
            book, underlyings, per_share=per_share_greeks(book, underlyings), index_usd=100.0
        )
    )

    assert found.index_delta_shares > 0.0
    assert found.index_gamma_shares_per_usd < 0.0
    assert found.vega_usd_per_vol_point < 0.0
    assert found.theta_usd_per_day > 0.0
    assert found.notional_usd == 2 * 100 * 95.0
    assert found.theta_per_index_delta == pytest.approx(
        found.theta_usd_per_day / found.index_delta_shares
    )


def test_shares_have_delta_only_and_an_empty_book_nothing(option_book):
    book, underlyings = option_book(shares=150.0)
    empty, _ = option_book()

    found = greeks_of(book, underlyings)
    nothing = book_greeks(greeks_of(empty, underlyings))

    assert found.delta_shares.tolist() == [150.0]
    assert found.notional_usd.tolist() == [15_000.0]
    assert (found.vega_usd_per_vol_point, found.theta_usd_per_day) == (0.0, 0.0)
    assert nothing.theta_per_index_delta is None
