"""The practice gateway as a TCP server: loopback only, unless told otherwise in so many words.

`run_gateway` is the whole process; `Server` is the same for those who have an event loop already.
"""

from __future__ import annotations

import asyncio
import ipaddress
import signal
import time
from typing import TYPE_CHECKING, Any

import structlog

from thetawarden.errors import RefusedError
from thetawarden.practice.clock import MarketClock
from thetawarden.practice.connection import Connection
from thetawarden.practice.faults.panel import FaultPanel
from thetawarden.practice.gateway.core import Gateway
from thetawarden.practice.settings import Settings
from thetawarden.practice.stalls import BEAT_S, Stalls
from thetawarden.practice.state import StateFile

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from thetawarden.practice.faults.schedule import Planned
    from thetawarden.practice.model import Exchange

_log = structlog.get_logger(__name__)
LOOPBACK = "127.0.0.1"
SAVE_EVERY_S = 10.0
SAVE_SHARE = 20.0
"""Saves are at least so many times as far apart as one takes."""
_DRAIN_S = 0.05


class Server:
    """A gateway listening on one port, moving its market on in the background."""

    def __init__(
        self,
        *,
        exchange: Exchange,
        settings: Settings | None = None,
        speed: float | None = 1.0,
        state_folder: Path | None = None,
        plan: tuple[Planned, ...] = (),
    ) -> None:
        settings = settings or Settings()
        clock = MarketClock(speed=speed)
        self.gateway = Gateway(exchange=exchange, settings=settings, clock=clock)
        self._state = None if state_folder is None else StateFile(state_folder)
        if self._state is not None:
            self._state.restore(self.gateway)
            self.gateway.keep = self.save
        self._connections: dict[Connection, None] = {}
        self.faults = FaultPanel(self.gateway, links=self._links)
        self.faults.plan(plan)
        self._listener: asyncio.Server | None = None
        self._task: asyncio.Task[None] | None = None
        self.stalls = Stalls(lambda turn: asyncio.get_running_loop().call_soon(turn))
        self._beating: asyncio.TimerHandle | None = None
        self._saved_s = self._saving_s = self._step_s = 0.0
        self._host = LOOPBACK
        self._port = 0

    async def start(
        self, *, host: str = LOOPBACK, port: int = 0, allow_remote: bool = False
    ) -> int:
        """Listen, start the market, and return the port. Raises RefusedError, OSError."""
        if not (allow_remote or _is_loopback(host)):
            raise RefusedError(
                f"host is {host}, a loopback address allowed; the practice gateway has no "
                "password, so other addresses need an explicit allow_remote"
            )
        self._host = host
        bound = await self._listen(port)
        self._saved_s = self.now_s()
        self._beat()
        self._task = asyncio.create_task(self._run(), name="practice-market")
        accounts = ",".join(self.gateway.exchange.accounts())
        _log.info("practice_gateway_listening", host=host, port=bound, simulated_accounts=accounts)
        return bound

    def _beat(self) -> None:
        """Tell again and again that the loop turns."""
        self.stalls.beat(self.now_s())
        self._beating = asyncio.get_running_loop().call_later(BEAT_S, self._beat)

    async def _listen(self, port: int) -> int:
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(lambda: Connection(self), self._host, port)
        self._port = self._listener.sockets[0].getsockname()[1]
        return self._port

    async def _open_or_shut(self) -> None:
        """Stop listening while connections are refused, so that the port refuses them itself."""
        refusing = self.gateway.seams.refuse_connections
        if refusing and self._listener is not None:
            self._listener.close()
            self._listener = None
        elif not refusing and self._listener is None:
            await self._listen(self._port)

    async def stop(self) -> None:
        """Stop the market, save, and close every connection."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
        if self._beating is not None:
            self._beating.cancel()
        if self._listener is not None:
            self._listener.close()
        for connection in self.connections():
            connection.close(abort=False)
        if self._listener is not None:
            await self._listener.wait_closed()
        self.save()

    async def serve_until(self, stopped: asyncio.Event) -> None:
        """Wait until told to stop, or until the market fails."""
        assert self._task is not None  # noqa: S101 - start() comes first
        waiting = asyncio.create_task(stopped.wait())
        await asyncio.wait({waiting, self._task}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if self._task.done() and not self._task.cancelled():
            self._task.result()

    @property
    def is_listening(self) -> bool:
        """Whether the port takes connections at present."""
        return self._listener is not None

    def save(self) -> None:
        """Write the state file, when there is a folder for it."""
        if self._state is not None:
            self._state.save(self.gateway)
            self.gateway.has_unsaved_events = False

    def status(self) -> dict[str, Any]:
        """Return what an operator, or the desk's clock, wants to know."""
        gateway = self.gateway
        return {
            "market_ns": gateway.now_ns,
            "speed": gateway.clock.speed,
            "accounts": list(gateway.exchange.accounts()),
            "clients": sorted(gateway.sessions),
            "backlog_bytes": [one.backlog_bytes() for one in gateway.sessions.values()],
            "step_s": self._step_s,
            "simulation": True,
            "playing": self.faults.playing(),
        }

    def now_s(self) -> float:
        """The monotonic clock of the event loop."""
        return asyncio.get_running_loop().time()

    def connections(self) -> list[Connection]:
        """Everybody connected, in order of arrival."""
        return list(self._connections)

    def _links(self) -> list[Connection]:
        """The connections a fault may break: not the one it was ordered through."""
        return [one for one in self._connections if not one.is_operator]

    def admit(self, connection: Connection) -> bool:
        """Take a peer in, or say that it must go."""
        if len(self._connections) >= self.gateway.settings.connections_max:
            return False
        self._connections[connection] = None
        return True

    def forget(self, connection: Connection) -> None:
        """The peer is gone."""
        self._connections.pop(connection, None)

    def is_local(self, transport: asyncio.Transport | None) -> bool:
        """Whether the peer is on this machine."""
        if transport is None:
            return False
        host, *_ = transport.get_extra_info("peername") or ("",)
        return _is_loopback(str(host))

    async def _run(self) -> None:
        interval_s = self.gateway.settings.push_interval_s
        while True:
            started_s = self.now_s()
            self.stalls.note_work(started_s)
            worked_s = time.thread_time()
            self.gateway.advance(now_s=started_s)
            self.gateway.clock.note_advance(time.thread_time() - worked_s)
            self.gateway.push(now_s=started_s)
            self._step_s = self.now_s() - started_s
            await self._open_or_shut()
            for connection in self.connections():
                connection.check(started_s)
            self._save_in_time(started_s)
            if self.gateway.clock.speed is None:
                await self._drain()
            else:
                await asyncio.sleep(max(0.0, interval_s - (self.now_s() - started_s)))

    def _save_in_time(self, now_s: float) -> None:
        """Save the market's time now and then, spending little of our own on it."""
        if self._state is None:
            return
        if now_s - self._saved_s >= max(SAVE_EVERY_S, SAVE_SHARE * self._saving_s):
            self.save()
            self._saved_s = self.now_s()
            self._saving_s = self._saved_s - now_s

    async def _drain(self) -> None:
        """Flat out: go on as soon as every client has room, or a moment has passed."""
        give_up_s = self.now_s() + _DRAIN_S
        await asyncio.sleep(0)
        while self.now_s() < give_up_s and self._is_anybody_congested():  # noqa: ASYNC110 - a transport tells nobody when it has room again
            await asyncio.sleep(0.001)

    def _is_anybody_congested(self) -> bool:
        return any(session.is_congested() for session in self.gateway.sessions.values())


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def run_gateway(
    *,
    exchange: Exchange,
    settings: Settings | None = None,
    speed: float | None = 1.0,
    host: str = LOOPBACK,
    port: int = 4002,
    allow_remote: bool = False,
    state_folder: Path | None = None,
    plan: tuple[Planned, ...] = (),
    ready: Callable[[dict[str, Any]], None] | None = None,
) -> None:
    """Serve until SIGINT or SIGTERM; `ready` is called once with address, accounts and time."""

    async def serve() -> None:
        server = Server(
            exchange=exchange,
            settings=settings,
            speed=speed,
            state_folder=state_folder,
            plan=plan,
        )
        bound = await server.start(host=host, port=port, allow_remote=allow_remote)
        stopped = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stopped.set)
        if ready is not None:
            ready({"listening": f"{host}:{bound}", **server.status()})
        try:
            await server.serve_until(stopped)
        finally:
            await server.stop()

    asyncio.run(serve())
