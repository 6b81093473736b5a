"""Keeps Python's garbage collector from holding up a process that must answer in time.

A search of everything takes hundreds of milliseconds once markets, books and code are in memory,
and no thread runs meanwhile. What a search has found alive is therefore set aside and not searched
again, until somebody asks for all of it while nobody is in a hurry.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_RARELY = 200_000  # objects made since the last search; seven hundred otherwise
_ALL = 2  # the generation that holds everything which lived long


def spare_what_lives() -> None:
    """Search everything once; from now on only what has come since is searched."""
    if _set_aside not in gc.callbacks:
        gc.callbacks.append(_set_aside)
    gc.collect()


def search_rarely() -> None:
    """For a process that computes and ends, and leaves hardly any rings: a fifth of its time."""
    gc.freeze()
    gc.set_threshold(_RARELY, *gc.get_threshold()[1:])


@contextmanager
def searching_rarely() -> Iterator[None]:
    """While much is computed that leaves hardly any rings, in a process that goes on after it."""
    before = gc.get_threshold()
    gc.set_threshold(max(_RARELY, before[0]), *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def search_all() -> None:
    """Take back what was set aside, and free what of it forms rings that nobody holds."""
    gc.unfreeze()
    gc.collect()


def spare_nothing() -> None:
    """Let the collector be as it was."""
    if _set_aside in gc.callbacks:
        gc.callbacks.remove(_set_aside)
    gc.unfreeze()


def _set_aside(phase: str, info: dict[str, Any]) -> None:
    if phase == "stop" and info["generation"] == _ALL:
        gc.freeze()
