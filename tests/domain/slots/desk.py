"""A broker that counts its lines at every message, and short words for wishes."""

from thetawarden.domain.broker.instrument import Instrument, InstrumentKind
from thetawarden.domain.broker.lines import LineManner, LinePriority, LineWant
from thetawarden.domain.link.states import LinkState
from thetawarden.domain.slots.events import hear_of_link, release, want
from thetawarden.domain.slots.limits import LineLimits
from thetawarden.domain.slots.settling import settle
from thetawarden.domain.slots.state import (
    Ledger,
    Phase,
    Subscribe,
    TakeSnapshots,
    Unsubscribe,
)

S = 1_000_000_000
T0 = 1_700_000_000 * S


def thing(conid, symbol="SPX"):
    return Instrument(conid=conid, kind=InstrumentKind.OPTION, symbol=symbol)


def stream(conid, priority=LinePriority.SCAN, *, refresh_s=60, symbol="SPX"):
    return LineWant(
        instrument=thing(conid, symbol),
        priority=priority,
        manner=LineManner.STREAM,
        refresh_ns=refresh_s * S,
    )


def snapshot(conid, priority=LinePriority.SCAN, *, refresh_s=60, symbol="SPX"):
    return LineWant(
        instrument=thing(conid, symbol),
        priority=priority,
        manner=LineManner.SNAPSHOT,
        refresh_ns=refresh_s * S,
    )


class Desk:
    """A ledger, its clock and its broker, one step at a time; orders reach the broker in order."""

    def __init__(self, **limits):
        self.limits = LineLimits(**limits)
        self.ledger = Ledger()
        self.now_ns = T0
        self.wire = []
        self.lines = set()
        self.most_lines = 0
        self.subscriptions = 0
        self.snapshots = {}
        self.next_ns = None
        self.link(LinkState.READY, epoch=1)

    def settle(self):
        settled = settle(self.ledger, limits=self.limits, now_ns=self.now_ns)
        self.ledger, self.next_ns = settled.ledger, settled.next_ns
        self.wire += settled.moves
        for move in settled.moves:
            if isinstance(move, TakeSnapshots):
                self.snapshots[move.listener] = [one.conid for one in move.instruments]
        return settled.moves

    def wants(self, owner, *wants):
        self.ledger = want(self.ledger, owner=owner, wants=wants)
        return self.settle()

    def link(self, state, *, epoch):
        before = self.ledger.epoch
        self.ledger = hear_of_link(self.ledger, epoch=epoch, state=state)
        if self.ledger.epoch != before:
            self.wire, self.lines, self.snapshots = [], set(), {}
        return self.settle()

    def wait(self, seconds):
        self.now_ns += round(seconds * S)
        return self.settle()

    def deliver_one(self):
        """Let the broker hear the oldest order, and the ledger what came of a cancel."""
        move = self.wire.pop(0)
        if isinstance(move, Subscribe):
            assert move.instrument.conid not in self.lines
            self.subscriptions += 1
            self.lines.add(move.instrument.conid)
            self.most_lines = max(self.most_lines, len(self.lines))
        elif isinstance(move, Unsubscribe):
            self.lines.discard(move.conid)
            self.ledger = release(self.ledger, epoch=self.ledger.epoch, conids=(move.conid,))
            self.settle()

    def deliver(self):
        while self.wire:
            self.deliver_one()

    def held(self):
        return {slot.conid for slot in self.ledger.slots.values() if slot.phase is Phase.HELD}
