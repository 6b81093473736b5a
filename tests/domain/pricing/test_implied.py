import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thetawarden.domain.pricing.black import black_price
from thetawarden.domain.pricing.implied import implied_volatility
from thetawarden.domain.pricing.normalised import log_normalised_black, total_deviation
from thetawarden.domain.pricing.reasons import CODE_OF, NoVolatility, reason_of


def test_the_normalised_price_is_exact_from_the_wings_to_hours_before_expiry(
    exact_normalised_black,
):
    rng = np.random.default_rng(3)
    x = -np.exp(rng.uniform(np.log(1e-9), np.log(6.0), 1500))
    s = np.exp(rng.uniform(np.log(1e-5), np.log(6.0), 1500))
    exact = [exact_normalised_black(*point) for point in zip(x, s, strict=True)]
    seen = np.array([float(price) > 1e-290 for price in exact])
    expected = np.array([float(p) for p, s in zip(exact, seen, strict=True) if s])

    with np.errstate(all="ignore"):
        ours = log_normalised_black(x[seen], s[seen])

    assert seen.sum() > 700
    np.testing.assert_allclose(ours, np.log(expected), atol=1e-12, rtol=1e-14)


def test_out_of_the_money_volatilities_come_back_to_twelve_digits(exact_out_of_the_money_prices):
    rng = np.random.default_rng(4)
    size = 3000
    forward = rng.uniform(50.0, 150.0, size)
    tau = np.exp(rng.uniform(np.log(1.0 / 8760.0), np.log(3.0), size))
    iv = np.exp(rng.uniform(np.log(0.03), np.log(2.0), size))
    strike = forward * np.exp(iv * np.sqrt(tau) * rng.uniform(-7.0, 7.0, size))
    price = exact_out_of_the_money_prices(forward, strike, iv * np.sqrt(tau))

    implied = implied_volatility(
        price_usd=price,
        forward=forward,
        strike=strike,
        discount=1.0,
        tau_years=tau,
        is_call=forward <= strike,
    )

    told = price >= 1e-8
    assert (implied.reason_code[told] == 0).all()
    np.testing.assert_allclose(implied.iv_annual[told], iv[told], rtol=1e-12)


@given(
    moneyness=st.floats(0.2, 5.0),
    tau_years=st.floats(1e-4, 5.0),
    iv_annual=st.floats(0.01, 4.0),
    is_call=st.booleans(),
)
def test_the_implied_volatility_gives_the_price_back(moneyness, tau_years, iv_annual, is_call):
    market = {
        "forward": 100.0,
        "strike": 100.0 * moneyness,
        "discount": 0.95,
        "tau_years": tau_years,
        "is_call": is_call,
    }
    price = black_price(iv_annual=iv_annual, **market)

    implied = implied_volatility(price_usd=price, **market)

    if implied.reason_code == 0:
        again = black_price(iv_annual=implied.iv_annual, **market)
        assert again == pytest.approx(price, abs=1e-10)
    else:
        assert reason_of(int(implied.reason_code)) in {
            NoVolatility.BELOW_INTRINSIC,
            NoVolatility.NO_TIME_VALUE,
            NoVolatility.ABOVE_MAXIMUM,
        }


def test_every_price_between_nothing_and_the_maximum_has_a_deviation():
    rng = np.random.default_rng(7)
    x = -np.exp(rng.uniform(np.log(1e-12), np.log(300.0), 60_000))
    depth = np.exp(rng.uniform(np.log(1e-3), np.log(600.0), x.size))
    log_price = 0.5 * x + depth * np.log(rng.uniform(0.0, 1.0, x.size))
    open_interval = (log_price > -690.0) & (log_price < 0.5 * x - 1e-13)
    x, log_price = x[open_interval], log_price[open_interval]

    with np.errstate(all="ignore"):
        s = total_deviation(x, log_price)
        again = log_normalised_black(x, s)

    np.testing.assert_allclose(again, log_price, rtol=1e-12, atol=1e-11)


def test_volatilities_close_to_the_maximum_price_are_as_good_as_the_price(
    exact_normalised_black,
):
    rng = np.random.default_rng(8)
    x = -rng.uniform(0.0, 1.0, 400)
    s = rng.uniform(1.2, 5.0, 400)
    price = np.array([float(exact_normalised_black(*row)) for row in zip(x, s, strict=True)])

    implied = implied_volatility(
        price_usd=price,
        forward=np.exp(0.5 * x),
        strike=np.exp(-0.5 * x),
        discount=1.0,
        tau_years=1.0,
        is_call=True,
    )

    vega = np.exp(-0.5 * ((x / s) ** 2 + 0.25 * s * s)) / np.sqrt(2.0 * np.pi)
    assert (np.abs(implied.iv_annual - s) <= 4e-15 / vega + 1e-12).all()


@pytest.mark.parametrize("error_max", [1e-12, 1e-10, 1e-8])
def test_a_volatility_is_as_good_as_was_asked_for_and_gives_its_price_back(error_max):
    """From a minute before expiry on, where little of the price is volatility's."""
    rng = np.random.default_rng(11)
    s = np.exp(rng.uniform(np.log(1e-5), np.log(0.02), 40_000))
    forward, strike = 6000.0, 6000.0 * np.exp(rng.uniform(0.0, 7.0, 40_000) * s)
    x = np.log(forward / strike)
    price = np.exp(log_normalised_black(x, s)) * np.sqrt(forward * strike)
    terms = {"forward": forward, "strike": strike, "discount": 1.0, "tau_years": 1.0}

    implied = implied_volatility(price_usd=price, is_call=True, error_max=error_max, **terms)

    np.testing.assert_allclose(implied.iv_annual, s, rtol=error_max)
    again = np.exp(log_normalised_black(x, implied.iv_annual))
    off = np.abs(again * np.sqrt(forward * strike) - price)
    assert (off <= 1e-14 * strike).all()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"price_usd": np.nan}, NoVolatility.NOT_FINITE),
        ({"forward": np.inf}, NoVolatility.NOT_FINITE),
        ({"strike": -1.0}, NoVolatility.OUT_OF_DOMAIN),
        ({"discount": 0.0}, NoVolatility.OUT_OF_DOMAIN),
        ({"discount": -1.0, "price_usd": -7.0}, NoVolatility.OUT_OF_DOMAIN),
        ({"tau_years": np.inf}, NoVolatility.NOT_FINITE),
        ({"tau_years": 0.0}, NoVolatility.EXPIRED),
        ({"price_usd": 4.0}, NoVolatility.BELOW_INTRINSIC),
        ({"price_usd": -1.0}, NoVolatility.BELOW_INTRINSIC),
        ({"price_usd": 5.0}, NoVolatility.NO_TIME_VALUE),
        ({"price_usd": 5.0 + 3e-14}, NoVolatility.NO_TIME_VALUE),
        ({"price_usd": 0.0, "is_call": False}, NoVolatility.NO_TIME_VALUE),
        ({"price_usd": 105.0}, NoVolatility.ABOVE_MAXIMUM),
        ({"price_usd": 100.0, "is_call": False}, NoVolatility.ABOVE_MAXIMUM),
    ],
)
def test_a_price_without_a_volatility_is_told_why(change, reason):
    sound = {
        "price_usd": 7.0,
        "forward": 105.0,
        "strike": 100.0,
        "discount": 1.0,
        "tau_years": 0.2,
        "is_call": True,
    }

    implied = implied_volatility(**sound | change)

    assert implied.reason_code == CODE_OF[reason]
    assert np.isnan(implied.iv_annual)
    assert implied_volatility(**sound).reason_code == 0


def test_a_bad_row_leaves_its_neighbours_alone():
    implied = implied_volatility(
        price_usd=np.array([2.0, np.nan, 2.0]),
        forward=100.0,
        strike=100.0,
        discount=1.0,
        tau_years=0.1,
        is_call=True,
    )

    assert np.isfinite(implied.iv_annual).tolist() == [True, False, True]


@pytest.mark.parametrize("guess_scale", [1.0005, 1.01, 2.0, 0.01, 50.0, np.nan, 0.0, -1.0])
def test_a_guess_changes_the_speed_and_never_the_answer(guess_scale, exact_out_of_the_money_prices):
    rng = np.random.default_rng(5)
    tau = rng.uniform(0.001, 1.0, 500)
    iv = rng.uniform(0.05, 1.5, 500)
    strike = 100.0 * np.exp(iv * np.sqrt(tau) * rng.uniform(-5.0, 5.0, 500))
    market = {
        "price_usd": exact_out_of_the_money_prices(np.full(500, 100.0), strike, iv * np.sqrt(tau)),
        "forward": 100.0,
        "strike": strike,
        "discount": 1.0,
        "tau_years": tau,
        "is_call": strike >= 100.0,
    }

    implied = implied_volatility(**market, guess_annual=guess_scale * iv)

    assert (implied.reason_code == 0).all()
    np.testing.assert_allclose(implied.iv_annual, iv, rtol=1e-12)


def test_no_prices_have_no_volatilities():
    empty = np.empty(0)

    implied = implied_volatility(
        price_usd=empty, forward=empty, strike=1.0, discount=1.0, tau_years=1.0, is_call=True
    )

    assert implied.iv_annual.shape == (0,)
    assert implied.reason_code.shape == (0,)
