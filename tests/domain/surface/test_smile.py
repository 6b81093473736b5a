"""Smiles fitted to prices of a law that is known exactly: a mixture of two lognormals."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.interpolate import CubicSpline

from thetawarden.domain.pricing.black import black_price
from thetawarden.domain.surface.arbitrage import find_butterflies, find_calendars
from thetawarden.domain.surface.fit import FitSettings, SmilePoints, fit_smiles
from thetawarden.domain.surface.odds import probability_below
from thetawarden.domain.surface.smile import SmileGap, density_factor, smile_iv, smile_values
from thetawarden.domain.surface.spline import CURVATURES, KNOTS, evaluate
from thetawarden.domain.surface.term import SurfaceGap, surface_at

TAUS = np.array([3, 10, 31, 92, 365]) / 365


@given(values=st.lists(st.floats(-5, 5), min_size=len(KNOTS), max_size=len(KNOTS)))
def test_the_spline_is_the_natural_one(values):
    table = np.array([values])
    x = np.linspace(KNOTS[0], KNOTS[-1], 301)
    reference = CubicSpline(KNOTS, values, bc_type="natural")

    found = evaluate(table, table @ CURVATURES.T, row=np.zeros(len(x), dtype=int), x=x)

    for order, column in enumerate(found):
        assert column == pytest.approx(reference(x, order), abs=1e-9 * 10**order)


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=40)
def test_a_known_law_is_found_again_from_its_quotes(mixtures, seed):
    mixture = mixtures(np.random.default_rng(seed), TAUS)
    fit = fit_smiles(mixture.points(half_spread=0.003), **mixture.terms)
    k = mixture.quoted_moneyness(51)

    found = smile_iv(
        fit.smiles,
        expiry=np.arange(len(TAUS))[:, None],
        strike_usd=mixture.forward_usd[:, None] * np.exp(k),
    )

    assert fit.smiles.gaps == (None,) * len(TAUS)
    assert np.abs(found - mixture.iv(k)).max() < 0.003
    assert np.all(fit.within_fraction > 0.95)
    assert find_butterflies(fit.smiles) == ()


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=40)
def test_noise_within_the_spread_neither_moves_the_smile_out_nor_makes_it_arbitrable(
    mixtures, seed
):
    generator = np.random.default_rng(seed)
    mixture = mixtures(generator, TAUS)
    points = mixture.points(half_spread=0.01, noise=0.0025, generator=generator)

    fit = fit_smiles(points, **mixture.terms)

    k = mixture.quoted_moneyness(51)
    values = smile_values(fit.smiles, expiry=np.arange(len(TAUS))[:, None], log_moneyness=k)
    found = np.sqrt(values.total_variance / TAUS[:, None])
    assert np.quantile(np.abs(found - mixture.iv(k)), 0.95) < 0.01
    assert find_butterflies(fit.smiles) == ()


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=25)
def test_the_density_integrates_to_one_and_reprices_the_forward(mixtures, seed):
    mixture = mixtures(np.random.default_rng(seed), TAUS)
    smiles = fit_smiles(mixture.points(half_spread=0.003), **mixture.terms).smiles
    k = np.linspace(-14, 14, 8001) * np.sqrt(smiles.scale_variance)[:, None]
    values = smile_values(smiles, expiry=np.arange(len(TAUS))[:, None], log_moneyness=k)
    root = np.sqrt(values.total_variance)
    bell = np.exp(-((-k / root - root / 2) ** 2) / 2) / (root * math.sqrt(2 * math.pi))
    density = density_factor(values, log_moneyness=k) * bell

    mass = np.trapezoid(density, k, axis=1)
    mean = np.trapezoid(density * np.exp(k), k, axis=1)

    assert mass == pytest.approx(np.ones(len(TAUS)), abs=0.01)
    assert mean == pytest.approx(np.ones(len(TAUS)), abs=0.01)


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=25)
def test_the_probability_of_finishing_below_is_that_of_the_law(mixtures, seed):
    mixture = mixtures(np.random.default_rng(seed), TAUS)
    smiles = fit_smiles(mixture.points(half_spread=0.003), **mixture.terms).smiles
    k = mixture.quoted_moneyness(41)
    strikes = mixture.forward_usd[:, None] * np.exp(k)

    found = probability_below(smiles, expiry=np.arange(len(TAUS))[:, None], strike_usd=strikes)

    assert np.abs(found - mixture.cumulative(k)).max() < 0.015
    assert np.all(np.diff(found, axis=1) >= -1e-9)


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=25)
def test_slope_and_curvature_are_those_of_the_curve_beyond_its_quotes_too(mixtures, seed):
    mixture = mixtures(np.random.default_rng(seed), TAUS)
    smiles = fit_smiles(mixture.points(half_spread=0.003), **mixture.terms).smiles
    rows = np.arange(len(TAUS))[:, None]
    unit = np.sqrt(smiles.scale_variance)[:, None]
    k = np.linspace(-9.03, 7.01, 61) * unit  # clear of knots and edges
    step = 1e-4 * unit

    before, at, after = (
        smile_values(smiles, expiry=rows, log_moneyness=k + move) for move in (-step, 0.0, step)
    )

    by_difference = (after.total_variance - before.total_variance) / (2 * step)
    steady = np.abs(after.slope - before.slope) < 1e-3 * unit  # no edge of the quotes in between
    assert steady.mean() > 0.98
    assert at.slope[steady] == pytest.approx(by_difference[steady], abs=2e-3 * unit.max())
    bend = (after.slope - before.slope) / (2 * step)
    smooth = np.abs(after.curvature - before.curvature) < 1e-2
    assert at.curvature[smooth] == pytest.approx(bend[smooth], abs=2e-2)


def test_wings_never_fall_outwards_even_where_the_quotes_do():
    falling, rising = (
        SmilePoints(
            expiry=np.zeros(21, dtype=int),
            log_moneyness=np.linspace(-0.1, 0.1, 21),
            iv_annual=0.25 - sign * np.linspace(-0.1, 0.1, 21),
            iv_error_annual=np.full(21, 0.001),
        )
        for sign in (1.0, -1.0)
    )
    terms = {
        "tau_years": np.array([0.1]),
        "forward_usd": np.array([100.0]),
        "discount": np.array([1.0]),
    }

    for points, outwards in ((falling, 1.0), (rising, -1.0)):
        at = smile_values(
            fit_smiles(points, **terms).smiles,
            expiry=np.zeros(9, dtype=int),
            log_moneyness=outwards * np.linspace(0.11, 3.0, 9),
        )
        assert np.all(np.diff(at.total_variance) >= 0.0)
        assert np.all(outwards * at.slope >= 0.0)


def test_the_density_factor_is_that_of_the_prices_second_difference():
    k = np.linspace(-1.5, 1.5, 61)
    points = SmilePoints(
        expiry=np.zeros(61, dtype=int),
        log_moneyness=k,
        iv_annual=np.sqrt(0.8 - 0.3 * k + 0.1 * k**2),
        iv_error_annual=np.full(61, 0.001),
    )
    smiles = fit_smiles(
        points,
        tau_years=np.array([1.0]),
        forward_usd=np.array([100.0]),
        discount=np.array([1.0]),
    ).smiles
    strikes = np.linspace(40.0, 250.0, 43)
    step = 0.05

    def put(strike):
        iv = smile_iv(smiles, expiry=np.zeros(43, dtype=int), strike_usd=strike)
        return black_price(
            forward=100.0, strike=strike, discount=1.0, tau_years=1.0, iv_annual=iv, is_call=False
        )

    x = np.log(strikes / 100.0)
    values = smile_values(smiles, expiry=np.zeros(43, dtype=int), log_moneyness=x)
    root = np.sqrt(values.total_variance)
    bell = np.exp(-((-x / root - root / 2) ** 2) / 2) / (root * math.sqrt(2 * math.pi))

    found = density_factor(values, log_moneyness=x) * bell / strikes

    second = (put(strikes + step) - 2 * put(strikes) + put(strikes - step)) / step**2
    assert found == pytest.approx(second, rel=0.01, abs=1e-6)


def test_expiries_quoted_at_different_strikes_only_cannot_be_compared():
    near = _flat(iv=0.3, tau=0.1, k=np.linspace(-0.3, -0.1, 20))
    far = _flat(iv=0.2, tau=0.2, k=np.linspace(0.05, 0.3, 20), expiry=1)
    points = SmilePoints(
        **{
            name: np.concatenate([getattr(near, name), getattr(far, name)])
            for name in SmilePoints.__struct_fields__
        }
    )

    smiles = fit_smiles(
        points,
        tau_years=np.array([0.1, 0.2]),
        forward_usd=np.array([100.0, 100.0]),
        discount=np.ones(2),
    ).smiles

    assert find_calendars(smiles) == ()


def test_one_wild_quote_does_not_bend_the_smile(mixtures):
    mixture = mixtures(np.random.default_rng(3), TAUS)
    clean = mixture.points(half_spread=0.005)
    iv = clean.iv_annual.copy()
    iv[len(iv) // 2] *= 1.5
    wild = SmilePoints(
        expiry=clean.expiry,
        log_moneyness=clean.log_moneyness,
        iv_annual=iv,
        iv_error_annual=clean.iv_error_annual,
    )
    expiry = int(clean.expiry[len(iv) // 2])
    k = mixture.quoted_moneyness(41)[expiry]

    found = smile_values(
        fit_smiles(wild, **mixture.terms).smiles, expiry=np.full(41, expiry), log_moneyness=k
    )

    assert np.abs(np.sqrt(found.total_variance / TAUS[expiry]) - mixture.iv(k, expiry)).max() < 0.01


def test_an_expiry_without_a_smile_says_why_and_evaluates_to_nothing(mixtures):
    mixture = mixtures(np.random.default_rng(5), TAUS)
    terms = {name: column.copy() for name, column in mixture.terms.items()}
    terms["tau_years"][0] = 0.0
    terms["forward_usd"][1] = np.nan
    points = mixture.points(half_spread=0.003)
    few = points.expiry != 2
    few[np.flatnonzero(~few)[:4]] = True
    points = SmilePoints(
        **{name: getattr(points, name)[few] for name in SmilePoints.__struct_fields__}
    )

    fit = fit_smiles(points, **terms)

    assert fit.smiles.gaps == (
        SmileGap.EXPIRED,
        SmileGap.NO_FORWARD,
        SmileGap.TOO_FEW_QUOTES,
        None,
        None,
    )
    at = smile_values(fit.smiles, expiry=np.arange(5), log_moneyness=np.zeros(5))
    assert np.isnan(at.total_variance).tolist() == [True, True, True, False, False]


FLOATS = st.floats(allow_nan=True, allow_infinity=True)


@given(rows=st.lists(st.tuples(FLOATS, FLOATS, FLOATS), min_size=0, max_size=12))
def test_any_points_at_all_give_a_positive_smile_or_a_named_reason(rows):
    columns = np.array(rows, dtype=float).reshape(-1, 3).T
    points = SmilePoints(
        expiry=np.zeros(len(rows), dtype=int),
        log_moneyness=columns[0],
        iv_annual=columns[1],
        iv_error_annual=columns[2],
    )

    smiles = fit_smiles(
        points,
        tau_years=np.array([0.1]),
        forward_usd=np.array([100.0]),
        discount=np.array([0.99]),
    ).smiles

    total = smile_values(
        smiles, expiry=np.zeros(9, dtype=int), log_moneyness=np.linspace(-1, 1, 9)
    ).total_variance
    assert isinstance(smiles.gaps[0], SmileGap) or np.all(total > 0.0)


def test_total_variance_between_expiries_is_linear_in_time(mixtures):
    mixture = mixtures(np.random.default_rng(11), TAUS)
    smiles = fit_smiles(mixture.points(half_spread=0.003), **mixture.terms).smiles
    k = np.linspace(-0.02, 0.02, 5)
    ends = [
        smile_values(smiles, expiry=np.full(5, e), log_moneyness=k).total_variance for e in (1, 2)
    ]

    middle = surface_at(smiles, tau_years=(TAUS[1] + TAUS[2]) / 2, log_moneyness=k)
    at = surface_at(smiles, tau_years=TAUS[2], log_moneyness=k)
    early = surface_at(smiles, tau_years=TAUS[0] / 2, log_moneyness=0.0)
    first = surface_at(smiles, tau_years=TAUS[0], log_moneyness=0.0)

    assert middle.total_variance == pytest.approx((ends[0] + ends[1]) / 2)
    assert at.total_variance == pytest.approx(ends[1])
    assert at.forward_usd == pytest.approx(np.full(5, mixture.forward_usd[2]))
    assert early.iv_annual == pytest.approx(first.iv_annual)


def test_a_surface_without_smiles_has_no_answer():
    none = np.empty(0)
    points = SmilePoints(
        expiry=np.empty(0, dtype=int), log_moneyness=none, iv_annual=none, iv_error_annual=none
    )
    smiles = fit_smiles(
        points, tau_years=np.array([0.1]), forward_usd=np.array([1.0]), discount=np.array([1.0])
    ).smiles

    assert surface_at(smiles, tau_years=0.1, log_moneyness=0.0) is SurfaceGap.NO_SMILE
    assert find_butterflies(smiles) == ()
    assert find_calendars(smiles) == ()


def _flat(*, iv, tau, k=None, expiry=0):
    k = np.linspace(-3, 3, 25) * iv * math.sqrt(tau) if k is None else k
    return SmilePoints(
        expiry=np.full(len(k), expiry),
        log_moneyness=k,
        iv_annual=np.full(len(k), iv),
        iv_error_annual=np.full(len(k), 0.001),
    )


def test_a_later_expiry_with_less_total_variance_is_reported_with_its_shortfall():
    parts = (_flat(iv=0.3, tau=0.1), _flat(iv=0.2, tau=0.2, expiry=1))
    points = SmilePoints(
        **{
            name: np.concatenate([getattr(part, name) for part in parts])
            for name in SmilePoints.__struct_fields__
        }
    )

    smiles = fit_smiles(
        points,
        tau_years=np.array([0.1, 0.2]),
        forward_usd=np.array([100.0, 100.0]),
        discount=np.ones(2),
    ).smiles

    (breach,) = find_calendars(smiles)
    assert (breach.near_expiry, breach.far_expiry) == (0, 1)
    assert breach.shortfall_vol_points == pytest.approx(
        100 * (0.3 * math.sqrt(0.5) - 0.2), abs=0.02
    )
    assert find_calendars(smiles, tolerance_vol_points=2.0) == ()


def test_a_smile_that_pays_for_a_butterfly_is_reported_where_it_does():
    k = np.linspace(-0.15, 0.15, 31)
    terms = {
        "tau_years": np.array([0.1]),
        "forward_usd": np.array([100.0]),
        "discount": np.array([1.0]),
    }
    inverted = SmilePoints(
        expiry=np.zeros(31, dtype=int),
        log_moneyness=k,
        iv_annual=0.2 + 0.1 * np.exp(-((k / 0.01) ** 2)),
        iv_error_annual=np.full(31, 1e-4),
    )

    left_as_it_is = fit_smiles(inverted, **terms, settings=FitSettings(stiffen_rounds=1))
    repaired = fit_smiles(inverted, **terms)

    (breach,) = find_butterflies(left_as_it_is.smiles)
    assert breach.density_factor < 0.0
    assert -0.1 < breach.log_moneyness_low <= breach.log_moneyness_high < 0.1
    assert find_butterflies(repaired.smiles) == ()
    assert repaired.error_vol_points > left_as_it_is.error_vol_points


def test_a_flat_smile_stays_flat_far_beyond_its_quotes():
    smiles = fit_smiles(
        _flat(iv=0.2, tau=0.25),
        tau_years=np.array([0.25]),
        forward_usd=np.array([100.0]),
        discount=np.array([1.0]),
    ).smiles
    strikes = np.array([10.0, 60.0, 100.0, 150.0, 400.0])

    iv = smile_iv(smiles, expiry=np.zeros(5, dtype=int), strike_usd=strikes)

    assert iv == pytest.approx(np.full(5, 0.2), abs=1e-4)
    prices = black_price(
        forward=100.0, strike=strikes, discount=1.0, tau_years=0.25, iv_annual=iv, is_call=True
    )
    assert np.all(np.diff(prices) < 0.0)
