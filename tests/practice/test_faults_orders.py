"""Each fault of orders, fills and positions shows itself to an unmodified client."""

import asyncio

import pytest
from ib_async import ComboLeg, Contract, LimitOrder, MarketOrder, Option, Stock

from tests.practice.fake_exchange import ACCOUNT
from tests.practice.fake_market import EXPIRIES, SPY, option_con_id

PUT = option_con_id(expiry=EXPIRIES[0], strike=500.0, right="P")
OTHER = option_con_id(expiry=EXPIRIES[0], strike=505.0, right="P")


def put():
    return Option("SPY", "20260320", 500.0, "P", "SMART", currency="USD", conId=PUT)


@pytest.fixture
async def desk(ib):
    """A client that notes its errors."""
    ib.codes = []
    ib.errorEvent += lambda *args: ib.codes.append(args[1])
    ib.faults = ib.server.faults
    return ib


async def resting(ib, until, **changes):
    trade = ib.placeOrder(put(), LimitOrder("BUY", 4, 0.05, **changes))
    await until(lambda: trade.orderStatus.status == "Submitted")
    return trade


async def test_the_next_order_is_rejected_and_only_that(desk, until):
    desk.faults.play("reject", {"text": "too risky"})

    first = desk.placeOrder(put(), LimitOrder("BUY", 1, 0.05))
    await until(lambda: 201 in desk.codes)
    second = await resting(desk, until)

    assert "Inactive" in [entry.status for entry in first.log]
    assert second.orderStatus.status == "Submitted"


async def test_half_an_order_fills_and_the_rest_is_cancelled(desk, until):
    desk.faults.play("partial-then-cancel")

    trade = desk.placeOrder(put(), LimitOrder("BUY", 4, 0.05))
    await until(lambda: trade.orderStatus.status == "Cancelled")

    assert trade.filled() == 2
    assert trade.orderStatus.remaining == 2


async def test_the_fill_wins_against_the_cancellation(desk, until):
    trade = await resting(desk, until)
    desk.faults.play("fill-after-cancel")

    desk.cancelOrder(trade.order)
    await until(lambda: 10148 in desk.codes)

    assert trade.filled() == 4
    assert 202 not in desk.codes


async def test_the_fill_wins_against_the_modification(desk, until):
    trade = await resting(desk, until)
    desk.faults.play("modify-race")

    trade.order.lmtPrice = 0.06
    desk.placeOrder(trade.contract, trade.order)
    await until(lambda: 104 in desk.codes)

    assert trade.filled() == 4


async def test_duplicates_do_not_change_what_was_filled(desk, until):
    desk.faults.play("duplicates", {"times": 3})

    trade = desk.placeOrder(put(), MarketOrder("BUY", 2))
    await until(lambda: trade.isDone() and trade.fills[0].commissionReport.execId)
    await asyncio.sleep(0.05)

    assert trade.filled() == 2
    assert len(desk.fills()) == 1


async def test_a_fill_without_status_is_an_execution_only(desk, until):
    desk.faults.play("no-status")

    trade = desk.placeOrder(put(), MarketOrder("BUY", 2))
    await until(desk.fills)

    assert trade.orderStatus.status == "PendingSubmit"
    assert desk.fills()[0].execution.shares == 2


async def test_states_arrive_in_the_wrong_order(desk, until):
    desk.faults.play("out-of-order")

    trade = desk.placeOrder(put(), LimitOrder("BUY", 1, 0.05))
    await until(lambda: len(trade.log) >= 3)

    assert [entry.status for entry in trade.log][-2:] == ["Submitted", "PreSubmitted"]


async def test_commissions_may_never_come(desk, until):
    desk.faults.play("late-commission")

    trade = desk.placeOrder(put(), MarketOrder("BUY", 1))
    await until(trade.isDone)
    await asyncio.sleep(0.05)

    assert trade.fills[0].commissionReport.execId == ""


async def test_commissions_may_come_late(desk, until):
    desk.faults.play("late-commission", {"delay_s": 0.1})

    trade = desk.placeOrder(put(), MarketOrder("BUY", 1))
    await until(trade.isDone)
    assert trade.fills[0].commissionReport.execId == ""

    await until(lambda: trade.fills[0].commissionReport.execId)


async def test_a_commission_may_come_before_its_execution(desk, until):
    desk.faults.play("early-commission")

    desk.placeOrder(put(), MarketOrder("BUY", 1))
    await until(desk.fills)

    assert desk.fills()[0].commissionReport.execId == ""


async def test_status_may_come_late(desk, until):
    desk.faults.play("late-status", {"delay_s": 0.1})

    trade = desk.placeOrder(put(), MarketOrder("BUY", 1))
    await until(desk.fills)

    assert trade.orderStatus.status == "PendingSubmit"
    await until(trade.isDone)


async def test_an_execution_is_corrected_under_a_raised_id(desk, until):
    trade = desk.placeOrder(put(), MarketOrder("BUY", 1))
    await until(trade.isDone)
    (first,) = desk.fills()

    desk.faults.play("correction", {"price": 3.21})
    await until(lambda: len(desk.fills()) == 2)

    second = desk.fills()[-1].execution
    assert second.price == 3.21
    assert first.execution.execId.rpartition(".")[0] == second.execId.rpartition(".")[0]
    assert second.execId.endswith(".02")


async def test_perm_ids_are_zero_at_first(desk, until):
    seen = []
    desk.openOrderEvent += lambda trade: seen.append(trade.order.permId)
    desk.faults.play("perm-id", {"kind": "zero"})

    await resting(desk, until)

    assert seen[0] == 0
    assert seen[-1] > 0


async def test_perm_ids_change_under_a_live_order(desk, until):
    seen = []
    desk.openOrderEvent += lambda trade: seen.append(trade.order.permId)
    desk.faults.play("perm-id", {"kind": "changed"})

    desk.placeOrder(put(), MarketOrder("BUY", 1))
    await until(desk.fills)

    assert len(set(seen)) == 2
    assert desk.fills()[0].execution.permId == seen[-1] != seen[0]


async def test_an_order_vanishes_without_an_answer(desk, until):
    desk.faults.play("lost-order")

    lost = desk.placeOrder(put(), LimitOrder("BUY", 1, 0.05))
    await resting(desk, until)

    assert lost.orderStatus.status == "PendingSubmit"
    assert len(await desk.reqAllOpenOrdersAsync()) == 1


async def test_a_lost_answer_is_found_by_asking(desk, until):
    desk.faults.play("lost-ack")

    trade = desk.placeOrder(put(), LimitOrder("BUY", 1, 0.05))
    await asyncio.sleep(0.1)
    assert trade.order.permId == 0

    (found,) = await desk.reqAllOpenOrdersAsync()
    assert found.order.permId > 0


async def test_what_if_may_hang(desk):
    desk.faults.play("what-if", {"kind": "hang"})

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(desk.whatIfOrderAsync(put(), MarketOrder("BUY", 1)), 0.15)


async def test_what_if_may_be_refused(desk):
    desk.faults.play("what-if", {"kind": "refused"})

    assert await desk.whatIfOrderAsync(put(), MarketOrder("BUY", 1)) == []


async def test_what_if_may_come_without_margins(desk, until):
    told = []
    desk.client.decoder.wrapper.openOrder = lambda _id, _contract, _order, state: told.append(state)
    desk.faults.play("what-if", {"kind": "unset"})

    desk.placeOrder(put(), MarketOrder("BUY", 1, whatIf=True))
    await until(lambda: told)

    assert float(told[0].initMarginChange) == 1.7976931348623157e308


async def test_margins_rise_and_fall_back(desk):
    desk.faults.play("margin", {"factor": 3})
    assert desk.server.gateway.exchange.margin_scale == 3

    desk.faults.end("margin")

    assert desk.server.gateway.exchange.margin_scale == 1


@pytest.mark.parametrize("code", [105, 399, 404, 2109, 10349])
async def test_warnings_reach_a_live_order(desk, until, code):
    await resting(desk, until)

    desk.faults.play("warning", {"code": code})

    await until(lambda: code in desk.codes)
    assert len(desk.server.gateway.exchange.open_orders()) == 1


async def test_a_warning_comes_late_after_the_fill(desk, until):
    trade = desk.placeOrder(put(), MarketOrder("BUY", 1))
    await until(trade.isDone)

    desk.faults.play("warning", {"code": 399, "filled": True})

    await until(lambda: 399 in desk.codes)


@pytest.mark.parametrize("code", [161, 10147, 10148])
async def test_cancelling_fails(desk, until, code):
    trade = await resting(desk, until)
    desk.faults.play("cancel-fails", {"code": code})

    desk.cancelOrder(trade.order)
    await until(lambda: code in desk.codes)

    assert len(desk.server.gateway.exchange.open_orders()) == 1


async def test_an_order_id_is_claimed_to_be_in_use(desk, until):
    desk.faults.play("duplicate-id")

    desk.placeOrder(put(), LimitOrder("BUY", 1, 0.05))

    await until(lambda: desk.codes == [103])


async def test_next_valid_id_may_go_back(desk, until):
    await resting(desk, until)
    told = []
    desk.wrapper.nextValidId = told.append

    desk.faults.play("low-id")

    await until(lambda: told == [1])


async def test_the_broker_cancels_a_child(desk, until):
    trades = [desk.placeOrder(put(), one) for one in desk.bracketOrder("BUY", 1, 0.1, 1.0, 0.05)]
    await until(lambda: trades[2].orderStatus.status == "PreSubmitted")

    desk.faults.play("child-cancelled")
    await until(lambda: trades[2].orderStatus.status == "Cancelled")

    assert trades[0].orderStatus.status == "Submitted"


async def test_somebody_cancels_by_hand(desk, until):
    trade = await resting(desk, until)

    desk.faults.play("manual-cancel")

    await until(lambda: trade.orderStatus.status == "Cancelled")


async def test_a_combination_is_left_on_one_leg(desk, until):
    legs = [
        ComboLeg(conId=PUT, ratio=1, action="SELL", exchange="SMART"),
        ComboLeg(conId=OTHER, ratio=1, action="BUY", exchange="SMART"),
    ]
    bag = Contract(symbol="SPY", secType="BAG", exchange="SMART", currency="USD", comboLegs=legs)
    exchange = desk.server.gateway.exchange
    exchange._match = lambda _key: None
    trade = desk.placeOrder(bag, LimitOrder("BUY", 1, -0.5))
    await until(lambda: trade.orderStatus.status == "Submitted")

    desk.faults.play("legged")
    await until(lambda: trade.fills)

    assert trade.fills[0].contract.conId == PUT
    assert trade.orderStatus.status == "Submitted"


async def test_an_assignment_is_told_by_positions_only(desk, until):
    trade = desk.placeOrder(put(), MarketOrder("SELL", 2))
    await until(lambda: trade.isDone() and desk.positions())
    fills = len(desk.fills())

    desk.faults.play("assign")
    await until(lambda: not [one for one in desk.positions() if one.position])

    assert len(desk.fills()) == fills


async def test_a_liquidation_closes_a_position(desk, until):
    trade = desk.placeOrder(Stock("SPY", "SMART", "USD", conId=SPY), MarketOrder("BUY", 3))
    await until(lambda: trade.isDone() and desk.positions())

    desk.faults.play("liquidate")

    await until(lambda: not [one for one in desk.positions() if one.position])


async def test_a_manual_trade_is_nobodys_order(desk, until):
    desk.faults.play("manual-trade", {"con_id": SPY, "quantity": 5})

    await until(desk.positions)

    (position,) = desk.positions()
    assert (position.account, position.position) == (ACCOUNT, 5)
    assert desk.trades() == []
