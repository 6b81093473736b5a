"""What is due when on a trading day, and what becomes of what was missed."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thetawarden.domain.instants import NS_PER_DAY, NS_PER_HOUR, UnixNs, iso, new_york_ns
from thetawarden.domain.market.sessions import Exchange, load_sessions
from thetawarden.domain.timetable import DayEvent, DayPlan, appointments, coming, due_since

SESSIONS = load_sessions(Exchange.NYSE)
PLAN = DayPlan()


def day_of(day):
    return appointments(day, plan=PLAN, sessions=SESSIONS)


def at(each, what):
    (found,) = [one.due_ns for one in each if one.what is what]
    return iso(found)


@pytest.mark.parametrize(
    ("day", "opens", "closes"),
    [
        (dt.date(2026, 2, 3), "2026-02-03T14:30:00.000Z", "2026-02-03T21:00:00.000Z"),
        (dt.date(2026, 3, 9), "2026-03-09T13:30:00.000Z", "2026-03-09T20:00:00.000Z"),  # summer
        (dt.date(2026, 11, 2), "2026-11-02T14:30:00.000Z", "2026-11-02T21:00:00.000Z"),  # winter
        (dt.date(2026, 11, 27), "2026-11-27T14:30:00.000Z", "2026-11-27T18:00:00.000Z"),  # half
    ],
)
def test_the_day_follows_the_exchange_on_half_days_and_when_the_clocks_change(day, opens, closes):
    each = day_of(day)

    assert at(each, DayEvent.OPEN) == opens
    assert at(each, DayEvent.CLOSE) == closes
    assert [one.due_ns for one in each] == sorted(one.due_ns for one in each)


@pytest.mark.parametrize("day", [dt.date(2026, 7, 3), dt.date(2026, 2, 7), dt.date(2026, 12, 25)])
def test_nothing_is_due_on_a_day_without_a_session(day):
    assert day_of(day) == ()


def test_a_half_day_has_as_many_rounds_as_it_has_time_for():
    rounds = [one for one in day_of(dt.date(2026, 11, 27)) if one.what is DayEvent.INTRADAY]

    assert len(rounds) == 6  # 10:00 to 12:30; 13:00 is the close


@given(
    start=st.integers(0, 300 * NS_PER_DAY // NS_PER_HOUR),
    looks=st.lists(st.integers(1, 100), min_size=1, max_size=30),
)
def test_whoever_looks_whenever_nothing_comes_twice_and_what_matters_is_never_lost(start, looks):
    """A close, its reconciliation and its stress are made up by the first look before the next."""
    now = new_york_ns(dt.date(2026, 1, 5), dt.time()) + start * NS_PER_HOUR
    seen = []
    for hours in looks:
        done, now = UnixNs(now), UnixNs(now + hours * NS_PER_HOUR // 2)
        due, void = due_since(done, now, plan=PLAN, sessions=SESSIONS)
        assert all(done < one.due_ns <= now < one.until_ns for one in due)
        assert all(one.until_ns <= now for one in void)
        seen += [(one.what, one.due_ns) for one in (*due, *void)]

    assert len(seen) == len(set(seen))


def test_after_a_weekend_of_downtime_fridays_close_is_made_up_on_sunday_and_skipped_on_monday():
    friday = new_york_ns(dt.date(2026, 2, 6), dt.time(12))
    sunday = new_york_ns(dt.date(2026, 2, 8), dt.time(12))
    monday = new_york_ns(dt.date(2026, 2, 9), dt.time(10))

    on_sunday, _ = due_since(friday, sunday, plan=PLAN, sessions=SESSIONS)
    on_monday, skipped = due_since(friday, monday, plan=PLAN, sessions=SESSIONS)

    after_hours = [DayEvent.CLOSE, DayEvent.RECONCILE, DayEvent.STRESS, DayEvent.LEARN]
    assert [one.what for one in on_sunday] == after_hours
    assert [one.what for one in on_monday][:2] == [DayEvent.PRE_MARKET, DayEvent.OPEN]
    assert set(after_hours) <= {one.what for one in skipped}


def test_rounds_of_the_day_are_never_made_up():
    opened = new_york_ns(dt.date(2026, 2, 3), dt.time(9, 31))
    later = new_york_ns(dt.date(2026, 2, 3), dt.time(14, 10))

    due, void = due_since(opened, later, plan=PLAN, sessions=SESSIONS)

    assert [iso(one.due_ns)[11:16] for one in due] == ["19:00"]  # 14:00 in New York, still on
    assert {one.what for one in void} == {DayEvent.INTRADAY}


def test_what_comes_is_told_over_a_weekend_too():
    saturday = new_york_ns(dt.date(2026, 2, 7), dt.time(12))

    first, *_ = coming(saturday, plan=PLAN, sessions=SESSIONS, count=3)

    assert (first.what, first.day) == (DayEvent.PRE_MARKET, dt.date(2026, 2, 9))
