"""When a trading day turns, through summer time and whatever hour a person chooses."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thetawarden.domain.instants import (
    NS_PER_DAY,
    NS_PER_HOUR,
    new_york_date,
    new_york_ns,
    trading_day,
    trading_day_start_ns,
)

DAYS = st.dates(dt.date(2020, 1, 1), dt.date(2040, 1, 1))
TURNS = st.builds(dt.time, st.integers(0, 23), st.sampled_from((0, 15, 30)))
NIGHTS = st.sampled_from([dt.date(2026, 3, 8), dt.date(2026, 11, 1), dt.date(2026, 6, 1)])


@given(day=DAYS | NIGHTS, turns_at=TURNS, into=st.floats(0, 1, exclude_max=True))
def test_an_instant_belongs_to_the_day_that_began_last(day, turns_at, into):
    start = trading_day_start_ns(day, turns_at)
    following = trading_day_start_ns(day + dt.timedelta(days=1), turns_at)
    instant = start + int(into * (following - start))

    assert trading_day(instant, turns_at) == day
    assert trading_day(start - 1, turns_at) == day - dt.timedelta(days=1)
    assert NS_PER_DAY - NS_PER_HOUR <= following - start <= NS_PER_DAY + NS_PER_HOUR


@given(day=DAYS, seconds=st.integers(0, 86_399))
def test_a_day_that_turns_at_midnight_is_the_calendars(day, seconds):
    instant = new_york_ns(day, dt.time()) + seconds * 10**9

    assert trading_day(instant, dt.time()) == new_york_date(instant)


@pytest.mark.parametrize(
    ("at", "day"),
    [(dt.time(17, 14), 3), (dt.time(17, 15), 4), (dt.time(23, 59), 4), (dt.time(0), 3)],
)
def test_a_day_that_turns_in_the_evening_is_named_after_the_next_date(at, day):
    instant = new_york_ns(dt.date(2026, 2, 3), at)

    assert trading_day(instant, dt.time(17, 15)) == dt.date(2026, 2, day)
