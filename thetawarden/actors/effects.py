"""Carries effects out into the world: one thread an adapter, and never before they are durable.

What an adapter reports comes back as messages, caused by the effect. An adapter that raises is
reported and goes on; whether to ask again is the business of the actor that asked.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from queue import SimpleQueue

from thetawarden.messages.base import Envelope, Message
from thetawarden.messages.lifecycle import EffectFailed
from thetawarden.ports import Adapter, MessageLog

Say = Callable[[Message, str, int], object]
Tracing = Callable[[int], AbstractContextManager[None]]
DURABLE_TIMEOUT_S = 30.0


def untraced(_seq: int) -> AbstractContextManager[None]:
    """Log lines carry no message id."""
    return nullcontext()


class EffectThreads:
    """Runs all adapters of the desk; `tracing` puts the message's id on what they log."""

    def __init__(
        self,
        adapters: Mapping[str, Adapter],
        log: MessageLog,
        *,
        tracing: Tracing = untraced,
    ) -> None:
        self._log = log
        self._tracing = tracing
        self._say: Say | None = None
        self._queues: dict[str, SimpleQueue[Envelope[Message] | None]] = {
            name: SimpleQueue() for name in adapters
        }
        self._threads = [
            threading.Thread(
                target=self._run, args=(name, adapter), name=f"effect:{name}", daemon=True
            )
            for name, adapter in adapters.items()
        ]

    def start(self, say: Say) -> None:
        """Begin; `say(message, sender, cause_seq)` takes what the adapters report."""
        self._say = say
        for thread in self._threads:
            thread.start()

    def perform(self, adapter: str, envelope: Envelope[Message], /) -> None:
        """Hand the message to the adapter; returns at once."""
        self._queues[adapter].put(envelope)

    def stop(self, deadline_s: float) -> tuple[str, ...]:
        """Let each adapter finish what it has; name those that did not in time."""
        for queue in self._queues.values():
            queue.put(None)
        for thread in self._threads:
            if thread.is_alive():
                thread.join(deadline_s)
        return tuple(thread.name for thread in self._threads if thread.is_alive())

    def _run(self, name: str, adapter: Adapter) -> None:
        queue = self._queues[name]
        while (envelope := queue.get()) is not None:
            try:
                self._log.wait_durable(envelope.seq, DURABLE_TIMEOUT_S)
                with self._tracing(envelope.seq):
                    answers = adapter.perform(envelope.body)
            except Exception as error:  # noqa: BLE001  # the outside may fail in any way
                kind = type(envelope.body).__name__
                answers = (EffectFailed(adapter=name, kind=kind, error=repr(error)),)
            for answer in answers:
                if self._say is not None:
                    self._say(answer, f"effect:{name}", envelope.seq)
