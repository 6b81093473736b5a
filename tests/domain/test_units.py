"""The crossing between exact money and model numbers."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thetawarden.domain.units import as_written, to_decimal, to_float


@given(amount=st.decimals(min_value=-10_000_000, max_value=10_000_000, places=4))
def test_money_survives_the_way_into_a_model_and_back(amount):
    assert to_decimal(to_float(amount), places=4) == amount


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_what_is_not_finite_never_becomes_money(value):
    assert to_decimal(value, places=2) is None


def test_halves_go_to_the_even_neighbour_by_the_exact_value_of_the_float():
    assert to_decimal(0.125, places=2) == Decimal("0.12")
    assert to_decimal(0.375, places=2) == Decimal("0.38")


@pytest.mark.parametrize(
    ("value", "written"), [(643.0, "643"), (5.05, "5.05"), (0.0, "0"), (-2.5, "-2.5")]
)
def test_a_number_is_written_as_briefly_as_it_reads(value, written):
    assert str(as_written(value)) == written


@given(st.floats(allow_nan=False, allow_infinity=False, width=32))
def test_what_was_written_reads_as_the_same_number_again(value):
    assert float(as_written(value)) == value
