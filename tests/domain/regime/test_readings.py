"""Which figures may be used."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thetawarden.domain.instants import NS_PER_MINUTE
from thetawarden.domain.regime.readings import Bounds, Fault, InputFault, Reading, fault_of, sift

NOW_NS = 1_790_000_000_000_000_000
BOUNDS = Bounds(age_ns_max=15 * NS_PER_MINUTE, value_min=5.0, value_max=200.0)


@pytest.mark.parametrize(
    ("value", "age_ns", "fault"),
    [
        (20.0, 0, None),
        (5.0, 15 * NS_PER_MINUTE, None),
        (200.0, -1_000_000_000, None),
        (20.0, 15 * NS_PER_MINUTE + 1, InputFault.STALE),
        (20.0, -1_000_000_001, InputFault.FROM_THE_FUTURE),
        (math.nan, 0, InputFault.NOT_FINITE),
        (math.inf, 0, InputFault.NOT_FINITE),
        (-math.inf, 0, InputFault.NOT_FINITE),
        (4.99, 0, InputFault.OUT_OF_RANGE),
        (-1.0, 0, InputFault.OUT_OF_RANGE),
        (0.0, 0, InputFault.OUT_OF_RANGE),
        (200.01, 0, InputFault.OUT_OF_RANGE),
    ],
)
def test_a_reading_is_used_only_when_finite_possible_and_fresh(value, age_ns, fault):
    reading = Reading(value=value, at_ns=NOW_NS - age_ns)

    assert fault_of(reading=reading, now_ns=NOW_NS, bounds=BOUNDS) is fault


def test_no_reading_is_missing():
    assert fault_of(reading=None, now_ns=NOW_NS, bounds=BOUNDS) is InputFault.MISSING


@given(
    readings=st.dictionaries(
        st.text(min_size=1, max_size=4),
        st.none()
        | st.builds(
            Reading,
            value=st.floats(),
            at_ns=st.integers(NOW_NS - 10**13, NOW_NS + 10**13),
        ),
    )
)
def test_every_reading_is_either_used_or_named(readings):
    parts = sift(readings=readings, now_ns=NOW_NS, bounds=BOUNDS)

    named = {one.name for one in parts.faults}
    assert set(parts.values) | named == set(readings)
    assert set(parts.values) & named == set()
    assert all(5.0 <= value <= 200.0 for value in parts.values.values())


def test_faults_say_which_and_why():
    parts = sift(readings={"vix3m": None}, now_ns=NOW_NS, bounds=BOUNDS)

    assert parts.faults == (Fault(name="vix3m", fault=InputFault.MISSING),)
