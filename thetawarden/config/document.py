"""Turns the bytes of a YAML file into a tree of places and texts; decides nothing about meaning.

The only importer of yaml. It reads the parser's events, so YAML's own guesses (9:30 a number, NO a
boolean, the last of two equal keys wins) never happen: a scalar stays the text that stands in the
file, beside what YAML 1.1 would have read it as. Tags, merge keys, several documents, deep nesting
and alias bombs are refused. Faults name places and never repeat a value: it may be a secrets file.
Lines and columns count from 1.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Protocol, TypeAlias

import msgspec
import yaml
from yaml import events
from yaml.nodes import ScalarNode
from yaml.resolver import Resolver

from thetawarden.config.problems import ConfigError, Problem, one_line

if TYPE_CHECKING:
    from collections.abc import Callable

DEPTH_MAX = 20
NODES_MAX = 10_000
ALIASES_MAX = 32


class Reading(enum.StrEnum):
    """What YAML 1.1 would take an unquoted text for; QUOTED and GIVEN leave it no choice."""

    QUOTED = "quoted text"
    GIVEN = "given text"
    TEXT = "text"
    NUMBER = "a number"
    BOOLEAN = "a truth value"
    NOTHING = "nothing"
    DATE = "a date"
    OTHER = "something special"


class Place(msgspec.Struct, frozen=True):
    """Where in a file; 1 is the first line and the first column."""

    line: int
    column: int


class Scalar(msgspec.Struct, frozen=True, kw_only=True):
    """A single value as it is written. A place is None for a variable or a flag."""

    text: str
    reading: Reading
    place: Place | None = None
    nodes: int = 1


class Sequence(msgspec.Struct, frozen=True, kw_only=True):
    """A list."""

    items: tuple[Node, ...]
    place: Place | None
    nodes: int


class Mapping(msgspec.Struct, frozen=True, kw_only=True):
    """Keys and values in the order of the file, repeated keys included."""

    entries: tuple[tuple[Scalar, Node], ...]
    place: Place | None
    nodes: int


class _Mark(Protocol):
    """The part of yaml's marks we use; the first line and column are 0."""

    line: int
    column: int


Node: TypeAlias = Scalar | Sequence | Mapping

_TAG = "tag:yaml.org,2002:"
_READINGS = {
    f"{_TAG}str": Reading.TEXT,
    f"{_TAG}int": Reading.NUMBER,
    f"{_TAG}float": Reading.NUMBER,
    f"{_TAG}bool": Reading.BOOLEAN,
    f"{_TAG}null": Reading.NOTHING,
    f"{_TAG}timestamp": Reading.DATE,
}


def parse_document(content: bytes, *, name: str) -> Node | None:
    """The tree of the one document in the file, None when it is empty."""
    return _Builder(name).build(_decode(content, name))


def _decode(content: bytes, name: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        line = before.count(b"\n") + 1
        column = error.start - (before.rfind(b"\n") + 1) + 1
        raise ConfigError(
            [
                Problem(
                    where=f"{name}:{line}:{column}",
                    path="",
                    found=f"the byte 0x{content[error.start]:02x}",
                    allowed="UTF-8 text",
                    remedy="save the file as UTF-8",
                )
            ]
        ) from None


class _Builder:
    """One pass over the events; open collections stand on a stack, so depth costs no recursion."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._resolve: Callable[[type[ScalarNode], str, tuple[bool, bool]], str] = (
            Resolver().resolve
        )
        self._anchors: dict[str, Node] = {}
        self._open: list[tuple[events.CollectionStartEvent, list[Node]]] = []
        self._root: Node | None = None
        self._documents = self._seen = self._aliases = 0

    def build(self, text: str) -> Node | None:
        try:
            for event in yaml.parse(text, Loader=yaml.SafeLoader):
                self._take(event)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            raise self._refuse(mark, **_words(error)) from None
        except yaml.reader.ReaderError as error:
            line = text.count("\n", 0, error.position) + 1
            column = error.position - (text.rfind("\n", 0, error.position) + 1) + 1
            raise ConfigError(
                [_control_character(f"{self._name}:{line}:{column}", error)]
            ) from None
        except (ValueError, OverflowError, IndexError):  # PyYAML: "\U00110000", a version too long
            raise ConfigError([_beyond_yaml(self._name)]) from None
        return self._root

    def _take(self, event: events.Event) -> None:
        match event:
            case events.DocumentStartEvent():
                self._documents += 1
                if self._documents > 1:
                    raise self._refuse(
                        event.start_mark,
                        found="a second document",
                        allowed="one document a file",
                        remedy="remove the line ---",
                    )
            case events.ScalarEvent():
                self._guard(event)
                self._add(self._scalar(event), event.anchor)
            case events.AliasEvent():
                self._add(self._alias(event), None)
            case events.CollectionStartEvent():
                self._guard(event)
                self._open.append((event, []))
            case events.CollectionEndEvent():
                start, nodes = self._open.pop()
                self._add(self._collection(start, nodes), start.anchor)
            case _:
                pass

    def _guard(self, event: events.ScalarEvent | events.CollectionStartEvent) -> None:
        self._seen += 1
        if event.tag is not None:
            raise self._refuse(
                event.start_mark,
                found="a tag",
                allowed="plain values, lists and sections",
                remedy="remove the tag",
            )
        if len(self._open) >= DEPTH_MAX or self._seen > NODES_MAX:
            raise self._too_much(event)

    def _too_much(self, event: events.Event) -> ConfigError:
        return self._refuse(
            event.start_mark,
            found="a file too deep or too large",
            allowed=f"{DEPTH_MAX} levels, {NODES_MAX} values and {ALIASES_MAX} aliases at most",
            remedy="write less of it",
        )

    def _scalar(self, event: events.ScalarEvent) -> Scalar:
        if any("\ud800" <= char <= "\udfff" for char in event.value):
            raise self._refuse(
                event.start_mark,
                found="half of a surrogate pair",
                allowed="whole characters",
                remedy="write the character itself",
            )
        reading = Reading.QUOTED
        if event.style is None:
            tag = self._resolve(ScalarNode, event.value, (True, False))
            reading = _READINGS.get(tag, Reading.OTHER)
        return Scalar(text=event.value, reading=reading, place=_place(event.start_mark))

    def _alias(self, event: events.AliasEvent) -> Node:
        self._aliases += 1
        node = self._anchors.get(event.anchor or "")
        if node is None:
            raise self._refuse(
                event.start_mark,
                found="an alias of nothing",
                allowed="aliases of values above them",
                remedy="write the value itself",
            )
        self._seen += node.nodes
        if self._aliases > ALIASES_MAX or self._seen > NODES_MAX:
            raise self._too_much(event)
        return node

    def _add(self, node: Node, anchor: str | None) -> None:
        if anchor is not None:
            self._anchors[anchor] = node
        if self._open:
            self._open[-1][1].append(node)
        else:
            self._root = node

    def _collection(self, start: events.CollectionStartEvent, nodes: list[Node]) -> Node:
        place, count = _place(start.start_mark), 1 + sum(node.nodes for node in nodes)
        if isinstance(start, events.SequenceStartEvent):
            return Sequence(items=tuple(nodes), place=place, nodes=count)
        entries = []
        for key, value in zip(nodes[::2], nodes[1::2], strict=True):
            if not isinstance(key, Scalar) or key.reading is Reading.OTHER:
                raise self._refuse(
                    start.start_mark,
                    found=f"the key {one_line(key.text)}"
                    if isinstance(key, Scalar)
                    else "a list or section as a key",
                    allowed="plain names as keys",
                    remedy="write every key out",
                )
            entries.append((key, value))
        return Mapping(entries=tuple(entries), place=place, nodes=count)

    def _refuse(self, mark: _Mark | None, *, found: str, allowed: str, remedy: str) -> ConfigError:
        where = self._name if mark is None else f"{self._name}:{mark.line + 1}:{mark.column + 1}"
        return ConfigError(
            [Problem(where=where, path="", found=found, allowed=allowed, remedy=remedy)]
        )


def _place(mark: _Mark | None) -> Place | None:
    return None if mark is None else Place(mark.line + 1, mark.column + 1)


def _words(error: yaml.MarkedYAMLError) -> dict[str, str]:
    problem = one_line(error.problem or error.context or "no YAML", 160)
    if "tag handle" in problem:
        return {
            "found": "a tag",
            "allowed": "plain values, lists and sections",
            "remedy": "remove the tag",
        }
    if "'\\t'" in problem:
        return {
            "found": "a tab",
            "allowed": "spaces for indentation",
            "remedy": "replace the tab by spaces",
        }
    return {
        "found": f"broken YAML ({problem})",
        "allowed": "valid YAML",
        "remedy": "check the indentation, quotes and brackets here and on the line above",
    }


def _control_character(where: str, error: yaml.reader.ReaderError) -> Problem:
    return Problem(
        where=where,
        path="",
        found=f"the character U+{ord(error.character):04X}"
        if isinstance(error.character, str)
        else f"the character U+{error.character:04X}",
        allowed="printable characters",
        remedy="remove it",
    )


def _beyond_yaml(name: str) -> Problem:
    return Problem(
        where=name,
        path="",
        found="an escape or version number that no character or version has",
        allowed="valid YAML",
        remedy="check the text after each backslash and % sign",
    )
