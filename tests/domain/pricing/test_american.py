import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thetawarden.domain.pricing.american import FINE, SWIFT, american_greeks, american_price
from thetawarden.domain.pricing.black import bsm_greeks, bsm_price

MARKETS = st.fixed_dictionaries(
    {
        "spot": st.floats(20.0, 300.0),
        "tau_years": st.floats(1.0 / 365.0, 2.0),
        "iv_annual": st.floats(0.05, 1.5),
        "rate_annual": st.floats(0.0, 0.12),
        "yield_annual": st.floats(0.0, 0.12),
        "is_call": st.booleans(),
    }
)
STRIKE = 100.0


def listed_like(size, seed):
    rng = np.random.default_rng(seed)
    days = np.round(np.exp(rng.uniform(0.0, np.log(182.0), size)))
    iv = rng.uniform(0.05, 0.40, size)
    width = np.clip(iv * np.sqrt(days / 365.0) * rng.uniform(-3.0, 3.0, size), -0.4, 0.4)
    return {
        "spot": STRIKE * np.exp(width),
        "strike": STRIKE,
        "days": days,
        "iv": iv,
        "rate": rng.uniform(0.001, 0.08, size),
        "dividends": np.where(rng.random(size) < 0.25, 0.0, rng.uniform(0.0, 0.06, size)),
        "is_call": rng.random(size) < 0.5,
    }


def anything(size, seed):
    rng = np.random.default_rng(seed)
    days = np.round(np.exp(rng.uniform(0.0, np.log(1100.0), size)))
    iv = np.exp(rng.uniform(np.log(0.03), np.log(2.0), size))
    width = np.clip(iv * np.sqrt(days / 365.0) * rng.uniform(-3.0, 3.0, size), -1.5, 1.5)
    small = rng.random(size) < 0.1
    rate = np.where(small, 10.0 ** rng.uniform(-9.0, -3.0, size), rng.uniform(-0.01, 0.15, size))
    return {
        "spot": STRIKE * np.exp(width),
        "strike": STRIKE,
        "days": days,
        "iv": iv,
        "rate": rate,
        "dividends": np.where(rng.random(size) < 0.25, 0.0, rng.uniform(0.0, 0.15, size)),
        "is_call": rng.random(size) < 0.5,
    }


def as_ours(options):
    return {
        "spot": options["spot"],
        "strike": options["strike"],
        "tau_years": options["days"] / 365.0,
        "iv_annual": options["iv"],
        "rate_annual": options["rate"],
        "yield_annual": options["dividends"],
        "is_call": options["is_call"],
    }


def test_listed_like_options_agree_with_quantlib_to_a_thousandth(american_reference):
    options = listed_like(3000, seed=11)
    expected = american_reference.prices(options, american_reference.engine("accurate"))

    ours = american_price(**as_ours(options))

    np.testing.assert_allclose(ours, expected, atol=6e-4, rtol=0.0)


def test_the_fine_scheme_agrees_with_the_highest_precision_over_years_and_any_volatility(
    american_reference,
):
    options = anything(150, seed=12)
    expected = american_reference.prices(options, american_reference.engine("high_precision"))

    ours = american_price(**as_ours(options), scheme=FINE)

    np.testing.assert_allclose(ours, expected, atol=4e-4, rtol=0.0)


def test_the_swift_scheme_stays_close_over_years_and_any_volatility(american_reference):
    options = anything(1500, seed=13)
    expected = american_reference.prices(options, american_reference.engine("accurate"))

    ours = american_price(**as_ours(options), scheme=SWIFT)

    np.testing.assert_allclose(ours, expected, atol=3e-2, rtol=0.0)


def test_delta_and_gamma_are_the_slopes_of_the_reference_price(american_reference):
    options = listed_like(100, seed=14)
    options["days"] = np.maximum(options["days"], 20.0)
    options["iv"] = np.maximum(options["iv"], 0.12)
    bump = 0.002 * options["spot"]
    engine = american_reference.engine("high_precision")
    spots = [options["spot"] + step for step in (-bump, 0.0, bump)]
    down, mid, up = (american_reference.prices(options | {"spot": s}, engine) for s in spots)
    sign = np.where(options["is_call"], 1.0, -1.0)
    beyond = [
        price - np.maximum(sign * (s - STRIKE), 0.0)
        for price, s in zip((down, mid, up), spots, strict=True)
    ]

    greeks = american_greeks(**as_ours(options))

    # gamma jumps at the boundary: judge where all three prices lie on one side of it
    smooth = (np.min(beyond, axis=0) > 0.02) | (np.max(beyond, axis=0) < 1e-9)
    assert smooth.sum() > 60
    delta, gamma = (up - down) / (2.0 * bump), (up - 2.0 * mid + down) / bump**2
    np.testing.assert_allclose(greeks.delta_per_share[smooth], delta[smooth], atol=1e-3)
    np.testing.assert_allclose(greeks.gamma_per_usd[smooth], gamma[smooth], atol=2e-3)


def test_theta_vega_and_rho_are_the_slopes_of_the_price_in_time_volatility_and_rate():
    options = listed_like(400, seed=15)
    options["days"] = np.maximum(options["days"], 20.0)
    options["iv"] = np.maximum(options["iv"], 0.12)
    market = as_ours(options)

    def slope(name, step):
        above, below = (
            american_price(**market | {name: market[name] + side * step}, scheme=FINE)
            for side in (1.0, -1.0)
        )
        return (above - below) / (2.0 * step)

    greeks = american_greeks(**market)

    np.testing.assert_allclose(
        greeks.vega_usd_per_vol_point, slope("iv_annual", 1e-3) / 100.0, atol=2e-3
    )
    np.testing.assert_allclose(
        greeks.rho_usd_per_rate_point, slope("rate_annual", 1e-4) / 100.0, atol=4e-3
    )
    np.testing.assert_allclose(
        greeks.theta_usd_per_day, -slope("tau_years", 1e-3) / 365.0, atol=1.5e-3
    )


@given(market=MARKETS)
def test_an_american_option_is_worth_at_least_the_european_and_its_intrinsic_value(market):
    american = american_price(strike=STRIKE, **market)

    sign = 1.0 if market["is_call"] else -1.0
    assert american >= bsm_price(strike=STRIKE, **market) - 1e-12
    assert american >= max(sign * (market["spot"] - STRIKE), 0.0)
    assert american <= (market["spot"] if market["is_call"] else STRIKE) + 1e-9


@given(market=MARKETS)
def test_a_call_is_the_put_with_spot_and_strike_rate_and_yield_exchanged(market):
    mirrored = {
        "spot": STRIKE,
        "strike": market["spot"],
        "tau_years": market["tau_years"],
        "iv_annual": market["iv_annual"],
        "rate_annual": market["yield_annual"],
        "yield_annual": market["rate_annual"],
        "is_call": not market["is_call"],
    }

    assert american_price(**mirrored) == pytest.approx(
        float(american_price(strike=STRIKE, **market)), rel=1e-9, abs=1e-9
    )


@settings(max_examples=50)
@given(market=MARKETS)
def test_american_prices_are_monotone_in_strike_and_volatility_within_their_error(market):
    strikes = STRIKE * np.linspace(0.7, 1.3, 41)
    vols = market["iv_annual"] * np.linspace(1.0, 1.5, 21)

    by_strike = american_price(strike=strikes, **market, scheme=FINE)
    by_vol = american_price(strike=STRIKE, **market | {"iv_annual": vols}, scheme=FINE)

    direction = -1.0 if market["is_call"] else 1.0
    assert (direction * np.diff(by_strike) >= -1e-3).all()
    assert (np.diff(by_strike, 2) >= -2e-3).all()
    assert (np.diff(by_vol) >= -1e-3).all()


@given(market=MARKETS)
def test_a_call_without_dividends_is_european(market):
    call = market | {"yield_annual": 0.0, "is_call": True}

    american = american_price(strike=STRIKE, **call)

    assert american == pytest.approx(float(bsm_price(strike=STRIKE, **call)), abs=1e-12)


@given(
    spot=st.floats(10.0, 35.0),
    tau_years=st.floats(0.01, 2.0),
    iv_annual=st.floats(0.05, 0.3),
    rate_annual=st.floats(0.03, 0.12),
)
def test_a_put_below_even_the_perpetual_boundary_moves_with_its_intrinsic_value(
    spot, tau_years, iv_annual, rate_annual
):
    greeks = american_greeks(
        spot=spot,
        strike=STRIKE,
        tau_years=tau_years,
        iv_annual=iv_annual,
        rate_annual=rate_annual,
        yield_annual=0.0,
        is_call=False,
    )

    assert greeks.price_usd == STRIKE - spot
    assert greeks.delta_per_share == -1.0
    assert greeks.gamma_per_usd == 0.0
    assert greeks.theta_usd_per_day == 0.0
    assert greeks.vega_usd_per_vol_point == 0.0


@pytest.mark.parametrize("gone", [{"tau_years": 0.0}, {"iv_annual": 0.0}])
def test_without_time_or_volatility_the_best_moment_is_known(gone):
    market = {
        "spot": 90.0,
        "strike": STRIKE,
        "tau_years": 0.5,
        "iv_annual": 0.2,
        "rate_annual": 0.05,
        "yield_annual": 0.0,
    } | gone

    put = american_greeks(**market, is_call=False)
    call = american_greeks(**market, is_call=True)

    assert put.price_usd == pytest.approx(10.0)
    forward_worth = 90.0 - STRIKE * np.exp(-0.05 * market["tau_years"])
    assert call.price_usd == pytest.approx(max(forward_worth, 0.0))
    assert np.isfinite(put.vega_usd_per_vol_point)


def test_what_is_no_option_or_refused_is_not_a_number_and_spoils_no_neighbour():
    market = {
        "spot": np.array([100.0, np.nan, -1.0, 100.0, 100.0, 100.0]),
        "strike": np.array([100.0, 100.0, 100.0, 100.0, 0.0, 100.0]),
        "tau_years": np.array([0.5, 0.5, 0.5, -0.1, 0.5, 0.5]),
        "iv_annual": 0.2,
        "rate_annual": np.array([0.03, 0.03, 0.03, 0.03, 0.03, -0.01]),
        "yield_annual": np.array([0.01, 0.01, 0.01, 0.01, 0.01, -0.03]),
        "is_call": False,
    }

    first = {name: np.ravel(column)[0] for name, column in market.items()}

    price = american_price(**market)

    assert np.isnan(price).tolist() == [False, True, True, True, True, True]
    assert price[0] == pytest.approx(float(american_price(**first)))


def test_european_rows_keep_their_european_greeks():
    call = {
        "spot": 100.0,
        "strike": 105.0,
        "tau_years": 0.25,
        "iv_annual": 0.3,
        "rate_annual": 0.04,
        "yield_annual": 0.0,
        "is_call": True,
    }

    american, european = american_greeks(**call), bsm_greeks(**call)

    for name in ("price_usd", "delta_per_share", "gamma_per_usd", "theta_usd_per_day"):
        assert getattr(american, name) == pytest.approx(float(getattr(european, name)))
    assert american.vega_usd_per_vol_point == pytest.approx(
        float(european.vega_usd_per_vol_point), rel=1e-3
    )


def test_an_option_whose_european_worth_exceeds_intrinsic_is_not_taken_as_exercised():
    put = {
        "spot": np.linspace(1.0, 60.0, 200),
        "strike": STRIKE,
        "tau_years": 1.0,
        "iv_annual": 0.5,
        "rate_annual": 1e-7,
        "yield_annual": 0.0,
        "is_call": False,
    }

    assert (american_price(**put) >= bsm_price(**put)).all()


def test_a_calls_gamma_and_delta_are_its_own_where_the_premium_is_large():
    call = {
        "strike": STRIKE,
        "tau_years": 0.5,
        "iv_annual": 0.4,
        "rate_annual": 0.02,
        "yield_annual": 0.12,
        "is_call": True,
    }
    spot = np.array([90.0, 110.0, 125.0, 135.0])
    bump = 0.05
    down, mid, up = (
        american_price(spot=spot + side * bump, **call, scheme=FINE) for side in (-1.0, 0.0, 1.0)
    )

    greeks = american_greeks(spot=spot, **call, scheme=FINE)

    assert (mid > spot - STRIKE).all()
    np.testing.assert_allclose(greeks.delta_per_share, (up - down) / (2.0 * bump), atol=2e-5)
    np.testing.assert_allclose(greeks.gamma_per_usd, (up - 2.0 * mid + down) / bump**2, atol=1e-4)


def test_without_volatility_waiting_ends_where_gain_turns_to_loss():
    # a put on 60 gains 10 % yield on it and loses 5 % interest on 100: until ln(6 / 5) / 5 %
    price = american_price(
        spot=60.0,
        strike=STRIKE,
        tau_years=10.0,
        iv_annual=0.0,
        rate_annual=0.05,
        yield_annual=0.10,
        is_call=False,
    )

    turn = np.log(6.0 / 5.0) / 0.05
    assert price == pytest.approx(STRIKE * np.exp(-0.05 * turn) - 60.0 * np.exp(-0.10 * turn))
