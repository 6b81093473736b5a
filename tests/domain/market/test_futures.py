"""Futures months: symbols, last instants and the roll."""

import datetime as dt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thetawarden.domain.market.futures import front_month, months_from, roll_day
from thetawarden.domain.market.products import FUTURES
from thetawarden.domain.market.sessions import Exchange, load_sessions

NYSE = load_sessions(Exchange.NYSE)
DAYS = st.dates(dt.date(2015, 1, 1), dt.date(2035, 12, 31))
PRODUCTS = st.sampled_from(list(FUTURES.values()))


def utc(text):
    return int(np.datetime64(text, "ns").astype(np.int64))


@pytest.mark.parametrize(
    ("symbol", "day", "local_symbol", "last_trade", "settlement"),
    [
        ("ES", "2026-11-20", "ESZ6", "2026-12-18T14:30", "2026-12-18T14:30"),
        ("ES", "2026-12-10", "ESZ6", "2026-12-18T14:30", "2026-12-18T14:30"),
        ("ES", "2026-12-11", "ESH7", "2027-03-19T13:30", "2027-03-19T13:30"),
        ("RTY", "2026-06-15", "RTYU6", "2026-09-18T13:30", "2026-09-18T13:30"),
        ("NQ", "2026-06-01", "NQM6", "2026-06-18T13:30", "2026-06-18T13:30"),
        ("VIX", "2026-05-11", "VXK6", "2026-05-19T13:00", "2026-05-19T13:30"),
        ("VIX", "2026-05-12", "VXM6", "2026-06-17T13:00", "2026-06-17T13:30"),
    ],
)
def test_the_front_month_is_left_a_week_before_its_end(
    symbol, day, local_symbol, last_trade, settlement
):
    month = front_month(day=dt.date.fromisoformat(day), product=FUTURES[symbol], sessions=NYSE)

    assert month.local_symbol == local_symbol
    assert month.last_trade_ns == utc(last_trade)
    assert month.settlement_ns == utc(settlement)


@given(day=DAYS, product=PRODUCTS)
def test_the_front_month_changes_exactly_on_its_roll_day(day, product):
    month = front_month(day=day, product=product, sessions=NYSE)
    leaving = roll_day(month)

    before = front_month(day=leaving - dt.timedelta(days=1), product=product, sessions=NYSE)
    after = front_month(day=leaving, product=product, sessions=NYSE)

    assert day < leaving
    assert before == month
    assert after.last_trade_date > month.last_trade_date


@given(day=DAYS, product=PRODUCTS)
def test_months_ahead_follow_the_products_cycle(day, product):
    months = months_from(day=day, product=product, count=5, sessions=NYSE)

    assert [one.month in product.months for one in months] == [True] * 5
    assert sorted({one.last_trade_date for one in months}) == [
        one.last_trade_date for one in months
    ]
    assert months[0].last_trade_date > day
