"""The official-protocol client does the same against the same gateway, at each version we speak."""

import logging

import pytest
from ibapi.contract import ComboLeg
from ibapi.execution import ExecutionFilter
from ibapi.order_cancel import OrderCancel
from ibapi.order_condition import PriceCondition
from ibapi.scanner import ScannerSubscription
from ibapi.tag_value import TagValue

from tests.practice.fake_exchange import ACCOUNT
from tests.practice.fake_market import EXPIRIES, SPY, STRIKES, option_con_id
from tests.practice.official_client import OfficialClient, limit, market, option, stock


@pytest.fixture(autouse=True)
def _quiet():
    logging.getLogger("ibapi").setLevel(logging.ERROR)


EVERY_VERSION = pytest.mark.parametrize("version", [176, 177, 178])


@pytest.fixture
def version():
    return 178


@pytest.fixture
async def client(version, start, until, caplog):
    server = await start(version_max=version, messages_per_s_max=0)
    client = OfficialClient()
    client.server = server
    await client.connect(server.port, client_id=5)
    assert client.ask.serverVersion() == version
    await until(lambda: client.calls("nextValidId") and client.calls("managedAccounts"))
    yield client
    await client.close()
    failures = [one for one in caplog.records if one.levelno >= logging.ERROR]
    assert failures == []


@EVERY_VERSION
async def test_contract_details_and_chains(client, version, until):
    client.ask.reqContractDetails(1, option())
    client.ask.reqSecDefOptParams(2, "SPY", "", "STK", SPY)
    client.ask.reqMatchingSymbols(3, "SPY")
    client.ask.reqMarketRule(26)
    await until(
        lambda: (
            client.calls("contractDetailsEnd")
            and client.calls("securityDefinitionOptionParameterEnd")
            and client.calls("symbolSamples")
            and client.calls("marketRule")
        )
    )

    ((_, details),) = client.calls("contractDetails")
    assert details.contract.conId == option_con_id(expiry=EXPIRIES[0], strike=500.0, right="P")
    assert (details.minTick, details.underConId) == (0.01, SPY)
    assert details.lastTradeTime == "16:15:00"
    chain = client.calls("securityDefinitionOptionParameter")[0]
    assert chain[1:5] == ("SMART", SPY, "SPY", "100")
    assert chain[6] == set(STRIKES)
    assert client.calls("symbolSamples")[0][1][0].derivativeSecTypes == ["OPT"]


async def test_market_data_and_greeks(client, until):
    client.ask.reqMktData(11, option(), "101,106", False, False, [])
    await until(lambda: client.calls("tickOptionComputation") and client.calls("tickReqParams"))

    kinds = {kind for _, kind, *_ in client.calls("tickPrice")}
    assert {1, 2, 4} <= kinds
    model = next(args for args in client.calls("tickOptionComputation") if args[1] == 13)
    assert model[3:5] == (0.2, -0.25)
    assert client.calls("marketDataType")[0] == (11, 1)


@EVERY_VERSION
async def test_orders_fills_and_commissions(client, version, until):
    client.ask.placeOrder(1, option(), limit("BUY", 2, 0.05))
    await until(lambda: any(args[1] == "Submitted" for args in client.calls("orderStatus")))
    client.ask.placeOrder(2, option(), market("BUY", 3))
    await until(lambda: client.calls("commissionReport"))
    client.ask.cancelOrder(1, OrderCancel())
    await until(lambda: 202 in client.codes())
    client.ask.reqExecutions(9, ExecutionFilter())
    client.ask.reqCompletedOrders(False)
    await until(lambda: client.calls("execDetailsEnd") and client.calls("completedOrdersEnd"))

    live, listed = client.calls("execDetails")
    assert (live[0], listed[0]) == (-1, 9)
    assert (live[2].side, int(live[2].shares), live[2].orderId) == ("BOT", 3, 2)
    assert client.calls("commissionReport")[0][0].commission == 3.15
    cancelled = client.calls("orderStatus")[-1]
    assert (cancelled[0], cancelled[1]) == (1, "Cancelled")
    assert {args[2].status for args in client.calls("completedOrder")} == {"Filled", "Cancelled"}


@EVERY_VERSION
async def test_a_rich_ticket_and_a_combination_are_echoed(client, version, until):
    condition = PriceCondition(0, SPY, "SMART", True, 510.0)
    order = limit(
        "SELL",
        1,
        50.0,
        algoStrategy="Adaptive",
        algoParams=[TagValue("adaptivePriority", "Normal")],
        conditions=[condition],
        tif="GTC",
        orderRef="official",
    )
    client.ask.placeOrder(1, option(), order)
    bag = option(secType="BAG", lastTradeDateOrContractMonth="", strike=0.0, right="")
    bag.comboLegs = []
    for strike, action in ((495.0, "SELL"), (490.0, "BUY")):
        leg = ComboLeg()
        leg.conId = option_con_id(expiry=EXPIRIES[0], strike=strike, right="P")
        leg.ratio, leg.action, leg.exchange = 1, action, "SMART"
        bag.comboLegs.append(leg)
    client.ask.placeOrder(2, bag, limit("BUY", 1, -0.5))
    await until(lambda: len(client.calls("commissionReport")) == 2)

    _, _, echo, _ = client.calls("openOrder")[0]
    assert (echo.tif, echo.orderRef, echo.algoStrategy) == ("GTC", "official", "Adaptive")
    assert echo.conditions[0].price == 510.0
    kinds = [args[1].secType for args in client.calls("execDetails")]
    assert kinds == ["BAG", "OPT", "OPT"]


async def test_what_if_tells_margins(client, until):
    order = limit("SELL", 1, 10.0, whatIf=True)
    client.ask.placeOrder(3, option(), order)
    await until(lambda: client.calls("openOrder"))

    _, _, _, state = client.calls("openOrder")[0]
    assert float(state.initMarginChange) == 7440.699999999999
    assert state.commission == 1.05


async def test_account_positions_and_results(client, until):
    client.ask.placeOrder(1, stock(), market("BUY", 10))
    await until(lambda: client.calls("commissionReport"))
    client.ask.reqPositions()
    client.ask.reqAccountUpdates(True, ACCOUNT)
    client.ask.reqAccountSummary(4, "All", "NetLiquidation,$LEDGER:ALL")
    client.ask.reqPnL(5, ACCOUNT, "")
    client.ask.reqPnLSingle(6, ACCOUNT, "", SPY)
    client.ask.reqPositionsMulti(7, ACCOUNT, "")
    client.ask.reqAccountUpdatesMulti(8, ACCOUNT, "", False)
    await until(
        lambda: (
            client.calls("positionEnd")
            and client.calls("accountDownloadEnd")
            and client.calls("accountSummaryEnd")
            and client.calls("pnl")
            and client.calls("pnlSingle")
            and client.calls("positionMultiEnd")
            and client.calls("accountUpdateMultiEnd")
        )
    )

    ((account, contract, quantity, _),) = client.calls("position")
    assert (account, contract.conId, int(quantity)) == (ACCOUNT, SPY, 10)
    assert client.calls("updatePortfolio")[0][2] == 500.0
    assert client.calls("pnl")[0][1:3] == (12.5, 7.0)
    assert int(client.calls("pnlSingle")[0][1]) == 10
    tags = {args[2] for args in client.calls("accountSummary")}
    assert tags == {"NetLiquidation", "CashBalance"}


async def test_history_and_words(client, until):
    client.ask.reqHistoricalData(1, stock(), "", "1800 S", "1 min", "TRADES", 1, 1, False, [])
    client.ask.reqHeadTimeStamp(2, stock(), "TRADES", 1, 1)
    client.ask.reqHistoricalTicks(
        3, stock(), "", "20260302 09:45:00 US/Eastern", 5, "BID_ASK", 1, False, []
    )
    client.ask.reqHistoricalNews(4, SPY, "BRFG", "", "", 5, [])
    client.ask.reqNewsProviders()
    client.ask.reqCurrentTime()
    client.ask.calculateImpliedVolatility(5, option(), 12.0, 500.0, [])
    client.ask.reqHistogramData(6, stock(), True, "3 days")
    await until(
        lambda: all(
            client.calls(name)
            for name in (
                "historicalDataEnd",
                "headTimestamp",
                "historicalTicksBidAsk",
                "historicalNewsEnd",
                "newsProviders",
                "currentTime",
                "tickOptionComputation",
                "histogramData",
            )
        )
    )

    assert client.calls("historicalData")[0][1].date.endswith("US/Eastern")
    assert len(client.calls("historicalTicksBidAsk")[0][1]) == 5
    assert client.calls("tickOptionComputation")[0][1] == 53


async def test_streams_and_scans(client, until):
    client.server.gateway.clock.change_speed(20.0)
    client.ask.reqTickByTickData(1, stock(), "BidAsk", 0, False)
    client.ask.reqTickByTickData(2, stock("AAPL"), "Last", 0, False)
    client.ask.reqRealTimeBars(3, stock(), 5, "TRADES", True, [])
    client.ask.reqMktDepth(4, stock(), 3, False, [])
    scan = ScannerSubscription()
    scan.instrument, scan.locationCode, scan.scanCode = "STK", "STK.US.MAJOR", "TOP_PERC_GAIN"
    client.ask.reqScannerSubscription(5, scan, [], [])
    await until(
        lambda: (
            client.calls("tickByTickBidAsk")
            and client.calls("tickByTickAllLast")
            and client.calls("realtimeBar")
            and client.calls("updateMktDepth")
            and client.calls("scannerDataEnd")
        )
    )

    assert len(client.calls("scannerData")) == 2
