"""The desk's heartbeat: one small file that whoever watches from outside can read at any time.

Written over and over in place by the supervisor's own thread, never synchronised to disk: it is for
the living. Instants are the machine's monotonic count, which all processes of a machine share, so
that no set clock makes a desk look dead.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

_BYTES = 512


class Beat(msgspec.Struct, frozen=True, kw_only=True):
    """One sign of life: of the supervisor, the watchdog, and the thread that owns the link.

    `run` names the process for good, also when its number is used again. `ended` is empty while it
    runs, else how it ended.
    """

    run: str
    pid: int
    number: int
    at_ns: int
    watchdog_ns: int
    link_loop_silent_ns: int
    ended: str = ""


ENDED_WELL, GAVE_UP = "stopped", "gave up"


class Heartbeat:
    """Writes the beats of one desk; `beat` is called by one thread, `end` by any, once."""

    def __init__(self, path: Path, *, run: str) -> None:
        self.path = path
        self._run = run
        self._number = 0
        self._last: Beat | None = None
        self._descriptor: int | None = None

    def begin(self, *, at_ns: int) -> None:
        """Make the file, so that whoever looks from now on sees this desk and none before it."""
        self._descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self.beat(at_ns=at_ns, watchdog_ns=at_ns, link_loop_silent_ns=0)

    def beat(self, *, at_ns: int, watchdog_ns: int, link_loop_silent_ns: int) -> None:
        """Say that the supervisor lives, and what it knows of the others."""
        self._number += 1
        self._write(
            Beat(
                run=self._run,
                pid=os.getpid(),
                number=self._number,
                at_ns=at_ns,
                watchdog_ns=watchdog_ns,
                link_loop_silent_ns=link_loop_silent_ns,
            )
        )

    def end(self, how: str) -> None:
        """Say that no more beats will come, and why."""
        last = self._last
        if last is not None:
            self._write(msgspec.structs.replace(last, ended=how))

    def _write(self, beat: Beat) -> None:
        if self._descriptor is None or (self._last is not None and self._last.ended):
            return
        self._last = beat
        os.pwrite(self._descriptor, msgspec.json.encode(beat).ljust(_BYTES), 0)


def read_beat(path: Path) -> Beat | None:
    """The latest beat; None when there is none, or it was being written just now."""
    try:
        with path.open("rb") as file:
            return msgspec.json.decode(file.read(_BYTES).strip(b" \0"), type=Beat)
    except (OSError, msgspec.MsgspecError):
        return None
