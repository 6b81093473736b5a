import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import ndtr
from scipy.stats import norm

from thetawarden.domain.pricing.normal import density, distribution

PLACES = arrays(np.float64, st.integers(1, 40), elements=st.floats(-40.0, 40.0))


def both(z):
    return distribution(z, density(z))


@given(z=PLACES)
def test_it_is_the_normal_distribution_to_half_a_hundred_millionth(z):
    assert np.abs(both(z) - ndtr(z)).max() < 5e-9
    np.testing.assert_allclose(density(z), norm.pdf(z), rtol=1e-13, atol=1e-300)


@given(z=PLACES)
def test_what_lies_below_and_above_a_place_is_one(z):
    np.testing.assert_allclose(both(z) + both(-z), 1.0, rtol=0.0, atol=1e-15)


@given(z=PLACES, growth=st.floats(-5.0, 5.0))
def test_growth_is_taken_into_the_exponent(z, growth):
    np.testing.assert_allclose(
        density(z, growth), density(z) * np.exp(growth), rtol=1e-12, atol=1e-300
    )


def test_it_does_not_jump_at_zero_where_its_two_halves_meet():
    near = both(np.array([-1e-12, -0.0, 0.0, 1e-12]))

    np.testing.assert_allclose(near, 0.5, rtol=0.0, atol=2e-12)
    assert np.all(np.diff(near) >= 0.0)


def test_far_out_it_is_nothing_or_all_and_no_number_stays_none():
    assert both(np.array([-np.inf, np.inf])).tolist() == [0.0, 1.0]
    assert np.isnan(both(np.array([np.nan]))).all()
