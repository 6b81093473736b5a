"""Orders from the ticket to the commission, as ib_async sees them."""

import asyncio

import ib_async
from ib_async import (
    ComboLeg,
    Contract,
    LimitOrder,
    MarketOrder,
    Option,
    Order,
    PriceCondition,
    Stock,
    TagValue,
)

from tests.practice.fake_exchange import ACCOUNT
from tests.practice.fake_market import EXPIRIES, SPY, option_con_id
from thetawarden.practice.model import Action


def spy():
    return Stock("SPY", "SMART", "USD", conId=SPY)


def put():
    return Option("SPY", "20260320", 500.0, "P", "SMART", currency="USD")


def statuses(trade):
    return [entry.status for entry in trade.log]


async def test_a_market_order_fills_and_is_charged(ib, until):
    trade = ib.placeOrder(put(), MarketOrder("BUY", 3, orderRef="ref-1"))

    await until(lambda: trade.fills and trade.fills[0].commissionReport.execId)

    (fill,) = trade.fills
    assert trade.orderStatus.status == "Filled"
    assert (trade.orderStatus.filled, trade.orderStatus.remaining) == (3, 0)
    assert (fill.execution.side, fill.execution.shares, fill.execution.cumQty) == ("BOT", 3, 3)
    assert fill.execution.orderRef == "ref-1"
    assert fill.commissionReport.commission == 3.15
    assert fill.commissionReport.realizedPNL == 0
    assert trade.order.permId > 0
    assert abs(fill.execution.time.timestamp() - ib.server.gateway.now_ns / 1e9) < 5


async def test_a_fill_is_told_in_the_genuine_order(ib, until):
    order = []
    ib.execDetailsEvent += lambda *_: order.append("execDetails")
    ib.orderStatusEvent += lambda trade: order.append(trade.orderStatus.status)
    ib.commissionReportEvent += lambda *_: order.append("commission")

    ib.placeOrder(put(), MarketOrder("BUY", 1))
    await until(lambda: "commission" in order)

    filled = order.index("Filled")
    assert order.index("execDetails") < filled < order.index("commission")
    assert order[0] in ("PreSubmitted", "PendingSubmit")


async def test_a_resting_limit_order_is_submitted_and_can_be_cancelled(ib, until):
    codes = []
    ib.errorEvent += lambda *args: codes.append(args[1])
    trade = ib.placeOrder(put(), LimitOrder("BUY", 2, 0.05))
    await until(lambda: trade.orderStatus.status == "Submitted")

    ib.cancelOrder(trade.order)
    await until(lambda: trade.isDone() and 202 in codes)

    assert "PendingCancel" in statuses(trade)
    assert trade.orderStatus.status == "Cancelled"
    assert trade.orderStatus.remaining == 2


async def test_modifying_keeps_the_order_and_its_perm_id(ib, until):
    trade = ib.placeOrder(put(), LimitOrder("BUY", 1, 0.05))
    await until(lambda: trade.orderStatus.status == "Submitted")
    perm_id = trade.order.permId

    trade.order.lmtPrice = 100.0
    ib.placeOrder(trade.contract, trade.order)
    await until(lambda: trade.orderStatus.status == "Filled")

    assert trade.order.permId == perm_id


async def test_a_bracket_is_silent_until_its_last_part(ib, connect, until):
    parent, profit, stop = ib.bracketOrder("SELL", 1, 50.0, 1.0, 60.0)

    first = ib.placeOrder(put(), parent)
    second = ib.placeOrder(put(), profit)
    await asyncio.sleep(0.1)
    assert first.orderStatus.status == "PendingSubmit"
    assert first.order.permId == 0
    third = ib.placeOrder(put(), stop)
    await until(lambda: third.orderStatus.status == "PreSubmitted")

    assert second.orderStatus.whyHeld == "child"
    assert third.orderStatus.whyHeld == "child,trigger"
    assert third.orderStatus.parentId == parent.orderId
    other = await connect(ib.server, client_id=2)
    groups = {one.order.orderId: one.order.ocaGroup for one in await other.reqAllOpenOrdersAsync()}
    assert groups[profit.orderId] == groups[stop.orderId] == str(first.order.permId)
    assert [one.order.permId - first.order.permId for one in (first, second, third)] == [0, 1, 2]


async def test_cancelling_a_parent_cancels_its_children(ib, until):
    trades = [ib.placeOrder(put(), one) for one in ib.bracketOrder("BUY", 1, 0.1, 1.0, 0.05)]
    await until(lambda: trades[2].orderStatus.status == "PreSubmitted")

    ib.cancelOrder(trades[0].order)

    await until(lambda: all(trade.orderStatus.status == "Cancelled" for trade in trades))


async def test_a_combination_fills_as_a_whole_and_leg_by_leg(ib, until):
    con_ids = [
        option_con_id(expiry=EXPIRIES[0], strike=strike, right="P") for strike in (495.0, 490.0)
    ]
    legs = [
        ComboLeg(conId=con_ids[0], ratio=1, action="SELL", exchange="SMART"),
        ComboLeg(conId=con_ids[1], ratio=1, action="BUY", exchange="SMART"),
    ]
    bag = Contract(symbol="SPY", secType="BAG", exchange="SMART", currency="USD", comboLegs=legs)
    order = LimitOrder("BUY", 2, -0.45, smartComboRoutingParams=[TagValue("NonGuaranteed", "1")])

    trade = ib.placeOrder(bag, order)
    await until(lambda: len(trade.fills) == 3 and trade.fills[2].commissionReport.execId)

    assert trade.filled() == 2
    assert trade.orderStatus.avgFillPrice == -0.45
    assert [fill.contract.secType for fill in trade.fills] == ["BAG", "OPT", "OPT"]
    assert trade.fills[0].commissionReport.execId == ""
    assert trade.fills[1].commissionReport.commission > 0
    assert trade.contract.comboLegs[0].conId == con_ids[0]


async def test_what_if_tells_margins_and_keeps_nothing(ib):
    state = await ib.whatIfOrderAsync(put(), LimitOrder("SELL", 1, 10.0))

    assert state.status == "PreSubmitted"
    assert float(state.initMarginChange) == 7440.699999999999
    assert state.commission == 1.05
    assert await ib.reqAllOpenOrdersAsync() == []


async def test_what_if_beyond_the_margin_tells_the_numbers_and_then_refuses(ib, until):
    codes = []
    ib.errorEvent += lambda *args: codes.append(args[1])

    state = await ib.whatIfOrderAsync(put(), LimitOrder("SELL", 5000, 10.0))
    await until(lambda: codes)

    assert float(state.initMarginAfter) == 8440.699999999999
    assert codes == [201]


async def test_a_what_if_must_transmit(ib, until):
    codes = []
    ib.errorEvent += lambda *args: codes.append(args[1])

    ib.placeOrder(put(), LimitOrder("SELL", 1, 10.0, transmit=False, whatIf=True))
    await until(lambda: codes)

    assert codes == [321]


async def test_cancelling_what_does_not_exist_is_10147(ib, until):
    errors = []
    ib.errorEvent += lambda *args: errors.append(args)

    ib.client.cancelOrder(5003)
    await until(lambda: errors)

    assert errors[0][:3] == (
        5003,
        10147,
        "OrderId 5003 that needs to be cancelled is not found.",
    )


async def test_open_orders_are_ones_own_and_all_open_orders_are_everybodys(start, connect, until):
    server = await start()
    mine, other = await connect(server, client_id=1), await connect(server, client_id=2)
    trade = mine.placeOrder(put(), LimitOrder("BUY", 1, 0.05))
    await until(lambda: trade.orderStatus.status == "Submitted")

    own = await other.reqOpenOrdersAsync()
    everybodys = await other.reqAllOpenOrdersAsync()

    assert own == []
    assert [one.order.permId for one in everybodys] == [trade.order.permId]
    assert everybodys[0].order.clientId == 1


async def test_only_the_owner_and_the_master_hear_of_an_order(start, connect, until):
    server = await start(master_client_id=9)
    clients = {number: await connect(server, client_id=number) for number in (1, 2, 9)}

    clients[1].placeOrder(put(), MarketOrder("BUY", 1))
    await until(lambda: clients[9].fills() and clients[1].fills())

    assert clients[2].fills() == []
    assert clients[2].trades() == []
    assert clients[9].fills()[0].commissionReport.commission == 1.05


async def test_orders_and_fills_are_found_again_after_a_reconnect(start, connect, until):
    server = await start()
    first = await connect(server, client_id=4)
    working = first.placeOrder(put(), LimitOrder("BUY", 1, 0.05, tif="GTC", orderRef="keep"))
    filled = first.placeOrder(put(), MarketOrder("BUY", 2))
    await until(lambda: filled.isDone() and working.orderStatus.status == "Submitted")
    last_id = filled.order.orderId
    first.disconnect()
    await until(lambda: not server.gateway.sessions)

    again = await connect(server, client_id=4)

    (trade,) = again.openTrades()
    assert (trade.order.permId, trade.order.orderRef) == (working.order.permId, "keep")
    assert (trade.order.tif, trade.orderStatus.status) == ("GTC", "Submitted")
    assert [fill.execution.shares for fill in again.fills()] == [2]
    assert [fill.commissionReport.commission for fill in again.fills()] == [2.1]
    assert again.client.getReqId() > last_id


async def test_completed_orders_say_how_they_ended(ib, until):
    trade = ib.placeOrder(put(), MarketOrder("BUY", 1))
    await until(trade.isDone)

    (done,) = await ib.reqCompletedOrdersAsync(apiOnly=False)

    assert done.orderStatus.status == "Filled"
    assert done.order.permId == trade.order.permId
    assert done.order.filledQuantity == 1


async def test_every_field_of_a_rich_ticket_comes_back(ib, until):
    order = Order(
        action="SELL",
        totalQuantity=2,
        orderType="STP LMT",
        lmtPrice=20.5,
        auxPrice=21.0,
        tif="GTD",
        goodTillDate="20260320 16:00:00 US/Eastern",
        orderRef="rich",
        ocaGroup="group",
        ocaType=1,
        outsideRth=True,
        triggerMethod=2,
        minQty=1,
        algoStrategy="Adaptive",
        algoParams=[TagValue("adaptivePriority", "Patient")],
        conditions=[PriceCondition(price=510.0, conId=SPY, exch="SMART", isMore=True)],
        conditionsCancelOrder=True,
        account=ACCOUNT,
    )

    trade = ib.placeOrder(put(), order)
    await until(lambda: trade.order.permId)
    (echo,) = await ib.reqAllOpenOrdersAsync()

    got = echo.order
    for name in [
        "action",
        "totalQuantity",
        "orderType",
        "lmtPrice",
        "auxPrice",
        "tif",
        "goodTillDate",
        "orderRef",
        "ocaGroup",
        "ocaType",
        "outsideRth",
        "triggerMethod",
        "minQty",
        "algoStrategy",
        "conditionsCancelOrder",
        "account",
    ]:
        assert getattr(got, name) == getattr(order, name), name
    assert [(p.tag, p.value) for p in got.algoParams] == [("adaptivePriority", "Patient")]
    (condition,) = got.conditions
    assert (condition.price, condition.conId, condition.isMore) == (510.0, SPY, True)


async def test_an_echoed_order_can_be_sent_back_as_a_modification(start, connect, until):
    server = await start()
    first = await connect(server, client_id=4)
    trade = first.placeOrder(put(), LimitOrder("BUY", 1, 0.05, tif="GTC"))
    await until(lambda: trade.orderStatus.status == "Submitted")
    first.disconnect()
    await until(lambda: not server.gateway.sessions)
    again = await connect(server, client_id=4)
    (found,) = again.openTrades()

    found.order.lmtPrice = 0.1
    again.placeOrder(found.contract, found.order)
    await until(lambda: server.gateway.exchange.open_orders()[0].request.limit_price == 0.1)

    assert found.order.permId == trade.order.permId


async def test_global_cancel_reaches_every_client(start, connect, until):
    server = await start()
    clients = [await connect(server, client_id=number) for number in (1, 2)]
    trades = [one.placeOrder(put(), LimitOrder("BUY", 1, 0.05)) for one in clients]
    await until(lambda: all(trade.orderStatus.status == "Submitted" for trade in trades))

    clients[0].reqGlobalCancel()

    await until(lambda: all(trade.orderStatus.status == "Cancelled" for trade in trades))


async def test_client_zero_hears_of_manual_orders(start, connect, until):
    server = await start()
    zero = await connect(server, client_id=0)
    exchange = server.gateway.exchange

    exchange.manual_order(
        account=ACCOUNT,
        contract=exchange.market.details(SPY).contract,
        action=Action.BUY,
        quantity=5,
    )

    await until(zero.fills)
    assert zero.fills()[0].execution.orderId == 0


async def test_a_read_only_gateway_refuses_orders_with_321(start, connect, until):
    server = await start(read_only=True)
    client = await connect(server, readonly=True)
    codes = []
    client.errorEvent += lambda *args: codes.append(args[1])

    client.placeOrder(put(), MarketOrder("BUY", 1))
    await until(lambda: codes)

    assert codes == [321]
    assert server.gateway.exchange.orders == {}


async def test_pairs_can_be_repeated_as_genuine_gateways_do(start, connect, until):
    server = await start(pair_repeats=3)
    client = await connect(server)
    told = []
    client.openOrderEvent += told.append

    trade = client.placeOrder(put(), LimitOrder("BUY", 1, 0.05))
    await until(lambda: trade.orderStatus.status == "Submitted")
    await asyncio.sleep(0.05)

    assert len(told) == 6
    assert isinstance(client, ib_async.IB)


async def test_master_and_owner_may_be_the_same_client(start, connect, until):
    server = await start(master_client_id=1)
    client = await connect(server, client_id=1)
    fills = []
    client.execDetailsEvent += lambda _trade, fill: fills.append(fill)

    client.placeOrder(spy(), MarketOrder("BUY", 1))
    await until(lambda: fills)
    await asyncio.sleep(0.05)

    assert len(fills) == 1
