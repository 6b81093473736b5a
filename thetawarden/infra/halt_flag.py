"""The halt flag: a small file whose presence halts the desk, whatever else is broken.

A person may make it with `touch`; a flag that cannot be read is a halt like any other. On a full
disk an empty flag still fits where a reason does not.
"""

from __future__ import annotations

import contextlib
import os
import threading
from pathlib import Path

import msgspec

from thetawarden.domain.halt import HaltRecord
from thetawarden.domain.instants import UnixNs
from thetawarden.messages.base import Envelope, Message
from thetawarden.messages.trading import TradingHalted, TradingResumed

UNREADABLE = HaltRecord(
    epoch=0, reason="halt flag file without a readable reason", by="halt flag", at_ns=UnixNs(0)
)


class HaltFlagFile:
    """Implements the HaltFlag port, and performs the governor's halts as an adapter."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()

    def read(self) -> HaltRecord | None:
        """The halt in force, or None when no flag stands."""
        try:
            return msgspec.json.decode(self.path.read_bytes(), type=HaltRecord)
        except FileNotFoundError:
            return UNREADABLE if self.path.is_symlink() else None
        except Exception:  # noqa: BLE001  # a flag that cannot be read, for whatever reason, halts
            return UNREADABLE

    def raise_flag(self, halt: HaltRecord) -> None:
        """Make the halt durable; one of a later epoch is left as it is.

        Raises OSError only when not even an empty flag could be made.
        """
        with self._lock:
            standing = self.read()
            if standing is not None and standing.epoch > halt.epoch:
                return
            try:
                self._replace(msgspec.json.encode(halt) + b"\n")
            except OSError:
                self.path.touch(mode=0o600)
                with contextlib.suppress(OSError):
                    self._sync_folder()

    def lower(self, epoch: int) -> None:
        """Remove the flag of this epoch or an earlier one."""
        with self._lock:
            standing = self.read()
            if standing is not None and standing.epoch <= epoch:
                self.path.unlink(missing_ok=True)
                self._sync_folder()

    def perform(self, envelope: Envelope[Message], /) -> tuple[Message, ...]:
        """Raise the flag for a halt, lower it for a resume."""
        message = envelope.body
        if isinstance(message, TradingHalted):
            self.raise_flag(message.halt)
        elif isinstance(message, TradingResumed):
            self.lower(message.epoch)
        return ()

    def _replace(self, content: bytes) -> None:
        draft = self.path.with_name(self.path.name + ".new")
        with draft.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self.path)
        self._sync_folder()

    def _sync_folder(self) -> None:
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
