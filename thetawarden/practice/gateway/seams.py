"""Where faults take hold: five lists of filters, empty unless something is being played.

Each filter is called in the order it was added. None of them may raise.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from thetawarden.practice.gateway.session import Session
    from thetawarden.practice.model import ContractDetails, ExchangeEvent, Quote
    from thetawarden.practice.wire.incoming import Incoming

QuoteFilter: TypeAlias = Callable[["Quote"], "Quote"]
DetailsFilter: TypeAlias = Callable[["ContractDetails"], "ContractDetails"]
EventFilter: TypeAlias = Callable[["ExchangeEvent"], "Iterable[ExchangeEvent]"]
RequestFilter: TypeAlias = Callable[["Session", "Incoming", Any], bool]
JoinHook: TypeAlias = Callable[["Session"], None]
FrameFilter: TypeAlias = Callable[["Session", bytes], "Iterable[bytes]"]


class Entitlement(enum.StrEnum):
    """Which market data this login may see."""

    LIVE = "live"
    NONE = "none"
    DELAYED = "delayed"
    DELAYED_DISABLED = "delayed_disabled"
    COMPETING = "competing"


class Seams:
    """What is being interfered with at present."""

    def __init__(self) -> None:
        self.quotes: list[QuoteFilter] = []
        self.details: list[DetailsFilter] = []
        self.events: list[EventFilter] = []
        self.requests: list[RequestFilter] = []
        self.frames: list[FrameFilter] = []
        self.entitlement = Entitlement.LIVE
        self.refuse_connections = False
        self.mute = False
        self.freeze_quotes = False
        self.burst = 1
        self.version: int | None = None
        self.split_bytes: int | None = None
        self.taken_client_ids: set[int] = set()
        self.joined: list[JoinHook] = []

    def quote(self, quote: Quote | None) -> Quote | None:
        """Return the quote as clients are to see it."""
        if quote is None:
            return None
        for alter in self.quotes:
            quote = alter(quote)
        return quote

    def detail(self, details: ContractDetails) -> ContractDetails:
        """Return contract details as clients are to see them."""
        for alter in self.details:
            details = alter(details)
        return details

    def spread(self, event: ExchangeEvent) -> list[ExchangeEvent]:
        """Return what clients are to learn of one event: it, nothing, or more."""
        events = [event]
        for alter in self.events:
            events = [after for before in events for after in alter(before)]
        return events

    def swallows(self, session: Session, incoming: Incoming, request: Any) -> bool:
        """Whether a filter took the request for itself."""
        return any(take(session, incoming, request) for take in self.requests)

    def cut(self, session: Session, data: bytes) -> list[bytes]:
        """Return what is really written instead of one piece of output."""
        pieces = [data]
        for alter in self.frames:
            pieces = [after for before in pieces for after in alter(session, before)]
        return pieces
