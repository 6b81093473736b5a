"""Margin by strategy, against examples worked by hand from the published formulas."""

import datetime as dt
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thetawarden.practice.account import margin_regt
from thetawarden.practice.account.exposures import Exposure
from thetawarden.practice.account.margin_naked import short_option_usd
from thetawarden.practice.model import SecType

MARCH, APRIL = dt.date(2026, 3, 20), dt.date(2026, 4, 17)


def option(right, strike, quantity, mark, *, under=100.0, expiry=MARCH, index=False):
    return Exposure(
        con_id=hash((right, strike, expiry)) % 10**9,
        sec_type=SecType.OPTION,
        symbol="XYZ",
        quantity=quantity,
        mark=mark,
        under_price=under,
        multiplier=100,
        broad_index=index,
        right=right,
        strike=strike,
        expiry=expiry,
    )


def shares(quantity, price=100.0):
    return Exposure(
        con_id=1,
        sec_type=SecType.STOCK,
        symbol="XYZ",
        quantity=quantity,
        mark=price,
        under_price=price,
    )


def published(*exposures):
    return margin_regt.published_options_usd(exposures)


def test_a_naked_put_on_a_share():
    # 2.00 + max(20 % of 100 - 5 out of the money, 10 % of 95) = 2 + 15
    assert published(option("P", 95.0, -1, 2.0)) == pytest.approx(1700.0)


def test_a_far_naked_put_rests_on_the_floor_of_its_strike():
    # 0.21 + max(15 % of 110 - 90, 10 % of 20) = 0.21 + 2
    far = option("P", 20.0, -1, 0.21, under=110.0, index=True)

    assert published(far) == pytest.approx(221.0)


def test_a_naked_call_on_a_broad_index():
    # 2.50 + max(15 % of 1095 - 25, 10 % of 1095) = 2.50 + 139.25
    call = option("C", 1120.0, -1, 2.5, under=1095.0, index=True)

    assert published(call) == pytest.approx(14_175.0)


def test_a_credit_spread_requires_its_width():
    spread = (option("P", 95.0, -3, 2.0), option("P", 90.0, 3, 1.0))

    assert published(*spread) == pytest.approx(1500.0)


def test_a_debit_spread_requires_nothing_beyond_its_price():
    spread = (option("C", 95.0, 1, 7.0), option("C", 100.0, -1, 4.0))

    assert published(*spread) == 0.0
    # the long option has no loan value and the short one is owed: together the debit
    assert margin_regt.requirement(spread).initial_usd == pytest.approx(300.0)


@pytest.mark.parametrize("numbers", [(1, 2), (2, 1)])
def test_a_long_option_covers_the_short_one_it_spares_most_however_they_are_numbered(numbers):
    far, near = (
        msgspec.structs.replace(one, con_id=number)
        for one, number in zip(
            (option("P", 85.0, -1, 0.5), option("P", 97.0, -1, 2.8)), numbers, strict=True
        )
    )

    # the far one alone needs 0.50 + max(20 - 15, 10 % of 85)
    assert published(far) == pytest.approx(900.0)
    assert published(far, near, option("P", 98.0, 1, 3.0)) == pytest.approx(900.0)


def test_the_brokers_example_of_an_iron_condor():
    condor = (
        option("P", 160.0, 10, 0.5, under=175.0),
        option("P", 170.0, -10, 1.5, under=175.0),
        option("C", 180.0, -10, 1.5, under=175.0),
        option("C", 190.0, 10, 0.5, under=175.0),
    )

    assert published(*condor) == pytest.approx(10_000.0)


def test_wings_of_different_width_are_two_spreads():
    uneven = (
        option("P", 160.0, 1, 0.5, under=175.0),
        option("P", 170.0, -1, 1.5, under=175.0),
        option("C", 180.0, -1, 1.5, under=175.0),
        option("C", 185.0, 1, 0.5, under=175.0),
    )

    assert published(*uneven) == pytest.approx(1500.0)


def test_a_strangle_requires_its_greater_side_and_the_others_price():
    put, call = option("P", 95.0, -1, 2.0), option("C", 110.0, -1, 1.0)

    # the put asks for 1700, the call for 100 + max(20 - 10, 10) * 100 = 1100
    assert published(put, call) == pytest.approx(1700.0 + 100.0)


def test_a_covered_call_requires_only_what_it_is_in_the_money():
    covered = (shares(100), option("C", 95.0, -1, 6.0))

    assert published(*covered) == pytest.approx(500.0)


def test_a_longer_option_covers_a_shorter_one_and_not_the_other_way_round():
    short_near = (option("P", 95.0, -1, 2.0), option("P", 95.0, 1, 3.0, expiry=APRIL))
    short_far = (option("P", 95.0, -1, 3.0, expiry=APRIL), option("P", 95.0, 1, 2.0))

    assert published(*short_near) == 0.0
    assert published(*short_far) > 1000.0


def test_shares_require_half_to_buy_and_a_quarter_to_hold():
    asked = margin_regt.requirement([shares(200)])

    assert (asked.initial_usd, asked.maintenance_usd) == (10_000.0, 5_000.0)


def test_available_funds_agree_with_the_published_convention():
    """Equity with options less our requirement is cash less the published requirement."""
    put = option("P", 95.0, -2, 2.0)
    cash = Decimal(50_000)

    ours = float(cash) + put.value_usd - margin_regt.requirement([put]).initial_usd

    assert ours == pytest.approx(float(cash) - published(put))


STRIKES = st.sampled_from([80.0, 85.0, 90.0, 95.0, 100.0, 105.0, 110.0])
LEGS = st.tuples(st.sampled_from("CP"), STRIKES, st.integers(-5, 5), st.floats(0.05, 9.0))


@given(st.lists(LEGS, max_size=6, unique_by=lambda leg: leg[:2]))
def test_margin_is_never_negative_and_never_above_all_shorts_naked(legs):
    exposures = [option(*leg) for leg in legs]

    asked = published(*exposures)

    naked = sum(-one.quantity * short_option_usd(one) for one in exposures if one.quantity < 0)
    assert -1e-9 <= asked <= naked + 1e-6


@given(st.lists(LEGS, max_size=5, unique_by=lambda leg: leg[:2]), STRIKES)
def test_one_more_long_option_never_raises_the_published_requirement_much(legs, strike):
    exposures = [option(*leg) for leg in legs if (leg[0], leg[1]) != ("P", strike)]
    more = [*exposures, option("P", strike, 1, 1.0)]

    # pairing is greedy, so a cover may break a strangle; never by more than what it covers
    assert published(*more) <= published(*exposures) + 3000.0
