"""Which kinds of message an actor's `receive` takes, by its annotation."""

from __future__ import annotations

import typing
from functools import lru_cache
from typing import Any


@lru_cache(maxsize=256)
def heard_by(actor: Any) -> frozenset[type] | None:
    """The kinds an actor hears; None for one that names none and takes whatever comes.

    A log may hold that it was once told something of a kind it hears no more: that is passed over
    when it is rebuilt, as today's actor knows nothing to do with it.
    """
    hints = typing.get_type_hints(actor.receive)
    hints.pop("return", None)
    hints.pop("now", None)
    kinds = [kind for hint in hints.values() for kind in (typing.get_args(hint) or (hint,))]
    if len(hints) != 1 or any(not isinstance(kind, type) for kind in kinds):
        return None
    found = frozenset(kinds)
    return found if all(not kind.__subclasses__() for kind in found) else None


def is_heard(actor: Any, body: object) -> bool:
    """Whether an actor takes this message."""
    kinds = heard_by(actor)
    return kinds is None or type(body) in kinds
