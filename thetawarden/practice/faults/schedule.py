"""Reads plans of faults: a YAML or JSON list of what to play, and when.

Each entry has `fault`, and `after_s` (seconds from the start) or `at` (market time, such as
`20260302 10:00:00 US/Eastern`), and perhaps `args`. Files are read as strictly as configurations:
a key may stand once, a truth value is `true` or `false`, sizes are bounded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import msgspec

from thetawarden.config.document import Mapping, Node, Reading, Scalar, parse_document
from thetawarden.config.problems import ConfigError
from thetawarden.errors import RefusedError
from thetawarden.practice.faults.registry import find
from thetawarden.practice.wire import times

if TYPE_CHECKING:
    from pathlib import Path

FILE_BYTES_MAX = 1 << 20

Plain: TypeAlias = "str | int | float | bool | list[Plain] | dict[str, Plain] | None"


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
            content = file.read(FILE_BYTES_MAX + 1)
        if len(content) > FILE_BYTES_MAX:
            raise RefusedError(f"{path}: no plan of faults (more than {FILE_BYTES_MAX} bytes)")
        tree = parse_document(content, name=str(path))
        document = [] if tree is None else _plain(tree, path)
        planned = msgspec.convert(document, tuple[Planned, ...])
    except (OSError, ConfigError, msgspec.ValidationError) as error:
        raise RefusedError(f"{path}: no plan of faults ({error})") from None
    for number, entry in enumerate(planned, start=1):
        _check(path, number, entry)
    return planned


def _plain(node: Node, path: Path) -> Plain:
    if isinstance(node, Scalar):
        return _value(node)
    if not isinstance(node, Mapping):
        return [_plain(one, path) for one in node.items]
    plain: dict[str, Plain] = {}
    for key, value in node.entries:
        if key.text in plain:
            line = "" if key.place is None else f":{key.place.line}"
            raise RefusedError(f"{path}{line}: the key {key.text!r} stands twice, once is allowed")
        plain[key.text] = _plain(value, path)
    return plain


def _value(scalar: Scalar) -> Plain:
    """What is plainly a number or a truth value; all else stays the text it is."""
    text = scalar.text
    if scalar.reading is Reading.NOTHING:
        return None
    if scalar.reading is Reading.BOOLEAN and text.lower() in ("true", "false"):
        return text.lower() == "true"
    if scalar.reading is not Reading.NUMBER:
        return text
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            continue
    return text


def _check(path: Path, number: int, entry: Planned) -> None:
    find(entry.fault)
    if (entry.at is None) == (entry.after_s is None):
        raise RefusedError(f"{path}: entry {number} needs either at or after_s")
    if entry.at is not None and times.parse_stamp(entry.at) is None:
        raise RefusedError(
            f"{path}: entry {number}: at is {entry.at!r}, "
            "such as '20260302 10:00:00 US/Eastern' wanted"
        )
