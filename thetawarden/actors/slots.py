"""The keeper of market data lines: hears who wants which, and orders what serves them best."""

from __future__ import annotations

from collections.abc import Mapping
from typing import assert_never

import msgspec

from thetawarden.domain.instants import NS_PER_SECOND, UnixNs
from thetawarden.domain.slots.choosing import lines_max
from thetawarden.domain.slots.events import (
    COMPETING,
    TOO_MANY_LINES,
    end_batch,
    hear_of_link,
    keep_instances,
    refuse,
    release,
    want,
)
from thetawarden.domain.slots.limits import LineLimits
from thetawarden.domain.slots.settling import settle
from thetawarden.domain.slots.state import (
    Ledger,
    Move,
    Redirect,
    Subscribe,
    TakeSnapshots,
    Unsubscribe,
    Wish,
)
from thetawarden.domain.slots.views import uses
from thetawarden.messages.lifecycle import Begin, ChildrenChanged, Quiesce
from thetawarden.messages.lines import LinesReleased, RedirectLine
from thetawarden.messages.link import LinkChanged
from thetawarden.messages.market import (
    LineRefused,
    LinesShared,
    SnapshotLines,
    SnapshotsTaken,
    SubscribeLine,
    UnsubscribeLine,
    WantLines,
)
from thetawarden.messages.operations import NotifyPerson, Urgency
from thetawarden.messages.timers import CancelTimer, StartTimer, TimerFired

TURN = "turn of lines"
Hears = (
    Begin
    | Quiesce
    | ChildrenChanged
    | WantLines
    | LinkChanged
    | LineRefused
    | LinesReleased
    | SnapshotsTaken
    | TimerFired
)
Says = (
    SubscribeLine
    | RedirectLine
    | UnsubscribeLine
    | SnapshotLines
    | LinesShared
    | NotifyPerson
    | StartTimer
    | CancelTimer
)


class SlotsState(msgspec.Struct, kw_only=True):
    """The ledger, what was last said of its use, the timer, and what a person was told of.

    `told` are the codes of this epoch's refusals that a person knows; `wakes_ns` is 0 when no timer
    runs.
    """

    ledger: Ledger = Ledger()
    shared: LinesShared | None = None
    wakes_ns: int = 0
    told: tuple[int, ...] = ()


class Slots:
    """Never orders more lines than there are, nor any while the link takes no requests.

    Restart: safe; the ledger comes back from the log as it was. After a restart of the process the
    link's new epoch empties it, and everything is ordered again.
    """

    def __init__(
        self, *, limits: LineLimits | None = None, wake_ns_min: int = NS_PER_SECOND // 4
    ) -> None:
        self.state = SlotsState()
        self._limits = limits or LineLimits()
        self._wake_ns_min = wake_ns_min

    def receive(self, message: Hears, now: UnixNs) -> tuple[Says, ...]:
        """Answer one message."""
        ledger = self.state.ledger
        match message:
            case Quiesce():
                return (CancelTimer(name=TURN),)
            case Begin():
                self.state.wakes_ns = 0
                return self._settle(ledger.stirred(), now)
            case TimerFired():
                self.state.wakes_ns = 0
                return self._settle(ledger, now)
            case WantLines(owner=owner, wants=wants):
                return self._settle(want(ledger, owner=owner, wants=wants), now)
            case ChildrenChanged(role=role, keys=keys):
                return self._settle(keep_instances(ledger, role=role, keys=keys), now)
            case LinkChanged(epoch=epoch, state=link):
                if epoch > ledger.epoch:
                    self.state.told = ()
                return self._settle(hear_of_link(ledger, epoch=epoch, state=link), now)
            case LinesReleased(epoch=epoch, conids=conids):
                return self._settle(release(ledger, epoch=epoch, conids=conids), now)
            case SnapshotsTaken(epoch=epoch, listener=listener, unanswered=unanswered):
                after = end_batch(
                    ledger, epoch=epoch, listener=listener, unanswered=unanswered, now_ns=now
                )
                return self._settle(after, now)
            case LineRefused():
                return self._hear_refusal(message, now)
            case _:
                assert_never(message)

    def _settle(self, ledger: Ledger, now: UnixNs) -> tuple[Says, ...]:
        settled = settle(ledger, limits=self._limits, now_ns=now)
        self.state.ledger = settled.ledger
        epoch = settled.ledger.epoch
        orders = tuple(_order(move, epoch) for move in settled.moves)
        shared = self._share(settled.wishes, now)
        return (*orders, *shared, *self._wake(settled.next_ns, now))

    def _share(self, wishes: Mapping[int, Wish], now: UnixNs) -> tuple[Says, ...]:
        """Say how the lines are used, when that is news."""
        ledger = self.state.ledger
        limit = lines_max(ledger, self._limits, now)
        shared = LinesShared(limit=limit, uses=uses(ledger, wishes))
        if shared == self.state.shared:
            return ()
        self.state.shared = shared
        return (shared,)

    def _wake(self, next_ns: int | None, now: UnixNs) -> tuple[Says, ...]:
        """Start a timer, unless one that runs fires early enough."""
        wakes_ns = self.state.wakes_ns
        if next_ns is None or now < wakes_ns <= next_ns:
            return ()
        after_ns = max(next_ns - now, self._wake_ns_min)
        if now < wakes_ns <= now + after_ns:
            return ()
        self.state.wakes_ns = now + after_ns
        return (StartTimer(name=TURN, after_ns=after_ns),)

    def _hear_refusal(self, refused: LineRefused, now: UnixNs) -> tuple[Says, ...]:
        before = self.state.ledger
        if refused.epoch != before.epoch:
            return ()
        after = refuse(
            before,
            epoch=refused.epoch,
            conid=refused.conid,
            code=refused.code,
            limits=self._limits,
            now_ns=now,
        )
        return (*self._tell(refused, after), *self._settle(after, now))

    def _tell(self, refused: LineRefused, ledger: Ledger) -> tuple[Says, ...]:
        """Tell a person once a link of each kind of refusal; who has the link tells of rivals."""
        code = refused.code
        if code == COMPETING or code in self.state.told:
            return ()
        self.state.told = (*self.state.told, code)
        if code == TOO_MANY_LINES and ledger.learned is not None:
            text = (
                f"the broker gives only {ledger.learned.lines_max} lines of market data where"
                f" {self._limits.lines_max} are configured (error 101). From now on the desk keeps"
                " to what it gives. Set lines.limit, or see who else uses lines of this login"
            )
            return (NotifyPerson(urgency=Urgency.HIGH, topic="lines:limit", text=text),)
        text = f"no market data for contract {refused.conid}: {refused.words} (code {code})"
        return (NotifyPerson(urgency=Urgency.NORMAL, topic=f"lines:{code}", text=text),)


def _order(move: Move, epoch: int) -> Says:
    match move:
        case Subscribe(instrument=instrument, listeners=listeners):
            return SubscribeLine(epoch=epoch, listeners=listeners, instrument=instrument)
        case Redirect(conid=conid, listeners=listeners):
            return RedirectLine(epoch=epoch, conid=conid, listeners=listeners)
        case Unsubscribe(conid=conid):
            return UnsubscribeLine(epoch=epoch, conid=conid)
        case TakeSnapshots(listener=listener, instruments=instruments):
            return SnapshotLines(epoch=epoch, listener=listener, instruments=instruments)
        case _:
            assert_never(move)
