"""The end of an option's life, by hand-computed instants and by properties of time."""

import datetime as dt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thetawarden.domain.instants import NS_PER_DAY, new_york_ns
from thetawarden.domain.market.calendar import sessions_between
from thetawarden.domain.market.expiry import (
    ExpiryFault,
    expiry_terms,
    tau_calendar_years,
    tau_trading_years,
)
from thetawarden.domain.market.products import (
    CENT_THEN_NICKEL,
    OPTION_CLASSES,
    stock_option_class,
)
from thetawarden.domain.market.sessions import Exchange, load_sessions

NYSE = load_sessions(Exchange.NYSE)
CLASSES = OPTION_CLASSES | {"AAPL": stock_option_class("AAPL", ticks=CENT_THEN_NICKEL)}
INSTANTS = st.integers(
    new_york_ns(dt.date(2015, 1, 1), dt.time(0)), new_york_ns(dt.date(2035, 1, 1), dt.time(0))
)


def utc(text):
    return int(np.datetime64(text, "ns").astype(np.int64))


@pytest.mark.parametrize(
    ("trading_class", "expiry", "last_trade", "settlement"),
    [
        ("SPX", "2023-02-17", "2023-02-16T21:15", "2023-02-17T14:30"),
        ("SPX", "2023-03-17", "2023-03-16T20:15", "2023-03-17T13:30"),
        ("SPX", "2025-04-17", "2025-04-16T20:15", "2025-04-17T13:30"),
        ("SPXW", "2023-03-17", "2023-03-17T20:00", "2023-03-17T20:00"),
        ("SPXW", "2024-07-03", "2024-07-03T17:00", "2024-07-03T17:00"),
        ("XSP", "2026-11-20", "2026-11-20T21:00", "2026-11-20T21:00"),
        ("NDX", "2026-11-20", "2026-11-19T21:15", "2026-11-20T14:30"),
        ("RUTW", "2026-11-27", "2026-11-27T18:00", "2026-11-27T18:00"),
        ("VIX", "2026-11-18", "2026-11-17T21:15", "2026-11-18T14:30"),
        ("VIXW", "2024-07-10", "2024-07-09T20:15", "2024-07-10T13:30"),
        ("SPY", "2026-10-06", "2026-10-06T20:15", "2026-10-06T20:00"),
        ("SPY", "2026-11-27", "2026-11-27T18:15", "2026-11-27T18:00"),
        ("AAPL", "2026-11-20", "2026-11-20T21:00", "2026-11-20T21:00"),
    ],
)
def test_a_series_ends_when_its_exchange_says(trading_class, expiry, last_trade, settlement):
    terms = expiry_terms(
        option_class=CLASSES[trading_class],
        expiry=dt.date.fromisoformat(expiry),
        sessions=NYSE,
    )

    assert terms.last_trade_ns == utc(last_trade)
    assert terms.settlement_ns == utc(settlement)
    assert terms.last_trade_date.isoformat() == last_trade[:10]


def test_an_am_series_after_a_half_day_trades_last_at_the_half_days_end():
    terms = expiry_terms(option_class=CLASSES["VIXW"], expiry=dt.date(2025, 12, 26), sessions=NYSE)

    assert terms.last_trade_ns == utc("2025-12-24T18:15")


def test_nothing_expires_on_a_holiday():
    good_friday = dt.date(2025, 4, 18)

    terms = expiry_terms(option_class=CLASSES["SPXW"], expiry=good_friday, sessions=NYSE)

    assert terms is ExpiryFault.NOT_A_SESSION


@pytest.mark.parametrize("terms", CLASSES.values(), ids=lambda one: one.trading_class)
def test_every_class_ends_after_its_last_trading_day_began(terms):
    for day in sessions_between(dt.date(2020, 1, 2), dt.date(2022, 1, 2), NYSE):
        end = expiry_terms(option_class=terms, expiry=day, sessions=NYSE)
        assert end.last_trade_date <= day
        assert end.last_trade_ns > new_york_ns(end.last_trade_date, dt.time(9, 30))
        assert abs(end.settlement_ns - end.last_trade_ns) < 5 * NS_PER_DAY


@given(now=INSTANTS, later=INSTANTS)
def test_time_left_is_never_negative_and_trading_time_never_outruns_the_clock(now, later):
    calendar = float(tau_calendar_years(now_ns=now, settlement_ns=later))
    trading = float(tau_trading_years(now_ns=now, settlement_ns=later, sessions=NYSE))

    assert calendar >= 0
    assert 0 <= trading <= (later - now) / (252 * 390 * 60e9) or later <= now
    if later <= now:
        assert calendar == trading == 0


@given(instants=st.lists(INSTANTS, min_size=3, max_size=3).map(sorted))
def test_time_left_adds_up_along_the_way(instants):
    first, middle, last = instants

    for tau in (
        tau_calendar_years,
        lambda **at: tau_trading_years(sessions=NYSE, **at),
    ):
        parts = tau(now_ns=first, settlement_ns=middle) + tau(now_ns=middle, settlement_ns=last)
        assert parts == pytest.approx(tau(now_ns=first, settlement_ns=last), abs=1e-12)


def test_a_full_session_is_a_252nd_of_a_trading_year_and_a_night_is_nothing():
    friday_close = utc("2026-11-13T21:00")
    monday_open, monday_close = utc("2026-11-16T14:30"), utc("2026-11-16T21:00")

    taus = tau_trading_years(
        now_ns=friday_close,
        settlement_ns=np.array([friday_close, monday_open, monday_close]),
        sessions=NYSE,
    )

    np.testing.assert_allclose(taus, [0, 0, 1 / 252], atol=1e-15)


def test_a_half_day_counts_its_three_and_a_half_hours():
    tau = tau_trading_years(
        now_ns=utc("2026-11-25T21:00"), settlement_ns=utc("2026-11-27T18:00"), sessions=NYSE
    )

    assert float(tau) == pytest.approx(3.5 / 6.5 / 252)


def test_a_calendar_year_has_365_days():
    now = utc("2026-11-20T15:00")

    assert float(tau_calendar_years(now_ns=now, settlement_ns=now + 365 * NS_PER_DAY)) == 1.0
