"""Tells systemd how the desk is, by its datagram protocol; says nothing where nobody asked.

`READY=1` once the desk answers, `WATCHDOG=1` with every heartbeat of the supervisor, so that a hung
one is killed and started anew, `STOPPING=1` when the end begins. A manager that does not listen is
no reason to stop.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Mapping

ADDRESS_VARIABLE = "NOTIFY_SOCKET"


class ServiceManager:
    """Whoever started this process and wants to be told, or nobody."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        address = environment.get(ADDRESS_VARIABLE, "")
        # an abstract name is written with @ and begins with a zero byte
        self._address = "\0" + address[1:] if address.startswith("@") else address

    def ready(self, words: str) -> None:
        """The desk answers."""
        self._tell(f"READY=1\nSTATUS={_one_line(words)}")

    def alive(self) -> None:
        """The supervisor's heart has beaten."""
        self._tell("WATCHDOG=1")

    def stopping(self) -> None:
        """The end has begun."""
        self._tell("STOPPING=1")

    def _tell(self, text: str) -> None:
        if self._address[:1] not in {"/", "\0"}:
            return
        with (
            contextlib.suppress(OSError),
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as messenger,
        ):
            messenger.settimeout(0)
            messenger.sendto(text.encode(), self._address)


def _one_line(words: str) -> str:
    return " ".join(words.split())
