"""Links to real gateways and scripted peers, over real sockets, on the test's own loop."""

import asyncio

import pytest

from tests.infra.ib.peer import Peer
from tests.practice.fake_exchange import FakeExchange
from thetawarden.infra.clock import WallClock
from thetawarden.infra.ib.session import Listener, Session, SessionSettings
from thetawarden.practice.server import Server
from thetawarden.practice.settings import Settings


class Notes:
    """Writes down everything a session tells."""

    def __init__(self):
        self.opened, self.ended, self.nonsense = [], [], []
        self.errors, self.orders, self.strays = [], [], []
        self.executions, self.commissions = [], []
        self.refusals = []
        self.listener = Listener(
            link_opened=lambda ib, epoch: self.opened.append(epoch),
            error=self._error,
            order=lambda trade: self.orders.append((trade.order.orderId, trade.orderStatus.status)),
            stray_order=lambda *told: self.strays.append(told),
            execution=lambda contract, execution: self.executions.append(execution.execId),
            commission=self.commissions.append,
        )

    def _error(self, req_id, code, words):
        self.errors.append((req_id, code, words))
        if req_id != -1:
            self.refusals.append((req_id, code, words))


@pytest.fixture
async def peer():
    one = Peer()
    await one.start()
    yield one
    await one.stop()


@pytest.fixture
async def gateway():
    server = Server(
        exchange=FakeExchange(),
        settings=Settings(push_interval_s=0.01, messages_per_s_max=0),
        speed=1.0,
    )
    server.port = await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def session_to():
    """Make a session to a port; all of them are closed with the test."""
    made = []

    def make(port, **settings):
        settings.setdefault("connect_timeout_s", 20.0)
        notes = Notes()
        session = Session(
            settings=SessionSettings(host="127.0.0.1", port=port, client_id=17, **settings),
            clock=WallClock(),
            on_ended=lambda epoch, trouble: notes.ended.append((epoch, trouble.kind)),
            on_nonsense=lambda epoch, words: notes.nonsense.append(words),
        )
        session.notes = notes
        session.listeners.append(notes.listener)
        made.append(session)
        return session

    yield make
    for session in made:
        session.close("the test is over")
    await asyncio.sleep(0)


@pytest.fixture
def until():
    async def wait(condition, *, what="the condition", timeout_s=20.0):
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout_s
        while not condition():
            assert loop.time() < deadline, f"{what} did not come true"
            await asyncio.sleep(0.002)

    return wait
