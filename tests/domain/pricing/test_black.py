import numpy as np
import pytest
import QuantLib
from hypothesis import given
from hypothesis import strategies as st

from thetawarden.domain.pricing.black import (
    black_greeks,
    black_price,
    black_vega,
    bsm_greeks,
    bsm_price,
    spot_greeks,
)

MARKETS = st.fixed_dictionaries(
    {
        "forward": st.floats(1.0, 10_000.0),
        "discount": st.floats(0.5, 1.05),
        "tau_years": st.floats(1e-5, 5.0),
        "iv_annual": st.floats(0.01, 3.0),
    }
)
MONEYNESS = st.floats(0.2, 5.0)
GREEKS = (
    "price_usd",
    "delta_per_share",
    "gamma_per_usd",
    "vega_usd_per_vol_point",
    "theta_usd_per_day",
    "rho_usd_per_rate_point",
)


@pytest.fixture(scope="module")
def chain():
    rng = np.random.default_rng(20)
    size = 4000
    return {
        "spot": rng.uniform(50.0, 200.0, size),
        "strike": rng.uniform(50.0, 200.0, size),
        "tau_years": np.exp(rng.uniform(np.log(1e-4), np.log(3.0), size)),
        "iv_annual": rng.uniform(0.03, 1.5, size),
        "rate_annual": rng.uniform(-0.02, 0.12, size),
        "yield_annual": rng.uniform(0.0, 0.08, size),
        "is_call": rng.random(size) < 0.5,
    }


def _quantlib(chain, *, futures=False):
    rows = []
    for spot, strike, tau, iv, rate, dividends, is_call in zip(*chain.values(), strict=True):
        forward = spot if futures else spot * np.exp((rate - dividends) * tau)
        right = QuantLib.Option.Call if is_call else QuantLib.Option.Put
        black = QuantLib.BlackCalculator(
            QuantLib.PlainVanillaPayoff(right, strike),
            forward,
            iv * np.sqrt(tau),
            np.exp(-rate * tau),
        )
        rho = -tau * black.value() if futures else black.rho(tau)
        rows.append(
            (
                black.value(),
                black.delta(spot),
                black.gamma(spot),
                black.vega(tau) / 100.0,
                black.thetaPerDay(spot, tau),
                rho / 100.0,
            )
        )
    return dict(zip(GREEKS, np.array(rows).T, strict=True))


def test_bsm_agrees_with_quantlib_on_thousands_of_options(chain):
    expected = _quantlib(chain)

    ours = bsm_greeks(**chain)

    for name in GREEKS:
        np.testing.assert_allclose(getattr(ours, name), expected[name], rtol=1e-10, atol=1e-11)


def test_black_76_agrees_with_quantlib_when_the_future_is_the_spot(chain):
    expected = _quantlib(chain, futures=True)

    ours = black_greeks(
        forward=chain["spot"],
        strike=chain["strike"],
        discount=np.exp(-chain["rate_annual"] * chain["tau_years"]),
        tau_years=chain["tau_years"],
        iv_annual=chain["iv_annual"],
        is_call=chain["is_call"],
    )

    for name in GREEKS:
        np.testing.assert_allclose(getattr(ours, name), expected[name], rtol=1e-10, atol=1e-11)


def test_a_forward_and_a_discount_say_the_same_as_rate_and_yield(chain):
    tau, rate = chain["tau_years"], chain["rate_annual"]
    expected = bsm_greeks(**chain)

    ours = spot_greeks(
        spot=chain["spot"],
        forward=chain["spot"] * np.exp((rate - chain["yield_annual"]) * tau),
        strike=chain["strike"],
        discount=np.exp(-rate * tau),
        tau_years=tau,
        iv_annual=chain["iv_annual"],
        is_call=chain["is_call"],
    )

    for name in GREEKS:
        np.testing.assert_allclose(
            getattr(ours, name), getattr(expected, name), rtol=1e-9, atol=1e-9
        )


def test_vega_alone_is_the_vega_among_the_greeks_for_calls_and_puts(chain):
    tau, rate = chain["tau_years"], chain["rate_annual"]
    forward = chain["spot"] * np.exp((rate - chain["yield_annual"]) * tau)

    vega_usd = black_vega(
        forward=forward,
        strike=chain["strike"],
        discount=np.exp(-rate * tau),
        tau_years=tau,
        iv_annual=chain["iv_annual"],
    )

    expected = bsm_greeks(**chain).vega_usd_per_vol_point
    np.testing.assert_allclose(vega_usd, 100.0 * expected, rtol=1e-9, atol=1e-12)


def test_the_price_alone_is_the_price_among_the_greeks(chain):
    np.testing.assert_allclose(
        bsm_price(**chain), bsm_greeks(**chain).price_usd, rtol=1e-12, atol=1e-12
    )


@given(market=MARKETS, moneyness=MONEYNESS)
def test_call_less_put_is_the_discounted_forward_less_strike(market, moneyness):
    strike = market["forward"] * moneyness

    call = black_price(strike=strike, is_call=True, **market)
    put = black_price(strike=strike, is_call=False, **market)

    parity = market["discount"] * (market["forward"] - strike)
    assert call - put == pytest.approx(parity, abs=1e-12 * (strike + market["forward"]))


@given(market=MARKETS, moneyness=MONEYNESS, is_call=st.booleans())
def test_a_price_lies_between_intrinsic_and_its_maximum(market, moneyness, is_call):
    forward, discount = market["forward"], market["discount"]
    strike = forward * moneyness

    price = black_price(strike=strike, is_call=is_call, **market)

    parity = (forward - strike) if is_call else (strike - forward)
    slack = 1e-13 * (forward + strike)
    assert price >= discount * max(parity, 0.0) - slack
    assert price <= discount * (forward if is_call else strike) + slack


@given(market=MARKETS, is_call=st.booleans(), moneyness=MONEYNESS)
def test_prices_are_monotone_and_convex_in_the_strike(market, is_call, moneyness):
    strikes = market["forward"] * moneyness * np.linspace(0.9, 1.1, 41)

    prices = black_price(strike=strikes, is_call=is_call, **market)

    slack = 1e-12 * market["forward"] * (1.0 + moneyness)
    steps = np.diff(prices)
    assert (steps <= slack).all() if is_call else (steps >= -slack).all()
    assert (np.diff(steps) >= -slack).all()


@given(market=MARKETS, moneyness=MONEYNESS, is_call=st.booleans())
def test_more_volatility_never_makes_an_option_cheaper(market, moneyness, is_call):
    strike = market["forward"] * moneyness
    more = market | {"iv_annual": market["iv_annual"] * np.linspace(1.0, 2.0, 21)}

    prices = black_price(strike=strike, is_call=is_call, **more)

    assert (np.diff(prices) >= -1e-13 * (strike + market["forward"])).all()


@pytest.mark.parametrize(("tau_years", "iv_annual"), [(0.0, 0.2), (0.5, 0.0), (0.0, 0.0)])
def test_without_time_or_volatility_an_option_is_its_discounted_intrinsic(tau_years, iv_annual):
    strike = np.array([80.0, 100.0, 120.0] * 2)
    is_call = np.array([True] * 3 + [False] * 3)

    greeks = black_greeks(
        forward=100.0,
        strike=strike,
        discount=0.9,
        tau_years=tau_years,
        iv_annual=iv_annual,
        is_call=is_call,
    )

    np.testing.assert_allclose(greeks.price_usd, [18.0, 0.0, 0.0, 0.0, 0.0, 18.0])
    np.testing.assert_allclose(greeks.delta_per_share, [0.9, 0.45, 0.0, 0.0, -0.45, -0.9])
    assert (greeks.gamma_per_usd == 0.0).all()
    assert all(np.isfinite(getattr(greeks, name)).all() for name in GREEKS)


@pytest.mark.parametrize("name", ["forward", "strike", "discount", "tau_years", "iv_annual"])
def test_not_a_number_stays_in_its_own_row(name):
    rows = {
        "forward": np.full(3, 100.0),
        "strike": np.full(3, 105.0),
        "discount": np.full(3, 0.98),
        "tau_years": np.full(3, 0.25),
        "iv_annual": np.full(3, 0.2),
    }
    rows[name][1] = np.nan

    greeks = black_greeks(is_call=True, **rows)

    assert np.isnan(greeks.price_usd).tolist() == [False, True, False]
    assert np.isfinite(greeks.delta_per_share[[0, 2]]).all()


def test_answers_take_the_broadcast_shape_and_do_not_depend_on_the_block():
    spots = np.linspace(80.0, 120.0, 300)[:, None]
    vols = np.linspace(0.1, 0.5, 70)
    market = {"strike": 100.0, "tau_years": 0.3, "rate_annual": 0.03, "yield_annual": 0.01}

    grid = bsm_greeks(spot=spots, iv_annual=vols, is_call=False, **market)
    one = bsm_greeks(spot=spots[-1, 0], iv_annual=vols[-1], is_call=False, **market)

    assert grid.price_usd.shape == (300, 70)
    assert one.price_usd.shape == ()
    assert grid.vega_usd_per_vol_point[-1, -1] == pytest.approx(one.vega_usd_per_vol_point)


def test_no_options_give_no_prices():
    empty = np.empty(0)

    greeks = black_greeks(
        forward=empty, strike=empty, discount=1.0, tau_years=1.0, iv_annual=0.2, is_call=True
    )

    assert greeks.price_usd.shape == (0,)


def test_inputs_are_never_written_into(chain):
    before = {name: column.copy() for name, column in chain.items()}

    bsm_greeks(**chain)

    for name, column in chain.items():
        np.testing.assert_array_equal(column, before[name])


def test_no_price_is_negative_where_time_and_volatility_all_but_vanish():
    rng = np.random.default_rng(6)
    deviation = 10.0 ** rng.uniform(-16.0, -8.0, 20_000)
    market = {
        "forward": 100.0,
        "strike": 100.0 * (1.0 + deviation * rng.uniform(-3.0, 3.0, 20_000)),
        "discount": 1.0,
        "tau_years": 1.0,
        "iv_annual": deviation,
        "is_call": rng.random(20_000) < 0.5,
    }

    assert (black_price(**market) >= 0.0).all()
    assert (black_greeks(**market).price_usd >= 0.0).all()
