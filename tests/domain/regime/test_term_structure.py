"""The volatility curve: its table, its worst pair, and what a hole in it means."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thetawarden.domain.regime.factors import EntryPolicy
from thetawarden.domain.regime.readings import InputFault, Reading
from thetawarden.domain.regime.term_structure import (
    TermLimits,
    TermStructure,
    VolCurve,
    judge_term_structure,
    structure_of,
)

LIMITS = TermLimits()
NOW_NS = 1_790_000_000_000_000_000
PARTS = ("vix", "vix3m", "first_future", "second_future")
POINTS = st.floats(9.0, 80.0)


def curve(**points):
    return VolCurve(
        **{
            name: None if points[name] is None else Reading(value=points[name], at_ns=NOW_NS)
            for name in PARTS
        }
    )


def judge(*points):
    named = curve(**dict(zip(PARTS, points, strict=True)))
    return judge_term_structure(curve=named, now_ns=NOW_NS, limits=LIMITS)


@pytest.mark.parametrize(
    ("inversion", "structure"),
    [
        (-8.0, "contango"),
        (-0.51, "contango"),
        (-0.5, "flat"),
        (0.0, "flat"),
        (0.01, "inverted"),
        (5.0, "inverted"),
        (5.01, "deeply_inverted"),
        (40.0, "deeply_inverted"),
    ],
)
def test_points_of_inversion_name_the_structure(inversion, structure):
    assert structure_of(inversion, LIMITS) == structure


@pytest.mark.parametrize(
    ("points", "structure", "size", "entries"),
    [
        ((15.0, 18.0, 16.0, 17.5), "contango", 1.0, EntryPolicy.ALL),
        ((15.0, 15.25, 16.0, 17.5), "flat", 0.8, EntryPolicy.ALL),
        ((15.0, 18.0, 17.0, 17.25), "flat", 0.8, EntryPolicy.ALL),
        ((22.0, 20.0, 21.0, 23.0), "inverted", 0.56, EntryPolicy.ALL),
        ((25.0, 20.0, 24.0, 23.0), "inverted", 0.5, EntryPolicy.ALL),
        ((30.0, 24.0, 28.0, 26.0), "deeply_inverted", 0.5, EntryPolicy.DEFINED_RISK_ONLY),
        ((66.0, 60.0, 58.0, 50.0), "deeply_inverted", 0.5, EntryPolicy.DEFINED_RISK_ONLY),
    ],
)
def test_the_worst_pair_of_the_curve_decides(points, structure, size, entries):
    state = judge(*points)

    assert state.structure == structure
    assert state.factor.label == structure
    assert state.factor.size_fraction == pytest.approx(size)
    assert state.factor.entries is entries
    assert state.close_naked == (structure == "deeply_inverted")


def test_spot_above_the_first_future_alone_is_only_recorded():
    state = judge(16.5, 18.0, 16.0, 17.5)

    assert state.structure is TermStructure.CONTANGO
    assert state.spot_over_first_future_points == pytest.approx(0.5)


def test_the_spread_is_recorded_even_when_it_is_all_there_is():
    state = judge(16.5, None, 16.0, None)

    assert state.spot_over_first_future_points == pytest.approx(0.5)
    assert state.structure is None


@given(points=st.tuples(POINTS, POINTS, POINTS, POINTS), rise=st.floats(0.0, 40.0))
def test_a_higher_spot_never_gives_a_bigger_factor(points, rise):
    calm, worse = judge(*points), judge(points[0] + rise, *points[1:])

    assert worse.factor.size_fraction <= calm.factor.size_fraction
    assert worse.close_naked >= calm.close_naked


@given(
    points=st.tuples(POINTS, POINTS, POINTS, POINTS),
    hole=st.integers(0, 3),
    bad=st.sampled_from([None, math.nan, math.inf, 0.0, -1.0]),
)
def test_a_hole_in_the_curve_allows_no_entry_and_is_named(points, hole, bad):
    broken = [bad if i == hole else value for i, value in enumerate(points)]

    state = judge(*broken)

    assert (state.factor.size_fraction, state.factor.entries) == (0.0, EntryPolicy.NONE)
    assert [one.name for one in state.factor.faults] == [PARTS[hole]]


def test_what_is_seen_of_a_broken_curve_still_demands_closing():
    state = judge(40.0, None, 38.0, 32.0)

    assert state.close_naked
    assert state.factor.entries is EntryPolicy.NONE


def test_an_empty_curve_has_no_structure():
    state = judge(None, None, None, None)

    assert (state.structure, state.inversion_points, state.close_naked) == (None, None, False)
    assert {one.fault for one in state.factor.faults} == {InputFault.MISSING}


@pytest.mark.parametrize(("age_s", "faults"), [(900, set()), (900.001, {InputFault.STALE})])
def test_a_curve_lasts_a_quarter_of_an_hour(age_s, faults):
    at_ns = NOW_NS - int(age_s * 10**9)
    old = VolCurve(**{name: Reading(value=20.0, at_ns=at_ns) for name in PARTS})

    state = judge_term_structure(curve=old, now_ns=NOW_NS, limits=LIMITS)

    assert {one.fault for one in state.factor.faults} == faults


@pytest.mark.parametrize(("points", "used"), [(4.99, False), (5, True), (200, True), (201, False)])
def test_a_curve_holds_only_figures_a_volatility_index_can_have(points, used):
    assert (judge(points, points, points, points).structure is not None) == used


@pytest.mark.parametrize(
    "changes",
    [
        {"flat_size_fraction": 1.1},
        {"inverted_shallow_size_fraction": 0.9},
        {"inverted_deep_size_fraction": 0.7},
        {"deep_above_points": 0.0},
        {"deep_above_points": math.inf},
        {"flat_within_points": math.nan},
    ],
)
def test_limits_by_which_worse_would_be_better_are_refused(changes):
    with pytest.raises(ValueError, match=r"fraction|rise|zero"):
        TermLimits(**changes)
