"""The lake as the desk sees it: takes messages, never makes anybody wait, reports what came of it.

What arrives is put in a bounded buffer and a thread of its own does the rest, so that storage that
stalls stalls nobody. When the buffer is full it is dropped: the message log has it all, and the
writer finds what it misses there.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

import msgspec

from thetawarden.messages.base import Envelope, Message
from thetawarden.messages.lake import (
    FlushLake,
    LakeFellBehind,
    LakeTrouble,
    LakeUnavailable,
    MaintainLake,
    RebuildTable,
)
from thetawarden.ports import DeskPort

if TYPE_CHECKING:
    from thetawarden.infra.lake.writer import LakeWriter

COMMANDS = (FlushLake, MaintainLake, RebuildTable)
EVERYTHING = "*"
ERROR_MAX = 300
WAKE_MESSAGES = 512  # fewer wait for the next flush
_log = logging.getLogger("thetawarden.lake")


class Work(Protocol):
    """What the thread does; made on that thread, as its files belong to it."""

    writer: LakeWriter

    def carry_out(self, command: Message, /) -> tuple[Message, ...]:
        """Do what an actor asked for."""
        ...

    def close(self) -> None:
        """Let go of everything."""
        ...


class AdapterSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How many messages may wait, and how many rows are written at once."""

    waiting_max: int = 20_000
    flush_rows: int = 5_000
    stop_deadline_s: float = 4.0


class LakeAdapter:
    """Implements the Source and Adapter ports over a `Work` of its own thread."""

    def __init__(
        self,
        make_work: Callable[[], Work],
        settings: AdapterSettings,
        *,
        let_go: Callable[[], None] = lambda: None,
    ) -> None:
        self._make_work = make_work
        self._let_go = let_go
        self._settings = settings
        self._waiting: deque[Envelope[Message]] = deque()
        self._commands: deque[Message] = deque()
        self._dropped = 0
        self._stopping = False
        self._wake = threading.Condition()
        self._desk: DeskPort | None = None
        self._thread = threading.Thread(target=self._run, name="lake", daemon=True)

    def start(self, desk: DeskPort, /) -> None:
        """Begin to write."""
        self._desk = desk
        self._thread.start()

    def stop(self) -> None:
        """Write what has gathered, if storage lets us in time; the log keeps the rest."""
        with self._wake:
            self._stopping = True
            self._wake.notify()
        self._thread.join(self._settings.stop_deadline_s)
        if self._thread.is_alive():
            _log.warning("lake_left_behind", extra={"waiting": len(self._waiting)})
        self._let_go()  # only now, so that housekeeping cut short is not taken for done

    def perform(self, envelope: Envelope[Message], /) -> tuple[Message, ...]:
        """Take a message or a command; returns at once."""
        with self._wake:
            if isinstance(envelope.body, COMMANDS):
                if envelope.body not in self._commands:  # one flush is as good as two
                    self._commands.append(envelope.body)
            elif len(self._waiting) < self._settings.waiting_max:
                self._waiting.append(envelope)
            else:
                self._dropped += len(self._waiting) + 1
                self._waiting.clear()
            if self._commands or len(self._waiting) >= WAKE_MESSAGES:
                self._wake.notify()
        return ()

    def _run(self) -> None:
        work: Work | None = None
        while self._wait():
            work = self._step(work)
        self._end(work)

    def _end(self, work: Work | None) -> None:
        """Write what has gathered once anything was to be written; other errands can wait."""
        asked = work is not None or bool(self._commands)  # the end may come before the first step
        self._commands.clear()
        if not asked:
            return
        work = self._step(work)
        if work is None:
            return
        if work.writer.waiting_rows or work.writer.behind():
            self._commands.append(FlushLake())
            self._step(work)
        work.close()

    def _wait(self) -> bool:
        """Sleep until there is something to do; false when it is time to end."""
        with self._wake:
            while not (self._commands or len(self._waiting) >= WAKE_MESSAGES or self._stopping):
                self._wake.wait()
            return not self._stopping

    def _step(self, work: Work | None) -> Work | None:
        with self._wake:
            waiting, self._waiting = self._waiting, deque()
            dropped, self._dropped = self._dropped, 0
            command = self._commands.popleft() if self._commands else None
        if dropped:
            self._say(LakeFellBehind(table=EVERYTHING, rows=dropped))
        try:
            work = work or self._make_work()  # whose tables begin with what the log has
            for envelope in waiting:
                work.writer.take(envelope)
            if work.writer.waiting_rows >= self._settings.flush_rows:
                self._say(*work.writer.flush())
            if command is not None:
                self._say(*work.carry_out(command))
        except Exception as error:  # noqa: BLE001  # the lake may fail in any way; the desk goes on
            _log.exception("lake_failed")
            words = f"{error!r}"[:ERROR_MAX]
            trouble = LakeTrouble.AWAY
            self._say(LakeUnavailable(table=EVERYTHING, trouble=trouble, error=words))
        return work

    def _say(self, *messages: Message) -> None:
        if self._desk is not None:
            for message in messages:
                self._desk.say(message)
