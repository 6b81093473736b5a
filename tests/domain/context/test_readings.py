"""What the regime looks at: live prices with their instants, and nothing made up."""

import datetime as dt

import pytest

from thetawarden.domain.broker.instrument import Instrument, InstrumentKind
from thetawarden.domain.broker.quote import DataType, Quote
from thetawarden.domain.context.readings import (
    Seen,
    front_futures,
    price_reading,
    regime_inputs,
)
from thetawarden.domain.instants import UnixNs, new_york_date
from thetawarden.domain.market.events import MacroDates, MacroSchedule
from thetawarden.domain.market.sessions import Exchange, load_sessions
from thetawarden.domain.regime.assess import RegimeLimits, assess
from thetawarden.domain.regime.factors import EntryPolicy

AT = UnixNs(1_790_000_000_000_000_000)
NOTHING = Seen(quotes={}, vix_futures=(), figures={}, likenesses=None, held=())
QUIET = MacroSchedule(known_until=dt.date(2030, 1, 1), days=(dt.date(2020, 1, 2),))
MACRO = MacroDates(fomc=QUIET, cpi=QUIET, nfp=QUIET)
SESSIONS = load_sessions(Exchange.NYSE)


def quote(**values):
    return Quote(conid=1, at_ns=AT, **values)


@pytest.mark.parametrize(
    ("values", "price"),
    [
        ({"last_usd": 17.5}, 17.5),
        ({"last_usd": 17.5, "bid_usd": 1.0, "ask_usd": 2.0}, 17.5),
        ({"bid_usd": 17.0, "ask_usd": 18.0}, 17.5),
        ({"bid_usd": 18.0, "ask_usd": 17.0}, None),
        ({"bid_usd": 17.0}, None),
        ({"close_usd": 17.0}, None),
        ({}, None),
        *[({"last_usd": 17.5, "data_type": kind}, None) for kind in DataType if kind != "live"],
    ],
)
def test_a_price_is_a_live_trade_or_a_live_middle(values, price):
    reading = price_reading(quote(**values))

    assert (reading and reading.value) == price
    assert reading is None or reading.at_ns == AT


def test_of_nothing_the_regime_makes_no_entries_and_names_what_is_missing():
    inputs = regime_inputs(NOTHING, day=new_york_date(AT), macro=MACRO, sessions=SESSIONS)

    regime = assess(inputs=inputs, previous_band=None, now_ns=AT, limits=RegimeLimits())

    assert regime.entries is EntryPolicy.NONE
    assert {"vix", "vix3m", "price", "sma50"} <= {fault.name for fault in regime.faults}


def test_held_underlyings_without_a_known_likeness_allow_no_entries():
    seen = Seen(quotes={}, vix_futures=(), figures={}, likenesses=None, held=("A", "B"))

    inputs = regime_inputs(seen, day=new_york_date(AT), macro=MACRO, sessions=SESSIONS)

    assert inputs.underlyings == 2
    assert inputs.average_correlation is None


def test_a_day_without_a_session_has_no_notes():
    sunday = dt.date(2026, 11, 22)

    inputs = regime_inputs(NOTHING, day=sunday, macro=MACRO, sessions=SESSIONS)

    assert inputs.macro == ()
    assert inputs.days == ()


def month(expiry, conid):
    return Instrument(conid=conid, kind=InstrumentKind.FUTURE, symbol="VX", expiry=expiry)


def test_the_front_futures_are_the_next_that_still_trade():
    months = tuple(month(dt.date(2026, n, 18), n) for n in (12, 11, 10))

    front = front_futures(months, day=dt.date(2026, 11, 17), count=2)
    after = front_futures(months, day=dt.date(2026, 11, 18), count=2)
    rolled = front_futures(months, day=dt.date(2026, 11, 11), count=1, leave_days=7)

    assert [each.conid for each in front] == [11, 12]
    assert [each.conid for each in after] == [12]
    assert [each.conid for each in rolled] == [12]
