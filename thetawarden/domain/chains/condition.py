"""Decides how watching a chain goes, in one word and with a reason."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from thetawarden.domain.chains.search import Search
    from thetawarden.domain.chains.view import ChainView


class Condition(enum.StrEnum):
    """What a watcher is at; only WATCHING has something to decide on."""

    SEARCHING = "searching"
    FAILING = "failing"
    BLIND = "blind"
    WATCHING = "watching"
    STOPPED = "stopped"


def how_it_goes(search: Search, *, rows: int, view: ChainView | None) -> tuple[Condition, str]:
    """Return the condition, and why it is not WATCHING; `view` is the last one shown."""
    if search.failing_since_ns and not rows:
        return Condition.FAILING, search.why
    if not rows:
        looking = "the chain" if search.instrument is None else "its contracts and a price"
        return Condition.SEARCHING, f"looking for {looking}"
    if view is None:
        return Condition.BLIND, "nothing was quoted yet"
    if view.summary.usable:
        return Condition.WATCHING, ""
    worst, _ = max(view.summary.doubts, key=lambda each: each[1], default=("no rows", 0))
    return Condition.BLIND, view.spot_doubt or f"no usable quote: {worst}"
