"""Phases of the trading day by New York's clock, half days and clock changes included."""

import datetime as dt
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thetawarden.domain.instants import new_york_clock, new_york_ns
from thetawarden.domain.market.hours import Phase, phase_at, segment_at, segments_on
from thetawarden.domain.market.products import (
    CENT_THEN_NICKEL,
    FUTURES,
    OPTION_CLASSES,
    stock_option_class,
)
from thetawarden.domain.market.sessions import Exchange, load_sessions

NYSE = load_sessions(Exchange.NYSE)
CME = load_sessions(Exchange.CME)
SPX = OPTION_CLASSES["SPXW"].hours
SPY = OPTION_CLASSES["SPY"].hours
STOCK = stock_option_class("AAPL", ticks=CENT_THEN_NICKEL).hours
ES = FUTURES["ES"].hours
VX = FUTURES["VIX"].hours
DAYS = st.dates(dt.date(2010, 1, 1), dt.date(2045, 12, 31))


@pytest.mark.parametrize(
    ("hours", "when", "phase"),
    [
        (SPX, "2026-11-16T09:24:59", Phase.OVERNIGHT),
        (SPX, "2026-11-16T09:25:00", Phase.CLOSED),
        (SPX, "2026-11-16T09:29:59", Phase.CLOSED),
        (SPX, "2026-11-16T09:30:00", Phase.REGULAR),
        (SPX, "2026-11-16T16:14:59", Phase.REGULAR),
        (SPX, "2026-11-16T16:15:00", Phase.CURB),
        (SPX, "2026-11-16T17:00:00", Phase.CLOSED),
        (SPX, "2026-11-16T20:15:00", Phase.OVERNIGHT),
        (SPX, "2026-11-15T20:14:59", Phase.CLOSED),
        (SPX, "2026-11-15T20:15:00", Phase.OVERNIGHT),
        (SPX, "2026-11-20T21:00:00", Phase.CLOSED),
        (SPX, "2026-11-25T21:00:00", Phase.CLOSED),
        (SPX, "2026-11-26T21:00:00", Phase.OVERNIGHT),
        (SPX, "2026-11-27T13:14:59", Phase.REGULAR),
        (SPX, "2026-11-27T13:15:00", Phase.CLOSED),
        (SPX, "2026-11-27T16:30:00", Phase.CLOSED),
        (SPY, "2026-11-16T08:00:00", Phase.CLOSED),
        (SPY, "2026-11-16T16:14:59", Phase.REGULAR),
        (SPY, "2026-11-16T16:20:00", Phase.CLOSED),
        (STOCK, "2026-11-16T15:59:59", Phase.REGULAR),
        (STOCK, "2026-11-16T16:00:00", Phase.CLOSED),
        (STOCK, "2026-11-27T13:00:00", Phase.CLOSED),
        (STOCK, "2026-12-25T12:00:00", Phase.CLOSED),
    ],
)
def test_options_trade_in_their_published_hours(hours, when, phase):
    moment = dt.datetime.fromisoformat(when)

    now_ns = new_york_ns(moment.date(), moment.time())

    assert phase_at(now_ns=now_ns, hours=hours, sessions=NYSE) is phase


@pytest.mark.parametrize(
    ("hours", "sessions", "when", "phase"),
    [
        (ES, CME, "2026-11-15T17:59:59", Phase.CLOSED),
        (ES, CME, "2026-11-15T18:00:00", Phase.REGULAR),
        (ES, CME, "2026-11-16T16:59:59", Phase.REGULAR),
        (ES, CME, "2026-11-16T17:00:00", Phase.CLOSED),
        (ES, CME, "2026-11-16T17:59:59", Phase.CLOSED),
        (ES, CME, "2026-11-16T18:00:00", Phase.REGULAR),
        (ES, CME, "2026-11-20T18:00:00", Phase.CLOSED),
        (ES, CME, "2026-11-26T12:59:59", Phase.REGULAR),
        (ES, CME, "2026-11-26T13:00:00", Phase.CLOSED),
        (ES, CME, "2026-11-26T18:00:00", Phase.REGULAR),
        (VX, NYSE, "2026-11-16T03:00:00", Phase.REGULAR),
        (VX, NYSE, "2026-11-16T17:30:00", Phase.CLOSED),
        (VX, NYSE, "2026-11-26T12:00:00", Phase.CLOSED),
        (VX, NYSE, "2026-11-27T13:15:00", Phase.CLOSED),
    ],
)
def test_futures_pause_for_maintenance_and_for_holidays(hours, sessions, when, phase):
    moment = dt.datetime.fromisoformat(when)

    now_ns = new_york_ns(moment.date(), moment.time())

    assert phase_at(now_ns=now_ns, hours=hours, sessions=sessions) is phase


def test_the_hours_of_index_futures_are_the_librarys_sessions_day_by_day():
    rows = range(6000, len(CME.dates) - 6000)

    for row in rows:
        day = CME.dates[row].item()
        (segment,) = segments_on(trading_day=day, hours=ES, sessions=CME)
        assert (segment.open_ns, segment.close_ns) == (CME.open_ns[row], CME.close_ns[row])


@given(day=DAYS)
def test_a_days_phases_are_in_order_and_found_again_by_their_instants(day):
    segments = segments_on(trading_day=day, hours=SPX, sessions=NYSE)

    for before, after in itertools.pairwise(segments):
        assert before.close_ns <= after.open_ns
    for segment in segments:
        assert segment_at(now_ns=segment.open_ns, hours=SPX, sessions=NYSE) == segment
        assert segment_at(now_ns=segment.close_ns - 1, hours=SPX, sessions=NYSE) == segment


def test_the_night_after_the_clocks_change_still_opens_by_new_yorks_clock():
    (overnight, *_) = segments_on(trading_day=dt.date(2026, 3, 9), hours=SPX, sessions=NYSE)

    assert new_york_clock(overnight.open_ns).isoformat() == "2026-03-08T20:15:00-04:00"
