"""Trading days against real price histories and the exchanges' published holidays."""

import csv
import datetime as dt
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thetawarden.domain.instants import (
    NS_PER_HOUR,
    new_york_clock,
    new_york_date,
    new_york_ns,
)
from thetawarden.domain.market.calendar import (
    DateOutsideCalendarError,
    is_half_day,
    is_session,
    next_session,
    previous_session,
    session_on_or_after,
    session_on_or_before,
    sessions_between,
)
from thetawarden.domain.market.sessions import Exchange, Sessions, load_sessions

NYSE = load_sessions(Exchange.NYSE)
CME = load_sessions(Exchange.CME)
DAYS = st.dates(dt.date(1995, 1, 1), dt.date(2045, 12, 31))


@pytest.mark.parametrize(
    "file",
    [
        "SPY_1993_2025__silverlight.csv",
        "IWM_2000_2025__silverlight.csv",
        "QQQ_1999_2025__hjyssg.csv",
    ],
)
def test_a_fund_traded_on_exactly_our_sessions(shared_data, file):
    with (shared_data / "equity_indices" / file).open() as text:
        traded = [dt.date.fromisoformat(row[0]) for row in csv.reader(text) if row[0][:1].isdigit()]

    assert tuple(traded) == sessions_between(traded[0], traded[-1], NYSE)


def test_the_holidays_and_half_days_of_2026_are_the_published_ones():
    weekdays = [dt.date(2026, 1, 1) + dt.timedelta(days=n) for n in range(365)]
    closed = [d for d in weekdays if d.weekday() < 5 and not is_session(d, NYSE)]
    half = [d for d in weekdays if is_half_day(d, NYSE)]

    assert [f"{d:%m%d}" for d in closed] == (
        ["0101", "0119", "0216", "0403", "0525", "0619", "0703", "0907", "1126", "1225"]
    )
    assert [f"{d:%m%d}" for d in half] == ["1127", "1224"]


def test_new_york_opens_and_closes_by_its_own_clock_all_year():
    for day, open_utc, close_utc in [
        ("2026-03-06", "14:30", "21:00"),
        ("2026-03-09", "13:30", "20:00"),
        ("2026-10-30", "13:30", "20:00"),
        ("2026-11-02", "14:30", "21:00"),
        ("2026-11-27", "14:30", "18:00"),
    ]:
        row = np.flatnonzero(NYSE.dates == np.datetime64(day))[0]
        assert str(np.datetime64(int(NYSE.open_ns[row]), "ns"))[11:16] == open_utc
        assert str(np.datetime64(int(NYSE.close_ns[row]), "ns"))[11:16] == close_utc


def test_futures_rest_for_an_hour_before_the_next_session_opens():
    gaps_ns = CME.open_ns[1:] - CME.close_ns[:-1]

    assert gaps_ns.min() == NS_PER_HOUR
    assert new_york_clock(int(CME.close_ns[-1])).time() == dt.time(17)
    assert new_york_clock(int(CME.open_ns[-1])).time() == dt.time(18)


@pytest.mark.parametrize("sessions", [NYSE, CME], ids=["NYSE", "CME"])
def test_sessions_follow_each_other_without_overlap(sessions):
    assert (sessions.close_ns > sessions.open_ns).all()
    assert (sessions.open_ns[1:] > sessions.close_ns[:-1]).all()


@given(day=DAYS)
def test_a_days_neighbours_enclose_it(day):
    before, after = previous_session(day, NYSE), next_session(day, NYSE)

    assert before < day < after
    assert sessions_between(before, after, NYSE) in ((before, day, after), (before, after))
    assert is_session(day, NYSE) == (session_on_or_before(day, NYSE) == day)
    assert session_on_or_after(day, NYSE) == (day if is_session(day, NYSE) else after)
    assert session_on_or_before(day, NYSE) == (day if is_session(day, NYSE) else before)


def test_a_backward_range_holds_no_session():
    assert sessions_between(dt.date(2026, 1, 9), dt.date(2026, 1, 5), NYSE) == ()


@pytest.mark.parametrize("day", [dt.date(1980, 1, 2), dt.date(2060, 1, 2)])
def test_a_day_beyond_the_table_is_refused_not_guessed(day):
    with pytest.raises(DateOutsideCalendarError, match=str(day)):
        is_session(day, NYSE)


def test_the_table_answers_up_to_its_own_edges_and_not_beyond():
    dates = np.array(["2026-11-19", "2026-11-20", "2026-11-23"], dtype="datetime64[D]")
    nothing_ns = np.zeros(3, dtype=np.int64)
    table = Sessions(
        dates=dates, open_ns=nothing_ns, close_ns=nothing_ns, is_half=np.zeros(3, dtype=bool)
    )
    first, middle, last = dates.tolist()

    assert is_session(first, table)
    assert is_session(last, table)
    assert session_on_or_before(first, table) == first
    assert session_on_or_after(last, table) == last
    assert session_on_or_before(dt.date(2026, 11, 22), table) == middle
    assert previous_session(middle, table) == first
    assert next_session(middle, table) == last
    assert sessions_between(middle, middle, table) == (middle,)
    assert sessions_between(first, last, table) == (first, middle, last)
    assert sessions_between(first, dt.date(2026, 11, 22), table) == (first, middle)
    for ask in (
        lambda: previous_session(first, table),
        lambda: next_session(last, table),
        lambda: is_session(first - dt.timedelta(days=1), table),
        lambda: is_session(last + dt.timedelta(days=1), table),
    ):
        with pytest.raises(DateOutsideCalendarError, match="2026-11-19 to 2026-11-23"):
            ask()


def test_nobody_can_write_into_the_shared_table():
    with pytest.raises(ValueError, match="read-only"):
        NYSE.open_ns[0] = 0


def test_importing_the_rules_does_not_import_the_calendar_library():
    code = (
        "import sys, thetawarden.domain.market.expiry, thetawarden.domain.market.products;"
        "sys.exit(bool({'pandas', 'exchange_calendars'} & set(sys.modules)))"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@given(day=DAYS, hour=st.integers(3, 23), minute=st.integers(0, 59))
def test_new_yorks_clock_reads_back_what_was_asked(day, hour, minute):
    instant = new_york_ns(day, dt.time(hour, minute))

    assert new_york_date(instant) == day
    assert new_york_clock(instant).time() == dt.time(hour, minute)
    assert instant == dt.datetime.fromtimestamp(instant / 1e9, dt.UTC).timestamp() * 1e9
