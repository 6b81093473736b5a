"""Has work done off the screen's loop that may take long, or for ever.

Each worker is one daemon thread that does one thing after another. What hangs holds up only what
waits for the same worker, and never the end of the console.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import TypeVar

T = TypeVar("T")


class Worker:
    """One thread, used from one event loop."""

    def __init__(self, name: str) -> None:
        self._jobs: SimpleQueue[Callable[[], None]] = SimpleQueue()
        threading.Thread(target=self._run, name=name, daemon=True).start()

    async def do(self, work: Callable[[], T]) -> T:
        """What the work returns or raises."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()

        def job() -> None:
            with contextlib.suppress(RuntimeError):  # the screen is closed
                try:
                    loop.call_soon_threadsafe(_succeed, answer, work())
                except Exception as error:  # noqa: BLE001  # belongs to who asked
                    loop.call_soon_threadsafe(_fail, answer, error)

        self._jobs.put(job)
        return await answer

    def _run(self) -> None:
        while True:
            self._jobs.get()()


def _succeed(answer: asyncio.Future[T], result: T) -> None:
    if not answer.done():
        answer.set_result(result)


def _fail(answer: asyncio.Future[T], error: Exception) -> None:
    if not answer.done():
        answer.set_exception(error)
