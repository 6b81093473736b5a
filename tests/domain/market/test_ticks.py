"""Prices on the ladder: against exact arithmetic, and the two roundings against each other."""

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thetawarden.domain.market.products import (
    CENT,
    CENT_THEN_NICKEL,
    NICKEL_THEN_DIME,
    SHARE,
)
from thetawarden.domain.market.ticks import (
    Rounding,
    is_on_tick,
    move_price,
    round_price,
    round_prices,
    step_at,
    tick_rule,
)

QUARTER = tick_rule(("0", "0.25"))
RULES = st.sampled_from([CENT, CENT_THEN_NICKEL, NICKEL_THEN_DIME, SHARE, QUARTER])
PRICES = st.decimals(min_value=-9000, max_value=9000, places=4)


@given(price=PRICES, rule=RULES)
def test_rounding_brackets_the_price_with_neighbouring_ticks(price, rule):
    down = round_price(price=price, rule=rule, rounding=Rounding.DOWN)
    up = round_price(price=price, rule=rule, rounding=Rounding.UP)
    nearest = round_price(price=price, rule=rule, rounding=Rounding.NEAREST)

    assert down <= price <= up
    assert is_on_tick(down, rule)
    assert is_on_tick(up, rule)
    assert (down == up) == is_on_tick(price, rule)
    assert up - down in (0, step_at(price, rule))
    assert abs(nearest - price) == min(price - down, up - price)


@given(price=PRICES, rule=RULES, rounding=st.sampled_from([Rounding.DOWN, Rounding.UP]))
def test_arrays_of_floats_land_on_the_same_ticks_as_exact_prices(price, rule, rounding):
    exact = round_price(price=price, rule=rule, rounding=rounding)

    rounded = round_prices(prices=np.array([float(price)]), rule=rule, rounding=rounding)

    assert rounded[0] == float(exact)


@given(price=PRICES, rule=RULES)
def test_the_nearest_float_tick_is_no_further_than_the_nearest_exact_one(price, rule):
    exact = round_price(price=price, rule=rule, rounding=Rounding.NEAREST)

    rounded = round_prices(prices=np.array([float(price)]), rule=rule, rounding=Rounding.NEAREST)

    assert abs(rounded[0] - float(price)) <= abs(float(exact - price)) + 1e-9
    assert is_on_tick(Decimal(repr(float(rounded[0]))), rule)


@given(price=PRICES, rule=RULES, ticks=st.integers(1, 5))
def test_moving_up_and_down_again_returns_to_the_tick(price, rule, ticks):
    start = round_price(price=price, rule=rule, rounding=Rounding.DOWN)

    there = move_price(price=start, rule=rule, ticks=ticks)

    assert there > start
    assert is_on_tick(there, rule)
    assert move_price(price=there, rule=rule, ticks=-ticks) == start


@pytest.mark.parametrize(
    ("rule", "price", "down", "up"),
    [
        (NICKEL_THEN_DIME, "2.97", "2.95", "3.00"),
        (NICKEL_THEN_DIME, "3.00", "3.00", "3.00"),
        (NICKEL_THEN_DIME, "3.05", "3.00", "3.10"),
        (NICKEL_THEN_DIME, "0.03", "0.00", "0.05"),
        (NICKEL_THEN_DIME, "-3.05", "-3.10", "-3.00"),
        (CENT_THEN_NICKEL, "2.994", "2.99", "3.00"),
        (CENT_THEN_NICKEL, "3.01", "3.00", "3.05"),
        (CENT, "12.345", "12.34", "12.35"),
        (SHARE, "0.99995", "0.9999", "1.00"),
        (QUARTER, "5012.10", "5012.00", "5012.25"),
    ],
)
def test_prices_round_as_the_exchange_quotes_them(rule, price, down, up):
    assert round_price(price=Decimal(price), rule=rule, rounding=Rounding.DOWN) == Decimal(down)
    assert round_price(price=Decimal(price), rule=rule, rounding=Rounding.UP) == Decimal(up)


def test_one_tick_down_from_a_band_edge_uses_the_lower_band():
    assert move_price(price=Decimal(3), rule=NICKEL_THEN_DIME, ticks=-1) == Decimal("2.95")
    assert move_price(price=Decimal(3), rule=NICKEL_THEN_DIME, ticks=1) == Decimal("3.10")
    assert move_price(price=Decimal(-3), rule=NICKEL_THEN_DIME, ticks=1) == Decimal("-2.95")


def test_a_price_off_tick_reaches_the_next_tick_in_one_move():
    assert move_price(price=Decimal("3.02"), rule=NICKEL_THEN_DIME, ticks=1) == Decimal("3.10")
    assert move_price(price=Decimal("3.02"), rule=NICKEL_THEN_DIME, ticks=-1) == Decimal("3.00")


def test_a_float_a_hair_off_its_tick_is_that_tick():
    noisy = np.array([0.1 + 0.2, 3.0 - 1e-12, 1.1 * 3])

    up = round_prices(prices=noisy, rule=NICKEL_THEN_DIME, rounding=Rounding.UP)

    assert up.tolist() == [0.3, 3.0, 3.3]


def test_a_float_just_below_a_band_edge_still_belongs_to_the_lower_band():
    below = np.array([2.9999, 2.99999])

    down = round_prices(prices=below, rule=CENT_THEN_NICKEL, rounding=Rounding.DOWN)

    assert down.tolist() == [2.99, 2.99]


def test_what_is_not_finite_stays_as_it_is_and_is_on_no_tick():
    odd = np.array([np.nan, np.inf, -np.inf])

    rounded = round_prices(prices=odd, rule=CENT, rounding=Rounding.NEAREST)

    np.testing.assert_array_equal(rounded, odd)
    assert not is_on_tick(Decimal("NaN"), CENT)
    assert not is_on_tick(Decimal("Infinity"), CENT)
    assert round_price(price=Decimal("NaN"), rule=CENT, rounding=Rounding.UP).is_nan()


@pytest.mark.parametrize(
    "bands",
    [
        (),
        (("1", "0.05"),),
        (("0", "0.05"), ("0", "0.10")),
        (("0", "0"),),
        (("0", "0.05"), ("3.02", "0.10")),
        (("0", "0.05"), ("3.05", "0.10")),
    ],
)
def test_a_ladder_with_a_gap_or_a_crooked_edge_is_refused(bands):
    with pytest.raises(ValueError, match=r"tick|band"):
        tick_rule(*bands)
