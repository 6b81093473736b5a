"""The VIX table row by row, and hysteresis as a property."""

import csv
import itertools
import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thetawarden.domain.regime.factors import UNUSABLE_INPUT, EntryPolicy
from thetawarden.domain.regime.readings import InputFault, Reading
from thetawarden.domain.regime.vix_band import band_of, judge_vix, settle_band
from thetawarden.domain.regime.vix_limits import DEFAULT_BANDS, VixBand, VixBandRule, VixLimits

LIMITS = VixLimits()
EDGES = [12.0, 16.0, 20.0, 25.0, 30.0, 40.0]
VIXES = st.floats(5.0, 120.0)


@pytest.mark.parametrize(
    ("points", "band", "size"),
    [
        (8.56, "ultra_low", 0.75),
        (11.99, "ultra_low", 0.75),
        (12.0, "low", 1.0),
        (12.01, "low", 1.0),
        (15.99, "low", 1.0),
        (16.0, "normal", 1.0),
        (19.99, "normal", 1.0),
        (20.0, "elevated", 0.75),
        (24.99, "elevated", 0.75),
        (25.0, "high", 0.5),
        (29.99, "high", 0.5),
        (30.0, "very_high", 0.25),
        (39.99, "very_high", 0.25),
        (40.0, "very_high", 0.25),
        (40.01, "crisis", 0.0),
        (82.69, "crisis", 0.0),
    ],
)
def test_a_vix_falls_into_its_row_and_takes_its_size(fresh, now_ns, points, band, size):
    state = judge_vix(vix=fresh(points), previous=None, now_ns=now_ns, limits=LIMITS)

    assert (state.band, state.factor.label, state.factor.size_fraction) == (band, band, size)
    assert state.factor.entries is (EntryPolicy.NONE if size == 0.0 else EntryPolicy.ALL)


@pytest.mark.parametrize(
    ("band", "positions_fraction", "positions_max", "delta"),
    [
        ("ultra_low", 1.0, None, (0.055, 0.075)),
        ("low", 1.0, None, (0.055, 0.075)),
        ("normal", 1.0, None, (0.055, 0.075)),
        ("elevated", 0.75, None, (0.045, 0.06)),
        ("high", 0.5, None, (0.04, 0.05)),
        ("very_high", 0.5, 4, (0.03, 0.04)),
        ("crisis", 0.0, 0, (0.03, 0.04)),
    ],
)
def test_a_row_limits_positions_and_delta(band, positions_fraction, positions_max, delta):
    rule = LIMITS.rule(VixBand(band))

    assert rule.positions_fraction == positions_fraction
    assert rule.positions_max == positions_max
    assert (rule.delta_per_share_min, rule.delta_per_share_max) == delta
    assert rule.skip_marginal_premium == (band == "ultra_low")
    assert rule.close_weakest == (band == "crisis")


@given(calmer=VIXES, worse=VIXES)
def test_above_the_ultra_low_band_a_higher_vix_never_allows_more(calmer, worse):
    calmer, worse = sorted([max(calmer, 12.0), max(worse, 12.0)])

    before, after = LIMITS.rule(band_of(calmer, LIMITS)), LIMITS.rule(band_of(worse, LIMITS))

    assert after.size_fraction <= before.size_fraction
    assert after.positions_fraction <= before.positions_fraction
    assert after.delta_per_share_max <= before.delta_per_share_max


@given(points=VIXES, previous=st.none() | st.sampled_from(VixBand))
def test_history_can_only_make_a_band_stricter(points, previous):
    by_table = LIMITS.rule(band_of(points, LIMITS))

    settled = LIMITS.rule(settle_band(vix_points=points, previous=previous, limits=LIMITS))

    assert settled.size_fraction <= by_table.size_fraction


@given(
    edge=st.sampled_from(EDGES),
    wobbles=st.lists(st.floats(-0.37, 0.37), min_size=2, max_size=40),
)
def test_a_vix_hovering_at_a_boundary_changes_the_band_at_most_once(edge, wobbles):
    band, changes = None, -1
    for wobble in wobbles:
        settled = settle_band(vix_points=edge + wobble, previous=band, limits=LIMITS)
        changes += settled is not band
        band = settled

    assert changes <= 1


@given(points=VIXES, previous=st.sampled_from(VixBand))
def test_a_settled_band_stays_while_the_vix_does(points, previous):
    once = settle_band(vix_points=points, previous=previous, limits=LIMITS)

    assert settle_band(vix_points=points, previous=once, limits=LIMITS) is once


@pytest.mark.parametrize(
    ("previous", "points", "settled"),
    [
        ("normal", 20.0, "elevated"),
        ("elevated", 19.99, "elevated"),
        ("elevated", 19.25, "elevated"),
        ("elevated", 19.24, "normal"),
        ("low", 11.99, "ultra_low"),
        ("ultra_low", 12.0, "ultra_low"),
        ("ultra_low", 12.74, "ultra_low"),
        ("ultra_low", 12.76, "low"),
        ("ultra_low", 17.0, "normal"),
        ("ultra_low", 16.5, "normal"),
        ("ultra_low", 20.5, "elevated"),
        ("very_high", 40.0, "very_high"),
        ("very_high", 40.01, "crisis"),
        ("crisis", 39.5, "crisis"),
        ("crisis", 39.24, "very_high"),
        ("crisis", 19.9, "elevated"),
        ("crisis", 13.0, "low"),
        ("elevated", 11.5, "ultra_low"),
        ("low", 45.0, "crisis"),
    ],
)
def test_worse_is_entered_at_once_and_better_only_past_a_margin(previous, points, settled):
    assert settle_band(vix_points=points, previous=VixBand(previous), limits=LIMITS) == settled


@pytest.mark.parametrize("previous", [None, *VixBand])
@pytest.mark.parametrize(
    ("value", "age_ns", "fault"),
    [
        (math.nan, 0, InputFault.NOT_FINITE),
        (math.inf, 0, InputFault.NOT_FINITE),
        (0.0, 0, InputFault.OUT_OF_RANGE),
        (-1.0, 0, InputFault.OUT_OF_RANGE),
        (15.0, 10**15, InputFault.STALE),
    ],
)
def test_an_unusable_vix_is_no_band_and_no_entry(now_ns, previous, value, age_ns, fault):
    vix = Reading(value=value, at_ns=now_ns - age_ns)

    state = judge_vix(vix=vix, previous=previous, now_ns=now_ns, limits=LIMITS)

    assert state.band is None
    assert state.factor.label == UNUSABLE_INPUT
    assert (state.factor.size_fraction, state.factor.entries) == (0.0, EntryPolicy.NONE)
    assert [(one.name, one.fault) for one in state.factor.faults] == [("vix", fault)]


@pytest.mark.parametrize(
    ("value", "age_s", "used"),
    [
        (5.0, 900, True),
        (200.0, 0, True),
        (4.99, 0, False),
        (200.01, 0, False),
        (15.0, 900.001, False),
    ],
)
def test_a_vix_lasts_a_quarter_of_an_hour_within_what_it_can_be(now_ns, value, age_s, used):
    vix = Reading(value=value, at_ns=now_ns - int(age_s * 10**9))

    state = judge_vix(vix=vix, previous=None, now_ns=now_ns, limits=LIMITS)

    assert (state.band is not None) == used


def test_a_margin_wider_than_a_band_holds_to_the_last_strict_band():
    wide = VixLimits(relax_margin_points=30.0)

    held = settle_band(vix_points=14.0, previous=VixBand.ULTRA_LOW, limits=wide)

    assert held is VixBand.ULTRA_LOW


def test_a_missing_vix_is_no_entry(now_ns):
    state = judge_vix(vix=None, previous=VixBand.LOW, now_ns=now_ns, limits=LIMITS)

    assert [one.fault for one in state.factor.faults] == [InputFault.MISSING]
    assert state.factor.entries is EntryPolicy.NONE


def test_every_close_of_36_years_has_a_band_and_hysteresis_spares_changes(shared_data):
    with (shared_data / "vol_indices/VIX_History__cboe.csv").open() as text:
        closes = [float(row["CLOSE"]) for row in csv.DictReader(text)]
    plain = [band_of(close, LIMITS) for close in closes]
    settled = [plain[0]]
    for close in closes[1:]:
        settled.append(settle_band(vix_points=close, previous=settled[-1], limits=LIMITS))

    def changes(bands):
        return sum(a is not b for a, b in itertools.pairwise(bands))

    assert set(plain) == set(VixBand)
    assert changes(settled) < 0.8 * changes(plain)
    assert all(
        LIMITS.rule(kept).size_fraction <= LIMITS.rule(table).size_fraction
        for kept, table in zip(settled, plain, strict=True)
    )


def moved(index, from_points):
    bands = list(DEFAULT_BANDS)
    bands[index] = msgspec.structs.replace(bands[index], from_points=from_points)
    return tuple(bands)


@pytest.mark.parametrize(
    "changes",
    [
        {"bands": DEFAULT_BANDS[1:]},
        {"bands": DEFAULT_BANDS[::-1]},
        {"bands": moved(0, 3.0)},
        {"bands": moved(6, 29.0)},
        {"bands": moved(1, 0.0)},
        {"relax_margin_points": 0.0},
        {"relax_margin_points": math.inf},
        {"relax_margin_points": math.nan},
    ],
)
def test_limits_with_a_gap_or_without_a_margin_are_refused(changes):
    with pytest.raises(ValueError, match=r"VIX|margin"):
        VixLimits(**changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"size_fraction": 1.5},
        {"size_fraction": math.nan},
        {"delta_per_share_min": 0.09},
        {"delta_per_share_min": -0.01},
    ],
)
def test_a_row_that_enlarges_or_contradicts_itself_is_refused(changes):
    terms = {"band": VixBand.LOW, "from_points": 12.0, "size_fraction": 1.0}

    with pytest.raises(ValueError, match=r"fraction|rise"):
        VixBandRule(**(terms | changes))
