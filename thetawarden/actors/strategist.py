"""The strategist: what could be sold, what should be done with what is held, and why."""

from __future__ import annotations

import msgspec

from thetawarden.domain.instants import UnixNs
from thetawarden.messages.books import FillBooked, PositionsValued
from thetawarden.messages.chains import ChainViewed
from thetawarden.messages.context import ContextTaken, FiguresComputed
from thetawarden.messages.lifecycle import Begin, Quiesce
from thetawarden.messages.link import LinkChanged
from thetawarden.messages.market import RegimeAssessed
from thetawarden.messages.operations import NotifyPerson
from thetawarden.messages.orders import (
    MarginPreviewed,
    OrderApproved,
    OrderRefused,
    OrderStageChanged,
    PreviewMargin,
    ProposeOrder,
)
from thetawarden.messages.risk import RiskDemanded, RiskTaken
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
    | FillBooked
    | MarginPreviewed
    | OrderApproved
    | OrderRefused
    | OrderStageChanged
    | RiskDemanded
    | RiskTaken
    | TradingHalted
    | TradingResumed
)
Says = ProposeOrder | PreviewMargin | NotifyPerson | StartTimer | CancelTimer


class StrategistState(msgspec.Struct, kw_only=True):
    """What is known of the market and of our trades, as far as decisions need it."""


class Strategist:
    """Proposes, never sends: what becomes of a proposal is the governor's to say."""

    def __init__(self) -> None:
        self.state = StrategistState()

    def receive(self, message: Hears, now: UnixNs) -> tuple[Says, ...]:
        """Answer one message."""
        del message, now
        return ()
