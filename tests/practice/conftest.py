"""Running gateways over the fakes, and clients connected to them."""

import asyncio

import ib_async
import pytest
from ib_async import util

from tests.practice.fake_exchange import FakeExchange
from thetawarden.practice.server import Server
from thetawarden.practice.settings import Settings

FAST = {"push_interval_s": 0.01, "bars_push_s": 0.02, "pnl_push_s": 0.02}


@pytest.fixture
async def start():
    """Start a gateway with the given settings; all of them stop with the test."""
    servers = []

    async def run(*, exchange=None, speed=1.0, plan=(), state_folder=None, **settings):
        server = Server(
            exchange=exchange or FakeExchange(),
            settings=Settings(**(FAST | settings)),
            speed=speed,
            plan=plan,
            state_folder=state_folder,
        )
        server.port = await server.start()
        servers.append(server)
        return server

    yield run
    for server in servers:
        await server.stop()


@pytest.fixture
async def connect(caplog):
    """Connect unmodified ib_async clients; none may ever fail to decode what it was sent."""
    clients = []

    async def run(server, *, client_id=1, **options):
        ib = ib_async.IB()
        clients.append(ib)
        options.setdefault("timeout", 20)
        await ib.connectAsync("127.0.0.1", server.port, clientId=client_id, **options)
        return ib

    yield run
    for ib in clients:
        ib.disconnect()
    await asyncio.sleep(0)
    undecoded = [one for one in caplog.records if one.name == "ib_async.Decoder"]
    assert undecoded == []


@pytest.fixture
async def ib(start, connect):
    """One client on one gateway."""
    server = await start()
    client = await connect(server)
    client.server = server
    return client


@pytest.fixture
def until():
    """Wait until something is true, or fail with a reason."""

    async def wait(condition, *, what="the condition", timeout_s=20.0):
        deadline = util.getLoop().time() + timeout_s
        while not condition():
            assert util.getLoop().time() < deadline, f"{what} did not come true"
            await asyncio.sleep(0.005)

    return wait
