"""How far an option was to follow its underlying."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thetawarden.domain.chains.moving import expected_move_usd
from thetawarden.domain.pricing.black import black_price, spot_greeks

TAU, IV = 0.05, 0.2


def priced(spot, strike, *, is_call):
    terms = {"strike": strike, "discount": 1.0, "tau_years": TAU, "iv_annual": IV}
    worth = black_price(forward=spot, is_call=is_call, **terms)
    greeks = spot_greeks(spot=spot, forward=spot, is_call=is_call, **terms)
    return worth, greeks


def expected(start, end, strike, *, is_call, at_end):
    worth, greeks = priced(start, strike, is_call=is_call)
    if at_end:
        _, greeks = priced(end, strike, is_call=is_call)
    return expected_move_usd(
        delta_per_share=np.asarray(greeks.delta_per_share),
        gamma_per_usd=np.asarray(greeks.gamma_per_usd),
        way_usd=np.asarray(end - start),
        worth_usd=np.asarray(worth),
        greeks_at_end=at_end,
    )


@given(
    move=st.floats(-0.01, 0.01),
    strike=st.floats(93.0, 107.0),
    is_call=st.booleans(),
    at_end=st.booleans(),
)
def test_a_small_move_is_followed_as_the_market_prices_it(move, strike, is_call, at_end):
    start, end = 100.0, 100.0 * (1.0 + move)
    before, _ = priced(start, strike, is_call=is_call)
    after, _ = priced(end, strike, is_call=is_call)

    found = expected(start, end, strike, is_call=is_call, at_end=at_end)

    assert found == pytest.approx(after - before, abs=0.01)


@given(
    move=st.floats(-0.2, 0.2),
    strike=st.floats(80.0, 120.0),
    is_call=st.booleans(),
    at_end=st.booleans(),
)
def test_however_far_the_way_a_rise_never_costs_a_call_and_nothing_falls_below_zero(
    move, strike, is_call, at_end
):
    start, end = 100.0, 100.0 * (1.0 + move)
    before, _ = priced(start, strike, is_call=is_call)

    found = expected(start, end, strike, is_call=is_call, at_end=at_end)

    assert found * move * (1.0 if is_call else -1.0) >= 0.0
    assert before + found >= 0.0


def test_what_is_not_known_moves_nobody_knows_where():
    nothing = np.array([np.nan])
    found = expected_move_usd(
        delta_per_share=nothing,
        gamma_per_usd=nothing,
        way_usd=np.ones(1),
        worth_usd=np.ones(1),
        greeks_at_end=True,
    )

    assert np.isnan(found).all()
