"""A desk that is not there: answers what it is told to, notes what it is asked."""

import msgspec

from thetawarden.console.grid import Column
from thetawarden.console.sources import Look, Sheet, World
from thetawarden.domain.halt import HaltRecord
from thetawarden.domain.instants import UnixNs
from thetawarden.infra.journal.follow import Batch
from thetawarden.messages.base import Envelope
from thetawarden.messages.control import (
    ActorCounts,
    ActorView,
    Done,
    EventView,
    HaltView,
    Inspection,
    Lanes,
    LinkView,
    Status,
)
from thetawarden.messages.registry import KINDS
from thetawarden.messages.timers import TimerFired
from thetawarden.messages.trading import Halt, TradingHalted

T0 = 1_770_130_800_000_000_000
HALT = HaltView(epoch=3, reason="looks odd", by="you", at="2026-02-03T15:00:00.000Z")


def status(**changes):
    values = {
        "mode": "practice",
        "trading_state": "running",
        "halt": None,
        "link": LinkView(state="ready", epoch=2),
        "reconciled": True,
        "market_time": "2026-02-03T15:00:00.000Z",
        "speed": 60.0,
        "gateway": "127.0.0.1:40123",
        "nlv_usd": 1_023_456.78,
        "positions": 3,
        "working_orders": 1,
        "actors": ActorCounts(running=4, restarting=0, failed=0),
        "next_events": (EventView(name="trading day", at="2026-02-04T05:00:00.000Z"),),
        "pid": 1,
        "started_at": "2026-02-03T14:00:00.000Z",
        "ailments": (),
    }
    return Status(**{**values, **changes})


def actor(name, group="", **changes):
    values = {
        "name": name,
        "state": "running",
        "incarnation": 1,
        "restarts": 0,
        "lanes": Lanes(control=0, orders=0, timer=0, market=0),
        "handled": 1234,
        "rate_per_s": 12.5,
        "handler_us_p99": 210.0,
        "last_handled_at": None,
        "group": group,
    }
    return ActorView(**{**values, **changes})


ACTORS = (
    actor("watchdog", "watchdog"),
    actor("connection", "trading"),
    actor("keeper", "trading"),
    actor("governor", "trading", state="failed", restarts=4),
    actor("chain/SPX", "market", state="paused"),
)


def said(seq, body, *, sender="watchdog", cause=None):
    return Envelope(seq, UnixNs(T0 + seq * 1_000_000), sender, 1, cause, body)


class FakeLog:
    """Messages in a list."""

    def __init__(self):
        self.messages = [
            said(1, TimerFired(name="look"), sender="timers"),
            said(2, Halt(reason="quotes are old", by="watchdog"), cause=1),
            said(
                3,
                TradingHalted(halt=HaltRecord(epoch=3, reason="r", by="w", at_ns=T0)),
                sender="governor",
                cause=2,
            ),
        ]

    def flood(self, count):
        first = self.messages[-1].seq + 1
        self.messages += [
            said(seq, TimerFired(name=f"tick {seq}"), sender="timers")
            for seq in range(first, first + count)
        ]

    def read(self, wanted, *, limit=None):
        fit = [
            each
            for each in self.messages
            if each.seq > wanted.after_seq
            and (wanted.kinds is None or type(each.body).__name__ in wanted.kinds)
            and (wanted.sender_like is None or wanted.sender_like in each.sender)
        ]
        skipped = max(0, len(fit) - limit) if wanted.after_seq else 0
        return Batch(messages=tuple(fit[-limit:]), skipped=skipped, last_seq=self.messages[-1].seq)

    def causes(self, seq):
        found = next((each for each in self.messages if each.seq == seq), None)
        if found is None:
            return ()
        return (found, *self.causes(found.cause_seq)) if found.cause_seq else (found,)

    def answers(self, seq):
        return tuple(each for each in self.messages if each.cause_seq == seq)


class FakeDesk:
    """Both eyes and hands; `trouble` is raised instead of an answer."""

    def __init__(self):
        self.now = status()
        self.actors = ACTORS
        self.state = {"latch": {"epoch": 3}, "frozen": {}, "names": ["a", "b"]}
        self.trouble = None
        self.done = []

    def status(self):
        self._be_there()
        return self.now

    def inspect(self, name=None):
        self._be_there()
        if name is None:
            return Inspection(actors=self.actors)
        one = next(each for each in self.actors if each.name == name)
        return Inspection(actors=(one,), actor_state=msgspec.to_builtins(self.state))

    def halt(self, reason):
        self.now = status(halt=msgspec.structs.replace(HALT, reason=reason), trading_state="halted")
        return self._did("halt", reason)

    def resume(self, reason, epoch):
        self.now = status()
        return self._did("resume", reason, epoch)

    def flatten(self, reason):
        return self._did("flatten", reason)

    def restart(self, name, reason):
        return self._did("restart", name, reason)

    def pause(self, name, reason):
        return self._did("pause", name, reason)

    def unpause(self, name, reason):
        return self._did("unpause", name, reason)

    def _did(self, *what):
        if self.trouble is not None:
            raise self.trouble
        self.done.append(what)
        return Done(what=f"{what[0]} is done")

    def _be_there(self):
        if self.trouble is not None:
            raise self.trouble


class FakeWorld:
    """All of it, and the console's view of it."""

    def __init__(self):
        self.desk, self.log = FakeDesk(), FakeLog()
        self.shown = []
        self.world = World(
            store="/somewhere",
            eyes=self.desk,
            hands=self.desk,
            open_log=lambda: self.log,
            kinds=lambda: tuple(KINDS),
            looks=(Look(title="Book", show=self._book),),
        )

    def _book(self, eyes, choice):
        eyes.status()
        self.shown.append(choice)
        columns = (Column("contract"), Column("held", right=True))
        return Sheet(
            words=f"the book of {choice or 'first'}",
            columns=columns,
            rows=(("SPX 240119P4000", "-1"), ("SPY", "100")),
            choices=("first", "second"),
        )
