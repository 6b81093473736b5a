"""A desk killed with an order on its way: its intent is on disk, and nothing is repeated."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.infra.ib.orderline import intent, legs_of
from thetawarden.domain.instants import UnixNs
from thetawarden.domain.orders.intent import Gate
from thetawarden.infra.journal.reader import Wanted, open_log
from thetawarden.messages import registry
from thetawarden.messages.orders import SubmitOrder
from thetawarden.practice.wire.incoming import Incoming

ROOT = Path(__file__).parents[3]


class Lives:
    """Desk processes on one store, one after the other."""

    def __init__(self, port, folder):
        self._store = folder / "store"
        self._store.mkdir()
        self._command = folder / "command"
        self._port = port
        self._running = None

    def start(self, life, command):
        self._command.write_bytes(registry.encode(command))
        program = [sys.executable, "-m", "tests.infra.ib.order_desk", str(self._port)]
        program += [str(self._store), str(self._command), life]
        self._running = subprocess.Popen(program, stdout=subprocess.PIPE, cwd=ROOT)
        assert self._running.stdout.readline() == b"ready\n"

    def wait_for_its_end(self):
        with self._running as ended:
            ended.wait(30)
        self._running = None

    def end(self):
        if self._running is not None:
            self._running.kill()
            self.wait_for_its_end()

    def intended(self):
        with open_log(self._store / "log") as days:
            submits = [one for day in days for one in day.messages(Wanted(kind="SubmitOrder"))]
        return [one.body.intent.order_ref for one in submits]


@pytest.fixture
def lives(busy, tmp_path):
    made = Lives(busy.port, tmp_path)
    yield made
    made.end()


@pytest.fixture
def wire(busy):
    placed = []

    def watch(session, incoming, request):
        del session
        if incoming is Incoming.PLACE_ORDER and not request.what_if:
            placed.append(request.ticket.order_ref)
        return False

    busy.do(lambda server: server.gateway.seams.requests.append(watch))
    yield placed
    busy.do(lambda server: server.gateway.seams.requests.clear())


def command(order_ref, put):
    gate = Gate(
        approval_key="a-1",
        halt_epoch=0,
        expires_ns=UnixNs(0),
        quoted_ns=UnixNs(0),
        quote_age_ns_max=60 * 10**9,
    )
    order = intent(order_ref, legs_of((put, -1)), -50)
    return SubmitOrder(epoch=0, intent=order, exits=(), gate=gate)


def test_P05_a_kill_around_the_bytes_leaves_a_durable_intent_and_no_second_order(lives, wire, puts):
    before, after = command("crash.1", puts[0]), command("crash.2", puts[0])

    lives.start("before", before)
    lives.wait_for_its_end()
    assert (lives.intended(), wire) == (["crash.1"], [])

    lives.start("after", after)
    lives.wait_for_its_end()
    assert (lives.intended(), wire) == (["crash.1", "crash.2"], ["crash.2"])

    lives.start("stay", after)
    lives.end()
    assert (lives.intended(), wire) == (["crash.1", "crash.2"], ["crash.2"])
