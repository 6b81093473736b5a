"""The futures actor: samples what leads the shares, and says how much it leads them."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

import msgspec
import numpy as np

from thetawarden.domain.broker.instrument import Instrument, InstrumentKind
from thetawarden.domain.broker.lines import LineManner, LinePriority, LineWant
from thetawarden.domain.broker.quote import Quote
from thetawarden.domain.context.leads import (
    GRID_NS,
    PAIRS,
    LeadMemory,
    changes_of,
    remembered,
    strength_of,
)
from thetawarden.domain.context.readings import front_futures, price_reading
from thetawarden.domain.instants import NS_PER_MINUTE, UnixNs, new_york_date
from thetawarden.domain.link.states import LinkState
from thetawarden.domain.market.futures import ROLL_DAYS
from thetawarden.messages.context import Lead, LeadsViewed
from thetawarden.messages.lifecycle import Begin, Quiesce
from thetawarden.messages.link import LinkChanged
from thetawarden.messages.market import (
    ContextObserved,
    FindInstrument,
    InstrumentsFound,
    WantLines,
)
from thetawarden.messages.timers import CancelTimer, StartTimer, TimerFired

if TYPE_CHECKING:
    from thetawarden.domain.market.sessions import Sessions

Hears = Begin | Quiesce | TimerFired | LinkChanged | InstrumentsFound | ContextObserved
Says = StartTimer | CancelTimer | FindInstrument | WantLines | LeadsViewed

OWNER = "futures"
SAMPLE = "sample"
UP = (LinkState.SYNCING, LinkState.READY)


class FuturesState(msgspec.Struct, kw_only=True):
    """Which contracts are in front, their latest quotes, and what is remembered of each pair."""

    epoch: int = 0
    up: bool = False
    instruments: dict[str, tuple[Instrument, ...]] = msgspec.field(default_factory=dict)
    quotes: dict[int, Quote] = msgspec.field(default_factory=dict)
    fronts: dict[str, int] = msgspec.field(default_factory=dict)
    memories: dict[str, LeadMemory] = msgspec.field(default_factory=dict)
    wanted: tuple[int, ...] = ()


class Futures:
    """Views every lead on each step of the grid; a break in trading leaves a hole.

    Restart: safe; samples and sums come back from the log.
    """

    def __init__(self, *, sessions: Sessions) -> None:
        self.state = FuturesState()
        self._sessions = sessions

    def receive(self, message: Hears, now: UnixNs) -> tuple[Says, ...]:
        """Answer one message."""
        match message:
            case Begin():
                return (self._timer(now), *self._ask())
            case TimerFired():
                return (*self._ask(), *self._want(now), self._view(now), self._timer(now))
            case LinkChanged(epoch=epoch, state=link):
                if epoch != self.state.epoch:
                    self.state.epoch, self.state.quotes = epoch, {}
                self.state.up = link in UP
                return (*self._ask(), *self._want(now))
            case InstrumentsFound(asked_as=name, instruments=found):
                if found and (name in PAIRS or name in PAIRS.values()):
                    self.state.instruments[name] = found
                return self._want(now)
            case ContextObserved(epoch=epoch, quotes=quotes):
                if epoch == self.state.epoch:
                    mine = set(self.state.wanted)
                    self.state.quotes.update({q.conid: q for q in quotes if q.conid in mine})
                return ()
            case Quiesce():
                return (CancelTimer(name=SAMPLE),)
            case _:
                assert_never(message)

    def _timer(self, now: UnixNs) -> StartTimer:
        return StartTimer(name=SAMPLE, after_ns=GRID_NS - now % GRID_NS)

    def _ask(self) -> tuple[Says, ...]:
        if not self.state.up:
            return ()
        kinds = {
            **dict.fromkeys(PAIRS, InstrumentKind.FUTURE),
            **dict.fromkeys(PAIRS.values(), InstrumentKind.STOCK),
        }
        return tuple(
            FindInstrument(asked_as=name, symbol=name, kind=str(kind))
            for name, kind in kinds.items()
            if name not in self.state.instruments
        )

    def _want(self, now: UnixNs) -> tuple[Says, ...]:
        lines = [each for pair in PAIRS.items() for each in self._pair(pair, now) if each]
        wanted = tuple(sorted(each.conid for each in lines))
        if not self.state.up or wanted == self.state.wanted:
            return ()
        self.state.wanted = wanted
        wants = tuple(
            LineWant(
                instrument=each,
                priority=LinePriority.CONTEXT,
                manner=LineManner.STREAM,
                refresh_ns=NS_PER_MINUTE,
            )
            for each in lines
        )
        return (WantLines(owner=OWNER, wants=wants),)

    def _view(self, now: UnixNs) -> LeadsViewed:
        last, before = self._closes(now)
        leads = []
        for future, follower in PAIRS.items():
            front, shares = self._pair((future, follower), now)
            if front is None:
                continue
            memory = self._memory(future, front)
            prices = (self._price(front, now), self._price(shares, now))
            memory = remembered(
                memory,
                future=prices[0],
                follower=prices[1],
                now_ns=now,
                day=new_york_date(now),
            )
            self.state.memories[future] = memory
            leads.append(
                Lead(
                    future=future,
                    contract=front.local_symbol,
                    follower=follower,
                    at_ns=now,
                    follower_price=prices[1],
                    changes=changes_of(
                        memory, now_ns=now, last_close_ns=last, close_before_ns=before
                    ),
                    strength=strength_of(memory),
                )
            )
        return LeadsViewed(leads=tuple(leads))

    def _memory(self, future: str, front: Instrument) -> LeadMemory:
        """What is remembered; prices of another month would make a change of the roll."""
        memory = self.state.memories.get(future, LeadMemory())
        if self.state.fronts.get(future, front.conid) != front.conid:
            memory = msgspec.structs.replace(memory, future=())
        self.state.fronts[future] = front.conid
        return memory

    def _pair(
        self, pair: tuple[str, str], now: UnixNs
    ) -> tuple[Instrument | None, Instrument | None]:
        months = self.state.instruments.get(pair[0], ())
        front = front_futures(months, day=new_york_date(now), count=1, leave_days=ROLL_DAYS)
        shares = self.state.instruments.get(pair[1], ())
        return (front[0] if front else None, shares[0] if shares else None)

    def _price(self, instrument: Instrument | None, now: UnixNs) -> float | None:
        reading = None
        if instrument is not None:
            reading = price_reading(self.state.quotes.get(instrument.conid))
        fresh = reading is not None and now - reading.at_ns <= GRID_NS
        return reading.value if reading is not None and fresh else None

    def _closes(self, now: UnixNs) -> tuple[int, int]:
        """The last close, and the one that a day's change is counted from."""
        closes, opens = self._sessions.close_ns, self._sessions.open_ns
        row = int(np.searchsorted(closes, now, side="right")) - 1
        during = row + 1 < len(opens) and bool(opens[row + 1] <= now)
        return int(closes[row]), int(closes[row if during else row - 1])
