"""What exists, asked of a real gateway over a real socket, and of one that answers badly."""

import asyncio
import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ib_async import OptionChain

from tests.practice.test_whole_gateway import MORNING_NS, exchange
from thetawarden.domain.broker.instrument import InstrumentKind
from thetawarden.domain.chains.identity import Refusal, SeriesKey, sort_out, terms_of
from thetawarden.domain.market.contracts import Settlement
from thetawarden.domain.market.expiry import expiry_terms
from thetawarden.domain.market.listings import listed_expiries
from thetawarden.domain.market.products import OPTION_CLASSES
from thetawarden.domain.market.sessions import Exchange, load_sessions
from thetawarden.infra.ib.discovery import (
    INDEX_EXCHANGES,
    DiscoveryHandler,
    asked_days,
    classes_of,
    expiry_of,
)
from thetawarden.messages.market import (
    ChainDiscovered,
    DiscoverChain,
    DiscoveryFailed,
    FindInstrument,
    InstrumentsFound,
    QualifySeries,
    SeriesQualified,
)
from thetawarden.practice.market.roster import UNDERLYINGS, VOL_INDEX_CON_IDS
from thetawarden.practice.server import Server
from thetawarden.practice.settings import Settings

TODAY = dt.date(2026, 3, 2)
THIRD_FRIDAY = dt.date(2026, 3, 20)
SESSIONS = load_sessions(Exchange.NYSE)


class MarketClock:
    def now_ns(self):
        return MORNING_NS


class Ear:
    def __init__(self):
        self.said = []

    def say(self, message, cause_seq=None):
        self.said.append(message)


@pytest.fixture(scope="module")
def market():
    return exchange()


@pytest.fixture
async def line(market, session_to):
    server = Server(exchange=market, settings=Settings(messages_per_s_max=0), speed=1.0)
    port = await server.start()
    session = session_to(port)
    await session.open(1)
    ear = Ear()
    handler = DiscoveryHandler(session, ear, clock=MarketClock(), timeout_s=20.0)
    handler.server, handler.session = server, session
    yield handler, ear
    session.close("the test is over")
    await server.stop()


async def answer(line, asked):
    handler, ear = line
    await handler.perform(asked)
    return ear.said[-1]


def series(underlying, trading_class, expiry):
    return QualifySeries(
        underlying=underlying, trading_class=trading_class, exchange="SMART", expiry=expiry
    )


async def test_every_underlying_the_gateway_lists_has_a_chain_with_standard_classes(line):
    for symbol, known in UNDERLYINGS.items():
        found = await answer(line, DiscoverChain(underlying=symbol))

        assert isinstance(found, ChainDiscovered), found
        assert found.instrument.conid == known.con_id
        assert found.instrument.symbol == symbol
        is_index = found.instrument.kind is InstrumentKind.INDEX
        assert is_index == (symbol in INDEX_EXCHANGES)
        for listed in found.classes:
            terms = terms_of(
                trading_class=listed.trading_class,
                multiplier=listed.multiplier,
                underlying=symbol,
                is_index=is_index,
            )
            assert not isinstance(terms, Refusal), (listed.trading_class, terms)
            assert listed.exchange == "SMART"
            assert listed.expiries == tuple(sorted(set(listed.expiries)))
            assert len(listed.strikes) > 10


@pytest.mark.parametrize("symbol", ["SPX", "XSP", "NDX", "RUT", "SPY", "QQQ", "IWM", "AAPL"])
async def test_one_question_brings_every_option_of_a_class_and_expiry(line, symbol):
    chain = await answer(line, DiscoverChain(underlying=symbol))

    for listed in chain.classes:
        expiry = listed.expiries[1]
        found = await answer(line, series(symbol, listed.trading_class, expiry))
        contracts = sort_out(
            found.options,
            underlying=symbol,
            key=SeriesKey(expiry=expiry, trading_class=listed.trading_class),
            exchange="SMART",
            day=found.day,
        )

        assert isinstance(found, SeriesQualified)
        assert found.day == TODAY
        assert contracts.refused == ()
        assert len(contracts.strikes) > 10
        assert all(contracts.calls)
        assert all(contracts.puts)
        assert set(contracts.strikes) <= set(listed.strikes)


async def test_the_two_series_of_a_third_friday_are_told_apart_by_their_class(line):
    morning = await answer(line, series("SPX", "SPX", THIRD_FRIDAY))
    evening = await answer(line, series("SPX", "SPXW", THIRD_FRIDAY))

    for found, trading_class in ((morning, "SPX"), (evening, "SPXW")):
        assert {one.trading_class for one in found.options} == {trading_class}
        assert {one.expiry for one in found.options} == {THIRD_FRIDAY}
    both = [one.conid for found in (morning, evening) for one in found.options]
    assert len(both) == len(set(both))
    ends = [
        expiry_terms(option_class=OPTION_CLASSES[name], expiry=THIRD_FRIDAY, sessions=SESSIONS)
        for name in ("SPX", "SPXW")
    ]
    assert ends[0].last_trade_ns < ends[0].settlement_ns < ends[1].settlement_ns


async def test_a_series_that_does_not_exist_is_answered_with_the_brokers_words(line):
    saturday = dt.date(2026, 3, 7)

    found = await answer(line, series("SPX", "SPXW", saturday))

    assert isinstance(found, DiscoveryFailed)
    assert (found.trading_class, found.expiry) == ("SPXW", saturday)
    assert "No security definition" in found.words


async def test_an_underlying_nobody_knows_is_answered_with_the_brokers_words(line):
    found = await answer(line, DiscoverChain(underlying="NOPE"))

    assert isinstance(found, DiscoveryFailed)
    assert (found.underlying, found.expiry) == ("NOPE", None)
    assert "No security definition" in found.words


@pytest.mark.parametrize("symbol", sorted(one.value for one in VOL_INDEX_CON_IDS))
async def test_volatility_indices_are_found_by_name(line, symbol):
    found = await answer(line, FindInstrument(asked_as="x", symbol=symbol, kind="index"))

    (one,) = found.instruments
    assert (found.asked_as, found.words) == ("x", "")
    assert (one.symbol, one.kind) == (symbol, InstrumentKind.INDEX)


@pytest.mark.parametrize(("symbol", "months"), [("ES", 5), ("NQ", 5), ("RTY", 5), ("VX", 9)])
async def test_a_future_comes_with_all_its_months_in_order(line, symbol, months):
    found = await answer(line, FindInstrument(asked_as=symbol, symbol=symbol, kind="future"))

    expiries = [one.expiry for one in found.instruments]
    assert len(expiries) == months
    assert expiries == sorted(expiries)
    assert expiries[0] > TODAY
    assert {one.multiplier for one in found.instruments} <= {20, 50, 1000}


async def test_a_share_is_found_by_name_and_one_nobody_knows_is_empty_with_words(line):
    spy = await answer(line, FindInstrument(asked_as="SPY", symbol="SPY", kind="stock"))
    nope = await answer(line, FindInstrument(asked_as="NOPE", symbol="NOPE", kind="stock"))

    assert [one.conid for one in spy.instruments] == [756733]
    assert isinstance(nope, InstrumentsFound)
    assert nope.instruments == ()
    assert "No security definition" in nope.words


async def test_the_same_question_asked_twice_at_once_is_asked_once(line):
    handler, ear = line
    asked = series("SPY", "SPY", THIRD_FRIDAY)

    await asyncio.gather(handler.perform(asked), handler.perform(asked))

    assert len(ear.said) == 1


async def test_more_questions_than_the_broker_takes_at_once_are_all_answered(line):
    handler, ear = line
    chain = await answer(line, DiscoverChain(underlying="SPX"))
    weeklies = next(one for one in chain.classes if one.trading_class == "SPXW")
    ear.said.clear()

    asked = [series("SPX", "SPXW", expiry) for expiry in weeklies.expiries[:12]]
    await asyncio.gather(*(handler.perform(one) for one in asked))

    assert [type(one) for one in ear.said] == [SeriesQualified] * 12
    assert {one.expiry for one in ear.said} == set(weeklies.expiries[:12])


async def test_without_a_link_every_question_is_answered_with_a_failure(line):
    handler, ear = line
    handler.session.close("for the test")

    await handler.perform(DiscoverChain(underlying="SPX"))
    await handler.perform(series("SPX", "SPXW", THIRD_FRIDAY))
    await handler.perform(FindInstrument(asked_as="ES", symbol="ES", kind="future"))

    assert [type(one) for one in ear.said] == [DiscoveryFailed, DiscoveryFailed, InstrumentsFound]
    assert all(one.words for one in ear.said)


async def test_a_mute_broker_is_a_failure_after_the_time_allowed(peer, session_to):
    session = session_to(peer.port)
    await session.open(1)
    ear = Ear()
    handler = DiscoveryHandler(session, ear, clock=MarketClock(), timeout_s=0.05)

    await handler.perform(DiscoverChain(underlying="SPX"))

    assert "no answer within 0.05 s" in ear.said[0].words


async def test_m10_adjusted_contracts_are_passed_on_and_refused_by_their_watcher(line):
    handler, _ = line
    handler.server.faults.play("adjusted", {"multiplier": 150})

    found = await answer(line, series("AAPL", "AAPL", THIRD_FRIDAY))
    contracts = sort_out(
        found.options,
        underlying="AAPL",
        key=SeriesKey(expiry=THIRD_FRIDAY, trading_class="AAPL"),
        exchange="SMART",
        day=found.day,
    )

    assert contracts.strikes == ()
    assert contracts.refused == ((Refusal.ADJUSTED_CLASS, len(found.options)),)


@pytest.mark.parametrize("symbol", ["SPX", "AAPL"])
async def test_m11_contracts_of_a_past_expiry_are_refused_by_their_watcher(line, symbol):
    handler, _ = line
    trading_class = OPTION_CLASSES["SPXW"].trading_class if symbol == "SPX" else symbol
    handler.server.faults.play("wrong-contract", {"kind": "expired"})

    found = await answer(line, series(symbol, trading_class, THIRD_FRIDAY))
    contracts = sort_out(
        found.options,
        underlying=symbol,
        key=SeriesKey(expiry=THIRD_FRIDAY, trading_class=trading_class),
        exchange="SMART",
        day=found.day,
    )

    assert contracts.strikes == ()
    assert contracts.refused == ((Refusal.OTHER_EXPIRY, len(found.options)),)


def row(trading_class="SPX", exchange="SMART", multiplier="100", expiries=(), strikes=()):
    return OptionChain(exchange, 1, trading_class, multiplier, list(expiries), list(strikes))


def test_unions_of_several_exchanges_become_one_class_routed_smartly():
    rows = [
        row("SPY", "CBOE", expiries=["20260306"], strikes=[600.0]),
        row("SPY", "SMART", expiries=["20260304", "garbage"], strikes=[500.5, 600.0]),
        row("2SPY", "CBOE", multiplier="150", expiries=["20260304"], strikes=[100.0]),
        row("SPY", "ISE", multiplier="?", expiries=["20260309"], strikes=[1.0]),
    ]

    adjusted, spy = classes_of(rows, sessions=SESSIONS)

    assert (adjusted.trading_class, adjusted.exchange, adjusted.multiplier) == ("2SPY", "CBOE", 150)
    assert (spy.exchange, spy.multiplier) == ("SMART", 100)
    assert spy.expiries == (dt.date(2026, 3, 4), dt.date(2026, 3, 6))
    assert spy.strikes == (Decimal("500.5"), Decimal(600))


morning_classes = [
    name for name, terms in OPTION_CLASSES.items() if terms.settlement is Settlement.AM
]


@given(
    trading_class=st.sampled_from(morning_classes),
    as_of=st.dates(dt.date(2015, 3, 2), dt.date(2040, 1, 1)),
)
def test_a_morning_series_listed_by_its_last_trading_day_is_the_same_series(trading_class, as_of):
    terms = OPTION_CLASSES[trading_class]
    for expiry in listed_expiries(as_of=as_of, option_class=terms, sessions=SESSIONS)[:3]:
        asked = series(terms.underlying, trading_class, expiry)
        by_expiry, by_last_day = asked_days(asked, sessions=SESSIONS)

        assert expiry_of(terms, by_expiry, sessions=SESSIONS) == expiry
        assert expiry_of(terms, by_last_day, sessions=SESSIONS) == expiry
        assert by_last_day < by_expiry
