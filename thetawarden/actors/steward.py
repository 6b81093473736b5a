"""The steward: looks after what is held, whatever became of those who seek new trades."""

from __future__ import annotations

import msgspec

from thetawarden.domain.instants import UnixNs
from thetawarden.messages.books import FillBooked, PositionExplained, PositionsValued
from thetawarden.messages.chains import ChainViewed
from thetawarden.messages.context import ContextTaken, FiguresComputed
from thetawarden.messages.lifecycle import Begin, Quiesce
from thetawarden.messages.link import LinkChanged
from thetawarden.messages.market import RegimeAssessed
from thetawarden.messages.operations import NotifyPerson
from thetawarden.messages.orders import (
    OrderApproved,
    OrderRefused,
    OrderStageChanged,
    ProposeOrder,
    ReviseExits,
)
from thetawarden.messages.risk import RiskDemanded, RiskTaken
from thetawarden.messages.steward import (
    PositionDecided,
    PredictionJudged,
    ProfitAttributed,
    TradeChanged,
    TradeSnapshotTaken,
)
from thetawarden.messages.timers import CancelTimer, StartTimer, TimerFired
from thetawarden.messages.trading import TradingHalted, TradingResumed

Hears = (
    Begin
    | Quiesce
    | TimerFired
    | LinkChanged
    | ChainViewed
    | ContextTaken
    | FiguresComputed
    | RegimeAssessed
    | PositionsValued
    | PositionExplained
    | FillBooked
    | OrderApproved
    | OrderRefused
    | OrderStageChanged
    | RiskDemanded
    | RiskTaken
    | TradingHalted
    | TradingResumed
)
Says = (
    ProposeOrder
    | ReviseExits
    | PositionDecided
    | TradeChanged
    | TradeSnapshotTaken
    | ProfitAttributed
    | PredictionJudged
    | NotifyPerson
    | StartTimer
    | CancelTimer
)


class StewardState(msgspec.Struct, kw_only=True):
    """Every trade that is not over, and what is known of the world around them."""


class Steward:
    """Decides about what is held; proposes, never sends."""

    def __init__(self) -> None:
        self.state = StewardState()

    def receive(self, message: Hears, now: UnixNs) -> tuple[Says, ...]:
        """Answer one message."""
        del message, now
        return ()
