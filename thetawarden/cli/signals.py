"""The first signal ends the desk gracefully, the second at once; orders stay as they are.

A signal's handler runs in the middle of whatever the main thread does, perhaps while that holds the
very lock the handler would need. So handlers do nothing here: the interpreter writes each signal's
number to a socket, and a thread reads it.
"""

from __future__ import annotations

import os
import signal
import socket
import threading

from thetawarden.errors import EXIT_UNEXPECTED

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_AT_ONCE = b"thetawarden: stopped at once; the next start recovers from the message log\n"


def end_by_signal(ended: threading.Event) -> None:
    """Let signals set `ended`, from now to the end of the process; the main thread calls it."""
    reading, writing = socket.socketpair()
    writing.settimeout(0)
    for number in ENDING:
        signal.signal(number, lambda _number, _frame: None)
    signal.set_wakeup_fd(writing.fileno(), warn_on_full_buffer=False)

    def read() -> None:
        with writing:  # kept open as long as it is read
            while numbers := reading.recv(64):
                for number in numbers:
                    if number in ENDING:
                        _take(ended)

    threading.Thread(target=read, name="signals", daemon=True).start()


def _take(ended: threading.Event) -> None:
    if ended.is_set():
        os.write(2, _AT_ONCE)
        os._exit(EXIT_UNEXPECTED)
    ended.set()
