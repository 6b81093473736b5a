"""The correlation table with its boundaries."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thetawarden.domain.regime.correlation_gate import CorrelationLimits, judge_correlation
from thetawarden.domain.regime.factors import EntryPolicy
from thetawarden.domain.regime.readings import InputFault, Reading

LIMITS = CorrelationLimits()
NOW_NS = 1_790_000_000_000_000_000


def judge(average, underlyings=5, age_ns=0):
    reading = None if average is None else Reading(value=average, at_ns=NOW_NS - age_ns)
    return judge_correlation(underlyings=underlyings, average=reading, now_ns=NOW_NS, limits=LIMITS)


@pytest.mark.parametrize(
    ("average", "likeness", "size"),
    [
        (-1.0, "diverse", 1.0),
        (0.29, "diverse", 1.0),
        (0.30, "standard", 1.0),
        (0.49, "standard", 1.0),
        (0.50, "alike", 0.8),
        (0.60, "alike", 0.75),
        (0.70, "alike", 0.7),
        (0.71, "one_bet", 0.0),
        (1.0, "one_bet", 0.0),
    ],
)
def test_likeness_costs_what_the_table_says(average, likeness, size):
    state = judge(average)

    assert state.likeness == likeness
    assert state.factor.size_fraction == pytest.approx(size)
    assert state.factor.entries is (EntryPolicy.NONE if likeness == "one_bet" else EntryPolicy.ALL)


@given(averages=st.tuples(st.floats(-1, 1), st.floats(-1, 1)).map(sorted))
def test_more_likeness_never_gives_a_bigger_factor(averages):
    less, more = averages

    assert judge(more).factor.size_fraction <= judge(less).factor.size_fraction


def test_a_likeness_lasts_over_a_long_weekend():
    assert judge(0.2, age_ns=5 * 86_400 * 10**9).likeness == "diverse"


@pytest.mark.parametrize("underlyings", [0, 1])
def test_a_single_underlying_has_no_pair_to_judge(underlyings):
    state = judge(None, underlyings=underlyings)

    assert (state.factor.label, state.factor.size_fraction) == ("no_pair", 1.0)


@pytest.mark.parametrize(
    ("average", "age_ns", "fault"),
    [
        (None, 0, InputFault.MISSING),
        (math.nan, 0, InputFault.NOT_FINITE),
        (1.01, 0, InputFault.OUT_OF_RANGE),
        (-1.01, 0, InputFault.OUT_OF_RANGE),
        (0.2, 5 * 86_400 * 10**9 + 1, InputFault.STALE),
    ],
)
def test_an_unknown_likeness_of_several_is_no_entry(average, age_ns, fault):
    state = judge(average, underlyings=2, age_ns=age_ns)

    assert state.factor.entries is EntryPolicy.NONE
    assert [(one.name, one.fault) for one in state.factor.faults] == [
        ("average_correlation", fault)
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"standard_from": 0.6},
        {"one_bet_above": 1.5},
        {"one_bet_above": 0.5},
        {"standard_from": -1.5},
        {"alike_size_fraction_min": 0.9},
        {"standard_size_fraction": math.nan},
        {"diverse_size_fraction": 1.5},
    ],
)
def test_limits_by_which_worse_would_be_better_are_refused(changes):
    with pytest.raises(ValueError, match=r"fraction|rise"):
        CorrelationLimits(**changes)
