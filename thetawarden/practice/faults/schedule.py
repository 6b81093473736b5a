"""Reads plans of faults: a YAML or JSON list of what to play, and when.

Each entry has `fault`, and `after_s` (seconds from the start) or `at` (market time, such as
`20260302 10:00:00 US/Eastern`), and perhaps `args`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import yaml

from thetawarden.errors import RefusedError
from thetawarden.practice.faults.registry import find
from thetawarden.practice.wire import times

if TYPE_CHECKING:
    from pathlib import Path

FILE_BYTES_MAX = 1 << 20


class Planned(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One entry of a plan."""

    fault: str
    after_s: float | None = None
    at: str | None = None
    args: dict[str, str | int | float | bool] = {}

    def due_ns(self, *, now_ns: int, speed: float) -> int:
        """The market time at which it is to be played."""
        if self.at is not None:
            parsed = times.parse_stamp(self.at)
            if parsed is not None:
                return parsed[0]
        return now_ns + int((self.after_s or 0.0) * speed * times.NS_PER_S)


def load(path: Path) -> tuple[Planned, ...]:
    """Return a file's plan. Raises RefusedError naming the entry that is wrong."""
    try:
        with path.open("rb") as file:
            document: Any = yaml.safe_load(file.read(FILE_BYTES_MAX))
        planned = msgspec.convert(document or [], tuple[Planned, ...])
    except (OSError, yaml.YAMLError, msgspec.ValidationError) as error:
        raise RefusedError(f"{path}: no plan of faults ({error})") from None
    for number, entry in enumerate(planned, start=1):
        _check(path, number, entry)
    return planned


def _check(path: Path, number: int, entry: Planned) -> None:
    find(entry.fault)
    if (entry.at is None) == (entry.after_s is None):
        raise RefusedError(f"{path}: entry {number} needs either at or after_s")
    if entry.at is not None and times.parse_stamp(entry.at) is None:
        raise RefusedError(
            f"{path}: entry {number}: at is {entry.at!r}, "
            "such as '20260302 10:00:00 US/Eastern' wanted"
        )
