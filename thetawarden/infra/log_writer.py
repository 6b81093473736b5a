"""Writes log lines from a thread of its own, so that a full pipe or disk never holds up an actor.

The queue is bounded: lines beyond it are lost and counted, and the count is told in a line of its
own when there is room again. No call here raises or waits, except `flush` and `close`, which wait
no longer than they are told. Sinks decide nothing about content: lines arrive redacted.
"""

from __future__ import annotations

import contextlib
import os
import queue
import threading
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import TextIO

_BATCH_LINES_MAX = 500


class Sink(Protocol):
    """Somewhere a text of whole lines is put; may raise OSError or ValueError."""

    def write(self, text: str) -> None:
        """Put the text there, now."""

    def close(self) -> None:
        """Let go of it."""


class StreamSink:
    """An open text stream, such as standard error; never closed by us.

    A stream with a descriptor is written past its buffer: a thread that hangs with the buffer's
    lock would take the whole interpreter down when it exits.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._descriptor: int | None = None
        with contextlib.suppress(OSError, AttributeError):  # UnsupportedOperation is an OSError
            self._descriptor = stream.fileno()

    def write(self, text: str) -> None:
        """Write at once."""
        if self._descriptor is None:
            self._stream.write(text)
            self._stream.flush()
        else:
            _write_all(self._descriptor, text.encode("utf-8", "backslashreplace"))

    def close(self) -> None:
        """Leave the stream to its owner."""


class FileSink:
    """A file of ours (0600) that is put aside as .1, .2 ... when it has grown to `bytes_max`."""

    def __init__(self, path: Path, *, bytes_max: int, kept: int) -> None:
        self._path = path
        self._bytes_max = bytes_max
        self._kept = kept
        self._descriptor: int | None = None
        self._bytes = 0

    def write(self, text: str) -> None:
        """Append, after putting a full file aside."""
        content = text.encode("utf-8", "backslashreplace")
        if self._descriptor is not None and self._bytes + len(content) > self._bytes_max:
            self._rotate()
        descriptor = self._open() if self._descriptor is None else self._descriptor
        _write_all(descriptor, content)
        self._bytes += len(content)

    def close(self) -> None:
        """Close the file, if it is open."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _open(self) -> int:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(self._path, flags, 0o600)
        os.fchmod(descriptor, 0o600)
        self._bytes = os.fstat(descriptor).st_size
        self._descriptor = descriptor
        return descriptor

    def _rotate(self) -> None:
        self.close()
        for number in range(self._kept, 0, -1):
            older = self._path.with_name(f"{self._path.name}.{number}")
            newer = self._path.with_name(f"{self._path.name}.{number - 1}")
            with contextlib.suppress(FileNotFoundError):
                (newer if number > 1 else self._path).replace(older)


class LineWriter:
    """Takes lines from any thread, hands them to its sink from one."""

    def __init__(self, sink: Sink, *, lines_max: int, lost_line: Callable[[int], str]) -> None:
        self._sink = sink
        self._lines_max = lines_max
        self._lost_line = lost_line
        self._queue: queue.SimpleQueue[str | threading.Event | None] = queue.SimpleQueue()
        self._lost = 0
        self._told = 0
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="log-writer", daemon=True)
        self._thread.start()

    @property
    def lost(self) -> int:
        """Lines that were never written."""
        return self._lost

    def put(self, line: str) -> None:
        """Queue one line, or count it lost when the queue is full or closed. Returns at once."""
        if self._closed or self._queue.qsize() >= self._lines_max:
            self._lost += 1
        else:
            self._queue.put(line)

    def flush(self, *, timeout_s: float) -> bool:
        """Wait until all that was put before is written; False when it is not, in time."""
        if not self._thread.is_alive():
            return False
        reached = threading.Event()
        self._queue.put(reached)
        return reached.wait(timeout_s)

    def close(self, *, timeout_s: float) -> bool:
        """Write what is queued and end; False when the sink hangs and lines were left."""
        self._closed = True
        self._queue.put(None)
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        going = True
        while going:
            lines: list[str] = []
            marks: list[threading.Event] = []
            item = self._queue.get()
            while True:
                if item is None:
                    going = False
                elif isinstance(item, str):
                    lines.append(item)
                else:
                    marks.append(item)
                if not going or len(lines) >= _BATCH_LINES_MAX or self._queue.empty():
                    break
                item = self._queue.get()
            self._write(lines)
            for mark in marks:
                mark.set()
        with contextlib.suppress(Exception):
            self._sink.close()

    def _write(self, lines: list[str]) -> None:
        lost, given = self._lost, len(lines)
        if lost > self._told:
            lines.append(self._lost_line(lost - self._told))
        if not lines:
            return
        try:
            self._sink.write("\n".join(lines) + "\n")
        except Exception:  # noqa: BLE001 -- a full disk, a closed pipe: go on, count, tell later
            self._lost += given  # the line that tells of losses is none of them
        else:
            self._told = lost


def _write_all(descriptor: int, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
