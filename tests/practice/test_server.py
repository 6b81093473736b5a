"""The process around the gateway: where it listens, what survives it, how it starts and stops."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import ib_async
import pytest
from ib_async import LimitOrder, MarketOrder, Option

from tests.practice.fake_exchange import FakeExchange
from tests.practice.fake_market import EXPIRIES, option_con_id
from thetawarden.errors import RefusedError
from thetawarden.practice.admin import Command, ask
from thetawarden.practice.server import Server
from thetawarden.practice.state import FILE_NAME

ROOT = Path(__file__).parents[2]
PUT = option_con_id(expiry=EXPIRIES[0], strike=500.0, right="P")
PROCESS = """
import json
from tests.practice.fake_exchange import FakeExchange
from thetawarden.practice.server import run_gateway
run_gateway(
    exchange=FakeExchange(), port=0, ready=lambda said: print(json.dumps(said), flush=True)
)
"""


def put():
    return Option("SPY", "20260320", 500.0, "P", "SMART", currency="USD", conId=PUT)


async def test_it_listens_on_loopback_only_unless_told_otherwise():
    server = Server(exchange=FakeExchange())

    with pytest.raises(RefusedError, match=r"host is 0\.0\.0\.0, a loopback address allowed"):
        await server.start(host="0.0.0.0")  # noqa: S104 - refused is the point


async def test_orders_ids_and_positions_survive_a_restart(start, connect, until, tmp_path):
    first = await start(state_folder=tmp_path)
    client = await connect(first, client_id=6)
    working = client.placeOrder(put(), LimitOrder("BUY", 1, 0.05, tif="GTC"))
    filled = client.placeOrder(put(), MarketOrder("BUY", 2))
    await until(lambda: filled.isDone() and working.orderStatus.status == "Submitted")
    last_id = filled.order.orderId
    client.disconnect()
    stopped_ns = first.gateway.now_ns
    await first.stop()

    second = await start(state_folder=tmp_path, exchange=FakeExchange())
    again = await connect(second, client_id=6)

    assert second.gateway.now_ns >= stopped_ns
    assert [trade.order.permId for trade in again.openTrades()] == [working.order.permId]
    assert [fill.execution.shares for fill in again.fills()] == [2]
    assert [one.position for one in again.positions()] == [2]
    assert again.client.getReqId() > last_id


async def test_what_a_client_was_told_is_on_disk_already(start, connect, until, tmp_path):
    server = await start(state_folder=tmp_path)
    client = await connect(server)
    seen = []

    def look(trade):
        """Read the state file at the very moment the client hears of its order."""
        other = Server(exchange=FakeExchange(), state_folder=tmp_path)
        seen.append([view.perm_id for view in other.gateway.exchange.open_orders()])

    client.openOrderEvent += look
    trade = client.placeOrder(put(), LimitOrder("BUY", 1, 0.05))
    await until(lambda: trade.orderStatus.status == "Submitted")

    assert seen
    assert all(orders == [trade.order.permId] for orders in seen)


@pytest.mark.parametrize("content", [b"", b"garbage", b"\x81\xa6layout\x63"])
async def test_an_unfit_state_file_is_refused_not_overwritten(tmp_path, content):
    (tmp_path / FILE_NAME).write_bytes(content)

    with pytest.raises(RefusedError, match="move it away"):
        Server(exchange=FakeExchange(), state_folder=tmp_path)

    assert (tmp_path / FILE_NAME).read_bytes() == content


async def test_more_clients_than_allowed_are_turned_away(start, connect, until):
    server = await start(clients_max=2)
    for number in (1, 2):
        await connect(server, client_id=number)

    with pytest.raises(TimeoutError):
        await connect(server, client_id=3, timeout=0.3)

    assert sorted(server.gateway.sessions) == [1, 2]


async def test_too_many_messages_are_warned_of_refused_and_cut_off(start, connect, until):
    server = await start()
    client = await connect(server)
    codes = []
    client.errorEvent += lambda *args: codes.append(args[1])
    client.client.MaxRequests = 0

    for _ in range(5):
        for _ in range(60):
            if client.isConnected():
                client.client.reqMarketDataType(1)
        await asyncio.sleep(1.02)
        if not client.isConnected():
            break

    assert 0 in codes
    assert 100 in codes
    assert not client.isConnected()


async def test_a_client_that_asked_for_pacing_is_slowed_down_not_refused(start, until):
    server = await start()
    client = ib_async.IB()
    codes = []
    client.errorEvent += lambda *args: codes.append(args[1])
    client.client.setConnectOptions("+PACEAPI")
    await client.connectAsync("127.0.0.1", server.port, clientId=1)
    client.client.MaxRequests = 0

    for number in range(120):
        client.client.reqMarketRule(10_000 + number)
    await until(lambda: codes.count(321) == 120)

    client.disconnect()
    assert 100 not in codes
    assert 0 not in codes


async def test_bulletins_reach_those_who_asked_for_them(start, connect, until):
    server = await start()
    client = await connect(server)
    client.reqNewsBulletins(allMessages=True)
    await until(lambda: server.gateway.sessions[1].subscriptions.bulletins)

    await ask(Command(do="bulletin", text="Trading halts at noon"), port=server.port)

    await until(client.newsBulletins)
    assert client.newsBulletins()[0].message == "Trading halts at noon"


def test_the_process_starts_serves_and_stops_on_a_signal():
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [sys.executable, "-c", PROCESS],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        cwd=ROOT,
    )
    lines = iter(process.stdout.readline, b"")
    ready = next(json.loads(line) for line in lines if line.startswith(b"{"))

    process.send_signal(signal.SIGTERM)
    _, stderr = process.communicate(timeout=20)

    assert ready["listening"].startswith("127.0.0.1:")
    assert ready["simulation"] is True
    assert process.returncode == 0, stderr
