"""Carries effects out into the world: one thread an adapter, and never before they are durable.

What an adapter reports comes back as messages, caused by the effect. An adapter that raises is
reported and goes on; whether to ask again is the business of the actor that asked. One that is a
`Source` speaks unasked as well, between the start and the stop that happen on its thread.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from queue import SimpleQueue

from thetawarden.messages.base import Envelope, Message
from thetawarden.messages.lifecycle import EffectFailed
from thetawarden.messages.registry import EFFECT_PREFIX
from thetawarden.ports import Adapter, MessageLog, Source

Say = Callable[[Message, str, int | None], Envelope[Message]]
Backlog = Callable[[str], int]
Tracing = Callable[[int], AbstractContextManager[None]]
DURABLE_TIMEOUT_S = 30.0
START, STOP = "start", "stop"  # in the place of a message's kind, when a source fails in these


def untraced(_seq: int) -> AbstractContextManager[None]:
    """Log lines carry no message id."""
    return nullcontext()


def nothing_waits(_actor: str) -> int:
    """The backlog of a desk that has no mailboxes."""
    return 0


class SourcePort:
    """Implements DeskPort for one adapter, whose name everything is said in."""

    def __init__(self, adapter: str, say: Say, backlog: Backlog) -> None:
        self._sender = EFFECT_PREFIX + adapter
        self._say = say
        self.backlog = backlog

    def say(self, message: Message, /, cause_seq: int | None = None) -> Envelope[Message]:
        """Record and deliver what was observed."""
        return self._say(message, self._sender, cause_seq)


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
        self._ports: dict[str, SourcePort] = {}
        self._queues: dict[str, SimpleQueue[Envelope[Message] | threading.Event | None]] = {
            name: SimpleQueue() for name in adapters
        }
        self._sources = {
            name: adapter for name, adapter in adapters.items() if isinstance(adapter, Source)
        }
        self._threads = [
            threading.Thread(
                target=self._run,
                args=(name, adapter),
                name=EFFECT_PREFIX + name,
                daemon=True,
            )
            for name, adapter in adapters.items()
        ]

    def start(self, say: Say, backlog: Backlog = nothing_waits) -> None:
        """Begin; `say(message, sender, cause_seq)` takes what the adapters report."""
        self._ports = {name: SourcePort(name, say, backlog) for name in self._queues}
        for thread in self._threads:
            thread.start()

    def perform(self, adapter: str, envelope: Envelope[Message], /) -> None:
        """Hand the message to the adapter; returns at once."""
        self._queues[adapter].put(envelope)

    def stop(self, deadline_s: float) -> tuple[str, ...]:
        """Let each adapter finish what it has, in time; name those that did not.

        The sources are stopped first, one after another, the last started first: what they said
        until then still reaches the adapters that outlast them.
        """
        ends = time.monotonic() + deadline_s
        for name in reversed(self._sources):
            stopped = threading.Event()
            self._queues[name].put(stopped)
            if self._ports:
                stopped.wait(max(0.0, ends - time.monotonic()))
        for queue in self._queues.values():
            queue.put(None)
        for thread in self._threads:
            if thread.is_alive():
                thread.join(max(0.0, ends - time.monotonic()))
        return tuple(thread.name for thread in self._threads if thread.is_alive())

    def _run(self, name: str, adapter: Adapter) -> None:
        queue, port = self._queues[name], self._ports[name]
        source = self._sources.get(name)
        if source is not None:
            self._attempt(port, name, START, lambda: source.start(port))
        while (item := queue.get()) is not None:
            if isinstance(item, threading.Event):
                if source is not None:
                    self._attempt(port, name, STOP, source.stop)
                item.set()
                continue
            for answer in self._perform(name, adapter, item):
                port.say(answer, item.seq)

    def _perform(
        self, name: str, adapter: Adapter, envelope: Envelope[Message]
    ) -> tuple[Message, ...]:
        try:
            self._log.wait_durable(envelope.seq, DURABLE_TIMEOUT_S)
            with self._tracing(envelope.seq):
                return adapter.perform(envelope)
        except Exception as error:  # noqa: BLE001  # the outside may fail in any way
            kind = type(envelope.body).__name__
            return (EffectFailed(adapter=name, kind=kind, error=repr(error)),)

    @staticmethod
    def _attempt(port: SourcePort, name: str, what: str, do: Callable[[], None]) -> None:
        """Start or stop a source; one that cannot is news, and its thread goes on."""
        try:
            do()
        except Exception as error:  # noqa: BLE001  # the outside may fail in any way
            port.say(EffectFailed(adapter=name, kind=what, error=repr(error)))
