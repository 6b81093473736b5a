"""The universe actor: which underlyings are watched, and so which chain watchers there are."""

from __future__ import annotations

from typing import assert_never

import msgspec

from thetawarden.domain.instants import UnixNs
from thetawarden.messages.context import HoldingsNamed
from thetawarden.messages.lifecycle import Begin, Quiesce, WatchUnderlyings

Hears = Begin | Quiesce | HoldingsNamed
Says = WatchUnderlyings


class UniverseState(msgspec.Struct, kw_only=True):
    """What is held, and what was asked for last."""

    held: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()


class Universe:
    """Has everything watched that a person chose, and everything that is held, chosen or not.

    Restart: safe; the same is asked for again, which changes nothing.
    """

    def __init__(self, *, chosen: tuple[str, ...]) -> None:
        self.state = UniverseState()
        self._chosen = chosen

    def receive(self, message: Hears, now: UnixNs) -> tuple[Says, ...]:  # noqa: ARG002  # the shape of every actor
        """Answer one message."""
        match message:
            case Begin():
                return self._ask()
            case HoldingsNamed(underlyings=held):
                self.state.held = held
                return () if self._all() == self.state.asked else self._ask()
            case Quiesce():
                return ()
            case _:
                assert_never(message)

    def _ask(self) -> tuple[Says, ...]:
        self.state.asked = self._all()
        return (WatchUnderlyings(underlyings=self.state.asked),)

    def _all(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self._chosen, *sorted(self.state.held))))
