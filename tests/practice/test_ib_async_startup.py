"""An unmodified ib_async connects, asks everything it asks at start-up, and comes back."""

import asyncio

import ib_async
import pytest

from tests.practice.fake_exchange import ACCOUNT


async def test_ib_async_connects_and_learns_its_account(ib):
    assert ib.client.serverVersion() == 178
    assert ib.managedAccounts() == [ACCOUNT]
    assert ib.client.getReqId() >= 1


async def test_start_up_takes_no_timeout_because_every_listing_ends(start, connect):
    server = await start()

    client = await connect(server, timeout=20, raiseSyncErrors=True)

    assert client.isConnected()
    assert {row.tag for row in client.accountValues()} >= {"NetLiquidation", "AvailableFunds"}


async def test_a_second_client_with_the_same_id_is_refused_with_326(start, connect):
    server = await start()
    await connect(server, client_id=7)
    errors = []
    second = ib_async.IB()
    second.errorEvent += lambda *args: errors.append(args[1])

    with pytest.raises(TimeoutError):
        await second.connectAsync("127.0.0.1", server.port, clientId=7, timeout=0.5)

    assert 326 in errors


async def test_the_gateway_tells_market_time(ib):
    told = await ib.reqCurrentTimeAsync()

    assert abs(told.timestamp() - ib.server.gateway.now_ns / 1e9) < 2


async def test_a_client_that_left_can_come_back_under_the_same_id(start, connect, until):
    server = await start()
    first = await connect(server, client_id=3)
    first.disconnect()
    await until(lambda: not server.gateway.sessions, what="the gateway noticing")

    again = await connect(server, client_id=3)

    assert again.isConnected()


async def test_farm_notices_follow_the_start(start):
    server = await start()
    client = ib_async.IB()
    codes = []
    client.errorEvent += lambda *args: codes.append(args[1])

    await client.connectAsync("127.0.0.1", server.port, clientId=1)
    await asyncio.sleep(0)

    client.disconnect()
    assert {2104, 2106, 2158} <= set(codes)
