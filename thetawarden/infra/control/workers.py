"""Lets the desk answer on threads of their own, so that one slow answer holds up nobody else.

A request that cannot be answered in time is told so; its thread is left to itself and never keeps
the process from ending. The number of threads is bounded, and the brakes have theirs apart, so that
no crowd of other requests can keep a halt waiting.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar

from thetawarden.errors import ThetawardenError

T = TypeVar("T")


class BusyError(ThetawardenError):
    """No answer in time, or too many wait. The person tries again; a halt needs no answer."""


class Workers:
    """So many answers at once, each within so many seconds."""

    def __init__(self, *, threads_max: int, timeout_s: float) -> None:
        self._threads_max = threads_max
        self._timeout_s = timeout_s
        self._places = threading.BoundedSemaphore(threads_max)

    async def run(self, work: Callable[[], T]) -> T:
        """What the work returns or raises; BusyError when there is no thread or no time left."""
        if not self._places.acquire(blocking=False):
            raise BusyError(f"the desk is busy with {self._threads_max} requests; try again")
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()
        thread = threading.Thread(
            target=self._work, args=(work, loop, answer), name="control-answer", daemon=True
        )
        thread.start()
        try:
            return await asyncio.wait_for(answer, self._timeout_s)
        except TimeoutError:
            words = f"the desk did not answer within {self._timeout_s:g} s; look at its log"
            raise BusyError(words) from None

    def _work(
        self, work: Callable[[], T], loop: asyncio.AbstractEventLoop, answer: asyncio.Future[T]
    ) -> None:
        result: T | None = None
        problem: Exception | None = None
        try:
            result = work()
        except Exception as error:  # noqa: BLE001  # belongs to who asked
            problem = error
        finally:
            self._places.release()

        def settle() -> None:
            if answer.done():
                return
            if problem is not None:
                answer.set_exception(problem)
            else:
                answer.set_result(result)  # type: ignore[arg-type]  # T may be None itself

        if not loop.is_closed():
            loop.call_soon_threadsafe(settle)
