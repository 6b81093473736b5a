"""What the broker's notices about itself mean for the link; a code not listed means nothing here.

A notice about a data farm names the farm behind its last colon, or behind the last full stop when
the farm is only inactive. Which farm serves what is read from its name; one we do not know is taken
to serve options, the thing we cannot do without.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from thetawarden.domain.link.machine import LinkEvent


class Service(enum.StrEnum):
    """What a data farm serves."""

    STOCKS = "stocks"
    OPTIONS = "options"
    FUTURES = "futures"
    CASH = "cash"
    HISTORY = "history"
    DEFINITIONS = "definitions"
    ELSEWHERE = "elsewhere"


NEEDED = frozenset({Service.STOCKS, Service.OPTIONS, Service.FUTURES})
"""Without these there are no quotes of what we trade or lead by."""


class FarmNews(msgspec.Struct, frozen=True):
    """One farm works, or does not."""

    farm: str
    service: Service
    works: bool


class ServersNews(msgspec.Struct, frozen=True):
    """The gateway has lost its servers (2110), which no restoring notice may follow."""


class PaceNews(msgspec.Struct, frozen=True):
    """The gateway found us too fast."""


LinkNews = LinkEvent | FarmNews | ServersNews | PaceNews

_EVENTS: Mapping[int, LinkEvent] = MappingProxyType(
    {
        1100: LinkEvent.CUT,
        1101: LinkEvent.EMPTIED,
        1102: LinkEvent.RESTORED,
        10197: LinkEvent.COMPETED,
    }
)
_FARMS: Mapping[int, tuple[Service | None, bool]] = MappingProxyType(
    {
        2103: (None, False),
        2104: (None, True),
        2108: (None, True),
        2119: (None, False),
        2105: (Service.HISTORY, False),
        2106: (Service.HISTORY, True),
        2107: (Service.HISTORY, True),
        2120: (Service.HISTORY, False),
        2157: (Service.DEFINITIONS, False),
        2158: (Service.DEFINITIONS, True),
        2159: (Service.DEFINITIONS, True),
        2160: (Service.DEFINITIONS, False),
    }
)
_BY_NAME = (
    ("fut", Service.FUTURES),
    ("opt", Service.OPTIONS),
    ("cash", Service.CASH),
    ("us", Service.STOCKS),
    ("farm", Service.ELSEWHERE),
)
_SERVERS_LOST = 2110
_TOO_FAST = frozenset({100, 420, 162})


def read_notice(code: int, words: str) -> LinkNews | None:
    """Return what a notice means, None when it means nothing for the link."""
    if code in _EVENTS:
        return _EVENTS[code]
    if code in _FARMS:
        service, works = _FARMS[code]
        farm = words.replace("demand.", "demand:").rpartition(":")[2].strip()
        return FarmNews(farm, service or _service_of(farm), works)
    if code == _SERVERS_LOST:
        return ServersNews()
    return PaceNews() if code in _TOO_FAST else None


def _service_of(farm: str) -> Service:
    return next((service for part, service in _BY_NAME if part in farm), Service.OPTIONS)
