"""Daily bars from a real gateway over a real socket: whole, once, and with a word when refused."""

import asyncio
import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ib_async import BarData, Index, Stock

from tests.practice.test_whole_gateway import MORNING_NS, exchange
from thetawarden.domain.broker.bars import BarsOf
from thetawarden.domain.broker.instrument import Instrument, InstrumentKind
from thetawarden.domain.context.histories import History, fetch_from, joined
from thetawarden.domain.market.sessions import Exchange, load_sessions
from thetawarden.infra.ib.history import HistoryHandler, span_of
from thetawarden.infra.ib.pacing import Priority
from thetawarden.infra.ib.translate import daily_bar_of, instrument_of
from thetawarden.messages.market import FetchHistory, HistoryFetched
from thetawarden.practice.server import Server
from thetawarden.practice.settings import Settings

TODAY = dt.date(2026, 3, 2)
SESSIONS = load_sessions(Exchange.NYSE)


class MarketClock:
    def now_ns(self):
        return MORNING_NS


class Ear:
    def __init__(self):
        self.said = []

    def say(self, message, cause_seq=None):
        self.said.append(message)


@pytest.fixture
async def real_gateway():
    server = Server(exchange=exchange(), settings=Settings(messages_per_s_max=0), speed=1.0)
    server.port = await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def line(real_gateway, session_to):
    session = session_to(real_gateway.port)
    await session.open(1)
    ear = Ear()
    handler = HistoryHandler(session, ear, clock=MarketClock(), timeout_s=20.0, again_after_s=0.01)
    return session, handler, ear


async def found(session, contract):
    (one,) = await session.ask(
        lambda ib: ib.qualifyContractsAsync(contract), priority=Priority.LINES, timeout_s=20.0
    )
    return instrument_of(one)


@pytest.mark.parametrize("contract", [Stock("AAPL", "SMART", "USD"), Index("SPX", "CBOE", "USD")])
async def test_a_year_of_sessions_comes_whole_and_is_not_fetched_again(line, contract):
    session, handler, ear = line
    instrument = await found(session, contract)
    since = TODAY - dt.timedelta(days=420)

    await handler.perform(FetchHistory(instrument=instrument, since=since))

    (answer,) = ear.said
    history = joined(History(), answer.bars, today=TODAY, sessions=SESSIONS)
    assert answer.words == ""
    assert len(history.bars) > 280
    assert history.gaps == 0
    assert fetch_from(history, today=TODAY, sessions=SESSIONS, days=420) is None


async def test_a_year_of_implied_volatility_comes_beside_the_prices(line):
    session, handler, ear = line
    instrument = await found(session, Stock("AAPL", "SMART", "USD"))
    since = TODAY - dt.timedelta(days=420)
    asks = [FetchHistory(instrument=instrument, since=since, what=one) for one in BarsOf]

    await asyncio.gather(*map(handler.perform, asks))

    said = {each.what: each.bars for each in ear.said}
    assert [bar.day for bar in said[BarsOf.TRADES]] == [
        bar.day for bar in said[BarsOf.IMPLIED_VOLATILITY]
    ]
    assert all(0.05 < bar.close_usd < 2.0 for bar in said[BarsOf.IMPLIED_VOLATILITY])


async def test_the_same_history_asked_for_twice_at_once_is_fetched_once(line):
    session, handler, ear = line
    instrument = await found(session, Stock("SPY", "SMART", "USD"))
    ask = FetchHistory(instrument=instrument, since=TODAY - dt.timedelta(days=30))

    await asyncio.gather(handler.perform(ask), handler.perform(ask))

    assert len(ear.said) == 1


async def test_an_instrument_nobody_knows_is_answered_with_the_brokers_words(line):
    _, handler, ear = line
    nothing = Instrument(conid=999_999_999, kind=InstrumentKind.STOCK, symbol="NOPE")

    await handler.perform(FetchHistory(instrument=nothing, since=TODAY))

    (answer,) = ear.said
    assert answer.bars == ()
    assert "No security definition" in answer.words


async def test_refused_for_asking_too_fast_it_asks_once_more(line, real_gateway):
    session, handler, ear = line
    instrument = await found(session, Stock("SPY", "SMART", "USD"))
    real_gateway.faults.play("pacing", {"count": 1})

    await handler.perform(FetchHistory(instrument=instrument, since=TODAY - dt.timedelta(days=30)))

    (answer,) = ear.said
    assert isinstance(answer, HistoryFetched)
    assert len(answer.bars) > 15


async def test_a_lost_link_is_no_answer(line):
    session, handler, ear = line
    instrument = await found(session, Stock("SPY", "SMART", "USD"))
    session.close("for the test")

    await handler.perform(FetchHistory(instrument=instrument, since=TODAY))

    assert ear.said == []


async def test_a_span_without_a_session_has_no_bars_and_says_so(line):
    session, handler, ear = line
    instrument = await found(session, Stock("SPY", "SMART", "USD"))
    later = TODAY + dt.timedelta(days=3)

    await handler.perform(FetchHistory(instrument=instrument, since=later))

    assert ear.said[0].bars == ()
    assert "no data" in ear.said[0].words


@given(st.integers(1, 2000))
def test_a_span_covers_every_day_asked_for(days):
    number, unit = span_of(days).split()

    assert unit in {"D", "Y"}
    assert int(number) * {"D": 1, "Y": 365}[unit] >= days
    assert unit == "Y" or int(number) <= 365


@pytest.mark.parametrize(
    "wrong",
    [
        {"open": -1.0},
        {"close": 1.7976931348623157e308},
        {"date": dt.datetime(2026, 3, 2, 9, 30, tzinfo=dt.UTC)},
    ],
)
def test_a_bar_with_a_sign_for_nothing_is_no_bar(wrong):
    values = {"date": TODAY, "open": 10.0, "high": 11.0, "low": 9.0, "close": 10.0, "volume": -1}

    assert daily_bar_of(BarData(**(values | wrong))) is None
    assert daily_bar_of(BarData(**values)).volume is None
