"""The thread that owns everything of ib_async: one event loop, started and ended by us.

Objects of ib_async belong to the loop they were made on. Other threads hand it work through
`submit` and `call` and never touch such an object themselves.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")
PULSE_S = 0.25
STOP_TIMEOUT_S = 5.0


class LoopThread:
    """An event loop on a daemon thread."""

    def __init__(self, name: str = "broker-link") -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._turned_ns = 0

    def start(self) -> None:
        """Begin to take work."""
        self._turned_ns = time.monotonic_ns()
        self._thread.start()

    def silent_ns(self) -> int:
        """How long the loop has not turned: a fraction of a second while it lives.

        0 before its start and after its end: whoever asks then asks of nothing.
        """
        turned_ns = self._turned_ns
        return time.monotonic_ns() - turned_ns if turned_ns else 0

    def submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Run a coroutine there; the future may be waited for on any other thread.

        Once the loop has ended the work is dropped and the future is cancelled.
        """
        try:
            return asyncio.run_coroutine_threadsafe(work, self.loop)
        except RuntimeError:
            work.close()
            dropped: Future[T] = Future()
            dropped.cancel()
            return dropped

    def call(self, act: Callable[[], object]) -> None:
        """Call a plain function there, soon; nothing happens once the loop has ended."""
        try:
            self.loop.call_soon_threadsafe(act)
        except RuntimeError:
            return

    def stop(self) -> None:
        """Cancel what is still running, end the loop and wait for the thread."""
        if not self._thread.is_alive():
            return
        self.call(self.loop.stop)
        self._turned_ns = 0
        self._thread.join(STOP_TIMEOUT_S)

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)  # ib_async asks for the thread's own loop
        self._pulse()
        try:
            self.loop.run_forever()
        finally:
            left = asyncio.all_tasks(self.loop)
            for task in left:
                task.cancel()
            if left:
                self.loop.run_until_complete(asyncio.wait(left, timeout=STOP_TIMEOUT_S))
            self.loop.close()

    def _pulse(self) -> None:
        if self._turned_ns:
            self._turned_ns = time.monotonic_ns()
            self.loop.call_later(PULSE_S, self._pulse)
