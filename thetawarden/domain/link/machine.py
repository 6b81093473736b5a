"""The link as a table: in each state, what each event leads to and what has to be done about it.

A pair that is not in the table changes nothing; the documented diagram is drawn from the same
table. What is done is said in words of ours: the connection actor turns them into messages.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from thetawarden.domain.link.states import LinkState


class LinkEvent(enum.StrEnum):
    """What can befall a link."""

    TRY_DUE = "try due"
    ADMITTED = "admitted"
    TURNED_AWAY = "turned away"
    LOST = "lost"
    AGREED = "book agreed"
    DIFFERED = "book differs or is not whole"
    DOUBTED = "something may be missing"
    REFRESH_DUE = "refresh due"
    CUT = "1100 cut off"
    RESTORED = "1102 restored"
    EMPTIED = "1101 restored, data lost"
    COMPETED = "10197 competing session"
    COMPETITION_CHECKED = "look again"


class LinkDuty(enum.StrEnum):
    """What a step asks for."""

    OPEN = "open"
    CLOSE = "close"
    RETRY = "retry after backoff"
    RETRY_SLOWLY = "retry slowly"
    TRY_NOW = "try now"
    FETCH = "fetch the book"
    FETCH_LATER = "fetch again later"
    LOOK_AGAIN = "look again later"
    PAGE = "page a person"


class Step(msgspec.Struct, frozen=True):
    """Where an event leads and what has to be done, in this order."""

    state: LinkState
    duties: tuple[LinkDuty, ...] = ()


_S, _E, _D = LinkState, LinkEvent, LinkDuty
_DOWN = Step(_S.DOWN, (_D.RETRY,))
_AWAY = Step(_S.REFUSED, (_D.CLOSE, _D.PAGE, _D.RETRY_SLOWLY))
_CUT = Step(_S.CUT_OFF)
_EMPTY = Step(_S.DOWN, (_D.CLOSE, _D.TRY_NOW))
_COMPETING = Step(_S.COMPETING, (_D.PAGE, _D.LOOK_AGAIN))
_SYNC = Step(_S.SYNCING, (_D.FETCH,))

TABLE: Mapping[tuple[LinkState, LinkEvent], Step] = MappingProxyType(
    {
        (_S.DOWN, _E.TRY_DUE): Step(_S.CONNECTING, (_D.OPEN,)),
        (_S.REFUSED, _E.TRY_DUE): Step(_S.CONNECTING, (_D.OPEN,)),
        (_S.CONNECTING, _E.ADMITTED): _SYNC,
        (_S.CONNECTING, _E.TURNED_AWAY): _AWAY,
        (_S.CONNECTING, _E.LOST): _DOWN,
        (_S.SYNCING, _E.AGREED): Step(_S.READY),
        (_S.SYNCING, _E.DIFFERED): Step(_S.SYNCING, (_D.FETCH_LATER,)),
        (_S.SYNCING, _E.DOUBTED): _SYNC,
        (_S.SYNCING, _E.REFRESH_DUE): _SYNC,
        (_S.SYNCING, _E.RESTORED): _SYNC,
        (_S.SYNCING, _E.EMPTIED): _EMPTY,
        (_S.SYNCING, _E.CUT): _CUT,
        (_S.SYNCING, _E.COMPETED): _COMPETING,
        (_S.SYNCING, _E.LOST): _DOWN,
        (_S.READY, _E.REFRESH_DUE): Step(_S.READY, (_D.FETCH,)),
        (_S.READY, _E.DIFFERED): Step(_S.SYNCING, (_D.FETCH_LATER,)),
        (_S.READY, _E.DOUBTED): _SYNC,
        (_S.READY, _E.RESTORED): _SYNC,
        (_S.READY, _E.EMPTIED): _EMPTY,
        (_S.READY, _E.CUT): _CUT,
        (_S.READY, _E.COMPETED): _COMPETING,
        (_S.READY, _E.LOST): _DOWN,
        (_S.CUT_OFF, _E.RESTORED): _SYNC,
        (_S.CUT_OFF, _E.EMPTIED): _EMPTY,
        (_S.CUT_OFF, _E.LOST): _DOWN,
        (_S.COMPETING, _E.COMPETITION_CHECKED): _SYNC,
        (_S.COMPETING, _E.RESTORED): _SYNC,
        (_S.COMPETING, _E.EMPTIED): _EMPTY,
        (_S.COMPETING, _E.CUT): _CUT,
        (_S.COMPETING, _E.REFRESH_DUE): Step(_S.COMPETING, (_D.FETCH,)),
        (_S.COMPETING, _E.DOUBTED): Step(_S.COMPETING, (_D.FETCH,)),
        (_S.COMPETING, _E.LOST): _DOWN,
    }
)

LIVE = frozenset({_S.SYNCING, _S.READY, _S.CUT_OFF, _S.COMPETING})
"""The states in which a socket is open and the broker has taken us in."""


def step(state: LinkState, event: LinkEvent) -> Step:
    """Return where this leads; an event that means nothing in this state leads nowhere."""
    return TABLE.get((state, event), Step(state))


def diagram() -> str:
    """Draw the table as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", "    [*] --> down"]
    for (state, event), after in TABLE.items():
        duties = f" / {', '.join(after.duties)}" if after.duties else ""
        lines.append(f"    {state} --> {after.state}: {event}{duties}")
    return "\n".join(lines)
