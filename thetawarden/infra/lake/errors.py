"""What may go wrong with the lake, each worded for a person in one line."""

from __future__ import annotations

from thetawarden.errors import EXIT_REFUSED, EXIT_UNREACHABLE, EXIT_USAGE, ThetawardenError

LINE_MAX = 300


class LakeError(ThetawardenError):
    """The root of the lake's errors. The desk goes on without the lake; a person mends it."""


class LakeAwayError(LakeError):
    """Storage does not answer or refuses us. Tried again later; the message log keeps the rows."""

    exit_code = EXIT_UNREACHABLE

    def __init__(self, table: str, error: object) -> None:
        super().__init__(f"lake table {table} cannot be reached: {first_line(error)}")


class DamagedTableError(LakeError):
    """A table's files are missing or cut. It is isolated and written anew from the message log."""

    def __init__(self, table: str, error: object) -> None:
        super().__init__(
            f"lake table {table} is damaged: {first_line(error)}."
            f" Write it anew with `thetawarden lake maintain --rebuild {table}`"
        )


class NewerTableError(LakeError):
    """A later version of this program wrote the table. Whoever went back goes forward again."""

    exit_code = EXIT_REFUSED

    def __init__(self, table: str, *, found: str, ours: int) -> None:
        super().__init__(
            f"lake table {table} is of version {found}, this program knows up to {ours}."
            " Update thetawarden, or name another lake with lake.url"
        )


class AheadOfLogError(LakeError):
    """The table holds messages the log has not: the log was put back. A person decides."""

    exit_code = EXIT_REFUSED

    def __init__(self, table: str, *, held: int, top: int) -> None:
        super().__init__(
            f"lake table {table} holds messages up to {held}, the message log ends at {top}."
            " Restore the log, or remove the file log-name in the store to begin a new one"
        )


class NoTableError(LakeError):
    """A table of that name is not there yet. Nothing was written to it so far."""

    exit_code = EXIT_USAGE

    def __init__(self, table: str, *, place: str) -> None:
        super().__init__(f"no lake table {table} in {place}; a running desk makes it")


class QueryError(LakeError):
    """The person's query cannot be carried out; the words say where it goes wrong."""

    exit_code = EXIT_USAGE

    def __init__(self, error: object) -> None:
        super().__init__(f"the query was refused: {first_line(error)}")


class LakePlaceError(LakeError):
    """The configured place of the lake makes no sense."""

    exit_code = EXIT_USAGE


class NotRebuildableError(LakeError):
    """What a table would be written anew from is no longer there."""

    exit_code = EXIT_REFUSED


def first_line(error: object) -> str:
    """An error of a library as one short line: backtraces and retry stories cut off."""
    lines = [line.strip() for line in str(error).splitlines()]
    words = next((line for line in lines if line), type(error).__name__)
    return words if len(words) <= LINE_MAX else words[: LINE_MAX - 1] + "…"
