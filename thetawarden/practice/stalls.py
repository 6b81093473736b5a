"""Says since when what is read now may have been waiting, because the loop was busy elsewhere.

A turn of the loop looks at the sockets once and then works. Whatever arrives while it works is read
in the next turn, all at once, and looks like a burst although its sender kept its pace. So the
limits on clients allow for its having come at any time since that work began. The loop also stands
when the machine gives its processor to others; a regular beat tells when it last did not. A beat
may follow such a standstill in the same turn, and what came meanwhile is read in the next: so it
counts from the turn after that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

BEAT_S = 0.02


class Stalls:
    """The work of the turn before this one; `soon` calls something first in the next turn.

    `beat` is to be called every `BEAT_S`; until then all is read as it comes.
    """

    def __init__(self, soon: Callable[[Callable[[], None]], object]) -> None:
        self._soon = soon
        self._working_since_s: float | None = None
        self._unread_since_s: float | None = None
        self._beaten_s: float | None = None

    def beat(self, now_s: float) -> None:
        """The loop turns: when it has turned twice more, all that came until now is read."""

        def is_read() -> None:
            self._beaten_s = now_s

        def is_looked_at() -> None:
            self._soon(is_read)

        self._soon(is_looked_at)

    def note_work(self, now_s: float) -> None:
        """Work begins that may take a while."""
        if self._working_since_s is None:
            self._working_since_s = now_s
            self._soon(self._turn)

    def unread_since_s(self, now_s: float) -> float:
        """Return the earliest moment at which what is read in this turn may have come."""
        since_s = now_s if self._unread_since_s is None else min(self._unread_since_s, now_s)
        return since_s if self._beaten_s is None else min(since_s, self._beaten_s)

    def _turn(self) -> None:
        """Sockets have just been looked at again."""
        self._unread_since_s, self._working_since_s = self._working_since_s, None
        self._soon(self._rest)

    def _rest(self) -> None:
        """What is read from now on came in this turn or the last, unless that worked too."""
        self._unread_since_s = None
