"""Faults planted in the exchange itself, seen by an unmodified client; and that none is missing."""

import datetime as dt
from zoneinfo import ZoneInfo

import msgspec
import pytest
from ib_async import ComboLeg, Contract, LimitOrder, MarketOrder, Option, Stock

from thetawarden.errors import RefusedError
from thetawarden.practice.exchange.exchange import PracticeExchange
from thetawarden.practice.faults.catalogue import FAULTS
from thetawarden.practice.market.market import PracticeMarket
from thetawarden.practice.market.parts import Terms
from thetawarden.practice.model import OrderFaults

NS = 10**9
MORNING_NS = int(dt.datetime(2026, 3, 2, 10, 0, tzinfo=ZoneInfo("US/Eastern")).timestamp()) * NS
SPY = Stock("SPY", "SMART", "USD")


@pytest.fixture
async def desk(start, connect):
    exchange = PracticeExchange(PracticeMarket(Terms(seed=1, start_ns=MORNING_NS)))
    server = await start(exchange=exchange, messages_per_s_max=0, speed=20.0)
    client = await connect(server, timeout=10)
    client.faults, client.exchange = server.faults, exchange
    client.codes = []
    client.errorEvent += lambda *args: client.codes.append(args[1])
    await client.qualifyContractsAsync(SPY)
    return client


def bid(quantity=10, price=1.0, **changes):
    return LimitOrder("BUY", quantity, price, **changes)


def test_every_order_fault_of_the_catalogue_has_a_name():
    codes = {one.code for one in FAULTS.values()}

    assert {f"O{number:02}" for number in range(1, 21)} <= codes


async def test_every_seam_of_the_exchange_is_reached_by_some_fault(desk):
    healthy = OrderFaults()
    reached = set()
    for one in FAULTS.values():
        if one.play.__module__.endswith(".planted"):
            desk.faults.play(one.name)
            now = msgspec.structs.asdict(desk.exchange.faults)
            reached |= {name for name, value in now.items() if value != getattr(healthy, name)}
            desk.faults.end(one.name)
            assert desk.exchange.faults == healthy

    assert reached == set(OrderFaults.__struct_fields__)


async def test_a_refused_order_never_works(desk, until):
    desk.faults.play("refuse", {"text": "too risky"})

    first = desk.placeOrder(SPY, bid())
    await until(lambda: 201 in desk.codes)
    second = desk.placeOrder(SPY, bid())
    await until(lambda: second.orderStatus.status in ("PreSubmitted", "Submitted"))

    states = {entry.status for entry in first.log}
    assert "Inactive" in states
    assert not states & {"PreSubmitted", "Submitted"}


async def test_a_partial_fill_is_followed_by_the_brokers_cancellation(desk, until):
    desk.faults.play("rest-cancelled")

    trade = desk.placeOrder(SPY, MarketOrder("BUY", 40))
    await until(lambda: trade.orderStatus.status == "Cancelled")

    assert 0 < trade.filled() < 40


async def test_costs_are_not_booked_until_the_fault_says_so(desk, until):
    desk.faults.play("unbooked-commission")

    trade = desk.placeOrder(SPY, MarketOrder("BUY", 1))
    await until(lambda: trade.orderStatus.status == "Filled")
    (fill,) = await desk.reqExecutionsAsync()

    assert not fill.commissionReport.execId


async def test_an_order_gets_a_second_perm_id_and_keeps_it(desk, until):
    desk.faults.play("second-perm-id")
    seen = []
    desk.openOrderEvent += lambda trade: seen.append(trade.order.permId)

    trade = desk.placeOrder(SPY, bid())
    await until(lambda: len(set(seen) - {0}) == 2)
    listed = await desk.reqAllOpenOrdersAsync()

    assert {one.order.permId for one in listed} == {max(seen)}
    assert trade.order.permId == max(seen)


async def test_a_preview_may_name_numbers_and_refuse(desk, until):
    previews = []
    desk.client.decoder.handlers = dict(desk.client.decoder.handlers)
    wrapped = desk.wrapper.openOrder

    def note(order_id, contract, order, state):
        previews.append(state)
        wrapped(order_id, contract, order, state)

    desk.wrapper.openOrder = note
    desk.faults.play("what-if-numbers")

    desk.placeOrder(SPY, bid(whatIf=True))
    await until(lambda: 201 in desk.codes and previews)

    assert float(previews[0].initMarginAfter) < 1e300


async def test_a_cancellation_takes_its_time(desk, until):
    trade = desk.placeOrder(SPY, bid())
    await until(lambda: trade.orderStatus.status in ("PreSubmitted", "Submitted"))
    desk.faults.play("slow-cancel", {"seconds": 1e6})

    desk.cancelOrder(trade.order)
    await until(lambda: trade.orderStatus.status == "PendingCancel")
    asked_ns = desk.exchange.now_ns
    await until(lambda: desk.exchange.now_ns > asked_ns + 5 * NS)

    assert trade.orderStatus.status == "PendingCancel"


async def test_the_next_child_of_a_bracket_is_refused(desk, until):
    desk.faults.play("child-refused")

    bracket = desk.bracketOrder("BUY", 10, 1.0, 2.0, 0.5)
    trades = [desk.placeOrder(SPY, order) for order in bracket]
    await until(lambda: 201 in desk.codes)

    assert "Inactive" in {entry.status for entry in trades[1].log}
    assert "Inactive" not in {entry.status for one in (trades[0], trades[2]) for entry in one.log}


async def test_the_next_combination_is_legged_by_the_market(desk, until):
    chains = await desk.reqSecDefOptParamsAsync("SPY", "", "STK", SPY.conId)
    expiry = sorted(next(one for one in chains if one.exchange == "SMART").expirations)[4]
    details = await desk.reqContractDetailsAsync(Option("SPY", expiry, 0.0, "P", "SMART"))
    strikes = sorted((one.contract for one in details), key=lambda one: one.strike)
    middle = len(strikes) // 2
    sold, bought = strikes[middle], strikes[middle - 5]
    combination = Contract(symbol="SPY", secType="BAG", exchange="SMART", currency="USD")
    combination.comboLegs = [
        ComboLeg(conId=leg.conId, ratio=1, action=action, exchange="SMART")
        for leg, action in ((sold, "SELL"), (bought, "BUY"))
    ]
    desk.faults.play("leg-by-leg")

    trades = [desk.placeOrder(combination, LimitOrder("BUY", 1, -50.0)) for _ in range(2)]
    await until(lambda: all(one.orderStatus.permId for one in trades))

    working = desk.exchange.floor.state.orders.values()
    assert [one.leg_by_leg for one in working] == [True, False]


def test_a_planted_fault_needs_sensible_arguments():
    with pytest.raises(RefusedError, match="seconds is -1"):
        FAULTS["slow-cancel"].start(None, {"seconds": -1})
    with pytest.raises(RefusedError, match="text is empty"):
        FAULTS["refuse"].start(None, {"text": ""})
