"""One link after another to the broker: opened, paced, asked, watched and given up.

Lives on the event loop. Handler modules ask through `ask` and send through `send`; what the broker
says unasked reaches them through listeners. An `Opened` link ends exactly once, with a trouble.
Nothing of ib_async leaves the package: values that do are made in `translate`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import msgspec
from ib_async import CommissionReport, Contract, Execution, Position, Trade
from ib_async.wrapper import RequestError

from thetawarden.domain.instants import NS_PER_SECOND
from thetawarden.domain.link.states import LinkTrouble
from thetawarden.infra.ib.answers import Failed, Failure, plain
from thetawarden.infra.ib.guarded import AlreadyAskedError, GuardedIB
from thetawarden.infra.ib.pacing import Pace, Pacer, Priority
from thetawarden.ports import Clock

T = TypeVar("T")
CLIENT_ID_TAKEN = 326
TOO_FAST = (100, 420)
HISTORY_REFUSED, HISTORY_PACING = 162, "pacing"
NONSENSE_WITHIN_NS = 60 * NS_PER_SECOND
WATCH_EVERY_S = 0.25
PROBE_EVERY_NS = NS_PER_SECOND
TOO_OLD = "version must be"
"""What ib_async says of a gateway it cannot speak with; it has no code for it."""


class SessionSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where the broker is and how long we wait; seconds of the machine."""

    host: str
    port: int
    client_id: int
    connect_timeout_s: float = 10.0
    frame_deadline_s: float = 5.0
    patience_s: float = 60.0
    pace: Pace = Pace()


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """The broker took us in."""

    server_version: int
    accounts: tuple[str, ...]


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """Why a link ended or never was."""

    kind: LinkTrouble
    words: str


def _ignore(*_told: object) -> None:
    """Nobody wants to hear this."""


class Listener(msgspec.Struct, frozen=True, kw_only=True):
    """What a handler module wants to hear; what it leaves out it does not hear.

    `link_opened(ib, epoch)`: a new client is in use, the one before is gone with all its
    subscriptions. `link_ended(epoch)`: nothing more will come of it. `error(req_id, code, words)`:
    of a request, an order, or (-1) the broker itself. `order(trade)` and `stray_order(perm_id,
    status)`: the broker spoke of an order, known here or not. `execution(contract, execution)`: a
    fill, repeated or corrected. `commission(report)`: what a fill cost. `position(position)`: how
    much is held now.
    """

    link_opened: Callable[[GuardedIB, int], None] = _ignore
    link_ended: Callable[[int], None] = _ignore
    error: Callable[[int, int, str], None] = _ignore
    order: Callable[[Trade], None] = _ignore
    stray_order: Callable[[int, str], None] = _ignore
    execution: Callable[[Contract, Execution], None] = _ignore
    commission: Callable[[CommissionReport], None] = _ignore
    position: Callable[[Position], None] = _ignore


class Session:
    """Owns the one `GuardedIB` in use."""

    def __init__(
        self,
        *,
        settings: SessionSettings,
        clock: Clock,
        on_ended: Callable[[int, Trouble], None],
        on_nonsense: Callable[[int, str], None],
    ) -> None:
        self.epoch = 0
        self.pacer = Pacer(pace=settings.pace, monotonic_ns=clock.monotonic_ns)
        self.listeners: list[Listener] = []
        self.garbled = 0
        self.told = (0, 0)
        self._settings = settings
        self._clock = clock
        self._on_ended = on_ended
        self._on_nonsense = on_nonsense
        self._ib: GuardedIB | None = None
        self._opening: asyncio.Future[Trouble] | None = None
        self._watch: asyncio.Task[None] | None = None
        self._heard_ns = 0
        self._nonsense_ns: deque[int] = deque(maxlen=2)
        self._probe: asyncio.Future[int | Failed] | None = None
        self._probed_ns = -PROBE_EVERY_NS

    @property
    def is_open(self) -> bool:
        """Whether there is a link as far as we know; a mute peer looks open too."""
        return self._ib is not None and self._opening is None

    @property
    def client(self) -> GuardedIB | None:
        """The client in use, None without a link."""
        return self._ib if self.is_open else None

    def idle_ns(self) -> int:
        """How long nothing at all has come from the broker, by the machine's own clock."""
        return self._clock.monotonic_ns() - self._heard_ns

    async def open(self, epoch: int) -> Opened | Trouble:
        """Connect as this epoch; the link before, if any, is given up first."""
        self.close("a new link is opened")
        self.epoch = epoch
        loop = asyncio.get_running_loop()
        self._opening = loop.create_future()
        self._ib = ib = GuardedIB(self, monotonic_ns=self._clock.monotonic_ns)
        ib.wrapper.clientId = self._settings.client_id

        def gone(words: str) -> None:
            if self._ib is ib:
                self._settle(_gone(words))

        ib.client.apiError += gone
        ib.client.conn.disconnected += gone  # of which the library may say nothing
        trouble = await self._connect(ib, self._opening)
        if trouble is None and self._ib is ib:
            self._opening = None
            return self._take_over(ib)
        ib.drop()
        if self._ib is ib:
            self._ib = self._opening = None
        return trouble or Trouble(kind=LinkTrouble.CLOSED_BY_US, words="given up while connecting")

    def close(self, reason: str, *, kind: LinkTrouble = LinkTrouble.CLOSED_BY_US) -> None:
        """Give the link up at once; nothing happens when there is none."""
        if self._opening is not None:
            self._settle(Trouble(kind=kind, words=reason))
            return
        self._end(Trouble(kind=kind, words=reason))

    async def ask(
        self,
        make: Callable[[GuardedIB], Awaitable[T]],
        *,
        priority: Priority,
        timeout_s: float,
        weight: int = 1,
    ) -> T | Failed:
        """Ask in turn and wait no longer than this; `weight` is how many messages it takes.

        The time runs from when it is sent. A question of a kind without a number is refused while
        another one of the kind is open, also one whose answer is overdue.
        """
        ib = await self._turn(priority, weight)
        if isinstance(ib, Failed):
            return ib
        try:
            return await asyncio.wait_for(make(ib), timeout_s)
        except TimeoutError:
            return Failed(why=Failure.UNANSWERED, words=f"no answer within {timeout_s:g} s")
        except Exception as error:  # noqa: BLE001  # no foreign exception leaves
            return _failed(error)

    async def send(
        self, act: Callable[[GuardedIB], T], *, priority: Priority, weight: int = 1
    ) -> T | Failed:
        """Do something that has no answer of its own, in turn."""
        ib = await self._turn(priority, weight)
        if isinstance(ib, Failed):
            return ib
        try:
            return act(ib)
        except Exception as error:  # noqa: BLE001  # no foreign exception leaves
            return _failed(error)

    async def prove_alive(self, *, idle_ns_max: int, timeout_s: float) -> int | Failed:
        """Return how long a sign of life took: 0 when one is younger than `idle_ns_max`.

        Many may ask at once, and often: the gateway hangs when asked for its time more than once a
        second, so all share one question.
        """
        if not self.is_open:
            return Failed(why=Failure.NO_LINK)
        if self.idle_ns() <= idle_ns_max:
            return 0
        if self._probe is None or self._probe.done():
            self._probe = asyncio.ensure_future(self._ask_time(timeout_s))
        return await asyncio.shield(self._probe)

    async def _ask_time(self, timeout_s: float) -> int | Failed:
        early_ns = self._probed_ns + PROBE_EVERY_NS - self._clock.monotonic_ns()
        if early_ns > 0:
            await asyncio.sleep(early_ns / NS_PER_SECOND)
        self._probed_ns = asked_ns = self._clock.monotonic_ns()
        answer = await self.ask(
            lambda ib: ib.reqCurrentTimeAsync(), priority=Priority.CANCEL, timeout_s=timeout_s
        )
        if not isinstance(answer, Failed):
            self.told = (round(answer.timestamp()) * NS_PER_SECOND, self._clock.now_ns())
            return self._clock.monotonic_ns() - asked_ns
        heard = self._heard_ns > asked_ns and answer.why is Failure.UNANSWERED
        return self._heard_ns - asked_ns if heard else answer  # any byte is a sign of life

    async def _turn(self, priority: Priority, weight: int) -> GuardedIB | Failed:
        ib = self._ib
        if ib is None or self._opening is not None:
            return Failed(why=Failure.NO_LINK)
        patience_s = self._settings.patience_s
        if not await self.pacer.permit(priority, weight=weight, patience_s=patience_s):
            return Failed(why=Failure.NOT_SENT, words=f"no turn within {patience_s:g} s")
        if self._ib is not ib:
            return Failed(why=Failure.LINK_LOST)
        return ib

    async def _connect(self, ib: GuardedIB, ended: asyncio.Future[Trouble]) -> Trouble | None:
        """Wait for the link or the first sign that there will be none.

        The library sleeps out its whole timeout after the peer has refused us.
        """
        settings = self._settings
        connecting = asyncio.ensure_future(
            ib.client.connectAsync(settings.host, settings.port, settings.client_id, timeout=None)
        )
        await asyncio.wait(
            {connecting, ended},
            timeout=settings.connect_timeout_s,
            return_when=asyncio.FIRST_COMPLETED,
        )
        if connecting.done() and not connecting.cancelled() and connecting.exception() is None:
            return None
        mute = ib.client.conn.transport is not None
        told = ended.result() if ended.done() else None
        connecting.cancel()
        await asyncio.wait({connecting})
        error = None if connecting.cancelled() else connecting.exception()
        if isinstance(error, OSError):
            return Trouble(kind=LinkTrouble.UNREACHABLE, words=str(error))
        if told is not None:
            return told
        kind = LinkTrouble.SILENT if mute else LinkTrouble.UNREACHABLE
        return Trouble(kind=kind, words=f"no session within {settings.connect_timeout_s:g} s")

    def _take_over(self, ib: GuardedIB) -> Opened:
        epoch = self.epoch
        self._heard_ns = self._clock.monotonic_ns()
        self._nonsense_ns.clear()
        self._probe = None
        ib.client.apiEnd += lambda: self._peer_left(ib)
        self._watch = asyncio.ensure_future(self._watch_over(ib))
        for listener in self.listeners:
            listener.link_opened(ib, epoch)
        accounts = tuple(ib.client.getAccounts())
        return Opened(server_version=ib.client.serverVersion(), accounts=accounts)

    async def _watch_over(self, ib: GuardedIB) -> None:
        """Drop a peer that leaves a frame unfinished; silence is for the probe to find."""
        deadline_ns = round(self._settings.frame_deadline_s * NS_PER_SECOND)
        while self._ib is ib:
            if ib.gate.overdue(self._clock.monotonic_ns(), deadline_ns):
                words = f"a frame was not whole after {self._settings.frame_deadline_s:g} s"
                self._end(Trouble(kind=LinkTrouble.TOO_SLOW, words=words))
                return
            await asyncio.sleep(WATCH_EVERY_S)

    def _peer_left(self, ib: GuardedIB) -> None:
        if self._ib is ib:
            self._end(Trouble(kind=LinkTrouble.CLOSED_BY_PEER, words="the peer closed the link"))

    def _end(self, trouble: Trouble) -> None:
        ib, self._ib = self._ib, None
        if ib is None:
            return
        ib.drop(gently=trouble.kind is LinkTrouble.CLOSED_BY_US)
        if self._watch is not None:
            self._watch.cancel()
        for listener in self.listeners:
            listener.link_ended(self.epoch)
        self._on_ended(self.epoch, trouble)

    def _settle(self, trouble: Trouble) -> None:
        if self._opening is not None and not self._opening.done():
            self._opening.set_result(trouble)

    def heard_bytes(self) -> None:
        """Note a sign of life."""
        self._heard_ns = self._clock.monotonic_ns()

    def heard_garbage(self, words: str) -> None:
        """Drop the link: where the next frame begins is not known any more."""
        self.garbled += 1
        self.close(words, kind=LinkTrouble.GARBLED)

    def heard_nonsense(self, words: str) -> None:
        """Report it, so that the book is compared; a second one within a minute ends the link."""
        now = self._clock.monotonic_ns()
        self._nonsense_ns.append(now)
        if len(self._nonsense_ns) > 1 and now - self._nonsense_ns[0] < NONSENSE_WITHIN_NS:
            self.heard_garbage(f"two messages in a minute could not be read: {words}")
            return
        self._on_nonsense(self.epoch, words)

    def heard_error(self, req_id: int, code: int, words: str) -> None:
        """Slow down when told so, and pass it on, in words that steer nobody's terminal."""
        words = plain(words)
        if code == CLIENT_ID_TAKEN:
            self._settle(Trouble(kind=LinkTrouble.CLIENT_ID_TAKEN, words=words))
        pacing = code == HISTORY_REFUSED and HISTORY_PACING in words.lower()
        if code in TOO_FAST or pacing:
            self.pacer.slow_down()
        for listener in self.listeners:
            listener.error(req_id, code, words)

    def heard_order(self, trade: Trade) -> None:
        """Pass it on."""
        for listener in self.listeners:
            listener.order(trade)

    def heard_stray_order(self, perm_id: int, status: str) -> None:
        """Pass it on."""
        for listener in self.listeners:
            listener.stray_order(perm_id, status)

    def heard_execution(self, contract: Contract, execution: Execution) -> None:
        """Pass it on."""
        for listener in self.listeners:
            listener.execution(contract, execution)

    def heard_commission(self, report: CommissionReport) -> None:
        """Pass it on."""
        for listener in self.listeners:
            listener.commission(report)

    def heard_position(self, position: Position) -> None:
        """Pass it on."""
        for listener in self.listeners:
            listener.position(position)

    def sent_message(self) -> None:
        """Count it."""
        self.pacer.sent()


def _gone(words: str) -> Trouble:
    kind = LinkTrouble.WRONG_VERSION if TOO_OLD in words else LinkTrouble.CLOSED_BY_PEER
    return Trouble(kind=kind, words=words or "the peer closed the link")


def _failed(error: Exception) -> Failed:
    """Put an exception of the library into our words."""
    known: Any = error
    match error:
        case RequestError():
            return Failed(why=Failure.REFUSED, code=known.code, words=plain(known.message))
        case AlreadyAskedError():
            return Failed(why=Failure.ALREADY_ASKED, words=str(error))
        case ConnectionError():
            return Failed(why=Failure.LINK_LOST, words=str(error))
        case _:
            return Failed(why=Failure.BROKEN, words=f"{type(error).__name__}: {error}")
