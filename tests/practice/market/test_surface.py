"""The implied surface offers nothing for free: not across strikes, not across expiries."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from thetawarden.domain.pricing.black import black_price
from thetawarden.practice.market.surface import (
    slice_shape,
    strike_variance,
    swap_variance,
    total_variance,
)

STATES = st.tuples(
    st.floats(min_value=-0.9, max_value=1.3),
    st.floats(min_value=-1.1, max_value=1.4),
    st.floats(min_value=-0.7, max_value=0.8),
).map(np.array)
YEARS = np.array([1, 5, 23, 100, 400, 1500, 4000, 12_000, 40_000, 105_000]) / (252.0 * 78.0)
K = np.linspace(-1.6, 0.9, 501)
RHOS = st.floats(min_value=-0.85, max_value=0.7)
ETAS = st.floats(min_value=0.3, max_value=1.3)


def surface(x, eta, rho):
    theta = total_variance(x, YEARS)
    shape = slice_shape(eta=eta, rho=rho, stress=float(x[:2].sum()))
    return strike_variance(theta=theta[:, None], k=K, eta=shape, rho=rho)


@given(x=STATES, eta=ETAS, rho=RHOS)
def test_total_variance_rises_with_time_at_every_strike(x, eta, rho):
    variance = surface(x, eta, rho)

    assert np.all(np.diff(variance, axis=0) >= -1e-14)


@given(x=STATES, eta=ETAS, rho=RHOS)
def test_no_butterfly_and_no_vertical_pays_for_nothing(x, eta, rho):
    strike = np.linspace(0.25, 2.2, 1200)
    theta = total_variance(x, YEARS)
    shape = slice_shape(eta=eta, rho=rho, stress=float(x[:2].sum()))

    variance = strike_variance(theta=theta[:, None], k=np.log(strike), eta=shape, rho=rho)
    call = black_price(
        forward=1.0,
        strike=strike,
        discount=1.0,
        tau_years=1.0,
        iv_annual=np.sqrt(variance),
        is_call=True,
    )

    slope = np.diff(call, axis=1)
    assert np.all(slope <= 1e-13)
    assert np.all(slope >= -np.diff(strike) - 1e-13)
    assert np.all(np.diff(slope, axis=1) >= -1e-12)


@given(x=STATES)
def test_variance_is_finite_and_positive_in_every_state(x):
    variance = total_variance(x, YEARS)

    assert np.all(np.isfinite(variance))
    assert np.all(variance > 0.0)


def test_a_strip_of_a_flat_smile_is_worth_its_variance():
    theta = np.array([1e-4, 0.003, 0.04, 0.3])

    worth = swap_variance(theta=theta, eta=1e-9, rho=0.0)

    np.testing.assert_allclose(worth, theta, rtol=1e-3)
