"""Strikes: next to the delta aimed at, never beyond the bounds, never off a quote in doubt."""

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.strategy.scenes import changed, regime, scene_of, terms_of, view_of, with_series
from thetawarden.domain.strategy.settings import SkewShift
from thetawarden.domain.strategy.strikes import (
    DeltaBand,
    call_band,
    pick_delta,
    pick_long,
    put_band,
    see_skew,
)

SHIFT = SkewShift(delta_max=0.01)
BAND = DeltaBand(target=0.065, low=0.055, high=0.075, step=0.005, floor=0.03, ceiling=0.10)
NEUTRAL = see_skew(view_of().series[0], SHIFT, is_call=False)
masks = st.lists(st.integers(0, len(view_of().columns[0]) // 8 - 1), max_size=60)


def clean(percentile):
    return with_series(
        view_of(), skew_percentile=percentile, percentile_gap="", skew_gap="", smile_gap=""
    ).series[0]


@given(rows=masks, target=st.floats(0.03, 0.10))
def test_no_row_is_picked_that_another_eligible_one_beats(rows, target):
    scene = scene_of()
    eligible = np.zeros(len(scene.rows.conid), dtype=bool)
    eligible[rows] = True
    band = msgspec.structs.replace(BAND, target=target, low=0.03, high=0.10)

    row = pick_delta(scene, np.flatnonzero(eligible), band)

    delta = np.abs(scene.rows.delta_per_share)
    inside = eligible & (delta >= 0.03) & (delta <= 0.10)
    assert (row is None) == (not inside.any())
    if row is not None:
        assert inside[row]
        assert abs(delta[row] - target) <= np.abs(delta[inside] - target).min() + 1e-8


@given(rows=masks)
def test_the_band_widens_only_when_it_holds_nothing_and_never_past_its_bounds(rows):
    scene = scene_of()
    eligible = np.zeros(len(scene.rows.conid), dtype=bool)
    eligible[rows] = True
    delta = np.abs(scene.rows.delta_per_share)

    row = pick_delta(scene, np.flatnonzero(eligible), BAND)

    if row is None:
        assert not (eligible & (delta >= BAND.floor) & (delta <= BAND.ceiling)).any()
    elif not BAND.low <= delta[row] <= BAND.high:
        assert not (eligible & (delta >= BAND.low) & (delta <= BAND.high)).any()
        assert BAND.floor - 1e-6 <= delta[row] <= BAND.ceiling + 1e-6


@given(percentile=st.floats(0.0, 1.0))
def test_the_dear_side_gets_more_delta_and_the_cheap_side_as_much_less(percentile):
    put = see_skew(clean(percentile), SHIFT, is_call=False)
    call = see_skew(clean(percentile), SHIFT, is_call=True)

    assert put.shift_delta == pytest.approx((2 * percentile - 1) * 0.01)
    assert call.shift_delta == -put.shift_delta
    assert abs(put.shift_delta) <= SHIFT.delta_max


@pytest.mark.parametrize("gap", ["smile_gap", "skew_gap", "percentile_gap", "unread"])
def test_an_unclean_skew_is_neutral_and_says_why(gap):
    series = msgspec.structs.replace(clean(0.9), **{gap: "no_smile"})

    seen = see_skew(series, SHIFT, is_call=False)

    assert (seen.shift_delta, seen.gap) == (0.0, "no_smile")


@given(percentile=st.floats(0.0, 1.0), vix=st.floats(10.0, 39.0))
def test_no_shift_and_no_regime_moves_the_target_out_of_the_bounds(percentile, vix):
    terms = terms_of("strangles")
    scene = scene_of(regime=regime(vix=vix))
    for banded, is_call in ((put_band, False), (call_band, True)):
        seen = see_skew(clean(percentile), SHIFT, is_call=is_call)
        band = banded(scene, terms, seen)

        assert band.floor <= band.low <= band.target <= band.high <= band.ceiling
        assert band.ceiling <= 0.10


@pytest.mark.parametrize(
    ("vix", "target"), [(17.0, 0.065), (22.0, 0.0525), (27.0, 0.045), (35.0, 0.035)]
)
def test_the_delta_aimed_at_falls_with_the_band_of_the_vix(vix, target):
    band = put_band(scene_of(regime=regime(vix=vix)), terms_of("index_puts"), NEUTRAL)

    assert band.target == pytest.approx(target)


def test_the_long_leg_is_the_nearest_usable_strike_of_the_width_on_the_same_expiry():
    scene = scene_of()
    short = pick_delta(scene, scene.side(0, is_call=False), BAND)
    terms = terms_of("put_spreads", width_points_min=20.0, width_points_max=60.0)
    strike = scene.rows.strike_usd[short]
    exact = pick_long(scene, short, terms)
    doubted = scene_of(changed(view_of(), doubt={exact: 1}))

    instead = pick_long(doubted, short, terms)

    side = scene.side(0, is_call=False)
    strikes = scene.rows.strike_usd[side]
    allowed = strikes[strikes <= strike - 20.0]
    assert scene.rows.strike_usd[exact] == allowed.max() >= strike - 60.0
    assert strike - 60.0 <= scene.rows.strike_usd[instead] < allowed.max()
    assert scene.rows.series[exact] == scene.rows.series[instead] == scene.rows.series[short]
    assert not scene.rows.is_call[exact]
