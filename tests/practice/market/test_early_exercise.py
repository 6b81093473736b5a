"""American options are worth what the reference says, and still nothing is for free."""

import datetime as dt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thetawarden.domain.instants import NS_PER_DAY, NS_PER_MINUTE, new_york_ns
from thetawarden.domain.market.calendar import previous_session
from thetawarden.domain.market.sessions import Exchange, load_sessions
from thetawarden.domain.pricing.american import FINE, american_price
from thetawarden.domain.pricing.black import black_price
from thetawarden.domain.pricing.dividends import CashDividends, dividend_american_price
from thetawarden.practice.market import PracticeMarket, Terms
from thetawarden.practice.market.carry import RATE_ANNUAL
from thetawarden.practice.market.exercise_lattice import MIDDLE, roll_back, schedule
from thetawarden.practice.model import ContractQuery, CorporateEventKind

DAY = dt.date(2026, 9, 14)
YEAR_NS = 365 * NS_PER_DAY
PENNY = 0.01
NOTHING = CashDividends(ex_tau_years=np.zeros(0), amount_usd=np.zeros(0))
TAUS = st.floats(min_value=0.02, max_value=2.5)
VOLS = st.floats(min_value=0.08, max_value=0.8)
PAYS = st.tuples(
    st.floats(min_value=0.004, max_value=0.25), st.floats(min_value=0.05, max_value=1.0)
)
DEPTHS = st.floats(min_value=-2.5, max_value=2.5)


def rolled(*, tau, iv, strike, is_call, dividends):
    """The value at spot 100 by our lattice, read at the node nearest to it."""
    ahead = dividends.ex_tau_years <= tau
    plan = schedule(
        span=1.0 / 365.0,
        tau=tau,
        rate_annual=RATE_ANNUAL,
        ex_tau=dividends.ex_tau_years[ahead],
        amount=dividends.amount_usd[ahead],
    )
    slices = roll_back(
        schedules=[plan],
        strike=np.array([strike]),
        is_call=np.array([is_call]),
        iv_annual=np.array([iv]),
        rate_annual=RATE_ANNUAL,
    )
    paid = dividends.amount_usd[ahead] * np.exp(-RATE_ANNUAL * dividends.ex_tau_years[ahead])
    drift = (RATE_ANNUAL - 0.5 * iv**2) * tau
    place = round((np.log((100.0 - paid.sum()) / strike) + drift) / slices.dx[0])
    escrowed = strike * np.exp(place * slices.dx[0] - drift)
    european = black_price(
        forward=escrowed * np.exp(RATE_ANNUAL * tau),
        strike=strike,
        discount=np.exp(-RATE_ANNUAL * tau),
        tau_years=tau,
        iv_annual=iv,
        is_call=is_call,
    )
    spot = escrowed + paid.sum()
    value = max(
        european + slices.premium[0, 0, MIDDLE + place],
        spot - strike if is_call else strike - spot,
    )
    return float(value), float(spot)


@given(tau=TAUS, iv=VOLS, depth=DEPTHS)
def test_without_dividends_a_put_is_worth_what_the_integral_says(tau, iv, depth):
    strike = 100.0 * float(np.exp(depth * iv * np.sqrt(tau)))

    value, spot = rolled(tau=tau, iv=iv, strike=strike, is_call=False, dividends=NOTHING)

    expected = american_price(
        spot=spot,
        strike=strike,
        tau_years=tau,
        iv_annual=iv,
        rate_annual=RATE_ANNUAL,
        yield_annual=0.0,
        is_call=False,
        scheme=FINE,
    )
    assert value == pytest.approx(float(expected), abs=(1e-4 + 4e-4 * tau) * strike)


@given(tau=TAUS, iv=VOLS, depth=DEPTHS, is_call=st.booleans(), pays=PAYS)
def test_with_dividends_it_is_worth_what_the_reference_lattice_says(tau, iv, depth, is_call, pays):
    first, amount = pays
    when = np.arange(first, 2.5, 0.25)
    dividends = CashDividends(ex_tau_years=when, amount_usd=np.full(len(when), amount))
    strike = 100.0 * float(np.exp(depth * iv * np.sqrt(tau)))

    value, spot = rolled(tau=tau, iv=iv, strike=strike, is_call=is_call, dividends=dividends)

    expected = dividend_american_price(
        spot=spot,
        strike=strike,
        tau_years=tau,
        iv_annual=iv,
        rate_annual=RATE_ANNUAL,
        is_call=is_call,
        dividends=dividends,
    )
    most = spot if is_call else strike
    assert value == pytest.approx(float(expected), abs=(4e-4 + 4e-4 * tau) * most)


@pytest.fixture(scope="module")
def eve():
    """A market on the last afternoon before SPY goes ex."""
    market = PracticeMarket(Terms(seed=3, start_ns=new_york_ns(DAY, dt.time(9, 30))))
    spy = market.search("SPY")[0].contract
    paid = [
        one.day
        for one in market.events(con_id=spy.con_id, first=DAY, last=DAY + dt.timedelta(days=30))
        if one.kind is CorporateEventKind.DIVIDEND
    ]
    last = previous_session(paid[0], load_sessions(Exchange.NYSE))
    market.advance(new_york_ns(last, dt.time(15, 59)))
    return market, paid[0]


def priced(market, symbol, expiry):
    """Strikes, and by right the marks and volatilities, of a series."""
    found = market.find(ContractQuery(symbol=symbol, sec_type="OPT", expiry=f"{expiry:%Y%m%d}"))
    quotes = market.quotes([one.contract.con_id for one in found])
    rows = {
        right: sorted(
            (one.contract.strike, quote.mark, quote.model.iv_annual, quote.model.delta)
            for one, quote in zip(found, quotes, strict=True)
            if one.contract.right == right
        )
        for right in "CP"
    }
    assert [one[0] for one in rows["C"]] == [one[0] for one in rows["P"]]
    spot = quotes[0].model.under_price
    return spot, {right: np.array(one).T for right, one in rows.items()}


def expiries(market, symbol):
    under = market.search(symbol)[0].contract
    rows = market.chains(under_con_id=under.con_id)
    return sorted({day for one in rows for day in one.expiries})


def paid_until(market, symbol, expiry):
    """The dividends a series lives through, from what anybody is told."""
    under = market.search(symbol)[0].contract
    cash = [
        one
        for one in market.events(con_id=under.con_id, first=DAY, last=expiry)
        if one.kind is CorporateEventKind.DIVIDEND
        and new_york_ns(one.day, dt.time(9, 30)) > market.now_ns
    ]
    when = [new_york_ns(one.day, dt.time(9, 30)) - market.now_ns for one in cash]
    return CashDividends(
        ex_tau_years=np.array(when) / YEAR_NS,
        amount_usd=np.array([one.amount_usd for one in cash]),
    )


@pytest.mark.parametrize("symbol", ["SPY", "JPM"])
def test_marks_are_what_the_reference_lattice_says(eve, symbol):
    market, _ = eve
    for expiry in expiries(market, symbol)[::4]:
        spot, rows = priced(market, symbol, expiry)
        settles = new_york_ns(expiry, dt.time(16))
        for right, (strike, mark, iv, _) in rows.items():
            few = slice(None, None, max(len(strike) // 12, 1))
            expected = dividend_american_price(
                spot=spot,
                strike=strike[few],
                tau_years=(settles - market.now_ns) / YEAR_NS,
                iv_annual=iv[few],
                rate_annual=RATE_ANNUAL,
                is_call=right == "C",
                dividends=paid_until(market, symbol, expiry),
            )
            np.testing.assert_allclose(mark[few], expected, rtol=2e-3, atol=0.015)


@pytest.mark.parametrize("symbol", ["SPY", "AAPL", "JPM"])
def test_fair_values_of_american_chains_offer_nothing_for_free(eve, symbol):
    market, _ = eve
    before = None
    for expiry in expiries(market, symbol):
        spot, rows = priced(market, symbol, expiry)
        strike, call, put = rows["C"][0], rows["C"][1], rows["P"][1]
        wide = np.diff(strike)
        for value, sign in ((call, -1.0), (put, 1.0)):
            slope = sign * np.diff(value) / wide
            assert np.all(slope >= -1e-3)
            assert np.all(slope <= 1.0 + 1e-3)
            weight = wide[1:] / (strike[2:] - strike[:-2])
            wings = weight * value[:-2] + (1.0 - weight) * value[2:]
            assert np.max(value[1:-1] - wings) <= PENNY
            assert np.all(value >= np.maximum(sign * (strike - spot), 0.0) - 1e-9)
        paid = paid_until(market, symbol, expiry)
        worth = np.sum(paid.amount_usd * np.exp(-RATE_ANNUAL * paid.ex_tau_years))
        tau = (new_york_ns(expiry, dt.time(16)) - market.now_ns) / YEAR_NS
        assert np.all(call - put <= spot - strike * np.exp(-RATE_ANNUAL * tau) + PENNY)
        assert np.all(call - put >= spot - worth - strike - PENNY)
        if before is not None:
            _, at, later = np.intersect1d(before[0], strike, return_indices=True)
            assert np.all(before[1][at] <= call[later] + PENNY)
            assert np.all(before[2][at] <= put[later] + PENNY)
        before = strike, call, put


def test_on_the_eve_of_a_dividend_deep_calls_are_worth_exercise_and_puts_wait_for_it(eve):
    market, ex_day = eve
    near = next(one for one in expiries(market, "SPY") if one > ex_day)
    spot, rows = priced(market, "SPY", near)
    strike, call, _, delta = rows["C"]
    deep = np.argmin(np.abs(strike - 0.9 * spot))
    nights = (new_york_ns(ex_day, dt.time(9, 30)) - market.now_ns) / YEAR_NS
    interest = strike[deep] * RATE_ANNUAL * nights

    assert 0.0 <= call[deep] - (spot - strike[deep]) <= interest + 0.01
    assert delta[deep] == pytest.approx(1.0, abs=0.01)

    strike, put, _, _ = rows["P"]
    high = np.argmin(np.abs(strike - 1.1 * spot))
    paid = paid_until(market, "SPY", near).amount_usd[0]
    assert put[high] - (strike[high] - spot) == pytest.approx(paid, abs=3.0 * interest)


def test_a_call_on_a_share_that_pays_nothing_before_it_ends_is_worth_the_european(eve):
    market, ex_day = eve
    near = next(one for one in expiries(market, "AAPL") if one > ex_day)
    assert not len(paid_until(market, "AAPL", near).amount_usd)
    spot, rows = priced(market, "AAPL", near)
    strike, call, iv, _ = rows["C"]
    tau = (new_york_ns(near, dt.time(16)) - market.now_ns) / YEAR_NS

    european = black_price(
        forward=spot * np.exp(RATE_ANNUAL * tau),
        strike=strike,
        discount=np.exp(-RATE_ANNUAL * tau),
        tau_years=tau,
        iv_annual=iv,
        is_call=True,
    )

    np.testing.assert_allclose(call, european, atol=1e-6)


def test_premiums_depend_on_nothing_asked_before():
    start_ns = new_york_ns(DAY, dt.time(10))
    first, second = (PracticeMarket(Terms(seed=5, start_ns=start_ns)) for _ in range(2))
    series = expiries(first, "SPY")[9]
    for minutes in range(0, 600, 7):
        first.advance(start_ns + minutes * NS_PER_MINUTE)
        priced(first, "AAPL", expiries(first, "AAPL")[1])
        if minutes % 5 == 0:
            priced(first, "SPY", series)
    second.advance(first.now_ns)

    _, seen = priced(first, "SPY", series)
    _, fresh = priced(second, "SPY", series)

    for right in "CP":
        np.testing.assert_array_equal(seen[right], fresh[right])


def test_a_price_gives_back_the_volatility_and_the_greeks_it_was_made_with(eve):
    market, _ = eve
    found = market.find(
        ContractQuery(symbol="SPY", sec_type="OPT", expiry=f"{expiries(market, 'SPY')[14]:%Y%m%d}")
    )
    spot = market.quotes([found[0].contract.con_id])[0].model.under_price
    near = [one for one in found if abs(one.contract.strike / spot - 1.0) < 0.06]
    for details in near[::5]:
        con_id = details.contract.con_id
        quote = market.quote(con_id)
        again = market.imply(con_id=con_id, option_price=quote.mark, under_price=spot)

        assert again.iv_annual == pytest.approx(quote.model.iv_annual, abs=2e-4)
        assert again.price == pytest.approx(quote.mark, abs=0.01)
        assert again.delta == pytest.approx(quote.model.delta, abs=5e-3)
