"""Each fault of the connection has, for an unmodified client, the effect it promises."""

import asyncio

import ib_async
import pytest
from ib_async import LimitOrder, MarketOrder, Option, Stock

from tests.practice.fake_market import EXPIRIES, SPY, option_con_id

PUT = option_con_id(expiry=EXPIRIES[0], strike=500.0, right="P")


def put():
    return Option("SPY", "20260320", 500.0, "P", "SMART", currency="USD", conId=PUT)


def spy():
    return Stock("SPY", "SMART", "USD", conId=SPY)


def codes_of(ib):
    codes = []
    ib.errorEvent += lambda *args: codes.append(args[1])
    return codes


async def test_reset_drops_the_link_and_the_client_may_return(ib, connect, until):
    ib.server.faults.play("reset")

    await until(lambda: not ib.isConnected())
    again = await connect(ib.server, client_id=1)

    assert again.isConnected()


async def test_a_reset_behind_an_order_leaves_it_working(ib, connect, until):
    ib.server.faults.play("reset-mid-order")

    ib.placeOrder(put(), LimitOrder("BUY", 1, 0.05, orderRef="mid"))
    await until(lambda: not ib.isConnected())
    again = await connect(ib.server, client_id=1)

    assert [trade.order.orderRef for trade in again.openTrades()] == ["mid"]


async def test_a_fill_while_away_is_found_in_executions_only(ib, connect, until):
    trade = ib.placeOrder(put(), LimitOrder("BUY", 2, 0.05))
    await until(lambda: trade.orderStatus.status == "Submitted")
    ib.server.faults.play("fill-while-away", {"away_s": 0.4})
    await until(lambda: not ib.isConnected() and not ib.server.is_listening)
    await until(lambda: ib.server.is_listening)

    again = await connect(ib.server, client_id=1)

    assert again.openTrades() == []
    assert [fill.execution.shares for fill in again.fills()] == [2]


async def test_a_mute_gateway_looks_connected_and_answers_nothing(ib):
    ib.server.faults.play("mute", {"for_s": 0.3})

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(ib.reqCurrentTimeAsync(), timeout=0.1)

    assert ib.isConnected()


async def test_what_was_asked_of_a_mute_gateway_is_answered_when_it_wakes(ib):
    ib.server.faults.play("mute")
    waiting = asyncio.ensure_future(ib.reqCurrentTimeAsync())
    await asyncio.sleep(0.1)
    assert not waiting.done()

    ib.server.faults.end("mute")

    assert await asyncio.wait_for(waiting, timeout=20)


async def test_faults_end_by_themselves(ib, until):
    ib.server.faults.play("mute", {"for_s": 0.05})
    assert ib.server.faults.playing() == ["mute"]

    await until(lambda: ib.server.faults.playing() == [])

    assert await asyncio.wait_for(ib.reqCurrentTimeAsync(), timeout=20)


async def test_slow_output_is_whole_in_the_end(ib):
    ib.server.faults.play("slow-loris")
    waiting = asyncio.ensure_future(ib.reqCurrentTimeAsync())
    await asyncio.sleep(0.1)
    assert not waiting.done()

    ib.server.faults.end("slow-loris")

    assert await asyncio.wait_for(waiting, timeout=20)


async def test_writes_cut_to_single_bytes_decode_all_the_same(ib):
    ib.server.faults.play("split-writes", {"piece_bytes": 1})

    (details,) = await ib.reqContractDetailsAsync(put())

    assert details.contract.conId == PUT


@pytest.mark.parametrize("kind", ["fields", "number", "utf8"])
async def test_framed_garbage_does_not_end_a_client(start, kind, caplog):
    server = await start()
    client = ib_async.IB()
    await client.connectAsync("127.0.0.1", server.port, clientId=1)

    server.faults.play("garbage", {"kind": kind})
    told = await client.reqCurrentTimeAsync()

    client.disconnect()
    assert told


async def test_a_lying_length_silences_the_client_until_it_returns(start, connect, until):
    server = await start()
    client = await connect(server)

    server.faults.play("garbage", {"kind": "length"})
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(client.reqCurrentTimeAsync(), timeout=0.2)
    client.disconnect()
    await until(lambda: not server.gateway.sessions)

    assert (await connect(server)).isConnected()


async def test_events_are_replayed_after_a_reconnect_without_double_booking(ib, connect, until):
    trade = ib.placeOrder(put(), MarketOrder("BUY", 2))
    await until(trade.isDone)
    ib.server.faults.play("replay")
    ib.disconnect()
    await until(lambda: not ib.server.gateway.sessions)

    again = await connect(ib.server, client_id=1)

    ids = {fill.execution.execId for fill in again.fills()}
    assert len(ids) == 1


async def test_a_restart_refuses_connections_for_a_while(ib, connect, until):
    ib.server.faults.play("restart", {"down_s": 0.5})
    await until(lambda: not ib.isConnected() and not ib.server.is_listening)

    refused = ib_async.IB()
    with pytest.raises(ConnectionRefusedError):
        await refused.connectAsync("127.0.0.1", ib.server.port, clientId=1, timeout=0.1)
    await until(lambda: ib.server.is_listening)

    assert (await connect(ib.server, client_id=1)).isConnected()


async def test_orders_wait_while_connectivity_is_lost(ib, until):
    codes = codes_of(ib)
    ib.server.faults.play("connectivity-lost")
    trade = ib.placeOrder(put(), LimitOrder("BUY", 1, 0.05))
    await asyncio.sleep(0.1)
    assert trade.order.permId == 0
    assert codes == [1100]

    ib.server.faults.end("connectivity-lost")
    await until(lambda: trade.orderStatus.status == "Submitted")

    assert codes[:2] == [1100, 1102]


async def test_after_1101_lines_are_gone_until_resubscribed(start, connect, until):
    server = await start(speed=60.0)
    client = await connect(server)
    codes = codes_of(client)
    ticker = client.reqMktData(spy())
    await until(ticker.hasBidAsk)

    server.faults.play("data-lost")
    server.faults.end("data-lost")
    await until(lambda: 1101 in codes)

    assert server.gateway.sessions[1].subscriptions.lines == {}
    client.cancelMktData(spy())
    ticker = client.reqMktData(spy())
    bid = ticker.bid
    await until(lambda: ticker.bid != bid)


async def test_a_blip_keeps_the_data(ib, until):
    codes = codes_of(ib)
    ib.reqMktData(spy())

    ib.server.faults.play("data-kept")
    await until(lambda: 1102 in codes)

    assert codes[:2] == [1100, 1102]
    assert len(ib.server.gateway.sessions[1].subscriptions.lines) == 1


async def test_a_competing_session_ends_every_line(ib, until):
    codes = codes_of(ib)
    ticker = ib.reqMktData(spy())
    await until(ticker.hasBidAsk)

    ib.server.faults.play("competing-session")
    ib.reqMktData(put())
    await until(lambda: codes.count(10197) == 2)

    assert ib.server.gateway.sessions[1].subscriptions.lines == {}


async def test_pacing_refuses_the_next_requests(ib, until):
    codes = codes_of(ib)
    ib.server.faults.play("pacing", {"count": 2})

    bars = await ib.reqHistoricalDataAsync(spy(), "", "1 D", "1 min", "TRADES", useRTH=True)
    ib.reqMarketDataType(1)
    await until(lambda: len(codes) == 2)

    assert list(bars) == []
    assert codes == [162, 100]


async def test_a_taken_client_id_is_refused(start, until):
    server = await start()
    server.faults.play("client-id-taken", {"client_id": 3})
    client = ib_async.IB()
    codes = codes_of(client)

    with pytest.raises(TimeoutError):
        await client.connectAsync("127.0.0.1", server.port, clientId=3, timeout=0.3)

    assert 326 in codes


async def test_another_server_version_keeps_ib_async_out(start):
    server = await start()
    server.faults.play("N14", {"version": 150})
    client = ib_async.IB()

    with pytest.raises(TimeoutError):
        await client.connectAsync("127.0.0.1", server.port, clientId=1, timeout=0.3)


async def test_a_dead_back_end_breaks_the_farms_and_history(ib, until):
    codes = codes_of(ib)
    ib.server.faults.play("backend-down")
    bars = await ib.reqHistoricalDataAsync(spy(), "", "1 D", "1 min", "TRADES", useRTH=True)

    ib.server.faults.end("backend-down")
    await until(lambda: 2158 in codes)

    assert list(bars) == []
    assert {2110, 2103, 2105, 2157, 162} <= set(codes)
    assert codes.index(2104) > codes.index(2110)
