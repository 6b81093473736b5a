"""The desk as it is, whose threads can be made to hang from outside by a signal.

Run as `python -m soak.hanging run`: the same program, with a listener on three signals that nothing
else uses. What hangs never comes back, as a thread in an endless native call would not.
"""

from __future__ import annotations

import functools
import signal
import sys
import threading
from types import FrameType
from typing import Any

from thetawarden.actors.desk import Desk
from thetawarden.actors.executor import Executor
from thetawarden.cli import run_command_line
from thetawarden.infra.ib.loop import LoopThread

EXECUTOR, SUPERVISOR, LOOP = signal.SIGRTMIN, signal.SIGRTMIN + 1, signal.SIGRTMIN + 2


class _Hangs:
    """What was told to hang, and those it is told to."""

    def __init__(self) -> None:
        self.executor = threading.Event()
        self.desks: list[Desk] = []
        self.loops: list[LoopThread] = []

    def heed(self, number: int, frame: FrameType | None) -> None:
        """Let one of the three hang from now on."""
        del frame
        if number == EXECUTOR:
            self.executor.set()
        elif number == SUPERVISOR:
            for desk in self.desks:
                desk._tasks.put(_forever)  # noqa: SLF001  # as if a task of its own never ended
        elif number == LOOP:
            for loop in self.loops:
                loop.call(_forever)


def _forever() -> None:
    threading.Event().wait()


def main() -> int:
    """Run the program with those listeners."""
    hangs = _Hangs()
    receive, make_desk, start_loop = Executor.receive, Desk.__init__, LoopThread.start

    @functools.wraps(receive)  # what it hears and says is read off it
    def hanging_receive(self: Executor, message: Any, now: Any) -> Any:
        if hangs.executor.is_set():
            _forever()
        return receive(self, message, now)

    def known_desk(self: Desk, **parts: Any) -> None:
        make_desk(self, **parts)
        hangs.desks.append(self)

    def known_loop(self: LoopThread) -> None:
        hangs.loops.append(self)
        start_loop(self)

    Executor.receive = hanging_receive  # type: ignore[method-assign]
    Desk.__init__ = known_desk  # type: ignore[method-assign]
    LoopThread.start = known_loop  # type: ignore[method-assign]
    for number in (EXECUTOR, SUPERVISOR, LOOP):
        signal.signal(number, hangs.heed)
    return run_command_line(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
