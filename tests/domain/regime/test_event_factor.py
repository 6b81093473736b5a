"""What events cost, alone and together."""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thetawarden.domain.market.events import (
    DayNote,
    EarningsRisk,
    MacroKind,
    MacroNote,
    Nearness,
)
from thetawarden.domain.regime.event_factor import EventLimits, judge_earnings, judge_events
from thetawarden.domain.regime.factors import EntryPolicy

LIMITS = EventLimits()
EVERY_NOTE = [
    MacroNote(kind=kind, nearness=near) for kind, near in itertools.product(MacroKind, Nearness)
]


def judge(macro=(), days=()):
    return judge_events(macro=tuple(macro), days=tuple(days), limits=LIMITS)


@pytest.mark.parametrize(
    ("kind", "size"), [(MacroKind.FOMC, 0.5), (MacroKind.CPI, 0.75), (MacroKind.NFP, 0.75)]
)
@pytest.mark.parametrize("nearness", [Nearness.DAY_BEFORE, Nearness.DAY_OF])
def test_an_announcement_shrinks_entries_on_its_day_and_the_one_before(kind, nearness, size):
    factor = judge([MacroNote(kind=kind, nearness=nearness)])

    assert (factor.size_fraction, factor.entries) == (size, EntryPolicy.ALL)
    assert factor.delta_fraction == 0.8
    assert factor.label == f"{kind.value}_{nearness.value}"


@pytest.mark.parametrize(
    ("note", "delta"),
    [
        (DayNote.BEFORE_HOLIDAY, 0.8),
        (DayNote.AFTER_HOLIDAY, 0.8),
        (DayNote.TRIPLE_WITCHING, 1.0),
        (DayNote.HALF_DAY, 1.0),
    ],
)
def test_a_holiday_lowers_delta_and_the_rest_is_noted(note, delta):
    factor = judge(days=[note])

    assert (factor.size_fraction, factor.delta_fraction) == (1.0, delta)
    assert factor.label == note.value


def test_a_quiet_day_costs_nothing_and_says_so():
    factor = judge()

    assert (factor.label, factor.size_fraction, factor.delta_fraction) == ("quiet", 1.0, 1.0)
    assert factor.entries is EntryPolicy.ALL


def test_a_decision_on_the_day_of_a_release_costs_both():
    both = [
        MacroNote(kind=kind, nearness=Nearness.DAY_OF) for kind in (MacroKind.FOMC, MacroKind.CPI)
    ]

    assert judge(both).size_fraction == 0.375


@pytest.mark.parametrize("kind", MacroKind)
def test_dates_nobody_knows_are_no_quiet_day(kind):
    factor = judge([MacroNote(kind=kind, nearness=Nearness.UNKNOWN)])

    assert (factor.size_fraction, factor.entries) == (0.0, EntryPolicy.NONE)
    assert [one.name for one in factor.faults] == [f"{kind.value}_dates"]


@given(
    macro=st.lists(st.sampled_from(EVERY_NOTE), max_size=4),
    more=st.sampled_from(EVERY_NOTE),
    days=st.lists(st.sampled_from(DayNote), max_size=3, unique=True),
    another=st.sampled_from(DayNote),
)
def test_one_event_more_never_gives_a_bigger_factor(macro, more, days, another):
    before, after = judge(macro, days), judge([*macro, more], [*days, another])

    assert after.size_fraction <= before.size_fraction
    assert after.delta_fraction <= before.delta_fraction


@pytest.mark.parametrize(
    ("risk", "entries", "faults"),
    [
        (EarningsRisk.CLEAR, EntryPolicy.ALL, []),
        (EarningsRisk.REPORTS, EntryPolicy.NONE, []),
        (EarningsRisk.UNKNOWN, EntryPolicy.NONE, ["earnings_dates"]),
    ],
)
def test_a_stock_is_sold_only_when_it_is_known_not_to_report(risk, entries, faults):
    factor = judge_earnings(risk)

    assert factor.entries is entries
    assert factor.size_fraction == (1.0 if entries is EntryPolicy.ALL else 0.0)
    assert [one.name for one in factor.faults] == faults


@pytest.mark.parametrize("value", [1.1, -0.1, math.nan])
def test_an_event_that_would_enlarge_is_refused(value):
    with pytest.raises(ValueError, match="fraction"):
        EventLimits(fomc_size_fraction=value)
