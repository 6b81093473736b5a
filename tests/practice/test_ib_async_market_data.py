"""Contracts, chains, quotes, Greeks, books and calculations, as ib_async receives them."""

import asyncio
import math

import ib_async
from ib_async import ComboLeg, Contract, Index, Option, Stock

from tests.practice.fake_market import AAPL, EXPIRIES, SPX, SPY, STRIKES, option_con_id

PUT = option_con_id(expiry=EXPIRIES[0], strike=500.0, right="P")
CALL = option_con_id(expiry=EXPIRIES[0], strike=500.0, right="C")


def spy():
    return Stock("SPY", "SMART", "USD", conId=SPY)


def apple():
    return Stock("AAPL", "SMART", "USD", conId=AAPL)


def index():
    return Index("SPX", "CBOE", conId=SPX)


def put():
    return Option("SPY", "20260320", 500.0, "P", "SMART", conId=PUT)


async def test_contract_details_arrive_whole(ib):
    (details,) = await ib.reqContractDetailsAsync(put())

    contract = details.contract
    assert (contract.conId, contract.localSymbol) == (PUT, "SPY   260320P00500000")
    assert (contract.strike, contract.right, contract.multiplier) == (500.0, "P", "100")
    assert contract.lastTradeDateOrContractMonth == "20260320"
    assert (details.lastTradeTime, details.timeZoneId) == ("16:15:00", "US/Eastern")
    assert (details.underConId, details.underSymbol, details.minTick) == (SPY, "SPY", 0.01)
    assert details.marketRuleIds.split(",") == ["26", "26"]
    assert details.realExpirationDate == "20260320"
    (first, *_) = details.tradingSessions()
    assert first.start.hour == 9


async def test_an_ambiguous_query_gives_every_match(ib):
    found = await ib.reqContractDetailsAsync(Option("SPY", "202603", 0.0, "P", "SMART"))

    assert len(found) == len(STRIKES)


async def test_an_unknown_contract_is_error_200(ib):
    codes = []
    ib.errorEvent += lambda *args: codes.append(args[1])

    found = await ib.reqContractDetailsAsync(Stock("NOSUCH", "SMART", "USD"))

    assert found == []
    assert codes == [200]


async def test_qualifying_fills_in_the_con_id(ib):
    (contract,) = await ib.qualifyContractsAsync(Stock("SPY", "SMART", "USD"))

    assert contract.conId == SPY


async def test_chains_come_per_exchange_and_class(ib):
    chains = await ib.reqSecDefOptParamsAsync("SPY", "", "STK", SPY)

    smart = next(chain for chain in chains if chain.exchange == "SMART")
    assert smart.expirations == [f"{day:%Y%m%d}" for day in EXPIRIES]
    assert smart.strikes == list(STRIKES)
    assert (smart.tradingClass, smart.multiplier) == ("SPY", "100")


async def test_matching_symbols_name_their_derivatives(ib):
    (found,) = await ib.reqMatchingSymbolsAsync("SP Y".replace(" ", ""))

    assert found.contract.conId == SPY
    assert found.derivativeSecTypes == ["OPT"]


async def test_market_rules_are_ladders(ib):
    ladder = await ib.reqMarketRuleAsync(26)

    assert [(step.lowEdge, step.increment) for step in ladder] == [(0.0, 0.01), (3.0, 0.05)]


async def test_a_line_carries_quotes_sizes_and_the_day(ib, until):
    ticker = ib.reqMktData(put())

    await until(lambda: ticker.hasBidAsk() and not math.isnan(ticker.volume))

    assert ticker.ask - ticker.bid > 0
    assert ticker.bidSize > 0
    assert (ticker.high, ticker.low, ticker.open, ticker.close) == (520.0, 480.0, 500.0, 499.5)
    assert ticker.marketDataType == 1
    assert ticker.minTick == 0.01


async def test_greeks_follow_and_what_is_not_computed_stays_marked(ib, until):
    ticker = ib.reqMktData(put())

    await until(lambda: ticker.modelGreeks is not None)

    greeks = ticker.modelGreeks
    assert (greeks.impliedVol, greeks.delta, greeks.undPrice) == (0.2, -0.25, 500.0)
    assert greeks.vega == -2
    assert ticker.bidGreeks is not None
    assert ticker.askGreeks is not None


async def test_quotes_follow_the_market(start, connect, until):
    server = await start(speed=50.0)
    client = await connect(server)
    ticker = client.reqMktData(spy())
    await until(ticker.hasBidAsk)
    first = ticker.bid

    await until(lambda: ticker.bid != first)

    assert ticker.bid < ticker.ask


async def test_an_index_has_no_bid(ib, until):
    ticker = ib.reqMktData(index())

    await until(lambda: ticker.last == ticker.last)

    assert math.isnan(ticker.bid)


async def test_generic_ticks_bring_volatilities_dividends_and_interest(ib, until):
    ticker = ib.reqMktData(spy(), "100,101,104,106,236,456")

    await until(lambda: ticker.dividends is not None)

    assert (ticker.impliedVolatility, ticker.histVolatility) == (0.18, 0.15)
    assert (ticker.callVolume, ticker.putVolume) == (1000, 2000)
    assert ticker.dividends.nextAmount == 1.7
    assert ticker.shortableShares == 5000


async def test_a_snapshot_ends_and_holds_no_line(ib):
    (ticker,) = await ib.reqTickersAsync(put())

    assert ticker.hasBidAsk()
    assert ticker.modelGreeks is not None
    assert ib.server.gateway.sessions[1].subscriptions.lines == {}


async def test_lines_are_limited_to_a_hundred_and_snapshots_are_not(start, connect, until):
    server = await start(lines_max=2, messages_per_s_max=0)
    client = await connect(server)
    codes = []
    client.errorEvent += lambda *args: codes.append(args[1])

    for contract in (spy(), put(), apple()):
        client.reqMktData(contract)
    await until(lambda: codes)
    (ticker,) = await client.reqTickersAsync(apple())

    assert codes == [101]
    assert ticker.hasBidAsk()


async def test_cancelling_a_line_stops_it_and_the_market_is_told(ib, until):
    contract = spy()
    ib.reqMktData(contract)
    await until(lambda: ib.server.gateway.market.watched.get(SPY) == 1)

    ib.cancelMktData(contract)

    await until(lambda: ib.server.gateway.market.watched[SPY] == 0)
    assert ib.server.gateway.sessions[1].subscriptions.lines == {}


async def test_a_combination_is_quoted_from_its_legs(ib, until):
    legs = [
        ComboLeg(conId=PUT, ratio=1, action="SELL", exchange="SMART"),
        ComboLeg(conId=CALL, ratio=1, action="BUY", exchange="SMART"),
    ]
    bag = Contract(symbol="SPY", secType="BAG", exchange="SMART", currency="USD", comboLegs=legs)

    ticker = ib.reqMktData(bag)
    await until(lambda: ticker.ask == ticker.ask and ticker.ask != -1)

    assert round(ticker.ask - ticker.bid, 2) == 0.2


async def test_depth_shows_both_sides(ib, until):
    ticker = ib.reqMktDepth(spy(), numRows=3)

    await until(lambda: len(ticker.domBids) == 3 and len(ticker.domAsks) == 3)

    assert ticker.domBids[0].price > ticker.domBids[1].price
    assert ticker.domAsks[0].price > ticker.domBids[0].price


async def test_tick_by_tick_streams_every_kind(start, connect, until):
    server = await start(speed=20.0)
    client = await connect(server)
    tickers = {
        kind: client.reqTickByTickData(contract, kind)
        for kind, contract in (
            ("Last", spy()),
            ("BidAsk", apple()),
            ("MidPoint", index()),
        )
    }
    seen = {kind: [] for kind in tickers}
    for kind, ticker in tickers.items():
        ticker.updateEvent += lambda one, kind=kind: seen[kind].extend(one.tickByTicks)

    await until(lambda: all(seen.values()))

    assert seen["Last"][0].exchange == "CBOE"
    assert seen["BidAsk"][0].bidPrice < seen["BidAsk"][0].askPrice
    assert seen["MidPoint"][0].midPoint > 0


async def test_option_calculations_answer(ib):
    volatility = await ib.calculateImpliedVolatilityAsync(put(), 12.0, 500.0)
    price = await ib.calculateOptionPriceAsync(put(), 0.3, 500.0)

    assert volatility.impliedVol == 0.25
    assert (price.optPrice, price.impliedVol) == (12.5, 0.3)


async def test_two_clients_share_a_contract_and_each_gets_its_own_ticks(start, connect, until):
    server = await start(speed=20.0)
    tickers = [(await connect(server, client_id=number)).reqMktData(spy()) for number in (1, 2)]

    await until(lambda: all(ticker.hasBidAsk() for ticker in tickers))

    assert server.gateway.market.watched[SPY] == 2


async def test_a_duplicate_ticker_id_is_refused(ib, until):
    codes = []
    ib.errorEvent += lambda *args: codes.append(args[1])

    for _ in range(2):
        ib.client.reqMktData(77, spy(), "", False, False, [])
    await until(lambda: codes)

    assert codes == [322]


async def test_cancelling_an_unknown_line_is_error_300(ib, until):
    codes = []
    ib.errorEvent += lambda *args: codes.append(args[1])

    ib.client.cancelMktData(4711)
    await until(lambda: codes)

    assert codes == [300]


async def test_headlines_arrive_on_lines_that_asked_for_news(start, connect, until):
    server = await start(speed=200.0)
    client = await connect(server)
    client.reqMktData(spy(), "mdoff,292:BRFG")

    await until(client.newsTicks)

    assert client.newsTicks()[0].headline == "Something happened"


async def test_smart_components_and_depth_exchanges_answer(ib):
    components = await ib.reqSmartComponentsAsync("a60001")
    exchanges = await ib.reqMktDepthExchangesAsync()

    assert {one.exchange for one in components} >= {"CBOE", "ISE"}
    assert {one.secType for one in exchanges} == {"OPT", "STK"}


async def test_a_scan_ranks_stocks(ib):
    subscription = ib_async.ScannerSubscription(
        instrument="STK", locationCode="STK.US.MAJOR", scanCode="TOP_PERC_GAIN"
    )

    rows = await ib.reqScannerDataAsync(subscription)

    assert {row.contractDetails.contract.conId for row in rows} == {SPY, AAPL}
    assert "TOP_PERC_GAIN" in await ib.reqScannerParametersAsync()


async def test_nothing_is_sent_when_nothing_changed(start, connect, until):
    server = await start(speed=1e-6)
    client = await connect(server)
    ticker = client.reqMktData(spy())
    await until(ticker.hasBidAsk)
    await asyncio.sleep(0.05)
    updates = []
    ticker.updateEvent += updates.append

    await asyncio.sleep(0.1)

    assert updates == []
