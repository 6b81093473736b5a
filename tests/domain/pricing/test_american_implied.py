import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thetawarden.domain.pricing import american_implied
from thetawarden.domain.pricing.american import american_price
from thetawarden.domain.pricing.american_implied import (
    american_implied_volatility,
    dividend_american_implied_volatility,
)
from thetawarden.domain.pricing.dividends import CashDividends, dividend_american_price
from thetawarden.domain.pricing.reasons import CODE_OF, NoVolatility, reason_of

TWO = CashDividends(ex_tau_years=np.array([35.0, 126.0]) / 365.0, amount_usd=np.array([1.0, 1.2]))


def market(size, seed):
    rng = np.random.default_rng(seed)
    tau = np.exp(rng.uniform(np.log(2.0 / 365.0), np.log(1.0), size))
    iv = rng.uniform(0.08, 0.8, size)
    return {
        "spot": 100.0 * np.exp(iv * np.sqrt(tau) * rng.uniform(-2.0, 2.0, size)),
        "strike": 100.0,
        "tau_years": tau,
        "rate_annual": rng.uniform(0.0, 0.08, size),
        "is_call": rng.random(size) < 0.5,
    }, iv


def test_a_price_with_time_value_gives_its_volatility_back():
    options, iv = market(800, seed=31)
    options["yield_annual"] = 0.02
    price = american_price(iv_annual=iv, **options)
    at_rest = american_price(iv_annual=1e-3, **options)

    implied = american_implied_volatility(price_usd=price, **options)

    told = price > at_rest + 0.01
    assert told.sum() > 600
    assert (implied.reason_code[told] == 0).all()
    np.testing.assert_allclose(implied.iv_annual[told], iv[told], atol=1e-7)


@pytest.mark.parametrize("yield_annual", [0.0, 0.02, 0.12])
def test_the_swift_way_and_the_sure_one_find_the_same(monkeypatch, yield_annual):
    options, iv = market(800, seed=32)
    options["yield_annual"] = yield_annual
    price = american_price(iv_annual=iv, **options)
    swift = american_implied_volatility(price_usd=price, **options)

    monkeypatch.setattr(american_implied, "_SECANT_STEPS", 0)
    sure = american_implied_volatility(price_usd=price, **options)

    assert (swift.reason_code == sure.reason_code).all()
    for found in (swift, sure):
        known = found.reason_code == 0
        again = american_price(
            iv_annual=found.iv_annual[known],
            **{name: np.broadcast_to(one, 800)[known] for name, one in options.items()},
        )
        assert again == pytest.approx(price[known], abs=1e-9)
    told = price > american_price(iv_annual=1e-3, **options) + 0.01
    np.testing.assert_allclose(swift.iv_annual[told], sure.iv_annual[told], atol=1e-7)


def test_a_guess_changes_what_it_costs_and_not_what_is_found():
    options, iv = market(400, seed=34)
    options["yield_annual"] = 0.02
    price = american_price(iv_annual=iv, **options)
    rng = np.random.default_rng(35)
    plain = american_implied_volatility(price_usd=price, **options)

    for guess in (iv * rng.uniform(0.9, 1.1, 400), rng.choice([np.nan, 1e-4, 0.5, 9.0], 400)):
        found = american_implied_volatility(price_usd=price, guess_annual=guess, **options)

        told = price > american_price(iv_annual=1e-3, **options) + 0.01
        assert (found.reason_code == plain.reason_code).all()
        np.testing.assert_allclose(found.iv_annual[told], plain.iv_annual[told], atol=1e-7)


def test_a_price_comes_back_to_the_tolerance_asked_for_in_fewer_looks(monkeypatch):
    options, iv = market(400, seed=36)
    options["yield_annual"] = 0.02
    price = american_price(iv_annual=iv, **options)
    looks = []
    monkeypatch.setattr(
        american_implied,
        "american_price",
        lambda **of: looks.append(np.size(of["iv_annual"])) or american_price(**of),
    )

    asked = {}
    for tolerance in (american_implied.PRICE_TOLERANCE, 1e-6):
        looks.clear()
        found = american_implied_volatility(price_usd=price, tolerance=tolerance, **options)
        asked[tolerance] = sum(looks)
        known = found.reason_code == 0
        again = american_price(
            iv_annual=found.iv_annual[known],
            **{name: np.broadcast_to(one, 400)[known] for name, one in options.items()},
        )
        np.testing.assert_allclose(again, price[known], atol=max(tolerance * 100.0, 1e-9))

    assert asked[1e-6] < asked[american_implied.PRICE_TOLERANCE]


def test_few_prices_need_the_sure_way(monkeypatch):
    options, iv = market(800, seed=33)
    options["yield_annual"] = 0.02
    price = american_price(iv_annual=iv, **options)
    told = price > american_price(iv_annual=1e-3, **options) + 0.01
    options = {name: np.broadcast_to(one, 800)[told] for name, one in options.items()}
    asked = []
    find_root = american_implied.elementwise.find_root
    monkeypatch.setattr(
        american_implied.elementwise,
        "find_root",
        lambda *args, **more: asked.append(args[1][0].size) or find_root(*args, **more),
    )

    american_implied_volatility(price_usd=price[told], **options)

    assert sum(asked) < 0.2 * told.sum()


def test_an_exercised_option_says_nothing_of_volatility():
    implied = american_implied_volatility(
        price_usd=40.0,
        spot=60.0,
        strike=100.0,
        tau_years=0.5,
        rate_annual=0.08,
        yield_annual=0.0,
        is_call=False,
    )

    assert reason_of(int(implied.reason_code)) is NoVolatility.NO_TIME_VALUE


@given(
    price=st.floats(0.01, 120.0),
    option=st.fixed_dictionaries(
        {
            "spot": st.floats(50.0, 200.0),
            "strike": st.just(100.0),
            "tau_years": st.floats(0.003, 1.5),
            "rate_annual": st.floats(0.0, 0.1),
            "yield_annual": st.floats(0.0, 0.1),
            "is_call": st.booleans(),
        }
    ),
)
def test_any_price_gets_a_volatility_that_gives_it_back_or_a_reason(price, option):
    implied = american_implied_volatility(price_usd=price, **option)

    if implied.reason_code == 0:
        again = american_price(iv_annual=implied.iv_annual, **option)
        assert again == pytest.approx(price, abs=1e-6)
    else:
        assert np.isnan(implied.iv_annual)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"price_usd": np.nan}, NoVolatility.NOT_FINITE),
        ({"tau_years": 0.0}, NoVolatility.EXPIRED),
        ({"spot": -1.0}, NoVolatility.OUT_OF_DOMAIN),
        ({"rate_annual": -0.02, "yield_annual": -0.05}, NoVolatility.OUT_OF_DOMAIN),
        ({"price_usd": 4.0}, NoVolatility.BELOW_INTRINSIC),
        ({"price_usd": 100.0}, NoVolatility.ABOVE_MAXIMUM),
    ],
)
def test_a_price_without_a_volatility_is_told_why(change, reason):
    sound = {
        "price_usd": 8.0,
        "spot": 95.0,
        "strike": 100.0,
        "tau_years": 0.3,
        "rate_annual": 0.04,
        "yield_annual": 0.01,
        "is_call": False,
    }

    implied = american_implied_volatility(**sound | change)

    assert implied.reason_code == CODE_OF[reason]
    assert np.isnan(implied.iv_annual)
    assert american_implied_volatility(**sound).reason_code == 0


def test_cash_dividends_are_solved_for_likewise():
    options, iv = market(60, seed=32)
    price = dividend_american_price(iv_annual=iv, **options, dividends=TWO)
    at_rest = dividend_american_price(iv_annual=1e-3, **options, dividends=TWO)

    implied = dividend_american_implied_volatility(price_usd=price, **options, dividends=TWO)

    told = price > at_rest + 0.01
    assert told.sum() > 40
    np.testing.assert_allclose(implied.iv_annual[told], iv[told], atol=1e-6)


def test_answers_take_the_broadcast_shape():
    implied = american_implied_volatility(
        price_usd=np.full((2, 3), 5.0),
        spot=100.0,
        strike=100.0,
        tau_years=0.25,
        rate_annual=0.03,
        yield_annual=0.0,
        is_call=np.array([True, False, True]),
    )

    assert implied.iv_annual.shape == (2, 3)
    assert implied.reason_code.shape == (2, 3)
