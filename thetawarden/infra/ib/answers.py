"""What comes of asking the broker something: the answer itself, or `Failed` with a reason.

No exception of ib_async or asyncio leaves the session: whoever asks gets one of these.
"""

from __future__ import annotations

import enum

import msgspec

WORDS_MAX = 400


class Failure(enum.StrEnum):
    """Why there is no answer."""

    NO_LINK = "no_link"
    LINK_LOST = "link_lost"
    NOT_SENT = "not_sent"
    UNANSWERED = "unanswered"
    REFUSED = "refused"
    ALREADY_ASKED = "already_asked"
    BROKEN = "broken"


class Failed(msgspec.Struct, frozen=True, kw_only=True):
    """No answer; `code` is the broker's when it refused, else 0.

    NOT_SENT: its turn did not come in time, nothing has left. UNANSWERED: sent, and silence;
    whether the broker acted on it is unknown. ALREADY_ASKED: one question of this kind is still
    open, and the protocol could not tell the answers apart.
    """

    why: Failure
    code: int = 0
    words: str = ""


def plain(words: str) -> str:
    """What the broker wrote, as it may be shown to a person: one line, of bounded length."""
    return "".join(one if one.isprintable() else " " for one in words[:WORDS_MAX])
