"""Names what the connection waits for, and what it means when the time has come."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from types import MappingProxyType

from thetawarden.domain.link.machine import LinkEvent


class Wait(enum.StrEnum):
    """Each is a timer of the connection actor."""

    RETRY = "retry"
    OPENING = "opening"
    PROBE = "probe"
    BOOK = "book"
    LATER = "fetch later"
    REFRESH = "refresh"
    OUTAGE = "outage"
    LOOK_AGAIN = "look again"
    NIGHT = "night"
    PACE = "pace"


_DUE: Mapping[str, LinkEvent] = MappingProxyType(
    {
        Wait.RETRY: LinkEvent.TRY_DUE,
        Wait.LATER: LinkEvent.REFRESH_DUE,
        Wait.REFRESH: LinkEvent.REFRESH_DUE,
        Wait.LOOK_AGAIN: LinkEvent.COMPETITION_CHECKED,
    }
)


def event_due(name: str) -> LinkEvent | None:
    """Return what the end of this wait is to the link, None when it is no event of its own."""
    return _DUE.get(name)
