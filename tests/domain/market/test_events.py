"""What is scheduled: our own dates against an independent table, and the lookups over them."""

import csv
import datetime as dt
import itertools
import json
from pathlib import Path

import msgspec
import pytest
import yaml

from thetawarden.domain.market import events
from thetawarden.domain.market.events import (
    DayNote,
    Earnings,
    EarningsCalendar,
    EarningsRisk,
    EarningsTime,
    ExDividend,
    MacroDates,
    MacroKind,
    MacroNote,
    MacroSchedule,
    Nearness,
    day_notes,
    earnings_risk,
    macro_notes,
    next_ex_dividend,
)
from thetawarden.domain.market.sessions import Exchange, load_sessions

NYSE = load_sessions(Exchange.NYSE)
SHIPPED = Path(events.__file__).parent / "macro_dates.yaml"
EVENT_OF = {MacroKind.FOMC: "fomc_decision", MacroKind.CPI: "cpi", MacroKind.NFP: "nfp"}


@pytest.fixture(scope="module")
def macro():
    return msgspec.convert(yaml.safe_load(SHIPPED.read_text()), MacroDates)


def day(text):
    return dt.date.fromisoformat(text)


@pytest.mark.parametrize("kind", MacroKind)
def test_the_dates_we_ship_are_the_ones_an_independent_table_knows(shared_data, macro, kind):
    with (shared_data / "events/macro_events_2000_2027__mslade50.csv").open() as text:
        theirs = {
            day(row["date"]) for row in csv.DictReader(text) if row["event"] == EVENT_OF[kind]
        }
    ours = macro.schedule(kind)

    assert list(ours.days) == sorted(set(ours.days))
    assert set(ours.days) == {d for d in theirs if ours.days[0] <= d <= ours.known_until}


@pytest.mark.parametrize(
    ("when", "notes"),
    [
        ("2026-10-26", []),
        ("2026-10-27", [("fomc", "day_before")]),
        ("2026-10-28", [("fomc", "day_of")]),
        ("2026-10-29", []),
        ("2026-12-08", [("fomc", "day_before")]),
        ("2026-12-09", [("fomc", "day_of"), ("cpi", "day_before")]),
        ("2026-12-10", [("cpi", "day_of")]),
        ("2024-06-12", [("fomc", "day_of"), ("cpi", "day_of")]),
        ("2023-04-06", [("nfp", "day_before")]),
        ("2027-03-16", [("fomc", "day_before"), ("cpi", "unknown"), ("nfp", "unknown")]),
        ("2022-06-15", [("fomc", "unknown"), ("cpi", "unknown"), ("nfp", "unknown")]),
    ],
)
def test_a_session_knows_what_is_announced_on_it_and_on_the_next(macro, when, notes):
    found = macro_notes(day=day(when), macro=macro, sessions=NYSE)

    assert [(one.kind.value, one.nearness.value) for one in found] == notes


def test_a_release_on_good_friday_is_felt_on_the_session_after():
    schedule = MacroSchedule(
        known_until=day("2023-12-31"), days=(day("2023-01-06"), day("2023-04-07"))
    )
    macro = MacroDates(fomc=schedule, cpi=schedule, nfp=schedule)

    monday = macro_notes(day=day("2023-04-10"), macro=macro, sessions=NYSE)

    assert MacroNote(kind=MacroKind.NFP, nearness=Nearness.DAY_OF) in monday


def test_an_empty_schedule_is_unknown_not_quiet():
    empty = MacroSchedule(known_until=day("2026-12-31"), days=())
    macro = MacroDates(fomc=empty, cpi=empty, nfp=empty)

    notes = macro_notes(day=day("2026-06-01"), macro=macro, sessions=NYSE)

    assert [one.nearness for one in notes] == [Nearness.UNKNOWN] * 3


@pytest.mark.parametrize(
    ("when", "notes"),
    [
        ("2026-11-20", []),
        ("2026-11-25", [DayNote.BEFORE_HOLIDAY]),
        ("2026-11-27", [DayNote.AFTER_HOLIDAY, DayNote.HALF_DAY]),
        ("2026-11-30", []),
        ("2026-12-18", [DayNote.TRIPLE_WITCHING]),
        ("2026-12-24", [DayNote.BEFORE_HOLIDAY, DayNote.HALF_DAY]),
        ("2026-12-28", [DayNote.AFTER_HOLIDAY]),
        ("2026-06-18", [DayNote.TRIPLE_WITCHING, DayNote.BEFORE_HOLIDAY]),
        ("2026-09-04", [DayNote.BEFORE_HOLIDAY]),
        ("2026-09-08", [DayNote.AFTER_HOLIDAY]),
    ],
)
def test_a_session_knows_its_place_in_the_calendar(when, notes):
    assert list(day_notes(day(when), NYSE)) == notes


def calendar(*reports):
    return EarningsCalendar(
        known_from=day("2026-01-01"), known_until=day("2026-12-31"), reports=reports
    )


@pytest.mark.parametrize(
    ("report_day", "time", "risk"),
    [
        ("2026-10-28", EarningsTime.AFTER_CLOSE, EarningsRisk.CLEAR),
        ("2026-10-29", EarningsTime.BEFORE_OPEN, EarningsRisk.CLEAR),
        ("2026-10-29", EarningsTime.UNKNOWN, EarningsRisk.REPORTS),
        ("2026-10-29", EarningsTime.AFTER_CLOSE, EarningsRisk.REPORTS),
        ("2026-11-02", EarningsTime.BEFORE_OPEN, EarningsRisk.REPORTS),
        ("2026-11-06", EarningsTime.AFTER_CLOSE, EarningsRisk.REPORTS),
        ("2026-11-07", EarningsTime.BEFORE_OPEN, EarningsRisk.CLEAR),
    ],
)
def test_a_report_within_the_positions_life_is_found(report_day, time, risk):
    known = calendar(Earnings(day=day(report_day), time=time))

    found = earnings_risk(entry_day=day("2026-10-29"), expiry=day("2026-11-06"), calendar=known)

    assert found is risk


def test_the_first_and_the_last_day_of_what_is_known_are_known():
    risk = earnings_risk(entry_day=day("2026-01-01"), expiry=day("2026-12-31"), calendar=calendar())

    assert risk is EarningsRisk.CLEAR


@pytest.mark.parametrize(
    ("when", "known"),
    [("2026-06-01", False), ("2026-06-02", True), ("2026-06-29", True), ("2026-06-30", False)],
)
def test_a_schedule_is_complete_from_its_first_day_to_the_last_it_knows(when, known):
    schedule = MacroSchedule(known_until=day("2026-06-30"), days=(day("2026-06-02"),))
    macro = MacroDates(fomc=schedule, cpi=schedule, nfp=schedule)

    notes = macro_notes(day=day(when), macro=macro, sessions=NYSE)

    assert (Nearness.UNKNOWN not in {one.nearness for one in notes}) == known


@pytest.mark.parametrize(
    ("entry", "expiry", "known"),
    [
        ("2026-10-29", "2026-11-06", None),
        ("2026-12-21", "2027-01-15", calendar()),
        ("2025-12-30", "2026-01-16", calendar()),
    ],
)
def test_a_life_beyond_what_is_known_is_unknown_not_clear(entry, expiry, known):
    assert (
        earnings_risk(entry_day=day(entry), expiry=day(expiry), calendar=known)
        is EarningsRisk.UNKNOWN
    )


def test_a_real_companys_reports_block_exactly_the_lives_they_fall_into(shared_data):
    text = (shared_data / "events/earnings_dates_184_stocks__mslade50.json").read_text()
    reports = tuple(Earnings(day=day(one)) for one in sorted(json.loads(text)["CVX"]))
    known = EarningsCalendar(
        known_from=reports[0].day, known_until=reports[-1].day, reports=reports
    )

    for before, after in itertools.pairwise(reports):
        entry, expiry = before.day + dt.timedelta(days=1), after.day - dt.timedelta(days=1)
        assert earnings_risk(entry_day=entry, expiry=expiry, calendar=known) is EarningsRisk.CLEAR
        assert (
            earnings_risk(entry_day=entry, expiry=after.day, calendar=known) is EarningsRisk.REPORTS
        )


@pytest.mark.parametrize(
    ("when", "found"),
    [("2026-11-19", False), ("2026-11-20", True), ("2026-11-23", False), ("2026-11-24", False)],
)
def test_the_session_before_an_ex_day_knows_the_dividend(when, found):
    dividend = ExDividend(ex_day=day("2026-11-23"), amount_usd=1.9)

    tonight = next_ex_dividend(day=day(when), dividends=(dividend,), sessions=NYSE)

    assert tonight == (dividend if found else None)
