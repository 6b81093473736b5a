"""Processes that compute beside this one, and end when it does, however it ends.

A process that is killed tells nobody. Each of the others therefore waits, on a thread of its own,
for the pipe to it to break.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager

ORPHANED = 1
"""The exit code of a process whose parent is gone; nobody is left to read it."""


def _nothing() -> None:
    """What a process begins with that needs nothing."""


@contextmanager
def processes(jobs: int, begin: Callable[[], None] = _nothing) -> Iterator[ProcessPoolExecutor]:
    """So many processes, each of which begins with what it is given; what was not begun is let go.

    They are copies of this one as it is when the first task is handed out.
    """
    context = multiprocessing.get_context("fork")
    pool = ProcessPoolExecutor(jobs, context, initializer=_begin, initargs=(begin,))
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _begin(begin: Callable[[], None]) -> None:
    threading.Thread(target=_end_with_parent, name="end-with-parent", daemon=True).start()
    begin()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(ORPHANED)
