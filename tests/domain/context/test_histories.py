"""Daily histories: each session once, gaps counted, an adjustment noticed."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thetawarden.domain.broker.bars import DailyBar
from thetawarden.domain.context.histories import History, fetch_from, joined, trimmed
from thetawarden.domain.market.calendar import previous_session, sessions_between
from thetawarden.domain.market.sessions import Exchange, load_sessions

SESSIONS = load_sessions(Exchange.NYSE)
TODAY = dt.date(2026, 11, 20)
DAYS = sessions_between(dt.date(2026, 1, 2), dt.date(2026, 11, 19), SESSIONS)


def bar(day, close=100.0):
    return DailyBar(
        day=day, open_usd=close, high_usd=close * 1.01, low_usd=close * 0.99, close_usd=close
    )


def bars(days, close=100.0):
    return tuple(bar(day, close) for day in days)


def keep(history, fetched, today=TODAY):
    return joined(history, tuple(fetched), today=today, sessions=SESSIONS)


@given(st.lists(st.integers(1, len(DAYS) - 1), min_size=1, max_size=12))
def test_fetching_from_where_it_says_ends_with_every_session_once(stops):
    history, asked = History(), 0
    for stop in sorted(set(stops)):
        since = fetch_from(history, today=DAYS[stop], sessions=SESSIONS, days=400)
        if since is None:
            continue
        answer = [each for each in bars(DAYS) if since <= each.day < DAYS[stop]]
        asked += len(answer)
        history = keep(history, answer, today=DAYS[stop])

    days = [each.day for each in history.bars]
    assert days == [day for day in DAYS if day < DAYS[max(stops)]]
    assert history.gaps == 0
    assert asked <= len(days) + len(set(stops))


def test_nothing_is_fetched_while_every_finished_session_is_there():
    newest = previous_session(TODAY, SESSIONS)
    history = History(bars=bars([newest]))

    assert fetch_from(history, today=TODAY, sessions=SESSIONS, days=400) is None


def test_a_session_that_is_not_over_is_never_kept():
    history = keep(History(), bars([DAYS[-1], TODAY]))

    assert history.last_day == DAYS[-1]


def test_a_session_the_broker_has_no_bar_for_is_counted_as_a_gap():
    history = keep(History(), bars([*DAYS[-5:-3], *DAYS[-2:]]))

    assert history.gaps == 1


def test_an_adjusted_price_in_the_overlap_asks_for_all_anew():
    history = keep(History(), bars(DAYS[-5:-1], close=100.0))

    assert keep(history, bars(DAYS[-2:], close=25.0)) is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"high_usd": 99.0},
        {"low_usd": 101.0},
        {"low_usd": -1.0},
        {"close_usd": float("nan")},
        {"open_usd": float("inf")},
    ],
)
def test_a_bar_that_cannot_be_is_not_kept(wrong):
    odd = {"open_usd": 100.0, "high_usd": 101.0, "low_usd": 99.0, "close_usd": 100.0, **wrong}

    history = keep(History(), [DailyBar(day=DAYS[-1], **odd)])

    assert history.bars == ()


def test_only_the_latest_bars_are_kept():
    history = trimmed(keep(History(), bars(DAYS)), days_max=10)

    assert [each.day for each in history.bars] == list(DAYS[-10:])
