"""After the close, whoever asks for frozen data gets the last market, marked as frozen."""

import datetime as dt

import pytest
from ib_async import Index, Option, Stock

from thetawarden.domain.instants import NS_PER_SECOND, new_york_ns
from thetawarden.practice.exchange.exchange import PracticeExchange
from thetawarden.practice.market import PracticeMarket, Terms
from thetawarden.practice.model import ContractQuery

DAY = dt.date(2026, 9, 14)
LIVE, FROZEN = 1, 2
SPY = 756733


def market_at(*clock):
    return PracticeMarket(Terms(seed=7, start_ns=new_york_ns(DAY, dt.time(*clock))))


def put_on_spy(market):
    found = market.find(ContractQuery(symbol="SPY", sec_type="OPT", expiry="20261016", right="P"))
    return found[len(found) // 2].contract.con_id


@pytest.fixture
def evening(start, connect):
    async def begin(*clock, data_type, speed=1.0):
        market = market_at(*clock)
        server = await start(exchange=PracticeExchange(market), messages_per_s_max=0, speed=speed)
        client = await connect(server)
        client.reqMarketDataType(data_type)
        client.market = market
        return client

    return begin


def test_a_closed_contract_keeps_the_last_market_it_showed():
    market = market_at(15, 59, 59)
    put = put_on_spy(market)
    assert market.frozen_quote(SPY) is None
    assert market.frozen_quote(put) is None
    last = {con_id: market.quote(con_id) for con_id in (SPY, put)}

    for clock in (dt.time(16, 20), dt.time(23)):
        market.advance(new_york_ns(DAY, clock))
        spy, option = market.frozen_quote(SPY), market.frozen_quote(put)
        assert market.quote(put).bid is None
        assert (spy.bid, spy.ask) == (last[SPY].bid, last[SPY].ask)
        assert option.bid < option.ask
        assert option.model.delta < 0.0
        assert market.frozen_quote(put) is option

    market.advance(new_york_ns(DAY + dt.timedelta(days=1), dt.time(9, 30)) + NS_PER_SECOND)
    assert market.frozen_quote(SPY) is None
    assert market.quote(SPY).bid is not None


async def test_type_two_shows_the_frozen_market_and_says_so(evening, until):
    client = await evening(21, data_type=FROZEN)
    put = client.market.details(put_on_spy(client.market)).contract
    option = Option("SPY", "20261016", put.strike, "P", "SMART", conId=put.con_id)

    share = client.reqMktData(Stock("SPY", "SMART", "USD", conId=SPY))
    shown = client.reqMktData(option)
    await until(lambda: share.hasBidAsk() and shown.hasBidAsk() and shown.modelGreeks)

    assert (share.marketDataType, shown.marketDataType) == (FROZEN, FROZEN)
    frozen = client.market.frozen_quote(put.con_id)
    assert (shown.bid, shown.ask) == (frozen.bid, frozen.ask)


async def test_a_frozen_snapshot_has_the_last_market(evening):
    client = await evening(21, data_type=FROZEN)

    (share,) = await client.reqTickersAsync(Stock("SPY", "SMART", "USD", conId=SPY))

    assert share.marketDataType == FROZEN
    assert 0 < share.bid < share.ask


async def test_an_index_is_frozen_at_its_last_value(evening, until):
    client = await evening(21, data_type=FROZEN)
    (vix,) = await client.qualifyContractsAsync(Index("VIX", "CBOE"))

    ticker = client.reqMktData(vix)
    await until(lambda: ticker.last > 0)

    assert ticker.marketDataType == FROZEN


async def test_type_one_shows_no_market_after_the_close(evening, until):
    client = await evening(21, data_type=LIVE)

    share = client.reqMktData(Stock("SPY", "SMART", "USD", conId=SPY))
    await until(lambda: share.last > 0)

    assert share.marketDataType == LIVE
    assert not share.hasBidAsk()


async def test_a_frozen_line_becomes_live_at_the_open(evening, until):
    client = await evening(9, 29, 40, data_type=FROZEN, speed=20.0)

    share = client.reqMktData(Stock("SPY", "SMART", "USD", conId=SPY))
    await until(lambda: share.marketDataType == FROZEN and share.hasBidAsk())
    frozen = (share.bid, share.ask)
    await until(lambda: share.marketDataType == LIVE and (share.bid, share.ask) != frozen)

    assert share.hasBidAsk()
