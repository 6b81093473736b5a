"""What can be wrong with a message log, each with its remedy in the text."""

from __future__ import annotations

from pathlib import Path

from thetawarden.errors import EXIT_UNEXPECTED, EXIT_USAGE, ThetawardenError


class DamagedLogError(ThetawardenError):
    """The file is not what was written. Nothing was changed; the person restores or moves it."""

    exit_code = EXIT_USAGE

    def __init__(self, path: Path, found: str) -> None:
        super().__init__(
            f"message log {path}: {found}; an undamaged log is needed to know what the desk did."
            " Nothing was changed: restore the file from a backup, or move it (and its -wal) away"
            " to start from the broker's truth"
        )


class NewerLogError(ThetawardenError):
    """A later version of this program wrote the log. Nothing was changed; use that version."""

    exit_code = EXIT_USAGE

    def __init__(self, path: Path, found: str, ours: str) -> None:
        super().__init__(
            f"message log {path}: written by a newer version ({found}; this version knows {ours})."
            " Nothing was changed: run the version that wrote it, or a later one"
        )


class UnwritableLogError(ThetawardenError):
    """The data folder cannot be written. The person mends permissions or names another folder."""

    exit_code = EXIT_USAGE

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(
            f"message log {path}: cannot be written ({why}); the desk needs a folder of its own."
            " Give it write permission or choose another with --data-dir"
        )


class UnreadableLogError(ThetawardenError):
    """The file cannot be opened or is locked for too long. The person mends what `why` says."""

    exit_code = EXIT_USAGE

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(
            f"message log {path}: cannot be read ({why}); nothing was changed."
            " Mend its permissions, or close the program that holds it"
        )


class LogFailedError(ThetawardenError):
    """The disk refused a write. Nothing after it is acknowledged; the process ends and restarts."""

    exit_code = EXIT_UNEXPECTED

    def __init__(self, why: str) -> None:
        super().__init__(f"message log: {why}; no message after it is acknowledged")


class NotDurableInTimeError(ThetawardenError):
    """The disk is slower than the deadline. The effect that waited must not happen."""

    def __init__(self, seq: int, timeout_s: float) -> None:
        super().__init__(f"message {seq} was not durable within {timeout_s:g} s")
