"""What signals do: end the desk gracefully, two at once; SIGUSR1 halts, SIGUSR2 also flattens.

A signal's handler runs in the middle of whatever the main thread does, perhaps while that holds the
very lock the handler would need. So handlers do nothing here: the interpreter writes each signal's
number to a socket, and a thread reads it.
"""

from __future__ import annotations

import os
import signal
import socket
import threading
from typing import Protocol

from thetawarden.errors import EXIT_UNEXPECTED

HALTING, FLATTENING = signal.SIGUSR1, signal.SIGUSR2
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_AT_ONCE = b"thetawarden: stopped at once; the next start recovers from the message log\n"


class OnSignal(Protocol):
    """What signals do besides ending the desk."""

    ended: threading.Event

    def brake(self, *, flatten: bool) -> None:
        """Halt, and also close everything when `flatten`; by the fastest way there is."""
        ...

    def end_at_once(self) -> None:
        """The process is about to be over."""
        ...


def heed_signals(desk: OnSignal) -> None:
    """Let signals end or halt the desk, from now to its end; the main thread calls it."""
    reading, writing = socket.socketpair()
    writing.settimeout(0)
    for number in (*ENDING, HALTING, FLATTENING):
        signal.signal(number, lambda _number, _frame: None)
    signal.set_wakeup_fd(writing.fileno(), warn_on_full_buffer=False)

    def read() -> None:
        asked = False
        with writing:  # kept open as long as it is read
            while numbers := reading.recv(64):
                for number in numbers:
                    asked = _heed(number, desk, asked=asked)

    threading.Thread(target=read, name="signals", daemon=True).start()


def _heed(number: int, desk: OnSignal, *, asked: bool) -> bool:
    """Obey one signal; whether an end has been asked for by signal, by this one or before.

    A desk that ends for another reason has not been asked yet. A terminal that is closed hangs up
    more than once and means one thing.
    """
    if number in (HALTING, FLATTENING):
        desk.brake(flatten=number == FLATTENING)
        return asked
    if number not in ENDING:
        return asked
    if asked and number != signal.SIGHUP:
        desk.end_at_once()
        os.write(2, _AT_ONCE)
        os._exit(EXIT_UNEXPECTED)
    desk.ended.set()
    return True
