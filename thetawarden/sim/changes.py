"""Says what of a state has changed: the places that differ, with what stood there before and after.

Pure. States are plain data in which bytes are still bytes. A column of numbers is compared number
by number: one that packs itself, or one of a view's rows, which have no names in a list and are
given theirs. An element's place in a list is the one it has after; of one that is gone, before.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import Any, TypeAlias

import msgspec
import numpy as np
from msgspec import UNSET, UnsetType
from numpy.typing import NDArray

from thetawarden.domain.chains.packing import Packed, unpack
from thetawarden.domain.chains.view import ROW_TYPES

MATCHED_MAX = 500
"""Longer lists are compared place by place: to look for what has moved would take too long."""
COLUMNS = "columns"

Path: TypeAlias = tuple[str | int, ...]
Span: TypeAlias = tuple[int, int, int, int]


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One place that differs; what is new has no `before`, and what is gone no `after`.

    Of a column that kept its shape only the numbers that differ: `at` says where they stand among
    how many, `before` and `after` are those numbers.
    """

    path: Path
    before: Any = UNSET
    after: Any = UNSET
    at: list[Any] | UnsetType = UNSET
    among: int | UnsetType = UNSET


def changes(before: Any, after: Any, path: Path = ()) -> Iterator[Change]:
    """Every place that differs, in the order of the state."""
    if before == after:
        return
    match before, after:
        case dict(), dict():
            yield from _of_dicts(before, after, path)
        case (list() | tuple(), list() | tuple()):
            columns = _packed(before), _packed(after)
            if columns[0] is None or columns[1] is None:
                yield from _of_lists(before, after, path)
            else:
                yield from _of_columns(columns[0], columns[1], path)
        case bytes(), bytes():
            yield from _of_bytes(before, after, path)
        case float(), float() if before != before and after != after:  # noqa: PLR0124  # NaN
            return
        case _:
            yield Change(path=path, before=before, after=after)


def in_common(one: Sequence[Any], other: Sequence[Any]) -> int:
    """How many elements, or letters, are the same from the beginning on."""
    for place, (mine, theirs) in enumerate(zip(one, other, strict=False)):
        if mine != theirs:
            return place
    return min(len(one), len(other))


def _of_dicts(before: dict[Any, Any], after: dict[Any, Any], path: Path) -> Iterator[Change]:
    for key in (*before, *(key for key in after if key not in before)):
        place = (*path, _name(key))
        if key not in after:
            yield Change(path=place, before=before[key])
        elif key not in before:
            yield Change(path=place, after=after[key])
        elif key == COLUMNS and _are_rows(before[key]) and _are_rows(after[key]):
            named = [dict(zip(ROW_TYPES, one[key], strict=True)) for one in (before, after)]
            yield from _of_dicts(named[0], named[1], place)
        else:
            yield from changes(before[key], after[key], place)


def _name(key: Any) -> str:
    """A key as it stands in JSON."""
    return key if isinstance(key, str) else msgspec.json.encode(key).decode()


def _are_rows(columns: Any) -> bool:
    return (
        isinstance(columns, list | tuple)
        and len(columns) == len(ROW_TYPES)
        and all(type(one) is bytes for one in columns)
    )


def _packed(value: Sequence[Any]) -> NDArray[Any] | None:
    """The numbers of a column that tells its own type, if this is one."""
    if len(value) != len(Packed.__struct_fields__) or type(value[-1]) is not bytes:
        return None
    try:
        return unpack(msgspec.convert(value, Packed))
    except (msgspec.ValidationError, TypeError, ValueError):  # it only looks like one
        return None


def _of_bytes(before: bytes, after: bytes, path: Path) -> Iterator[Change]:
    kind = ROW_TYPES.get(str(path[-1])) if path[-2:-1] == (COLUMNS,) else None
    if kind is None or any(len(one) % np.dtype(kind).itemsize for one in (before, after)):
        yield Change(path=path, before=before, after=after)
    else:
        yield from _of_columns(np.frombuffer(before, kind), np.frombuffer(after, kind), path)


def _of_columns(before: NDArray[Any], after: NDArray[Any], path: Path) -> Iterator[Change]:
    if before.shape != after.shape or before.dtype != after.dtype:
        yield Change(path=path, before=_numbers(before), after=_numbers(after))
        return
    differs = before != after
    if before.dtype.kind == "f":
        differs &= ~(np.isnan(before) & np.isnan(after))
    if differs.any():
        places = np.flatnonzero(differs) if differs.ndim == 1 else np.argwhere(differs)
        yield Change(
            path=path,
            before=_numbers(before[differs]),
            after=_numbers(after[differs]),
            at=places.tolist(),
            among=before.size,
        )


def _numbers(column: NDArray[Any]) -> list[Any]:
    """Its numbers; those of single precision with no more digits than they have."""
    short = column.astype(str).astype(np.float64) if column.dtype == np.float32 else column
    numbers: list[Any] = short.tolist()
    return numbers


def _of_lists(before: Sequence[Any], after: Sequence[Any], path: Path) -> Iterator[Change]:
    for begin, end, new_begin, new_end in _spans(before, after):
        both = min(end - begin, new_end - new_begin)
        for offset in range(both):
            place = new_begin + offset
            yield from changes(before[begin + offset], after[place], (*path, place))
        for place in range(begin + both, end):
            yield Change(path=(*path, place), before=before[place])
        for place in range(new_begin + both, new_end):
            yield Change(path=(*path, place), after=after[place])


def _spans(before: Sequence[Any], after: Sequence[Any]) -> list[Span]:
    """What stands instead of what: place by place, unless less has changed where things moved."""
    head = in_common(before, after)
    tail = in_common(before[head:][::-1], after[head:][::-1])
    end, new_end = len(before) - tail, len(after) - tail
    whole = [(head, end, head, new_end)]
    if max(end, new_end) - head > MATCHED_MAX:
        return whole
    old, new = map(_keys, (before[head:end], after[head:new_end]))
    matched = [
        (head + a, head + b, head + c, head + d)
        for tag, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
        if tag != "equal"
    ]
    pairwise = sum(one != other for one, other in zip(old, new, strict=False))
    moved = sum(max(b - a, d - c) for a, b, c, d in matched)
    return matched if moved < pairwise + abs(len(old) - len(new)) else whole


def _keys(elements: Sequence[Any]) -> list[bytes]:
    return [msgspec.json.encode(each) for each in elements]
