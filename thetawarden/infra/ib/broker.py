"""The adapter of `effect:broker`: takes commands from the desk onto the loop, and observes.

`perform` only hands a command over; what comes of it is said when it comes. A handler takes the
commands it names and hears what the session tells. Commands that carry an epoch other than the
link's own belong to a link that is gone, and are dropped; but those about orders are always
answered, and a cancel is carried out on whatever link there is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Protocol

from thetawarden.domain.instants import NS_PER_SECOND
from thetawarden.domain.link.states import LinkTrouble
from thetawarden.infra.ib.answers import Failed, Failure, plain
from thetawarden.infra.ib.loop import LoopThread
from thetawarden.infra.ib.session import (
    HISTORY_PACING,
    HISTORY_REFUSED,
    Listener,
    Opened,
    Session,
    SessionSettings,
    Trouble,
)
from thetawarden.messages.base import Envelope, Message
from thetawarden.messages.lifecycle import EffectFailed
from thetawarden.messages.link import (
    BrokerNoticed,
    CloseLink,
    DecodingFailed,
    LinkLost,
    LinkOpened,
    LinkProbed,
    OpenLink,
    ProbeLink,
)
from thetawarden.messages.orders import CancelOrder, ModifyOrder, PreviewMargin, SubmitOrder
from thetawarden.messages.trading import TradingResumed
from thetawarden.ports import Clock, DeskPort

ADAPTER = "broker"
ABOUT_ITSELF = -1
ABOUT_ALL = frozenset({100, 420, 10197})
"""Codes that come with the number of a request and yet concern every one of them."""
SAME_NOTICE_NS = NS_PER_SECOND // 20
EARLY_MAX = 100
OF_ANY_EPOCH = (SubmitOrder, ModifyOrder, CancelOrder, PreviewMargin, TradingResumed)
"""Answered on whichever link there is; the epoch of a resume is the halt's."""


class Handler(Protocol):
    """Carries out some kinds of commands; everything in it runs on the loop."""

    commands: tuple[type[Message], ...]
    listener: Listener

    async def perform(self, message: Message) -> None:
        """Carry a command out and say what came of it; may take its time."""
        ...


MakeHandlers = Callable[[Session, DeskPort], Sequence[Handler]]


class Broker:
    """Owns the loop's thread and the session on it; a `Source` of the desk."""

    def __init__(
        self,
        *,
        settings: SessionSettings,
        probe_timeout_s: float,
        clock: Clock,
        make_handlers: MakeHandlers,
    ) -> None:
        self._settings = settings
        self._probe_timeout_s = probe_timeout_s
        self._clock = clock
        self._make_handlers = make_handlers
        self._threads = LoopThread()
        self._desk: DeskPort | None = None
        self._session: Session | None = None
        self._handlers: dict[type[Message], Handler] = {}
        self._running: set[asyncio.Task[None]] = set()
        self._noticed_ns: dict[int, int] = {}
        self._early: list[BrokerNoticed] = []

    def start(self, desk: DeskPort, /) -> None:
        """Begin; there is no link until one is ordered."""
        self._desk = desk
        self._session = session = Session(
            settings=self._settings,
            clock=self._clock,
            on_ended=self._say_lost,
            on_nonsense=self._say_nonsense,
        )
        session.listeners.append(Listener(error=self._say_notice))
        for handler in self._make_handlers(session, desk):
            session.listeners.append(handler.listener)
            for kind in handler.commands:
                self._handlers[kind] = handler
        self._threads.start()

    def stop(self) -> None:
        """Give the link up and end the loop; nothing is said of it."""
        session = self._session
        if session is not None:
            self._desk = None
            self._threads.call(lambda: session.close("the desk stops"))
        self._threads.stop()

    def loop_silent_ns(self) -> int:
        """How long the thread that owns the link has not turned; may be asked from any thread."""
        return self._threads.silent_ns()

    def perform(self, envelope: Envelope[Message], /) -> tuple[Message, ...]:
        """Hand the command over; returns at once."""
        self._threads.call(lambda: self._begin(envelope.body))
        return ()

    def _begin(self, message: Message) -> None:
        session = self._session
        if session is None:
            return
        work: Coroutine[Any, Any, None]
        match message:
            case OpenLink(epoch=epoch):
                work = self._open(session, epoch)
            case CloseLink(epoch=epoch, reason=reason):
                if epoch == session.epoch:
                    session.close(reason)
                return
            case ProbeLink():
                work = self._probe(session, message)
            case _:
                handler = self._handlers.get(type(message))
                if handler is None or not _concerns(message, session.epoch):
                    return
                work = self._guarded(handler, message)
        task = asyncio.ensure_future(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _open(self, session: Session, epoch: int) -> None:
        self._early.clear()
        match await session.open(epoch):
            case Opened(server_version=version, accounts=accounts):
                self._say(LinkOpened(epoch=epoch, server_version=version, accounts=accounts))
                for notice in self._early:
                    self._say(notice)
            case Trouble() as trouble:
                self._say_lost(epoch, trouble)

    async def _probe(self, session: Session, asked: ProbeLink) -> None:
        """Ask for a sign of life; a peer that gives none is given up."""
        session.told = (0, 0)
        took = await session.prove_alive(idle_ns_max=0, timeout_s=self._probe_timeout_s)
        if session.epoch != asked.epoch:
            return
        if isinstance(took, Failed):
            if took.why in (Failure.UNANSWERED, Failure.ALREADY_ASKED):
                idle_s = session.idle_ns() / NS_PER_SECOND
                words = f"not a byte for {idle_s:.1f} s, and no answer to a probe"
                session.close(words, kind=LinkTrouble.SILENT)
            return
        broker_ns, clock_ns = session.told
        self._say(
            LinkProbed(
                epoch=asked.epoch,
                number=asked.number,
                round_trip_ns=took,
                broker_ns=broker_ns,
                clock_ns=clock_ns,
            )
        )

    async def _guarded(self, handler: Handler, message: Message) -> None:
        try:
            await handler.perform(message)
        except Exception as error:  # noqa: BLE001  # one command must not end the loop
            kind = type(message).__name__
            self._say(EffectFailed(adapter=ADAPTER, kind=kind, error=repr(error)))

    def _say(self, message: Message) -> None:
        if self._desk is not None:
            self._desk.say(message)

    def _say_lost(self, epoch: int, trouble: Trouble) -> None:
        words = plain(trouble.words)
        self._say(LinkLost(epoch=epoch, trouble=trouble.kind, words=words))

    def _say_nonsense(self, epoch: int, words: str) -> None:
        self._say(DecodingFailed(epoch=epoch, words=plain(words)))

    def _say_notice(self, req_id: int, code: int, words: str) -> None:
        """Pass on what the broker says about itself, at a length a person can read.

        What it says of every line at once is passed on once; what comes with its first words, when
        the link itself is known.
        """
        session = self._session
        pacing = code == HISTORY_REFUSED and HISTORY_PACING in words.lower()
        own = req_id == ABOUT_ITSELF
        if session is None or not (own or pacing or code in ABOUT_ALL):
            return
        now, before = self._clock.monotonic_ns(), self._noticed_ns.get(code)
        if not own and before is not None and now - before < SAME_NOTICE_NS:
            return
        self._noticed_ns[code] = now
        notice = BrokerNoticed(epoch=session.epoch, code=code, words=plain(words))
        if session.is_open:
            self._say(notice)
        elif len(self._early) < EARLY_MAX:
            self._early.append(notice)


def _concerns(message: Message, epoch: int) -> bool:
    """Whether a command is for the link of this epoch, or for whichever there is."""
    return isinstance(message, OF_ANY_EPOCH) or getattr(message, "epoch", epoch) == epoch
