"""A mailbox with lanes: control before orders before timers before market data.

A mailbox belongs to an actor's *name* and outlives its incarnations, so that no message can fall
between two of them; each incarnation reads it from a seat of its own, and once another has taken a
seat, the older one reads nothing more. Order is kept within a lane only. Market data with a key is
conflated to the latest. Reading never raises: a raise there would leave an actor that looks alive
and hears nothing.
"""

from __future__ import annotations

import enum
import threading
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

import msgspec

from thetawarden.messages.base import Envelope, Lane, Message

Key = tuple[Any, ...]
Request = Any


class Put(enum.Enum):
    """What became of a message put into a mailbox."""

    ACCEPTED = enum.auto()
    CONFLATED = enum.auto()
    ACCEPTED_OVER_BOUND = enum.auto()
    REFUSED_FULL = enum.auto()
    REFUSED_CLOSED = enum.auto()


class Latest(msgspec.Struct, gc=False):
    """A conflated market message, how many it stands for, and the instant of the first of them."""

    key: Key
    envelope: Envelope[Message]
    merged: int
    first_ns: int


class Unseated:
    """What a seat reads once another incarnation has taken over, or the mailbox is closed."""


UNSEATED = Unseated()
Item = Envelope[Message] | Latest | Unseated | Request


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """How many messages may wait in each lane."""

    control: int = 10_000
    orders: int = 10_000
    timer: int = 10_000
    market: int = 50_000


def _no_matter(_envelope: Envelope[Message], _put: Put) -> None:
    """The caller looks at what `put` returns."""


class Mailbox:
    """Bounded, prioritised, conflating; for many writers and one reader at a time.

    Appending to and popping from a deque is atomic in Python, so the lanes need no lock; only
    conflation and requests take one. A writer appends first and then looks whether
    the reader sleeps; the reader says that it sleeps first and then looks once more. A call to
    wake that comes too late only makes it look again.
    """

    def __init__(self, bounds: Bounds | None = None) -> None:
        bounds = bounds or Bounds()
        self._bounds = (bounds.control, bounds.orders, bounds.timer, bounds.market)
        self._lock = threading.Lock()
        self._seat: Seat | None = None
        self._closed = False
        self._paused = False
        self._control: deque[Envelope[Message]] = deque()
        self._orders: deque[Envelope[Message]] = deque()
        self._timer: deque[Envelope[Message]] = deque()
        self._market: deque[Envelope[Message] | Latest] = deque()
        self._lanes: tuple[deque[Any], ...] = (
            self._control,
            self._orders,
            self._timer,
            self._market,
        )
        self._latest: dict[Key, Latest] = {}

    def putter(
        self, lane: Lane, on_trouble: Callable[[Envelope[Message], Put], None] = _no_matter
    ) -> Callable[[Envelope[Message]], Put]:
        """How to put messages into one lane; never blocks, and raises only what `on_trouble` does.

        `on_trouble` is told of every message that was not simply accepted.
        """
        waiting, bound = self._lanes[lane], self._bounds[lane]
        append = waiting.append
        overfull = Put.ACCEPTED_OVER_BOUND if lane is Lane.ORDERS else Put.REFUSED_FULL
        accepted = Put.ACCEPTED

        def put(envelope: Envelope[Message]) -> Put:
            if self._closed:
                on_trouble(envelope, Put.REFUSED_CLOSED)
                return Put.REFUSED_CLOSED
            if len(waiting) >= bound:
                if overfull is Put.ACCEPTED_OVER_BOUND:
                    append(envelope)
                    self.rouse()
                on_trouble(envelope, overfull)
                return overfull
            append(envelope)
            seat = self._seat
            if seat is not None and seat.sleeps:
                seat.sleeps = False
                seat.wake(None)
            return accepted

        return put

    def conflate(self, envelope: Envelope[Message], key: Key) -> Put:
        """Put a market message in the place of a waiting one with the same key, if there is one."""
        with self._lock:
            if self._closed:
                return Put.REFUSED_CLOSED
            latest = self._latest.get(key)
            if latest is not None:
                latest.envelope = envelope
                latest.merged += 1
                return Put.CONFLATED
            if len(self._market) >= self._bounds[Lane.MARKET]:
                return Put.REFUSED_FULL
            self._latest[key] = latest = Latest(key, envelope, 1, envelope.at_ns)
            self._market.append(latest)
        self.rouse()
        return Put.ACCEPTED

    def return_first(self, envelope: Envelope[Message], lane: Lane) -> None:
        """Put a message back in front of its lane, past its bound: it has been here before."""
        self._lanes[lane].appendleft(envelope)
        self.rouse()

    def new_seat(
        self,
        *,
        refuse: Callable[[Request], None],
        comes_last: Callable[[Request], bool],
        wake: Callable[[None], object] | None = None,
    ) -> Seat:
        """A place to read from for a new incarnation; unseats the one before.

        `refuse` answers a request of the runtime that no reader will ever handle; `comes_last`
        tells the farewell, which is read only after all control messages and orders. `wake` is
        called for a reader that sleeps and does not wait in `get`.
        """
        seat = Seat(self, refuse=refuse, comes_last=comes_last, wake=wake)
        self.unseat()
        with self._lock:
            self._seat = seat
        return seat

    def unseat(self, only: Seat | None = None) -> None:
        """Let nobody read, or this one no more; messages wait for the next incarnation."""
        with self._lock:
            seat = self._seat
            if seat is None or only not in (None, seat):
                return
            orphans = (*seat.requests, *seat.farewells)
            seat.requests.clear()
            seat.farewells.clear()
            self._seat = None
        seat.wake(None)
        for request in orphans:
            seat.refuse(request)

    def close(self) -> None:
        """Accept nothing more and let nobody read."""
        self._closed = True
        self.unseat()

    def pause(self, *, paused: bool) -> None:
        """Hand out control messages only, or everything again."""
        self._paused = paused
        self.rouse()

    @property
    def paused(self) -> bool:
        """Whether only control messages are handed out."""
        return self._paused

    def depths(self) -> tuple[int, int, int, int]:
        """How many wait in each lane."""
        return (len(self._control), len(self._orders), len(self._timer), len(self._market))

    def has_mail(self) -> bool:
        """Whether a reader would find a message now."""
        if self._control:
            return True
        return not self._paused and bool(self._orders or self._timer or self._market)

    def left(self) -> tuple[Envelope[Message], ...]:
        """What waits in the lanes that lose nothing; copied at once while others go on."""
        return (*tuple(self._control), *tuple(self._orders), *tuple(self._timer))

    def take(self, seat: Seat) -> Item | None:
        """The most urgent item for this seat, or None when there is none."""
        if seat is not self._seat:
            return UNSEATED
        try:
            if seat.requests:
                return seat.requests.popleft()
            if self._control:
                return self._control.popleft()
            if self._orders and not self._paused:
                return self._orders.popleft()
            if seat.farewells:
                return seat.farewells.popleft()
            if self._paused:
                return None
            if self._timer:
                return self._timer.popleft()
            if self._market:
                return self._take_market()
        except IndexError:  # an unseated reader was faster; the next look is answered UNSEATED
            return self.take(seat)
        return None

    def put_request(self, seat: Seat, request: Request) -> bool:
        """Let a request of the runtime wait for this seat; false when it will never be read."""
        with self._lock:
            if seat is not self._seat:
                return False
            (seat.farewells if seat.comes_last(request) else seat.requests).append(request)
        self.rouse()
        return True

    def rouse(self) -> None:
        """Wake the reader if it sleeps; being woken for nothing does it no harm."""
        seat = self._seat
        if seat is not None and seat.sleeps:
            seat.sleeps = False
            seat.wake(None)

    def _take_market(self) -> Envelope[Message] | Latest:
        with self._lock:
            item = self._market.popleft()
            if type(item) is Latest:
                del self._latest[item.key]
            return item


class Seat:
    """One incarnation's view of the mailbox; what pykka takes for the actor's inbox."""

    def __init__(
        self,
        mailbox: Mailbox,
        *,
        refuse: Callable[[Request], None],
        comes_last: Callable[[Request], bool],
        wake: Callable[[None], object] | None = None,
    ) -> None:
        self._mailbox = mailbox
        self.refuse = refuse
        self.comes_last = comes_last
        self.requests: deque[Request] = deque()
        self.farewells: deque[Request] = deque()
        self.sleeps = False
        calls: SimpleQueue[None] = SimpleQueue()
        self.wake: Callable[[None], object] = wake or calls.put
        self._await_call = calls.get

    def get(self) -> Item:
        """The most urgent item; waits for one. `UNSEATED` when there will never be another."""
        take = self._mailbox.take
        item = take(self)
        while item is None:
            self.sleeps = True
            item = take(self)
            if item is None:
                self._await_call()
                item = take(self)
        return item

    def put(self, request: Request, /) -> None:
        """Take a request of the runtime (stop, show state), ahead of all messages."""
        if not self._mailbox.put_request(self, request):
            self.refuse(request)

    def leave(self) -> None:
        """Read no more: what was asked of this reader is refused, messages go on waiting."""
        self._mailbox.unseat(self)

    def empty(self) -> bool:
        """Whether no request waits; messages are never drained from here."""
        return not self.requests and not self.farewells
