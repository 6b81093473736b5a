"""Merges ticks before they become messages: at once while it is quiet, in bundles while it is not.

An outlet is one listener's. Ticks that arrive in one piece are told together; the next bundle
follows no sooner than a while later, and none while the listener has not read the one before. So
nothing grows: a line waits once however often it changes, and always tells its latest.
"""

from __future__ import annotations

import asyncio

from thetawarden.domain.broker.quote import Quote
from thetawarden.domain.broker.quote_rows import write_quotes
from thetawarden.domain.instants import NS_PER_SECOND, UnixNs
from thetawarden.domain.slots.wishes import CONTEXT
from thetawarden.infra.ib.ticks import Line
from thetawarden.messages.market import ContextObserved, QuotesObserved
from thetawarden.ports import Clock, DeskPort

WATCHER = "chain/"
CONTEXT_READERS = ("context", "futures")


class Outlet:
    """Where one listener's quotes wait; each line with how many of its ticks were told before."""

    def __init__(self, listener: str) -> None:
        self.listener = listener
        self.readers = CONTEXT_READERS if listener == CONTEXT else (WATCHER + listener,)
        self.waiting: dict[Line, int] = {}
        self.told_ns = 0
        self.alarm: asyncio.TimerHandle | None = None


class Outlets:
    """All outlets of a link, and the instant at which the piece in hand arrived."""

    def __init__(self, *, desk: DeskPort, clock: Clock, flush_ns: int) -> None:
        self.now_ns = UnixNs(0)
        self.bundles = self.put_off = 0
        self._desk = desk
        self._clock = clock
        self._flush_ns = flush_ns
        self._epoch = 0
        self._outlets: dict[str, Outlet] = {}
        self._fresh: dict[Outlet, None] = {}

    def begin_link(self, epoch: int) -> None:
        """Forget what waits: it is of a link that has gone."""
        for outlet in self._outlets.values():
            if outlet.alarm is not None:
                outlet.alarm.cancel()
        self._outlets, self._fresh, self._epoch = {}, {}, epoch

    def outlet(self, listener: str) -> Outlet:
        """Return the outlet of a listener."""
        found = self._outlets.get(listener)
        if found is None:
            found = self._outlets[listener] = Outlet(listener)
        return found

    def begin_turn(self) -> UnixNs:
        """Return when the piece in hand arrived: the same for every tick in it."""
        if not self.now_ns:
            self.now_ns = self._clock.now_ns()
            asyncio.get_running_loop().call_soon(self._end_turn)
        return self.now_ns

    def changed(self, line: Line) -> None:
        """Let the line's outlets tell of it; call it once it is not quiet any more."""
        line.quiet = False
        for outlet in line.outlets:
            if line not in outlet.waiting:
                outlet.waiting[line] = line.ticks - 1
                self._fresh[outlet] = None

    def tell_all(self, line: Line, outlet: Outlet) -> None:
        """Let this outlet tell all that is known of the line."""
        outlet.waiting.setdefault(line, 0)
        self._fresh[outlet] = None
        self.begin_turn()

    def _end_turn(self) -> None:
        self.now_ns = UnixNs(0)
        fresh, self._fresh = self._fresh, {}
        now = self._clock.monotonic_ns()
        for outlet in fresh:
            if outlet.alarm is None:
                self._tell_or_wait(outlet, now)

    def _tell_or_wait(self, outlet: Outlet, now: int) -> None:
        if not outlet.waiting:  # told by an alarm while this piece was being taken
            return
        early_ns = outlet.told_ns + self._flush_ns - now
        if early_ns > 0:
            self._wait(outlet, early_ns)
        elif any(map(self._desk.backlog, outlet.readers)):
            self.put_off += 1
            self._wait(outlet, self._flush_ns)
        else:
            self._tell(outlet, now)

    def _wait(self, outlet: Outlet, after_ns: int) -> None:
        loop = asyncio.get_running_loop()
        outlet.alarm = loop.call_later(after_ns / NS_PER_SECOND, self._wake, outlet)

    def _wake(self, outlet: Outlet) -> None:
        outlet.alarm = None
        self._tell_or_wait(outlet, self._clock.monotonic_ns())

    def _tell(self, outlet: Outlet, now: int) -> None:
        waiting, outlet.waiting = outlet.waiting, {}
        outlet.told_ns = now
        quotes = tuple(_quote(line, told) for line, told in waiting.items())
        self.bundles += 1
        if outlet.listener == CONTEXT:
            self._desk.say(ContextObserved(epoch=self._epoch, quotes=quotes))
        else:
            self._desk.say(
                QuotesObserved(
                    epoch=self._epoch, underlying=outlet.listener, written=write_quotes(quotes)
                )
            )


def _quote(line: Line, told: int) -> Quote:
    line.quiet = True
    return line.quote(line.ticks - told)
