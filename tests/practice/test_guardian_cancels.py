"""The guardian's way to the gateway: it takes back what may add risk, and can place nothing."""

import pytest
from ib_async import LimitOrder, Option, OrderStatus, Trade

from thetawarden.infra.ib.canceller import (
    CancelOnly,
    CannotPlaceError,
    Gateway,
    cancel_entries,
    look_and_cancel_all,
)

DESK, OWN = 17, 917


def put():
    return Option("SPY", "20260320", 500.0, "P", "SMART", currency="USD")


async def place(ib, until, *refs, price=0.05):
    trades = [ib.placeOrder(put(), LimitOrder("BUY", 1, price, orderRef=ref)) for ref in refs]
    await until(lambda: all(trade.orderStatus.status == "Submitted" for trade in trades))
    return trades


def gateway(server):
    return Gateway(host="127.0.0.1", port=server.port, desk_client_id=DESK, own_client_id=OWN)


async def test_where_only_entries_work_they_go_while_the_desk_still_holds_its_number(
    start,
    connect,
    until,
):
    server = await start()
    desk = await connect(server, client_id=DESK)
    trades = await place(desk, until, "T1.open.a1.1", "T2.roll.a2.1")

    looked = await look_and_cancel_all(gateway(server))

    assert (looked.entries, looked.others) == ((), ())
    await until(lambda: all(trade.isDone() for trade in trades))


async def test_where_exits_or_other_peoples_orders_work_nothing_is_cancelled_as_a_whole(
    start,
    connect,
    until,
):
    server = await start()
    desk, person = await connect(server, client_id=DESK), await connect(server, client_id=1)
    trades = await place(desk, until, "T1.open.a1.1", "T0.tp.a0.1")
    trades += await place(person, until, "by hand")

    looked = await look_and_cancel_all(gateway(server))

    assert [order.order_ref for order in looked.entries] == ["T1.open.a1.1"]
    assert {order.order_ref for order in looked.others} == {"T0.tp.a0.1", "by hand"}
    assert not any(trade.isDone() for trade in trades)


async def test_once_the_desk_is_gone_entries_go_one_by_one_and_every_exit_stays(
    start,
    connect,
    until,
):
    server = await start()
    desk, person = await connect(server, client_id=DESK), await connect(server, client_id=1)
    await place(desk, until, "T1.open.a1.1", "T0.tp.a0.1", "T0.stop.a0.1", "T3.close.a3.1")
    await place(person, until, "T9.open.looks.ours")  # another client's, whatever its name
    desk.client.conn.transport.abort()
    await until(lambda: DESK not in server.gateway.sessions)

    looked = await cancel_entries(gateway(server))

    assert looked.entries == ()
    assert sorted(order.order_ref for order in looked.others) == [
        "T0.stop.a0.1",
        "T0.tp.a0.1",
        "T3.close.a3.1",
        "T9.open.looks.ours",
    ]


async def test_a_desk_that_holds_its_number_keeps_the_guardian_out(start, connect):
    server = await start()
    await connect(server, client_id=DESK)

    with pytest.raises(ConnectionError):
        await cancel_entries(gateway(server))


async def test_a_gateway_that_is_not_there_is_an_error_and_no_empty_list():
    nowhere = Gateway(host="127.0.0.1", port=9, desk_client_id=DESK, own_client_id=OWN)

    with pytest.raises(ConnectionError):
        await look_and_cancel_all(nowhere)


async def test_nothing_but_questions_and_cancels_can_leave(start):
    server = await start()
    ib = CancelOnly()
    await ib.client.connectAsync("127.0.0.1", server.port, OWN, timeout=5)

    for leave in (
        lambda: ib.placeOrder(put(), LimitOrder("BUY", 1, 0.05)),
        lambda: ib.client.placeOrder(1, put(), LimitOrder("BUY", 1, 0.05)),
        lambda: ib.exerciseOptions(put(), 1, 1, "DU1", 0),
        lambda: ib.client.reqAutoOpenOrders(True),
    ):
        with pytest.raises(CannotPlaceError):
            leave()
    ib.disconnect()


def test_a_code_about_an_order_is_not_taken_for_its_end():
    ib = CancelOnly()
    ib.wrapper.clientId = DESK
    trade = Trade(put(), LimitOrder("BUY", 1, 0.05, orderId=5), OrderStatus(status="Submitted"))
    ib.wrapper.trades[ib.wrapper.orderKey(DESK, 5, 0)] = trade

    ib.wrapper.error(5, 10148, "cannot be cancelled, state: PendingCancel", "")

    assert not trade.isDone()
