import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thetawarden.domain.pricing.black import black_price
from thetawarden.domain.pricing.implied import implied_volatility
from thetawarden.domain.pricing.reasons import CODE_OF, NoVolatility
from thetawarden.domain.pricing.remembered import remembered_volatility

SIZE = 300
HALF_A_MINUTE = 30.0 / (365.0 * 86400.0)


class Chain:
    """Listed-like options, some of them in the money, whose market moves tick by tick."""

    def __init__(self, seed, *, tau_min=1.0 / 365.0, in_the_money=0.2):
        self._rng = rng = np.random.default_rng(seed)
        self.tau = np.exp(rng.uniform(np.log(tau_min), 0.0, SIZE))
        self.iv = rng.uniform(0.08, 0.8, SIZE)
        self.strike = 100.0 * np.exp(self.iv * np.sqrt(self.tau) * rng.uniform(-4.0, 4.0, SIZE))
        self.is_call = (self.strike >= 100.0) ^ (rng.random(SIZE) < in_the_money)
        self.spot = 100.0

    def tick(self, *, move=3e-4, iv_move=4e-4, years=HALF_A_MINUTE):
        self.spot *= np.exp(move * self._rng.standard_normal())
        self.iv = self.iv * np.exp(iv_move * self._rng.standard_normal(SIZE))
        self.tau = self.tau - years

    def market(self):
        forward, discount = self.spot * np.exp(0.02 * self.tau), np.exp(-0.04 * self.tau)
        contract = {
            "forward": forward,
            "strike": self.strike,
            "discount": discount,
            "tau_years": self.tau,
            "is_call": self.is_call,
        }
        return {"price_usd": black_price(iv_annual=self.iv, **contract), **contract}


def _assert_answers_as_from_nothing(market, memory):
    """Compare with the cold answer; return the memory for the next look."""
    cold = implied_volatility(**market)

    warm = remembered_volatility(**market, memory=memory)

    np.testing.assert_array_equal(warm.reason_code, cold.reason_code)
    told = np.broadcast_to(market["price_usd"], cold.iv_annual.shape) >= 1e-8
    np.testing.assert_allclose(warm.iv_annual[told], cold.iv_annual[told], rtol=1e-12)
    assert (np.isnan(warm.iv_annual) == np.isnan(cold.iv_annual)).all()
    return warm.memory


@settings(max_examples=25)
@given(
    seed=st.integers(0, 2**32 - 1),
    move=st.floats(1e-5, 3e-3),
    iv_move=st.floats(1e-5, 1e-2),
    years=st.floats(0.0, 1e-4),
)
def test_a_walk_of_ticks_is_answered_as_if_nothing_were_remembered(seed, move, iv_move, years):
    chain, memory = Chain(seed), None

    for _ in range(8):
        memory = _assert_answers_as_from_nothing(chain.market(), memory)
        chain.tick(move=move, iv_move=iv_move, years=years)


def test_a_long_walk_stays_as_right_as_its_beginning():
    chain, memory = Chain(41), None

    for _ in range(60):
        market = chain.market()
        seen = remembered_volatility(**market, memory=memory)
        memory = seen.memory
        told = (market["price_usd"] >= 1e-8) & (chain.is_call == (chain.strike >= chain.spot))
        assert (seen.reason_code[told] == 0).all()
        np.testing.assert_allclose(seen.iv_annual[told], chain.iv[told], rtol=1e-12)
        chain.tick()


def _other_strikes(market):
    return market | {"strike": market["strike"] * 1.01}


def _shuffled(market):
    order = np.random.default_rng(1).permutation(SIZE)
    return {name: column[order] for name, column in market.items()}


def _the_other_right(market):
    return market | {"is_call": ~market["is_call"]}


def _spoilt(market):
    price = market["price_usd"].copy()
    price[::2] = np.nan
    return market | {"price_usd": price, "tau_years": np.where(price > 1.0, 0.0, 0.1)}


def _crashed(market):
    return market | {"forward": market["forward"] * 0.8}


def _about_to_expire(market):
    return market | {"tau_years": np.full(SIZE, 1e-6)}


def _negative(market):
    return market | {"discount": -market["discount"], "price_usd": -market["price_usd"]}


def _fewer(market):
    return {name: column[:-1] for name, column in market.items()}


@pytest.mark.parametrize(
    "change",
    [
        _other_strikes,
        _shuffled,
        _the_other_right,
        _spoilt,
        _crashed,
        _about_to_expire,
        _negative,
        _fewer,
    ],
)
def test_a_foreign_memory_changes_neither_answers_nor_reasons(change):
    market = Chain(42).market()
    changed = change(market)

    memory = remembered_volatility(**market).memory
    memory = _assert_answers_as_from_nothing(changed, memory)
    memory = _assert_answers_as_from_nothing(changed, memory)
    _assert_answers_as_from_nothing(market, memory)


@given(crossing=st.floats(-2e-3, 2e-3), iv_annual=st.floats(0.1, 0.6), is_call=st.booleans())
def test_a_forward_that_crosses_the_strike_is_answered_all_the_same(crossing, iv_annual, is_call):
    contract = {"strike": 100.0, "discount": 0.99, "tau_years": 0.05, "is_call": is_call}
    before = black_price(forward=100.0 * (1.0 - crossing), iv_annual=iv_annual, **contract)
    after = black_price(forward=100.0 * (1.0 + crossing), iv_annual=iv_annual, **contract)

    first = remembered_volatility(price_usd=before, forward=100.0 * (1.0 - crossing), **contract)
    again = remembered_volatility(
        price_usd=after, forward=100.0 * (1.0 + crossing), memory=first.memory, **contract
    )

    assert again.iv_annual.shape == ()
    assert again.reason_code == 0
    assert again.iv_annual == pytest.approx(iv_annual, rel=1e-12)


@given(
    prices=st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=4, max_size=4),
    tau_years=st.floats(allow_nan=True, allow_infinity=True),
    forward=st.floats(allow_nan=True, allow_infinity=True),
)
def test_any_numbers_at_all_get_the_reasons_they_got_without_a_memory(prices, tau_years, forward):
    sound = {
        "price_usd": np.array([1.0, 2.0, 6.0, 7.0]),
        "forward": 100.0,
        "strike": np.array([105.0, 100.0, 95.0, 104.0]),
        "discount": 0.98,
        "tau_years": 0.1,
        "is_call": np.array([True, False, True, False]),
    }
    memory = remembered_volatility(**sound).memory

    for change in ({"price_usd": np.array(prices)}, {"tau_years": tau_years}, {"forward": forward}):
        market = sound | change
        warm = remembered_volatility(**market, memory=memory)
        memory = warm.memory
        cold = implied_volatility(**market)
        np.testing.assert_array_equal(warm.reason_code, cold.reason_code)


def test_a_tick_is_answered_by_the_anchors():
    chain = Chain(43)
    memory = remembered_volatility(**chain.market()).memory
    chain.tick()

    memory = remembered_volatility(**chain.market(), memory=memory).memory

    assert memory.owed <= 0.03 * SIZE


def test_rows_that_left_their_anchors_get_new_ones():
    chain = Chain(44)
    memory = remembered_volatility(**chain.market()).memory
    chain.iv = chain.iv * 1.05

    for _ in range(4):
        memory = remembered_volatility(**chain.market(), memory=memory).memory
    owed = memory.owed
    chain.tick()
    memory = remembered_volatility(**chain.market(), memory=memory).memory

    assert memory.owed - owed <= 0.03 * SIZE


def test_the_same_calls_in_the_same_order_give_the_same_bits():
    walks = []
    for _ in range(2):
        chain, memory, seen = Chain(45), None, []
        for _ in range(10):
            answer = remembered_volatility(**chain.market(), memory=memory)
            memory = answer.memory
            seen.append(answer.iv_annual.tobytes())
            chain.tick(move=1e-3)
        walks.append(seen)

    assert walks[0] == walks[1]


def test_no_prices_leave_an_empty_memory():
    empty = np.empty(0)
    nothing = {
        "price_usd": empty,
        "forward": empty,
        "strike": 1.0,
        "discount": 1.0,
        "tau_years": 1.0,
        "is_call": True,
    }

    memory = remembered_volatility(**nothing).memory
    again = remembered_volatility(**nothing, memory=memory)

    assert again.iv_annual.shape == (0,)
    assert again.reason_code.shape == (0,)


def test_what_has_no_volatility_is_told_why_at_every_look():
    market = {
        "price_usd": np.array([7.0, 4.0, np.nan]),
        "forward": 105.0,
        "strike": 100.0,
        "discount": 1.0,
        "tau_years": 0.2,
        "is_call": True,
    }
    expected = [0, CODE_OF[NoVolatility.BELOW_INTRINSIC], CODE_OF[NoVolatility.NOT_FINITE]]
    memory = None

    for _ in range(3):
        seen = remembered_volatility(**market, memory=memory)
        memory = seen.memory
        assert seen.reason_code.tolist() == expected
