"""The governor's brake: trading runs, or is halted until a person resumes it.

Besides the halt, which only a person lifts, entries freeze by themselves while the link or the book
cannot be rested on, and go on by themselves when they can.
"""

from __future__ import annotations

from typing import assert_never

import msgspec

from thetawarden.domain.halt import (
    HaltRecord,
    Latch,
    ResumeRefusal,
    adopt_flag,
    close_latch,
    open_latch,
)
from thetawarden.domain.instants import UnixNs
from thetawarden.messages.books import AccountReported, BookJudged, FillBooked, PositionsValued
from thetawarden.messages.chains import ChainViewed
from thetawarden.messages.context import ContextTaken, FiguresComputed
from thetawarden.messages.lifecycle import Begin, Quiesce
from thetawarden.messages.link import LinkChanged
from thetawarden.messages.market import RegimeAssessed
from thetawarden.messages.operations import NotifyPerson, Urgency
from thetawarden.messages.orders import (
    MarginPreviewed,
    OrderApproved,
    OrderRefused,
    OrdersReconciled,
    OrderStageChanged,
    PreviewMargin,
    ProposeOrder,
)
from thetawarden.messages.risk import (
    BeCautious,
    FreezeExits,
    LiftCaution,
    OverrideReadiness,
    ReviewDrawdown,
    RiskDemanded,
    RiskTaken,
    StressTaken,
    TakeStress,
    UnlockStrategy,
)
from thetawarden.messages.timers import CancelTimer, StartTimer, TimerFired
from thetawarden.messages.trading import (
    AdoptHaltFlag,
    Halt,
    Resume,
    ResumeRefused,
    TradingHalted,
    TradingResumed,
)

Watches = (
    TimerFired
    | AccountReported
    | FillBooked
    | PositionsValued
    | ChainViewed
    | ContextTaken
    | FiguresComputed
    | RegimeAssessed
    | ProposeOrder
    | MarginPreviewed
    | OrderStageChanged
    | OrdersReconciled
    | TakeStress
    | BeCautious
    | LiftCaution
    | FreezeExits
    | UnlockStrategy
    | ReviewDrawdown
    | OverrideReadiness
)
Hears = Begin | Quiesce | Halt | AdoptHaltFlag | Resume | LinkChanged | BookJudged | Watches
Says = (
    TradingHalted
    | TradingResumed
    | ResumeRefused
    | NotifyPerson
    | OrderApproved
    | OrderRefused
    | PreviewMargin
    | RiskDemanded
    | RiskTaken
    | StressTaken
    | StartTimer
    | CancelTimer
)


LINK, BOOK = "link", "book"
WORDS_MAX = 500


class GovernorState(msgspec.Struct, kw_only=True):
    """The latch, and why entries are frozen: by what cannot be rested on. Empty lets them through.

    Nothing is trusted before it was heard of.
    """

    latch: Latch = Latch()
    frozen: dict[str, str] = msgspec.field(
        default_factory=lambda: {
            LINK: "there is no link to the broker yet",
            BOOK: "the book has not been compared with the broker's yet",
        }
    )


class Governor:
    """Closes the latch for anybody, opens it only for a resume of the current epoch.

    Restart: safe; the latch comes back from the log, and says its halt again so that the flag file
    stands.
    """

    def __init__(self) -> None:
        self.state = GovernorState()

    def receive(self, message: Hears, now: UnixNs) -> tuple[Says, ...]:
        """Answer one message."""
        match message:
            case Begin():
                halt = self.state.latch.halt
                return () if halt is None else (TradingHalted(halt=halt),)
            case Quiesce():
                return ()
            case Halt(reason=reason, by=by):
                return self._move(close_latch(self.state.latch, reason=reason, by=by, at_ns=now))
            case AdoptHaltFlag(halt=halt):
                return self._adopt(halt)
            case Resume():
                return self._resume(message)
            case LinkChanged(entries=entries, why=why, state=link):
                self._freeze(LINK, "" if entries else f"the link is {link}: {why}")
                return ()
            case BookJudged(agreed=agreed, unexplained=unexplained):
                self._freeze(BOOK, "" if agreed else "; ".join(unexplained) or "it does not agree")
                return ()
            case (
                TimerFired()
                | AccountReported()
                | FillBooked()
                | PositionsValued()
                | ChainViewed()
                | ContextTaken()
                | FiguresComputed()
                | RegimeAssessed()
                | ProposeOrder()
                | MarginPreviewed()
                | OrderStageChanged()
                | OrdersReconciled()
                | TakeStress()
                | BeCautious()
                | LiftCaution()
                | FreezeExits()
                | UnlockStrategy()
                | ReviewDrawdown()
                | OverrideReadiness()
            ):
                return ()
            case _:
                assert_never(message)

    def _freeze(self, by: str, why: str) -> None:
        self.state.frozen.pop(by, None)
        if why:
            self.state.frozen[by] = why[:WORDS_MAX]

    def _move(self, latch: Latch) -> tuple[Says, ...]:
        if latch == self.state.latch or latch.halt is None:
            return ()
        self.state.latch = latch
        halt = latch.halt
        text = f"Trading halted by {halt.by}: {halt.reason} (epoch {halt.epoch})"
        return (
            TradingHalted(halt=halt),
            NotifyPerson(urgency=Urgency.CRITICAL, topic="halt", text=text),
        )

    def _adopt(self, flag: HaltRecord) -> tuple[Says, ...]:
        latch = adopt_flag(self.state.latch, flag)
        if latch.halt is None:
            leftover = "the flag was left over from a halt already lifted"
            return (TradingResumed(epoch=latch.epoch, reason=leftover, by="governor"),)
        return self._move(latch)

    def _resume(self, asked: Resume) -> tuple[Says, ...]:
        current = self.state.latch
        latch = open_latch(current, epoch=asked.epoch, reason=asked.reason)
        if isinstance(latch, ResumeRefusal):
            refused = ResumeRefused(
                refusal=latch, asked_epoch=asked.epoch, current_epoch=current.epoch, by=asked.by
            )
            return (refused,)
        self.state.latch = latch
        resumed = TradingResumed(epoch=asked.epoch, reason=asked.reason, by=asked.by)
        text = f"Trading resumed by {asked.by}: {asked.reason}"
        return (resumed, NotifyPerson(urgency=Urgency.HIGH, topic="halt", text=text))
