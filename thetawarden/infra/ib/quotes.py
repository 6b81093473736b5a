"""Market data lines and snapshots at the broker: opens and cancels them, and says what they tell.

Orders for lines leave in the order they came, one by one in their turn, so that the broker never
holds more lines than the ledger counted. Each request has a number of its own: the right one is
cancelled, and no contract is asked for twice. What the broker refuses, or never answers, is said.
"""

from __future__ import annotations

import asyncio
import enum
import functools
from collections import deque
from collections.abc import Callable, Iterable

import msgspec

from thetawarden.config.lines import LinesConfig
from thetawarden.domain.broker.instrument import Instrument
from thetawarden.domain.broker.quote import DataType
from thetawarden.domain.instants import NS_PER_SECOND
from thetawarden.infra.ib.answers import Failed, Failure
from thetawarden.infra.ib.conflation import Outlets
from thetawarden.infra.ib.guarded import GuardedIB
from thetawarden.infra.ib.pacing import Priority
from thetawarden.infra.ib.session import Listener, Session
from thetawarden.infra.ib.snapshots import Snapshots
from thetawarden.infra.ib.tap import Tap
from thetawarden.infra.ib.ticks import GENERIC_TICKS, Line
from thetawarden.infra.ib.translate import contract_of
from thetawarden.messages.base import Message
from thetawarden.messages.lines import LinesReleased, RedirectLine
from thetawarden.messages.market import (
    LineRefused,
    SnapshotLines,
    SubscribeLine,
    UnsubscribeLine,
)
from thetawarden.ports import Clock, DeskPort

DELAYED_SHOWN = 10167
COMPETING = 10197
NO_ANSWER = 0
"""The code of a refusal that is ours: the broker says nothing at all of a line."""
PARTLY_REFUSED = frozenset({10090, 10091})
NOTICES = range(2100, 2200)
DELAYED_IF_NOT_LIVE = 3
LOOK_EVERY_S = 2.0
RELEASE_TOGETHER_S = 0.05
NO_ANSWER_WORDS = "the broker says nothing of this line, not even that it has it"


class LineSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How quotes are bundled and how long we wait; durations of the machine."""

    flush_ns: int = NS_PER_SECOND // 20
    snapshot_timeout_s: float = 12.0
    silent_s: float = 20.0
    delayed: bool = True


def line_settings(config: LinesConfig) -> LineSettings:
    """Return the settings that a configuration names."""
    return LineSettings(
        flush_ns=round(config.flush_ms * 1_000_000),
        snapshot_timeout_s=config.snapshot_timeout_s,
        delayed=config.delayed,
    )


class _Act(enum.Enum):
    """CLEAR cancels what is none of our lines any more, for the case that the broker thinks so."""

    OPEN = enum.auto()
    CANCEL = enum.auto()
    CLEAR = enum.auto()


class _Request:
    """One subscription; `number` is 0 until it was sent, `dropped` once nobody wants it.

    `passed_over` counts the looks at which the broker had talked, and not of this.
    """

    def __init__(self, line: Line) -> None:
        self.line = line
        self.number = 0
        self.passed_over = 0
        self.dropped = False


class QuoteHandler:
    """Everything of this runs on the loop."""

    commands: tuple[type[Message], ...] = (
        SubscribeLine,
        RedirectLine,
        UnsubscribeLine,
        SnapshotLines,
    )

    def __init__(
        self, session: Session, desk: DeskPort, *, clock: Clock, settings: LineSettings
    ) -> None:
        self._session = session
        self._desk = desk
        self._settings = settings
        self.outlets = Outlets(desk=desk, clock=clock, flush_ns=settings.flush_ns)
        self.tap = Tap(self.outlets, self._snapshot_ended)
        self._snapshots = Snapshots(
            session=session,
            desk=desk,
            tap=self.tap,
            outlets=self.outlets,
            timeout_s=settings.snapshot_timeout_s,
        )
        self._epoch = 0
        self._requests: dict[int, _Request] = {}
        self._by_number: dict[int, _Request] = {}
        self._queue: deque[tuple[_Act, _Request]] = deque()
        self._worker: asyncio.Task[None] | None = None
        self._watch: asyncio.TimerHandle | None = None
        self._released: list[int] = []
        self.listener = Listener(
            link_opened=self._link_opened, link_ended=self._link_ended, error=self._error
        )

    async def perform(self, message: Message) -> None:
        """Take a command; it leaves in its turn."""
        match message:
            case SubscribeLine(instrument=instrument, listeners=listeners):
                self._subscribe(instrument, listeners)
            case RedirectLine(conid=conid, listeners=listeners):
                self._redirect(conid, listeners)
            case UnsubscribeLine(conid=conid):
                self._unsubscribe(conid)
            case SnapshotLines(listener=listener, instruments=instruments):
                await self._snapshots.take(listener, instruments)
            case _:
                pass

    def not_live(self, conids: Iterable[int]) -> tuple[int, ...]:
        """Return those whose open line shows no live data, or without one the last snapshot."""
        return tuple(one for one in conids if not self._is_live(one))

    def _is_live(self, conid: int) -> bool:
        request = self._requests.get(conid)
        if request is None or not request.line.ticks:
            return conid not in self._snapshots.not_live
        return request.line.data_type is DataType.LIVE

    def _link_opened(self, ib: GuardedIB, epoch: int) -> None:
        self._forget(epoch)
        self.tap.install(ib)
        if self._settings.delayed:
            self._worker = asyncio.ensure_future(self._ask_first())
        self._watch = asyncio.get_running_loop().call_later(LOOK_EVERY_S, self._look)

    def _link_ended(self, _epoch: int) -> None:
        self._forget(self._epoch)

    def _forget(self, epoch: int) -> None:
        """Begin anew: whatever there was belongs to a link that has gone."""
        for task in (self._worker, self._watch):
            if task is not None:
                task.cancel()
        self._worker = self._watch = None
        self._epoch = epoch
        self._requests, self._by_number, self._released = {}, {}, []
        self._queue.clear()
        self._snapshots.begin_link(epoch)
        self.outlets.begin_link(epoch)

    def _subscribe(self, instrument: Instrument, listeners: tuple[str, ...]) -> None:
        if instrument.conid in self._requests:
            self._redirect(instrument.conid, listeners)
            return
        request = _Request(Line(instrument, tuple(map(self.outlets.outlet, listeners))))
        self._requests[instrument.conid] = request
        self._enqueue(_Act.OPEN, request)

    def _redirect(self, conid: int, listeners: tuple[str, ...]) -> None:
        """Let others hear the line; who is new hears all that is known of it."""
        request = self._requests.get(conid)
        if request is None:
            return
        line = request.line
        before, line.outlets = line.outlets, tuple(map(self.outlets.outlet, listeners))
        for outlet in line.outlets:
            if outlet not in before and line.ticks:
                self.outlets.tell_all(line, outlet)

    def _unsubscribe(self, conid: int) -> None:
        request = self._requests.pop(conid, None)
        if request is None:
            self._release(conid)
            return
        request.dropped = True
        request.line.outlets = ()
        self._enqueue(_Act.CANCEL, request)

    def _enqueue(self, act: _Act, request: _Request) -> None:
        self._queue.append((act, request))
        if self._worker is None or self._worker.done():
            self._worker = asyncio.ensure_future(self._work())

    async def _ask_first(self) -> None:
        """Say which data we take before any line is asked for."""
        await self._session.send(
            lambda ib: ib.client.reqMarketDataType(DELAYED_IF_NOT_LIVE), priority=Priority.LINES
        )
        await self._work()

    async def _work(self) -> None:
        """Send what waits, in order; what finds no turn in time waits on."""
        while self._queue:
            act, request = self._queue[0]
            if act is _Act.OPEN and not request.dropped:
                sent = await self._send(self._open, request)
            elif act is not _Act.OPEN and request.number:
                sent = await self._send(self._cancel, request)
            else:
                sent = None
            if isinstance(sent, Failed):
                if sent.why is Failure.NOT_SENT:
                    continue
                if sent.why is not Failure.BROKEN:
                    return
                self._give_up(request, NO_ANSWER, sent.words)
            elif act is _Act.CANCEL:
                self._release(request.line.instrument.conid)
            self._queue.popleft()

    async def _send(
        self, do: Callable[[_Request, GuardedIB], None], request: _Request
    ) -> Failed | None:
        return await self._session.send(functools.partial(do, request), priority=Priority.LINES)

    def _open(self, request: _Request, ib: GuardedIB) -> None:
        if request.dropped:
            return
        line = request.line
        request.number = ib.client.getReqId()
        self._by_number[request.number] = request
        self.tap.add(request.number, line)
        generics = GENERIC_TICKS.get(line.instrument.kind, "")
        contract = contract_of(line.instrument)
        ib.client.reqMktData(request.number, contract, generics, False, False, [])  # noqa: FBT003  # the library takes them so

    def _cancel(self, request: _Request, ib: GuardedIB) -> None:
        self._retire(request)
        ib.client.cancelMktData(request.number)

    def _retire(self, request: _Request) -> None:
        if not request.number:
            return
        self._by_number.pop(request.number, None)
        self.tap.retire(request.number)

    def _release(self, conid: int) -> None:
        """Say that the place is free; several in a row are said together."""
        if not self._released:
            loop = asyncio.get_running_loop()
            loop.call_later(RELEASE_TOGETHER_S, self._say_released, self._epoch)
        self._released.append(conid)

    def _say_released(self, epoch: int) -> None:
        if epoch == self._epoch and self._released:
            released, self._released = self._released, []
            self._desk.say(LinesReleased(epoch=epoch, conids=tuple(released)))

    def _error(self, number: int, code: int, words: str) -> None:
        line = self.tap.find(number)
        if line is None or code in PARTLY_REFUSED or code in NOTICES:
            return
        if code == DELAYED_SHOWN:
            self.tap.mark_delayed(line)
            return
        request = self._by_number.get(number)
        if request is not None:
            self._give_up(request, code, words)
        else:
            self._snapshots.refused(number, code, words)

    def _give_up(self, request: _Request, code: int, words: str) -> None:
        """The line is none any more; one that may still be open at the broker is cancelled first.

        Whoever counts lines hears of it before the cancel has left, and what it orders then leaves
        behind the cancel. The cancel of a line nobody wanted is on its way, and frees its place.
        """
        self._retire(request)
        if request.dropped:
            return
        request.dropped = True
        conid = request.line.instrument.conid
        del self._requests[conid]
        if request.number and code in (COMPETING, NO_ANSWER):
            self._enqueue(_Act.CLEAR, request)
        self._desk.say(LineRefused(epoch=self._epoch, conid=conid, code=code, words=words))
        if code == COMPETING:
            self._give_up_unsent(words)

    def _give_up_unsent(self, words: str) -> None:
        """Ask for no more lines while another session has the data: each would be refused."""
        unsent = [one for act, one in self._queue if act is _Act.OPEN and not one.number]
        for request in unsent:
            self._give_up(request, COMPETING, words)

    def _look(self) -> None:
        """Give up lines the broker says nothing of while it talks, as when it lost our request.

        While it says nothing at all it may only be slow; whether it lives is for others to ask.
        """
        self._watch = asyncio.get_running_loop().call_later(LOOK_EVERY_S, self._look)
        if self._session.idle_ns() > LOOK_EVERY_S * NS_PER_SECOND:
            return
        for request in tuple(self._by_number.values()):
            if request.line.heard:
                continue
            request.passed_over += 1
            if request.passed_over * LOOK_EVERY_S > self._settings.silent_s:
                self._give_up(request, NO_ANSWER, NO_ANSWER_WORDS)

    def _snapshot_ended(self, number: str) -> None:
        self._snapshots.ended(int(number))
