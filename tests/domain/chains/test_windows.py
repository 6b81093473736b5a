"""Which expiries and strikes are looked at: enough of them, and not others at every tick."""

import datetime as dt
import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from thetawarden.domain.chains.identity import SeriesKey
from thetawarden.domain.chains.windows import (
    ExpiryWindow,
    StrikeChoice,
    StrikeWindow,
    choose_expiries,
    choose_strikes,
    edges_by_delta,
    edges_by_distance,
    nearest_strikes,
    next_step,
)

TODAY = dt.date(2026, 3, 2)
STRIKES = np.arange(4000.0, 8800.0, 5.0)
counts = st.lists(st.integers(0, 40), min_size=1, max_size=6).map(sorted)


def keys(*away, trading_class="SPXW"):
    return [
        SeriesKey(expiry=TODAY + dt.timedelta(days=days), trading_class=trading_class)
        for days in away
    ]


def choose(spot, *, before=None, strikes=STRIKES, window=None, near=(), dte=4.0):
    window = window or StrikeWindow()
    return choose_strikes(
        strikes,
        before=before or StrikeChoice(),
        edges=edges_by_distance(spot_usd=spot, dte=dte, window=window),
        spot_usd=spot,
        near_usd=near,
        window=window,
    )


@given(step=st.integers(0, 5), counts=counts, enough=st.integers(1, 30))
def test_a_window_holds_enough_or_is_as_wide_as_may_be(step, counts, enough):
    chosen = next_step(step=step, counts=counts, enough=enough, spare_fraction=0.25)

    assert counts[chosen] >= enough or chosen == len(counts) - 1


@given(step=st.integers(0, 5), counts=counts, enough=st.integers(1, 30))
def test_choosing_again_changes_nothing(step, counts, enough):
    chosen = next_step(step=step, counts=counts, enough=enough, spare_fraction=0.25)

    assert next_step(step=chosen, counts=counts, enough=enough, spare_fraction=0.25) == chosen


@given(step=st.integers(1, 5), counts=counts, enough=st.integers(1, 30))
def test_a_window_narrows_only_where_there_is_enough_to_spare(step, counts, enough):
    chosen = next_step(step=step, counts=counts, enough=enough, spare_fraction=0.25)

    if chosen < min(step, len(counts) - 1):
        assert counts[chosen] >= 1.25 * enough


def test_a_window_with_too_few_strikes_widens_and_narrows_again_when_they_come_back():
    sparse = STRIKES[::8]
    narrow = StrikeWindow(otm_fraction_week=0.03, strikes_min=8)

    wide = choose(6400.0, strikes=sparse, window=narrow)
    again = choose(6400.0, before=wide, strikes=STRIKES, window=narrow)

    assert wide.step > 0
    inside = sparse[list(wide.chosen)]
    assert min((inside < 6400).sum(), (inside > 6400).sum()) >= 8
    assert again.step == 0


@given(
    spots=st.lists(st.floats(-1.0, 1.0), min_size=2, max_size=30), base=st.floats(4800.0, 7800.0)
)
def test_a_spot_that_wavers_changes_nothing_once_it_has_been_around(spots, base):
    choice, path = StrikeChoice(), [base + move for move in spots]
    window = StrikeWindow(strikes_max=1000)
    for spot in (*path, *path):
        choice = choose(spot, before=choice, window=window)

    for spot in path:
        again = choose(spot, before=choice, window=window)
        assert (again.chosen, again.step) == (choice.chosen, choice.step)


@given(spot=st.floats(5000.0, 7500.0), dte=st.floats(0.0, 60.0))
def test_the_strikes_around_the_spot_are_always_among_them_on_both_rights(spot, dte):
    choice = choose(spot, dte=dte)

    nearest = int(np.argmin(np.abs(STRIKES - spot)))
    assert nearest in choice.paired
    assert set(choice.paired) <= set(choice.chosen)
    assert len(choice.paired) == StrikeWindow().pairs


@given(spot=st.floats(5000.0, 7500.0), dte=st.floats(1.0, 60.0), near=st.floats(5000.0, 7500.0))
def test_too_many_strikes_are_thinned_but_not_where_entries_are_looked_for(spot, dte, near):
    window = StrikeWindow(strikes_max=40)

    choice = choose(spot, dte=dte, near=(near,), window=window)

    inside = (choice.low_usd <= STRIKES) & (choice.high_usd >= STRIKES)
    close = np.argsort(np.abs(STRIKES - near), kind="stable")[: window.pairs]
    assert len(choice.chosen) <= window.strikes_max + 3 * window.pairs
    assert set(close[inside[close]].tolist()) <= set(choice.chosen)


@given(price=st.floats(1.0, 20_000.0), count=st.integers(0, 10))
def test_the_nearest_strikes_are_no_farther_than_any_other(price, count):
    found = nearest_strikes(STRIKES, price, count=count, before=())

    others = np.delete(STRIKES, list(found))
    assert len(found) == count
    if count:
        assert np.abs(STRIKES[list(found)] - price).max() <= np.abs(others - price).min() + 1e-9


def test_a_strike_in_use_stays_among_the_nearest_while_it_is_barely_farther():
    before = nearest_strikes(STRIKES, 6401.0, count=3, before=())

    assert nearest_strikes(STRIKES, 6403.0, count=3, before=before) == before
    assert nearest_strikes(STRIKES, 6420.0, count=3, before=before) != before
    assert nearest_strikes(STRIKES, math.nan, count=3, before=before) == ()


def test_expiries_come_from_every_window_nearest_first_and_never_from_the_past():
    listed = keys(-1, 0, 1, 2, 3, 4, 7, 8, 30, 60)
    windows = (ExpiryWindow(dte_max=7, expiries_max=3), ExpiryWindow(dte_min=25, dte_max=35))

    chosen = choose_expiries(listed, today=TODAY, windows=windows)

    assert [(key.expiry - TODAY).days for key in chosen] == [0, 1, 2, 30]


def test_an_expiry_window_with_too_few_reaches_farther_out():
    window = ExpiryWindow(dte_max=5, expiries_min=2)

    chosen = choose_expiries(keys(4, 18, 46), today=TODAY, windows=(window,))

    assert [(key.expiry - TODAY).days for key in chosen] == [4, 18]


@given(
    away=st.sets(st.integers(-5, 90)),
    low=st.integers(0, 40),
    span=st.integers(0, 30),
    least=st.integers(0, 4),
)
def test_every_listed_expiry_of_a_window_is_chosen_up_to_its_number(away, low, span, least):
    window = ExpiryWindow(dte_min=low, dte_max=low + span, expiries_min=least, expiries_max=6)

    chosen = choose_expiries(keys(*away), today=TODAY, windows=(window,))

    inside = sorted(days for days in away if low <= days <= low + span)[:6]
    found = [(key.expiry - TODAY).days for key in chosen]
    assert found[: len(inside)] == inside
    assert len(found) <= max(len(inside), 6)


def test_both_classes_of_a_third_friday_are_two_series():
    both = keys(18, trading_class="SPX") + keys(18)

    chosen = choose_expiries(both, today=TODAY, windows=(ExpiryWindow(dte_max=20),))

    assert [key.trading_class for key in chosen] == ["SPX", "SPXW"]


@given(
    spot=st.floats(5000.0, 7500.0),
    deviation=st.floats(0.005, 0.15),
    least=st.floats(0.005, 0.2),
)
def test_a_window_by_delta_reaches_to_the_strikes_of_that_delta_on_both_sides(
    spot, deviation, least
):
    call_delta = norm.cdf(-np.log(STRIKES / spot) / deviation)
    window = StrikeWindow(delta_min=least)

    edges = edges_by_delta(STRIKES, call_delta, window=window)

    (low, high), listed = edges[0], STRIKES
    inside = (listed >= low) & (listed <= high)
    assert (np.minimum(call_delta, 1.0 - call_delta)[inside] >= least - 1e-9).all()
    outside = ~inside & (listed > listed[0]) & (listed < listed[-1])
    assert (np.minimum(call_delta, 1.0 - call_delta)[outside] <= least + 1e-9).all()
    assert (np.diff(edges[:, 0]) <= 0).all()
    assert (np.diff(edges[:, 1]) >= 0).all()
