import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thetawarden.domain.pricing.american import FINE, american_greeks, american_price
from thetawarden.domain.pricing.black import bsm_price
from thetawarden.domain.pricing.dividends import (
    CashDividends,
    dividend_american_greeks,
    dividend_american_price,
    escrowed_spot,
)

STRIKE = 100.0
EX_DAYS = np.array([35.0, 126.0])
AMOUNTS = np.array([1.0, 1.2])
TWO = CashDividends(ex_tau_years=EX_DAYS / 365.0, amount_usd=AMOUNTS)
NONE = CashDividends(ex_tau_years=np.empty(0), amount_usd=np.empty(0))
MARKETS = st.fixed_dictionaries(
    {
        "spot": st.floats(60.0, 160.0),
        "tau_years": st.floats(0.01, 1.0),
        "iv_annual": st.floats(0.08, 0.8),
        "rate_annual": st.floats(0.0, 0.08),
        "is_call": st.booleans(),
    }
)


def listed_like(size, seed):
    rng = np.random.default_rng(seed)
    days = np.round(rng.uniform(10.0, 182.0, size))
    iv = rng.uniform(0.1, 0.4, size)
    width = np.clip(iv * np.sqrt(days / 365.0) * rng.uniform(-2.0, 2.0, size), -0.4, 0.4)
    return {
        "spot": STRIKE * np.exp(width),
        "strike": STRIKE,
        "days": np.where(np.isin(days, EX_DAYS), days + 1.0, days),
        "iv": iv,
        "rate": rng.uniform(0.005, 0.07, size),
        "dividends": 0.0,
        "is_call": rng.random(size) < 0.5,
    }


def reference_prices(reference, options, *, model, grid):
    prices = np.empty(options["spot"].size)
    for paid in range(EX_DAYS.size + 1):
        rows = (EX_DAYS[:, np.newaxis] < options["days"]).sum(axis=0) == paid
        engine = reference.dividend_engine(EX_DAYS[:paid], AMOUNTS[:paid], model=model, grid=grid)
        part = {
            name: column[rows] if np.ndim(column) else column for name, column in options.items()
        }
        prices[rows] = reference.prices(part, engine)
    return prices


def as_ours(options):
    return {
        "spot": options["spot"],
        "strike": options["strike"],
        "tau_years": options["days"] / 365.0,
        "iv_annual": options["iv"],
        "rate_annual": options["rate"],
        "is_call": options["is_call"],
    }


def test_prices_agree_with_finite_differences_under_the_same_model(american_reference):
    options = listed_like(60, seed=21)
    expected = reference_prices(american_reference, options, model="Escrowed", grid=400)

    ours = dividend_american_price(**as_ours(options), dividends=TWO)

    np.testing.assert_allclose(ours, expected, atol=3e-3)


def test_a_spot_that_drops_at_each_date_is_a_different_model_by_a_known_amount(
    american_reference,
):
    options = listed_like(120, seed=22)
    dropping = reference_prices(american_reference, options, model="Spot", grid=300)

    ours = dividend_american_price(**as_ours(options), dividends=TWO)

    assert np.abs(ours - dropping).max() < 0.15


def test_without_dividends_the_lattice_agrees_with_the_boundary_method():
    options = as_ours(listed_like(300, seed=23))

    lattice = dividend_american_greeks(**options, dividends=NONE)

    boundary = american_greeks(**options, yield_annual=0.0, scheme=FINE)
    np.testing.assert_allclose(lattice.price_usd, boundary.price_usd, atol=3e-3)
    np.testing.assert_allclose(lattice.delta_per_share, boundary.delta_per_share, atol=1e-2)
    np.testing.assert_allclose(
        lattice.vega_usd_per_vol_point, boundary.vega_usd_per_vol_point, atol=5e-3
    )
    np.testing.assert_allclose(
        lattice.rho_usd_per_rate_point, boundary.rho_usd_per_rate_point, atol=1e-2
    )
    np.testing.assert_allclose(lattice.theta_usd_per_day, boundary.theta_usd_per_day, atol=2e-3)


@settings(max_examples=30, deadline=None)
@given(market=MARKETS)
def test_an_option_is_worth_at_least_the_european_and_its_intrinsic_value(market):
    price = dividend_american_price(strike=STRIKE, **market, dividends=TWO)

    left = escrowed_spot(
        spot=market["spot"],
        tau_years=market["tau_years"],
        rate_annual=market["rate_annual"],
        dividends=TWO,
    )
    european = bsm_price(strike=STRIKE, yield_annual=0.0, **market | {"spot": left})
    sign = 1.0 if market["is_call"] else -1.0
    assert price >= sign * (market["spot"] - STRIKE) - 1e-9
    assert price >= european - 2e-3


def test_a_call_is_exercised_for_a_dividend_it_would_miss():
    deep = {
        "spot": 130.0,
        "strike": STRIKE,
        "tau_years": 40.0 / 365.0,
        "iv_annual": 0.15,
        "rate_annual": 0.02,
        "is_call": True,
    }

    price = dividend_american_price(**deep, dividends=TWO)

    # hold until the moment before the date: the strike is paid then, no dividend is missed
    assert price == pytest.approx(130.0 - STRIKE * np.exp(-0.02 * 35.0 / 365.0), abs=2e-3)


def test_a_date_after_expiry_does_not_count_and_one_on_expiry_does():
    market = {
        "spot": 100.0,
        "strike": STRIKE,
        "iv_annual": 0.2,
        "rate_annual": 0.0,
        "is_call": False,
    }
    date = EX_DAYS[0] / 365.0

    before = dividend_american_price(**market, tau_years=date - 1e-9, dividends=TWO)
    on = dividend_american_price(**market, tau_years=date, dividends=TWO)

    assert before == pytest.approx(
        float(american_price(**market, tau_years=date, yield_annual=0.0)), abs=2e-3
    )
    assert on == pytest.approx(
        float(bsm_price(**market | {"spot": 99.0}, tau_years=date, yield_annual=0.0)), abs=2e-3
    )


def test_dates_on_neighbouring_days_and_beside_expiry_stay_in_order():
    crowd = CashDividends(
        ex_tau_years=np.array([1e-6, 2e-6, 0.2, 0.2001, 0.4999, 0.49999]),
        amount_usd=np.full(6, 0.2),
    )
    spread = CashDividends(ex_tau_years=np.array([0.2]), amount_usd=np.array([0.4]))
    market = {
        "spot": 100.0,
        "strike": STRIKE,
        "tau_years": 0.5,
        "iv_annual": 0.25,
        "rate_annual": 0.03,
        "is_call": np.array([True, False]),
    }

    crowded = dividend_american_price(**market, dividends=crowd)

    assert np.isfinite(crowded).all()
    assert crowded[0] < dividend_american_price(**market, dividends=spread)[0]
    assert crowded[1] > dividend_american_price(**market, dividends=spread)[1]


def test_without_volatility_the_best_moment_is_known_and_no_option_is_not_a_number():
    price = dividend_american_price(
        spot=np.array([130.0, 90.0, 1.0, np.nan, 130.0]),
        strike=np.array([100.0, 100.0, 100.0, 100.0, -1.0]),
        tau_years=0.5,
        iv_annual=0.0,
        rate_annual=0.02,
        is_call=np.array([True, False, True, True, True]),
        dividends=TWO,
    )

    late = 126.0 / 365.0
    waits = 130.0 - np.exp(-0.02 * 35.0 / 365.0) - 100.0 * np.exp(-0.02 * late)
    takes_first = 130.0 - 100.0 * np.exp(-0.02 * 35.0 / 365.0)
    assert price[0] == pytest.approx(max(waits, takes_first))
    sells_late = 100.0 * np.exp(-0.02 * late) - (
        90.0 - np.exp(-0.02 * 35.0 / 365.0) - 1.2 * np.exp(-0.02 * late)
    )
    assert price[1] == pytest.approx(sells_late)
    assert np.isnan(price[2:]).all()


def test_a_put_waits_even_for_a_date_that_comes_before_the_first_step():
    tomorrow = CashDividends(ex_tau_years=np.array([0.5 / 365.0]), amount_usd=np.array([1.0]))

    price = dividend_american_price(
        spot=40.0,
        strike=STRIKE,
        tau_years=1.0,
        iv_annual=0.2,
        rate_annual=0.1,
        is_call=False,
        dividends=tomorrow,
    )

    discount = np.exp(-0.1 * 0.5 / 365.0)
    assert price == pytest.approx(discount * (STRIKE + 1.0) - 40.0, abs=1e-3)


@pytest.mark.parametrize("iv_annual", [0.3, 1.0, 1.5])
def test_the_lattice_keeps_the_forward_at_any_volatility(iv_annual):
    call = {
        "spot": np.array([70.0, 100.0, 150.0]),
        "strike": STRIKE,
        "tau_years": 1.0,
        "iv_annual": iv_annual,
        "rate_annual": 0.03,
        "is_call": True,
    }

    price = dividend_american_price(**call, dividends=NONE)

    np.testing.assert_allclose(price, bsm_price(**call, yield_annual=0.0), atol=5e-4)
