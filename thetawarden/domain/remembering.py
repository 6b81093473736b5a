"""Keeps what was computed of values that never change, for as long as the same values are asked.

Whatever comes out equals what would be computed anew, so nothing that is decided depends on what
was kept, and nothing of it belongs to a state. A value is known by its identity: two that are equal
are computed twice, one that is asked for again costs a look. What comes out is shared by all who
ask; nobody may change it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Generic, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")
V = TypeVar("V")


class OneOfEquals(Generic[V]):
    """Answers with the value it was handed first of all that are equal.

    What was remembered of that one is known of the others as well; values must be hashable.
    """

    def __init__(self, kept_max: int) -> None:
        self._kept_max = kept_max
        self._kept: dict[V, V] = {}

    def __call__(self, value: V) -> V:
        """Return it, or the one before it that is the same."""
        if len(self._kept) >= self._kept_max:
            self._kept.clear()
        return self._kept.setdefault(value, value)


def remembered(kept_max: int) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Remember a pure function's results, `kept_max` at most, then all are forgotten.

    Positional arguments are known by identity and must be frozen, keywords by being equal.
    """

    def remembering(compute: Callable[P, R]) -> Callable[P, R]:
        kept: dict[tuple[object, ...], tuple[object, R]] = {}

        @functools.wraps(compute)
        def known(*args: P.args, **named: P.kwargs) -> R:
            key = (*map(id, args), *named.items()) if named else tuple(map(id, args))
            found = kept.get(key)
            if found is None:
                if len(kept) >= kept_max:
                    kept.clear()
                # the arguments are held, so that no other value takes over their identity
                found = kept[key] = (args, compute(*args, **named))
            return found[1]

        return known

    return remembering
