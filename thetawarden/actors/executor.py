"""The executor: from an approval to a filled, protected order, sent exactly once."""

from __future__ import annotations

import msgspec

from thetawarden.domain.instants import UnixNs
from thetawarden.messages.books import (
    BookFetched,
    BookJudged,
    ExecutionReported,
    OrderReported,
    PositionsValued,
)
from thetawarden.messages.chains import ChainViewed
from thetawarden.messages.lifecycle import Begin, Quiesce
from thetawarden.messages.link import LinkChanged
from thetawarden.messages.operations import NotifyPerson
from thetawarden.messages.orders import (
    CancelOrder,
    ModifyOrder,
    OrderApproved,
    OrderRefused,
    OrderSent,
    OrdersReconciled,
    OrderStageChanged,
    OrderTroubled,
    OrderWithheld,
    ProposeOrder,
    ProtectionChanged,
    ReviseExits,
    SubmitOrder,
)
from thetawarden.messages.risk import RiskDemanded
from thetawarden.messages.timers import CancelTimer, StartTimer, TimerFired
from thetawarden.messages.trading import (
    CancelAll,
    Flatten,
    Halt,
    TradingHalted,
    TradingResumed,
)

Hears = (
    Begin
    | Quiesce
    | TimerFired
    | LinkChanged
    | BookFetched
    | BookJudged
    | OrderReported
    | ExecutionReported
    | PositionsValued
    | ChainViewed
    | OrderApproved
    | OrderRefused
    | OrderSent
    | OrderWithheld
    | OrderTroubled
    | ReviseExits
    | RiskDemanded
    | TradingHalted
    | TradingResumed
    | CancelAll
    | Flatten
)
Says = (
    SubmitOrder
    | ModifyOrder
    | CancelOrder
    | OrderStageChanged
    | OrdersReconciled
    | ProtectionChanged
    | ProposeOrder
    | NotifyPerson
    | Halt
    | StartTimer
    | CancelTimer
)


class ExecutorState(msgspec.Struct, kw_only=True):
    """Every order of ours that is not known to be over."""


class Executor:
    """Sends what was approved, once, and follows it to its end."""

    def __init__(self) -> None:
        self.state = ExecutorState()

    def receive(self, message: Hears, now: UnixNs) -> tuple[Says, ...]:
        """Answer one message."""
        del message, now
        return ()
