"""The trend table row by row with its boundaries, and what is missing."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thetawarden.domain.regime.factors import EntryPolicy
from thetawarden.domain.regime.readings import InputFault, Reading
from thetawarden.domain.regime.trend import Trend, TrendInputs, TrendLimits, judge_trend

LIMITS = TrendLimits()
NOW_NS = 1_790_000_000_000_000_000
FIGURES = ("price", "sma20", "sma50", "sma200", "adx")


def inputs(*figures, breadth=1.0, age_ns=0):
    named = zip((*FIGURES, "breadth"), (*figures, breadth), strict=True)
    return TrendInputs(
        **{
            name: None if value is None else Reading(value=value, at_ns=NOW_NS - age_ns)
            for name, value in named
        }
    )


def judge(*figures, vix, breadth=1.0, limits=LIMITS):
    return judge_trend(
        inputs=inputs(*figures, breadth=breadth), vix_points=vix, now_ns=NOW_NS, limits=limits
    )


@pytest.mark.parametrize(
    ("figures", "vix", "trend", "size"),
    [
        ((110.0, 105.0, 100.0, 90.0, 30.0), 15.0, "strong_up", 1.0),
        ((110.0, 100.0, 105.0, 90.0, 30.0), 15.0, "mild_up", 1.0),
        ((103.0, 105.0, 100.0, 90.0, 30.0), 15.0, "mild_up", 1.0),
        ((103.0, 105.0, 100.0, 90.0, 10.0), 15.0, "mild_up", 1.0),
        ((100.9, 105.0, 100.0, 90.0, 20.0), 15.0, "sideways", 1.0),
        ((99.1, 105.0, 100.0, 90.0, 20.0), 24.99, "sideways", 1.0),
        ((99.1, 105.0, 100.0, 90.0, 20.1), 24.99, "mild_down", 0.75),
        ((98.9, 105.0, 100.0, 90.0, 20.0), 24.99, "mild_down", 0.75),
        ((98.0, 105.0, 100.0, 90.0, 30.0), 24.99, "mild_down", 0.75),
        ((98.0, 105.0, 100.0, 90.0, 30.0), 25.0, "strong_down", 0.5),
        ((99.9, 105.0, 100.0, 90.0, 10.0), 25.01, "strong_down", 0.5),
        ((80.0, 105.0, 100.0, 90.0, 30.0), 24.99, "mild_down", 0.75),
        ((80.0, 105.0, 100.0, 90.0, 30.0), 35.0, "strong_down", 0.5),
        ((80.0, 105.0, 100.0, 90.0, 30.0), 35.01, "crash", 0.5),
        ((95.0, 105.0, 94.0, 100.0, 30.0), 36.0, "crash", 0.5),
        ((110.0, 105.0, 100.0, 90.0, 30.0), 60.0, "strong_up", 1.0),
        ((100.0, 105.0, 100.0, 90.0, 30.0), 30.0, "mild_up", 1.0),
        ((105.0, 105.0, 100.0, 90.0, 30.0), 15.0, "mild_up", 1.0),
        ((110.0, 100.0, 100.0, 90.0, 30.0), 15.0, "mild_up", 1.0),
        ((90.0, 95.0, 100.0, 90.0, 30.0), 36.0, "strong_down", 0.5),
    ],
)
def test_price_averages_direction_and_vix_name_the_trend(figures, vix, trend, size):
    state = judge(*figures, vix=vix)

    assert (state.trend, state.factor.size_fraction) == (trend, size)
    falling = trend in {"mild_down", "strong_down", "crash"}
    assert state.factor.delta_fraction == (0.8 if falling else 1.0)
    assert state.factor.entries is (
        EntryPolicy.DEFINED_RISK_ONLY if trend == "crash" else EntryPolicy.ALL
    )


@pytest.mark.parametrize("breadth", [None, 0.0, -0.2, math.nan])
def test_a_narrow_or_unknown_advance_is_only_a_mild_one(breadth):
    state = judge(110.0, 105.0, 100.0, 90.0, 30.0, vix=15.0, breadth=breadth)

    assert state.trend is Trend.MILD_UP
    assert state.factor.faults == ()


def test_a_strong_decline_can_be_made_a_pause():
    limits = TrendLimits(pause_on_strong_down=True)

    state = judge(98.0, 105.0, 100.0, 90.0, 30.0, vix=26.0, limits=limits)

    assert state.factor.entries is EntryPolicy.NONE


@given(
    price=st.floats(50.0, 150.0),
    fall=st.floats(0.0, 50.0),
    means=st.tuples(*[st.floats(60.0, 140.0)] * 3),
    vix=st.floats(9.0, 80.0),
    rise=st.floats(0.0, 40.0),
)
def test_neither_a_higher_vix_nor_a_lower_price_gives_a_bigger_factor(
    price, fall, means, vix, rise
):
    calm = judge(price, *means, 30.0, vix=vix).factor

    for worse in (
        judge(price, *means, 30.0, vix=vix + rise).factor,
        judge(max(price - fall, 1.0), *means, 30.0, vix=vix).factor,
    ):
        assert worse.size_fraction <= calm.size_fraction
        assert worse.delta_fraction <= calm.delta_fraction


@pytest.mark.parametrize("hole", range(5))
@pytest.mark.parametrize("bad", [None, math.nan, math.inf, -1.0])
def test_a_missing_figure_is_no_trend_and_no_entry(hole, bad):
    figures = [110.0, 105.0, 100.0, 90.0, 30.0]
    figures[hole] = bad

    state = judge(*figures, vix=15.0)

    assert (state.trend, state.figures) == (None, None)
    assert state.factor.entries is EntryPolicy.NONE
    assert [one.name for one in state.factor.faults] == [FIGURES[hole]]


def test_without_a_vix_there_is_no_trend():
    state = judge(110.0, 105.0, 100.0, 90.0, 30.0, vix=None)

    assert state.trend is None
    assert [(one.name, one.fault) for one in state.factor.faults] == [("vix", InputFault.MISSING)]


@pytest.mark.parametrize(
    ("age_s", "stale"),
    [
        (900, []),
        (900.001, ["price"]),
        (5 * 86_400, ["price"]),
        (5 * 86_400 + 0.001, ["price", "sma20", "sma50", "sma200", "adx"]),
    ],
)
def test_a_price_ages_in_minutes_and_its_averages_in_days(age_s, stale):
    old = inputs(110.0, 105.0, 100.0, 90.0, 30.0, age_ns=int(age_s * 10**9))

    state = judge_trend(inputs=old, vix_points=15.0, now_ns=NOW_NS, limits=LIMITS)

    assert [one.name for one in state.factor.faults] == stale
    assert {one.fault for one in state.factor.faults} <= {InputFault.STALE}


@pytest.mark.parametrize(
    ("adx", "used"), [(-0.1, False), (0.0, True), (100.0, True), (100.1, False)]
)
def test_a_direction_is_between_nothing_and_all(adx, used):
    assert (judge(110.0, 105.0, 100.0, 90.0, adx, vix=15.0).trend is not None) == used


@pytest.mark.parametrize(("price", "trend"), [(125.0, "sideways"), (125.1, "mild_up")])
def test_the_edge_of_the_sideways_band_belongs_to_it(price, trend):
    limits = TrendLimits(sideways_within_fraction=0.25)

    assert judge(price, 130.0, 100.0, 90.0, 10.0, vix=15.0, limits=limits).trend == trend


@pytest.mark.parametrize(
    "changes",
    [
        {"mild_down_size_fraction": 1.2},
        {"strong_down_size_fraction": 0.9},
        {"crash_size_fraction": 0.6},
        {"crash_vix_points": 20.0},
        {"down_delta_fraction": math.nan},
        {"strong_down_vix_points": -1.0},
        {"crash_size_fraction": -0.1},
    ],
)
def test_limits_by_which_worse_would_be_better_are_refused(changes):
    with pytest.raises(ValueError, match=r"fraction|rise"):
        TrendLimits(**changes)
