"""Market data lines between the ledger of them and the broker."""

from __future__ import annotations

from thetawarden.messages.base import Command, Event


class RedirectLine(Command, frozen=True, kw_only=True):
    """Let these listeners hear a line that streams; one that does not is not opened."""

    epoch: int
    conid: int
    listeners: tuple[str, ...]


class LinesReleased(Event, frozen=True, kw_only=True):
    """The broker was told to cancel these lines, or had none of them: their places are free."""

    epoch: int
    conids: tuple[int, ...]
