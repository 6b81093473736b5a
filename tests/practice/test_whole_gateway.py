"""The real market and exchange behind the wire, driven by an unmodified ib_async."""

import asyncio
import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from ib_async import ComboLeg, Contract, Index, LimitOrder, MarketOrder, Option, Stock

from thetawarden.practice.exchange.exchange import PracticeExchange
from thetawarden.practice.market.market import PracticeMarket
from thetawarden.practice.market.parts import Terms

NS = 10**9
MORNING_NS = int(dt.datetime(2026, 3, 2, 10, 0, tzinfo=ZoneInfo("US/Eastern")).timestamp()) * NS


def exchange(*, seed=1, start_ns=MORNING_NS):
    return PracticeExchange(PracticeMarket(Terms(seed=seed, start_ns=start_ns)))


@pytest.fixture
async def desk(start, connect):
    server = await start(exchange=exchange(), messages_per_s_max=0)
    client = await connect(server, timeout=10, raiseSyncErrors=True)
    client.server = server
    client.codes = []
    client.errorEvent += lambda *args: client.codes.append(args[1])
    return client


async def puts_near(ib, *, under, distance):
    """Puts on the fifth listed day, nearest first to a fraction of the spot."""
    (contract,) = await ib.qualifyContractsAsync(under)
    chains = await ib.reqSecDefOptParamsAsync(contract.symbol, "", contract.secType, contract.conId)
    chain = next(one for one in chains if one.exchange == "SMART")
    expiry = sorted(chain.expirations)[4]
    details = await ib.reqContractDetailsAsync(
        Option(contract.symbol, expiry, 0.0, "P", "SMART", tradingClass=chain.tradingClass)
    )
    (ticker,) = await ib.reqTickersAsync(contract)
    target = ticker.last * distance
    return sorted((one.contract for one in details), key=lambda one: abs(one.strike - target))


async def sold(ib, until, *, quantity=2):
    put, *_ = await puts_near(ib, under=Stock("SPY", "SMART", "USD"), distance=0.97)
    trade = ib.placeOrder(put, MarketOrder("SELL", quantity))
    await until(lambda: trade.isDone() and trade.fills[-1].commissionReport.execId)
    await until(ib.positions)
    return trade


async def test_a_chain_is_quoted_with_greeks(desk, until):
    puts = (await puts_near(desk, under=Index("SPX", "CBOE"), distance=0.98))[:20]

    tickers = [desk.reqMktData(put) for put in puts]
    await until(lambda: all(one.hasBidAsk() and one.modelGreeks for one in tickers))

    for ticker in tickers:
        assert 0 < ticker.bid < ticker.ask
        assert -1 < ticker.modelGreeks.delta < 0
        assert 0.03 < ticker.modelGreeks.impliedVol < 1


async def test_a_whole_chain_of_thousands_arrives_while_others_are_served(desk, connect):
    other = await connect(desk.server, client_id=2)

    everything = asyncio.ensure_future(
        desk.reqContractDetailsAsync(Option("SPY", "", 0.0, "", "SMART"))
    )
    await asyncio.sleep(0)
    assert await other.reqCurrentTimeAsync()
    found = await everything

    assert len(found) > 5000
    assert len({one.contract.conId for one in found}) == len(found)
    assert desk.isConnected()


async def test_a_sale_fills_costs_and_is_margined(desk, until):
    trade = await sold(desk, until)

    (fill,) = trade.fills
    assert fill.commissionReport.commission > 0
    (position,) = desk.positions()
    assert position.position == -2
    assert 0 < position.avgCost < fill.execution.price * 100
    rows = {row.tag: row.value for row in await desk.accountSummaryAsync()}
    assert float(rows["InitMarginReq"]) > 0
    assert float(rows["NetLiquidation"]) < 1_000_000


async def test_what_if_agrees_with_what_the_order_then_does(desk, until):
    put, *_ = await puts_near(desk, under=Stock("SPY", "SMART", "USD"), distance=0.97)
    state = await desk.whatIfOrderAsync(put, MarketOrder("SELL", 2))

    trade = desk.placeOrder(put, MarketOrder("SELL", 2))
    await until(lambda: trade.isDone() and trade.fills[-1].commissionReport.execId)
    rows = {row.tag: row.value for row in await desk.accountSummaryAsync()}

    assert trade.fills[-1].commissionReport.commission == pytest.approx(state.commission, abs=0.01)
    assert float(rows["InitMarginReq"]) == pytest.approx(float(state.initMarginAfter), rel=0.05)


async def test_a_bracket_waits_and_falls_with_its_parent(desk, until):
    put, *_ = await puts_near(desk, under=Stock("SPY", "SMART", "USD"), distance=0.97)
    trades = [desk.placeOrder(put, one) for one in desk.bracketOrder("BUY", 1, 0.05, 3.0, 0.01)]
    await until(lambda: trades[2].orderStatus.status == "PreSubmitted")

    assert [trade.orderStatus.whyHeld for trade in trades[1:]] == ["child", "child,trigger"]
    desk.cancelOrder(trades[0].order)

    await until(lambda: all(trade.orderStatus.status == "Cancelled" for trade in trades))
    assert desk.codes.count(202) == 3


async def test_a_spread_fills_leg_by_leg_with_commission_on_legs_only(desk, until):
    near, far, *_ = sorted(
        (await puts_near(desk, under=Stock("SPY", "SMART", "USD"), distance=0.97))[:2],
        key=lambda one: -one.strike,
    )
    legs = [
        ComboLeg(conId=near.conId, ratio=1, action="SELL", exchange="SMART"),
        ComboLeg(conId=far.conId, ratio=1, action="BUY", exchange="SMART"),
    ]
    bag = Contract(symbol="SPY", secType="BAG", exchange="SMART", currency="USD", comboLegs=legs)
    ticker = desk.reqMktData(bag)
    await until(lambda: ticker.ask == ticker.ask and ticker.ask != -1)

    trade = desk.placeOrder(bag, LimitOrder("BUY", 1, round(ticker.ask + 0.05, 2)))
    await until(lambda: len(trade.fills) == 3 and trade.fills[-1].commissionReport.execId)

    assert [fill.contract.secType for fill in trade.fills] == ["BAG", "OPT", "OPT"]
    assert trade.fills[0].commissionReport.execId == ""
    paid = trade.fills[2].execution.price - trade.fills[1].execution.price
    assert trade.orderStatus.avgFillPrice == pytest.approx(paid, abs=0.011)


async def test_the_whole_gateway_goes_on_after_a_restart(start, connect, until, tmp_path):
    first = await start(exchange=exchange(), state_folder=tmp_path, messages_per_s_max=0)
    client = await connect(first, client_id=3)
    trade = await sold(client, until)
    resting = client.placeOrder(trade.contract, LimitOrder("BUY", 1, 0.01, tif="GTC"))
    await until(lambda: resting.orderStatus.status in ("PreSubmitted", "Submitted"))
    held = [(one.contract.conId, one.position, one.avgCost) for one in client.positions()]
    client.disconnect()
    await first.stop()

    second = await start(exchange=exchange(), state_folder=tmp_path, messages_per_s_max=0)
    again = await connect(second, client_id=3)

    assert [(one.contract.conId, one.position, one.avgCost) for one in again.positions()] == held
    assert [one.order.permId for one in again.openTrades()] == [resting.order.permId]
    assert len(again.fills()) == 1


async def test_one_seed_is_one_market_at_every_speed():
    slow, fast = exchange(seed=5), exchange(seed=5)
    watched = [one.con_id for one in slow.market.underlyings()]
    end_ns = MORNING_NS + 3600 * NS

    for now_ns in range(MORNING_NS, end_ns + 1, 7 * NS):
        slow.advance(now_ns)
        slow.market.quotes(watched[:3])
    slow.advance(end_ns)
    fast.advance(end_ns)

    assert slow.market.quotes(watched) == fast.market.quotes(watched)


@pytest.mark.parametrize(
    ("fault", "args", "codes"),
    [
        ("reject", {"text": "no"}, {201}),
        ("partial-then-cancel", {}, {202}),
        ("O16", {}, {103}),
    ],
)
async def test_faults_of_orders_reach_the_real_exchange(desk, until, fault, args, codes):
    put, *_ = await puts_near(desk, under=Stock("SPY", "SMART", "USD"), distance=0.97)
    desk.server.faults.play(fault, args)

    desk.placeOrder(put, LimitOrder("BUY", 4, 0.05))

    await until(lambda: codes <= set(desk.codes))


async def test_what_people_and_brokers_do_reaches_the_real_account(desk, until):
    trade = await sold(desk, until)
    put = trade.contract
    faults = desk.server.faults

    faults.play("correction", {"price": 9.99})
    await until(lambda: len(desk.fills()) == 2)
    faults.play("margin", {"factor": 2})
    faults.play("assign", {"con_id": put.conId, "contracts": 1})
    await until(lambda: {one.position for one in desk.positions()} == {-1, 100})
    faults.play("liquidate", {"con_id": put.conId})
    await until(lambda: put.conId not in {o.contract.conId for o in desk.positions() if o.position})
    faults.play("manual-trade", {"con_id": 756733, "quantity": -100})

    await until(lambda: not [one for one in desk.positions() if one.position])
    listed = await desk.reqExecutionsAsync()
    assert any(fill.execution.liquidation for fill in listed)


async def test_halts_jumps_and_wider_spreads_reach_the_real_market(desk, until):
    spy = Stock("SPY", "SMART", "USD", conId=756733)
    ticker = desk.reqMktData(spy)
    await until(ticker.hasBidAsk)
    spot, spread = ticker.last, ticker.ask - ticker.bid

    desk.server.faults.play("spike", {"con_id": 756733, "factor": 0.95, "real": True})
    await until(lambda: ticker.last < spot * 0.97)
    desk.server.faults.play("wide-market", {"con_id": 756733, "factor": 30})
    await until(lambda: ticker.ask - ticker.bid > 5 * spread)
    desk.server.faults.play("halt", {"con_id": 756733})

    await until(lambda: ticker.halted == 2)


async def test_a_day_passes_flat_out_without_a_word_from_asyncio(start, connect, until):
    server = await start(exchange=exchange(), speed=None, messages_per_s_max=0)
    client = await connect(server, timeout=20)
    ticker = client.reqMktData(Stock("SPY", "SMART", "USD", conId=756733))

    await until(
        lambda: server.gateway.now_ns > MORNING_NS + 1800 * NS, what="half an hour", timeout_s=30
    )
    await asyncio.sleep(0)

    assert ticker.hasBidAsk()


async def test_a_long_history_keeps_nobody_else_waiting(desk):
    (vix,) = await desk.qualifyContractsAsync(Index("VIX", "CBOE"))
    order = []

    async def history():
        bars = await desk.reqHistoricalDataAsync(vix, "", "1 Y", "1 day", "TRADES", useRTH=True)
        order.append("history")
        return bars

    asked = asyncio.ensure_future(history())
    await asyncio.sleep(0)
    await desk.reqCurrentTimeAsync()
    order.append("time")
    bars = await asked

    assert order == ["time", "history"]
    assert len(bars) > 200
