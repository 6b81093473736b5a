"""A gateway on a loop of its own, and a desk of one ear, for tests that run real threads."""

import threading

from tests.practice.fake_exchange import FakeExchange
from thetawarden.domain.instants import UnixNs
from thetawarden.infra.ib.loop import LoopThread
from thetawarden.messages.base import Envelope
from thetawarden.practice.server import Server
from thetawarden.practice.settings import Settings

PATIENCE_S = 30.0


def commanded(body):
    return Envelope(1, UnixNs(0), "connection", 1, None, body)


class Gateway:
    """A practice gateway in a thread, with its fault panel within reach."""

    def __init__(self, *, exchange=None, speed=1.0, **settings):
        self._loop = LoopThread("gateway")
        self._loop.start()
        self.exchange = exchange or FakeExchange()
        settings = {"push_interval_s": 0.01, "messages_per_s_max": 0} | settings
        self._speed, self._settings = speed, settings
        self.port = 0
        self.server = self._loop.submit(self._start()).result(PATIENCE_S)

    async def _start(self):
        server = Server(
            exchange=self.exchange, settings=Settings(**self._settings), speed=self._speed
        )
        self.port = await server.start(port=self.port)
        return server

    def do(self, act):
        """Call something on the gateway's loop and return what it returned."""

        async def run():
            return act(self.server)

        return self._loop.submit(run()).result(PATIENCE_S)

    def play(self, name, **args):
        self.do(lambda server: server.faults.play(name, args))

    def end(self, name):
        self.do(lambda server: server.faults.end(name))

    def stop(self):
        self._loop.submit(self.server.stop()).result(PATIENCE_S)
        self._loop.stop()


class Ear:
    """Stands in for the desk: keeps all that is said, and lets a test wait for some of it."""

    def __init__(self):
        self.said = []
        self._changed = threading.Condition()

    def say(self, message, cause_seq=None):
        with self._changed:
            self.said.append(message)
            self._changed.notify_all()
        return commanded(message)

    def backlog(self, _actor):
        return 0

    def all_of(self, kind):
        return [one for one in self.said if isinstance(one, kind)]

    def wait_for(self, kind, *, count=1, holds=lambda _message: True):
        """Wait until so many fitting messages were said; return the last of them."""

        def fitting():
            return [one for one in self.all_of(kind) if holds(one)]

        with self._changed:
            came = self._changed.wait_for(lambda: len(fitting()) >= count, PATIENCE_S)
            assert came, f"{count} {kind.__name__} did not come; said were {self.said[-20:]}"
            return fitting()[count - 1]
