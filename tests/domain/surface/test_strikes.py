"""From delta to strike and back, and what the skew is at equal delta."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm, percentileofscore

from thetawarden.domain.pricing.black import spot_greeks
from thetawarden.domain.surface.fit import SmilePoints, fit_smiles
from thetawarden.domain.surface.skew import (
    SkewGap,
    SkewSettings,
    measure_skews,
    percentile_in_history,
)
from thetawarden.domain.surface.smile import smile_iv
from thetawarden.domain.surface.strikes import (
    STRIKE_GAPS,
    StrikeGap,
    delta_strike,
    strike_delta,
)

TAUS = np.array([3, 10, 31, 92, 365]) / 365


def flat_smiles(iv, tau, *, forward=100.0, discount=1.0):
    k = np.linspace(-4, 4, 41) * iv * math.sqrt(tau)
    points = SmilePoints(
        expiry=np.zeros(41, dtype=int),
        log_moneyness=k,
        iv_annual=np.full(41, iv),
        iv_error_annual=np.full(41, 1e-4),
    )
    return fit_smiles(
        points,
        tau_years=np.array([tau]),
        forward_usd=np.array([forward]),
        discount=np.array([discount]),
    ).smiles


@given(
    seed=st.integers(0, 2**32 - 1),
    size=st.floats(0.001, 0.999),
    is_call=st.booleans(),
    by_spot=st.booleans(),
)
@settings(max_examples=60)
def test_delta_to_strike_and_back_is_the_same_delta(mixtures, seed, size, is_call, by_spot):
    mixture = mixtures(np.random.default_rng(seed), TAUS)
    smiles = fit_smiles(mixture.points(half_spread=0.003), **mixture.terms).smiles
    spot = mixture.forward_usd[0] if by_spot else None
    scale = (mixture.discount * mixture.forward_usd / spot).min() if by_spot else 1.0
    delta = (size if is_call else -size) * min(scale, 1.0)
    rows = np.arange(len(TAUS))

    found = delta_strike(smiles, expiry=rows, delta=delta, is_call=is_call, spot_usd=spot)
    back = strike_delta(
        smiles, expiry=rows, strike_usd=found.strike_usd, is_call=is_call, spot_usd=spot
    )

    assert not found.gap_codes.any()
    assert back == pytest.approx(np.full(len(TAUS), delta), abs=1e-10)


@given(iv=st.floats(0.05, 1.0), tau=st.floats(0.003, 2.0), delta=st.floats(0.02, 0.98))
def test_on_a_flat_smile_the_strike_is_the_textbooks(iv, tau, delta):
    deviation = iv * math.sqrt(tau)
    expected = 100.0 * math.exp(deviation**2 / 2 - norm.ppf(delta) * deviation)

    found = delta_strike(
        flat_smiles(iv, tau), expiry=np.array([0]), delta=np.array([delta]), is_call=True
    )

    assert found.strike_usd[0] == pytest.approx(expected, rel=1e-3 * deviation + 1e-9)
    assert not found.extrapolated[0]


def test_spot_delta_is_that_of_the_pricing_formula(mixtures):
    mixture = mixtures(np.random.default_rng(1), TAUS)
    smiles = fit_smiles(mixture.points(half_spread=0.003), **mixture.terms).smiles
    rows, strikes = np.arange(len(TAUS)), mixture.forward_usd * 0.98
    spot = mixture.forward_usd[0] * 0.999

    found = strike_delta(smiles, expiry=rows, strike_usd=strikes, is_call=False, spot_usd=spot)

    reference = spot_greeks(
        spot=spot,
        forward=mixture.forward_usd,
        strike=strikes,
        discount=mixture.discount,
        tau_years=TAUS,
        iv_annual=smile_iv(smiles, expiry=rows, strike_usd=strikes),
        is_call=False,
    )
    assert found == pytest.approx(reference.delta_per_share, rel=1e-12)


@pytest.mark.parametrize(
    ("delta", "is_call", "gap"),
    [
        (0.25, True, None),
        (-0.25, False, None),
        (-0.25, True, StrikeGap.NO_SUCH_DELTA),
        (0.25, False, StrikeGap.NO_SUCH_DELTA),
        (0.0, True, StrikeGap.NO_SUCH_DELTA),
        (1.0, True, StrikeGap.NO_SUCH_DELTA),
        (math.nan, True, StrikeGap.NO_SUCH_DELTA),
        (math.inf, True, StrikeGap.NO_SUCH_DELTA),
    ],
)
def test_a_delta_no_option_has_is_refused(delta, is_call, gap):
    found = delta_strike(
        flat_smiles(0.2, 0.1), expiry=np.array([0]), delta=np.array([delta]), is_call=is_call
    )

    assert STRIKE_GAPS[found.gap_codes[0]] is gap
    assert np.isnan(found.strike_usd[0]) == (gap is not None)


def test_a_strike_beyond_the_quotes_is_marked(mixtures):
    mixture = mixtures(np.random.default_rng(1), TAUS)
    smiles = fit_smiles(mixture.points(half_spread=0.003), **mixture.terms).smiles
    rows = np.arange(len(TAUS))

    near = delta_strike(smiles, expiry=rows, delta=-0.2, is_call=False)
    far = delta_strike(smiles, expiry=rows, delta=1e-6, is_call=True)

    assert not near.extrapolated.any()
    assert far.extrapolated.all()


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=25)
def test_skew_is_the_log_ratio_of_the_laws_volatilities_at_equal_delta(mixtures, seed):
    mixture = mixtures(np.random.default_rng(seed), TAUS)
    smiles = fit_smiles(mixture.points(half_spread=0.003), **mixture.terms).smiles

    skews = measure_skews(smiles, settings=SkewSettings(delta=0.25, tenor_exponent=0.0))

    for expiry, tau in enumerate(TAUS):
        k = np.linspace(-2, 2, 2001) * mixture.deviation[0, expiry]
        iv = mixture.iv(k, expiry)
        above = norm.cdf(-k / (iv * math.sqrt(tau)) + iv * math.sqrt(tau) / 2)
        put, call = (np.interp(-level, -above, iv) for level in (0.75, 0.25))
        assert skews.log_ratio[expiry] == pytest.approx(math.log(put / call), abs=0.02)
        assert skews.normalised[expiry] == skews.log_ratio[expiry]


def test_a_flat_smile_has_no_skew():
    skews = measure_skews(flat_smiles(0.2, 0.1), settings=SkewSettings())

    assert skews.log_ratio[0] == pytest.approx(0.0, abs=1e-6)
    assert skews.gaps == (None,)


def test_the_real_chains_normalised_skew_hardly_depends_on_the_tenor(real_smiles):
    skews = measure_skews(real_smiles, settings=SkewSettings())

    weeks_to_a_year = (real_smiles.tau_years > 14 / 365) & (real_smiles.tau_years < 1.0)
    raw, found = skews.log_ratio[weeks_to_a_year], skews.normalised[weeks_to_a_year]
    assert np.all(raw > 0.1)
    assert found.max() / found.min() < 0.75 * raw.max() / raw.min()


def test_a_skew_beyond_the_quotes_is_no_measurement():
    skews = measure_skews(flat_smiles(0.2, 0.1), settings=SkewSettings(delta=1e-7))

    assert skews.gaps == (SkewGap.BEYOND_QUOTES,)
    assert np.isnan(skews.normalised[0])


@given(
    history=st.lists(st.integers(-5, 5).map(float), min_size=20, max_size=60),
    value=st.integers(-6, 6).map(float),
)
def test_the_percentile_is_the_mean_rank(history, value):
    found = percentile_in_history(value, np.array(history))

    assert found == pytest.approx(percentileofscore(history, value, kind="mean") / 100)


def test_a_percentile_needs_a_value_and_a_history():
    history = np.full(30, 0.2)

    assert percentile_in_history(math.nan, history) is SkewGap.NOT_FINITE
    assert percentile_in_history(0.2, history[:10]) is SkewGap.SHORT_HISTORY
    assert percentile_in_history(0.2, np.append(history[:19], math.nan)) is SkewGap.SHORT_HISTORY
