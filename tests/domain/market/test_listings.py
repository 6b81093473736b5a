"""Expiry days against SPY's real ones, a real SPX chain, and an independent events table."""

import csv
import datetime as dt
import gzip
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thetawarden.domain.market.calendar import is_session
from thetawarden.domain.market.contracts import ExpiryCycle, ListedCycle
from thetawarden.domain.market.listings import (
    expiries_from,
    is_triple_witching,
    listed_expiries,
    month_end,
    monthly_expiry,
    third_friday,
    vix_monthly_expiry,
    weekly_expiries,
)
from thetawarden.domain.market.occ import parse_occ
from thetawarden.domain.market.products import OPTION_CLASSES
from thetawarden.domain.market.sessions import Exchange, load_sessions

NYSE = load_sessions(Exchange.NYSE)
DAYS = st.dates(dt.date(2015, 1, 1), dt.date(2035, 12, 31))


def days_of(cycle, first, last):
    listed = ListedCycle(cycle=cycle, ahead=1)
    endless = expiries_from(day=first, listed=listed, sessions=NYSE)
    return list(itertools.takewhile(lambda day: day <= last, endless))


def events(shared_data, kind):
    with (shared_data / "events/macro_events_2000_2027__mslade50.csv").open() as text:
        rows = [row for row in csv.DictReader(text) if row["event"] == kind]
    return [dt.date.fromisoformat(row["date"]) for row in rows]


# The table computes third Fridays without the holiday the exchanges have kept since 2022.
JUNETEENTHS = [("2026-06-18", "2026-06-19"), ("2027-06-17", "2027-06-18")]


def differences(ours, theirs):
    return [
        (str(mine), str(other)) for mine, other in zip(ours, theirs, strict=True) if mine != other
    ]


def test_spy_expired_every_friday_of_nine_years_as_we_say(shared_data):
    with (shared_data / "events/spy_expirations_2010_2018__pritamdalal.csv").open() as text:
        rows = list(csv.DictReader(text))
    fridays = [dt.date.fromisoformat(row["last_trade_date"]) for row in rows]
    monthlies = [
        dt.date.fromisoformat(row["last_trade_date"]) for row in rows if row["monthly"] == "TRUE"
    ]

    assert days_of(ExpiryCycle.FRIDAY, fridays[0], fridays[-1]) == fridays
    assert days_of(ExpiryCycle.THIRD_FRIDAY, fridays[0], fridays[-1]) == monthlies


def test_a_real_spx_chain_lists_exactly_the_days_we_list(shared_data):
    as_of = dt.date(2023, 2, 7)
    with gzip.open(shared_data / "option_chains/spx_20230207.csv.gz", "rt") as text:
        contracts = {
            (one.trading_class, one.expiry)
            for one in (parse_occ(row[1]) for row in csv.reader(itertools.islice(text, 4, None)))
        }
    for name in ("SPX", "SPXW"):
        real = {expiry for trading_class, expiry in contracts if trading_class == name}

        ours = listed_expiries(as_of=as_of, option_class=OPTION_CLASSES[name], sessions=NYSE)

        assert set(ours) == real


def test_monthly_expiries_and_witching_agree_with_an_independent_table(shared_data):
    first, last = dt.date(2000, 1, 1), dt.date(2027, 12, 31)

    ours = days_of(ExpiryCycle.THIRD_FRIDAY, first, last)

    witching = [day for day in ours if is_triple_witching(day, NYSE)]

    assert differences(ours, events(shared_data, "opex")) == JUNETEENTHS
    assert differences(witching, events(shared_data, "quad_witching")) == JUNETEENTHS


def test_vix_expiries_agree_with_an_independent_table_but_for_juneteenth(shared_data):
    ours = days_of(ExpiryCycle.VIX_MONTHLY, dt.date(2000, 1, 1), dt.date(2027, 12, 31))

    assert differences(ours, events(shared_data, "vix_expiry")) == [
        ("2024-06-18", "2024-06-19"),
        ("2026-05-19", "2026-05-20"),
        ("2027-05-18", "2027-05-19"),
    ]


@pytest.mark.parametrize(
    ("year", "month", "expiry"),
    [(2026, 11, "2026-11-20"), (2025, 4, "2025-04-17"), (2014, 4, "2014-04-17")],
)
def test_a_third_friday_that_is_good_friday_moves_to_thursday(year, month, expiry):
    assert monthly_expiry(year=year, month=month, sessions=NYSE).isoformat() == expiry


@pytest.mark.parametrize(
    ("year", "month", "expiry"),
    [
        (2026, 11, "2026-11-18"),
        (2019, 3, "2019-03-19"),
        (2025, 3, "2025-03-18"),
        (2026, 5, "2026-05-19"),
        (2025, 12, "2025-12-17"),
    ],
)
def test_vix_settles_thirty_days_before_the_next_months_spx_expiry(year, month, expiry):
    assert vix_monthly_expiry(year=year, month=month, sessions=NYSE).isoformat() == expiry


@given(year=st.integers(2000, 2045), month=st.integers(1, 12))
def test_the_third_friday_is_a_friday_with_two_before_it(year, month):
    day = third_friday(year, month)

    assert day.weekday() == 4
    assert 15 <= day.day <= 21


@given(year=st.integers(2000, 2045), month=st.integers(1, 12))
def test_nothing_is_traded_between_a_months_end_and_the_next_month(year, month):
    end = month_end(year=year, month=month, sessions=NYSE)

    later = [end + dt.timedelta(days=n) for n in range(1, 8)]

    assert is_session(end, NYSE)
    assert end.month == month
    assert [day for day in later if day.month == month and is_session(day, NYSE)] == []


@given(day=DAYS, weekday=st.integers(0, 4))
def test_weekly_expiries_lie_on_their_weekday_unless_it_is_a_holiday(day, weekday):
    found = itertools.islice(weekly_expiries(day=day, weekday=weekday, sessions=NYSE), 12)

    for expiry in found:
        monday = expiry - dt.timedelta(days=expiry.weekday())
        nominal = monday + dt.timedelta(days=weekday)
        assert (expiry == nominal) == is_session(nominal, NYSE)


def test_a_monday_holiday_moves_its_expiry_to_tuesday():
    labour_day = dt.date(2026, 9, 7)

    moved = itertools.islice(weekly_expiries(day=labour_day, weekday=0, sessions=NYSE), 2)

    assert [day.isoformat() for day in moved] == ["2026-08-31", "2026-09-08"]


def test_a_wednesday_holiday_moves_its_expiry_to_tuesday():
    christmas = dt.date(2024, 12, 25)

    moved = itertools.islice(weekly_expiries(day=christmas, weekday=2, sessions=NYSE), 2)

    assert [day.isoformat() for day in moved] == ["2024-12-18", "2024-12-24"]


def test_vix_weeklies_settle_on_wednesdays_or_before_when_their_friday_is_a_holiday():
    weeklies = days_of(ExpiryCycle.VIX_WEEKLY, dt.date(2026, 11, 1), dt.date(2026, 12, 31))

    assert [f"{day:%m%d}" for day in weeklies] == [
        "1104",
        "1111",
        "1124",
        "1201",
        "1209",
        "1223",
        "1230",
    ]


@pytest.mark.parametrize("name", OPTION_CLASSES)
@given(as_of=DAYS)
def test_listed_expiries_are_coming_sessions_in_order(name, as_of):
    listed = listed_expiries(as_of=as_of, option_class=OPTION_CLASSES[name], sessions=NYSE)

    assert list(listed) == sorted(set(listed))
    assert listed[0] >= as_of
    assert all(is_session(day, NYSE) for day in listed)


@given(as_of=DAYS)
def test_the_classes_of_xsp_share_no_expiry_but_month_ends(as_of):
    standard, other = (
        set(listed_expiries(as_of=as_of, option_class=OPTION_CLASSES[name], sessions=NYSE))
        for name in ("XSP", "XSPW")
    )

    assert standard & other == set()


@pytest.mark.parametrize("cycle", ExpiryCycle)
@given(day=DAYS)
def test_every_cycle_starts_at_its_day_and_goes_on(cycle, day):
    listed = ListedCycle(cycle=cycle, ahead=4)

    found = list(itertools.islice(expiries_from(day=day, listed=listed, sessions=NYSE), 4))
    again = next(expiries_from(day=found[0], listed=listed, sessions=NYSE))

    assert day <= found[0] <= day + dt.timedelta(days=40)
    assert found == sorted(set(found))
    assert again == found[0]
