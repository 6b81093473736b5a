"""Links to real gateways and scripted peers, over real sockets, on the test's own loop."""

import asyncio

import pytest

from tests.infra.ib.desk import Gateway
from tests.infra.ib.orderline import OrderLine, listed, near, spot_of
from tests.infra.ib.peer import Peer
from tests.practice.fake_exchange import FakeExchange
from tests.practice.test_whole_gateway import exchange
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


@pytest.fixture(scope="module")
def busy():
    """The practice market behind a socket, for orders that really work and fill."""
    one = Gateway(exchange=exchange())
    yield one
    one.stop()


@pytest.fixture
def line_on(busy, tmp_path):
    made = []

    def make(**settings):
        line = OrderLine(busy, tmp_path, **settings)
        made.append(line)
        line.open()
        return line

    yield make
    for line in made:
        line.stop()
    busy.do(lambda server: server.gateway.seams.requests.clear())
    busy.do(_cancel_everything)


def _cancel_everything(server):
    for view in server.gateway.exchange.open_orders():
        server.gateway.exchange.cancel(view.request.key)


@pytest.fixture
def line(line_on):
    return line_on()


@pytest.fixture(scope="module")
def puts(busy):
    price = spot_of(busy)
    told = listed(busy)
    return [near(told, price * share) for share in (0.97, 0.95, 0.93)]


@pytest.fixture(scope="module")
def calls(busy):
    price = spot_of(busy)
    told = listed(busy, right="C")
    return [near(told, price * share) for share in (1.03, 1.05)]
