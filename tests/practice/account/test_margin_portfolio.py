"""Margin by scenario: worst losses over the grid, offsets within a family and not between."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thetawarden.practice.account import margin_portfolio, margin_regt
from thetawarden.practice.account.exposures import Exposure
from thetawarden.practice.model import SecType

EXPIRY = dt.date(2026, 4, 17)


def future(symbol, quantity, price, multiplier=50):
    return Exposure(
        con_id=3,
        sec_type=SecType.FUTURE,
        symbol=symbol,
        quantity=quantity,
        mark=price,
        under_price=price,
        multiplier=multiplier,
    )


def shares(symbol, quantity, price=100.0):
    return Exposure(
        con_id=hash(symbol) % 1000,
        sec_type=SecType.STOCK,
        symbol=symbol,
        quantity=quantity,
        mark=price,
        under_price=price,
    )


def put(symbol, strike, quantity, mark, under):
    return Exposure(
        con_id=int(strike),
        sec_type=SecType.OPTION,
        symbol=symbol,
        quantity=quantity,
        mark=mark,
        under_price=under,
        multiplier=100,
        right="P",
        strike=strike,
        expiry=EXPIRY,
        iv_annual=0.2,
        tau_years=0.1,
    )


def maintenance(*exposures):
    return margin_portfolio.requirement(exposures).maintenance_usd


def test_shares_lose_fifteen_percent_at_worst():
    assert maintenance(shares("AAA", 100)) == pytest.approx(1500.0)
    assert maintenance(shares("AAA", -100)) == pytest.approx(1500.0)


def test_a_broad_index_falls_eight_and_rises_six_percent():
    assert maintenance(future("ES", 1, 5000.0)) == pytest.approx(20_000.0)
    assert maintenance(future("ES", -1, 5000.0)) == pytest.approx(15_000.0)


def test_what_moves_together_offsets():
    hedged = maintenance(future("ES", 1, 5000.0), shares("SPY", -500, 500.0))

    assert hedged == pytest.approx(0.0, abs=1e-6)


def test_what_does_not_move_together_adds():
    assert maintenance(shares("AAA", 100), shares("BBB", -100)) == pytest.approx(3000.0)


def test_initial_is_ten_percent_above_maintenance():
    asked = margin_portfolio.requirement([shares("AAA", 100)])

    assert asked.initial_usd == pytest.approx(1.1 * asked.maintenance_usd)


def test_a_far_short_option_still_counts_its_minimum():
    assert maintenance(put("SPX", 2000.0, -4, 0.05, 5000.0)) == pytest.approx(150.0)


def test_a_long_option_can_lose_no_more_than_its_price():
    assert maintenance(put("SPX", 4800.0, 1, 30.0, 5000.0)) <= 3000.0


def test_a_short_index_put_requires_less_than_under_the_strategy_rules():
    one = put("SPX", 4600.0, -1, 20.0, 5000.0)

    assert 0 < maintenance(one) < margin_regt.requirement([one]).maintenance_usd * 1.2


@given(
    st.lists(
        st.tuples(st.sampled_from([4600.0, 4700.0, 4800.0]), st.integers(-5, 5)),
        unique_by=lambda leg: leg[0],
    )
)
def test_twice_the_position_requires_twice_as_much(legs):
    def book(times):
        return [put("SPX", strike, times * quantity, 20.0, 5000.0) for strike, quantity in legs]

    assert maintenance(*book(2)) == pytest.approx(2 * maintenance(*book(1)))
