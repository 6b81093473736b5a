"""The schema as data: every key with its kind, bounds, default and words, for reader and reference.

Refuses to know files. Groups hold groups and fields in the order of the schema.
"""

from __future__ import annotations

import datetime as dt
import enum
import functools
import inspect
import typing
from decimal import Decimal
from typing import Annotated, Any, TypeAlias

import msgspec


class Kind(enum.StrEnum):
    """What a value is made of."""

    TRUTH = "true or false"
    WHOLE = "a whole number"
    NUMBER = "a number"
    MONEY = "an amount"
    TEXT = "text"
    CHOICE = "one of"
    TIME_OF_DAY = "a time of day"
    LIST = "a list"


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One key with a value; `annotation` is what msgspec judges bounds by."""

    path: str
    kind: Kind
    annotation: Any
    about: str
    allowed: str
    default: Any
    item: Field | None = None
    choices: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition(".")[2]


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """One section and what is in it."""

    path: str
    about: str
    schema: Any
    members: dict[str, Group | Field]

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition(".")[2]


Member: TypeAlias = Group | Field

_KINDS: tuple[tuple[type, Kind], ...] = (
    (bool, Kind.TRUTH),  # before int: a bool is one
    (enum.StrEnum, Kind.CHOICE),  # before str likewise
    (int, Kind.WHOLE),
    (float, Kind.NUMBER),
    (Decimal, Kind.MONEY),
    (str, Kind.TEXT),
    (dt.time, Kind.TIME_OF_DAY),
)


def describe(default: msgspec.Struct, *, path: str = "", about: str = "") -> Group:
    """The schema of a configuration, given one that holds the defaults."""
    schema = type(default)
    hints = _hints(schema)
    members: dict[str, Member] = {}
    for name in schema.__struct_fields__:
        value = getattr(default, name)
        member_path = f"{path}.{name}" if path else name
        if isinstance(value, msgspec.Struct):
            words = _meta_text(hints[name], "description")
            members[name] = describe(value, path=member_path, about=words)
        else:
            members[name] = _field(hints[name], path=member_path, default=value)
    return Group(
        path=path, about=about or inspect.getdoc(schema) or "", schema=schema, members=members
    )


@functools.cache
def _hints(schema: type[msgspec.Struct]) -> dict[str, Any]:
    """Reading annotations takes longer than all else that is done with a configuration."""
    return typing.get_type_hints(schema, include_extras=True)


def leaves(group: Group) -> dict[str, Field]:
    """Every key with a value, by its dotted path, in the order of the schema."""
    found: dict[str, Field] = {}
    for member in group.members.values():
        if isinstance(member, Group):
            found |= leaves(member)
        else:
            found[member.path] = member
    return found


def _field(annotation: Any, *, path: str, default: Any) -> Field:
    plain, metas = _peel(annotation)
    item = None
    if typing.get_origin(plain) is tuple:
        kind, item = Kind.LIST, _field(typing.get_args(plain)[0], path=path, default=None)
    else:
        kind = next(kind for base, kind in _KINDS if issubclass(plain, base))
    choices = tuple(plain) if kind is Kind.CHOICE else ()
    return Field(
        path=path,
        kind=kind,
        annotation=annotation,
        about=_meta_text(annotation, "description"),
        allowed=_allowed(kind, metas=metas, choices=choices, item=item),
        default=default,
        item=item,
        choices=choices,
    )


def _peel(annotation: Any) -> tuple[Any, tuple[msgspec.Meta, ...]]:
    if typing.get_origin(annotation) is Annotated:
        plain, *metas = typing.get_args(annotation)
        return plain, tuple(meta for meta in metas if isinstance(meta, msgspec.Meta))
    return annotation, ()


def _meta_text(annotation: Any, name: str) -> str:
    texts = [getattr(meta, name) for meta in _peel(annotation)[1]]
    return next((text for text in texts if text), "")


def _allowed(
    kind: Kind, *, metas: tuple[msgspec.Meta, ...], choices: tuple[str, ...], item: Field | None
) -> str:
    title = next((meta.title for meta in metas if meta.title), None)
    if title is not None:
        return title
    if item is not None:
        return f"a list of {item.allowed.removeprefix('a ')}"
    if kind is Kind.CHOICE:
        return f"one of {', '.join(choices)}"
    if kind is Kind.TIME_OF_DAY:
        return 'a time of day in quotes, "00:00" to "23:59"'
    return " ".join([kind.value, *_bounds(metas)])


def _bounds(metas: tuple[msgspec.Meta, ...]) -> list[str]:
    words = []
    for meta in metas:
        for name, word in (("ge", "from"), ("gt", "above"), ("le", "to"), ("lt", "below")):
            bound = getattr(meta, name)
            if bound is not None:
                words.append(f"{word} {bound}")
    return words
