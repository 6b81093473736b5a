"""Reads the configuration: flag before environment before file before default, all faults at once.

Decides which source wins and remembers it for every key. Refuses to start from half a
configuration: any fault anywhere, even in a value that another source overrides, is an error, and
no earlier configuration is ever used instead.
"""

from __future__ import annotations

import functools
import hashlib
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from thetawarden.config.document import (
    Mapping,
    Node,
    Reading,
    Scalar,
    parse_document,
)
from thetawarden.config.fields import Field, Group, Member, describe, leaves
from thetawarden.config.files import read_small_file
from thetawarden.config.problems import ConfigError, Problem, one_line
from thetawarden.config.rules import find_clashes
from thetawarden.config.scalars import Misfit, did_you_mean, found_words, read_value
from thetawarden.config.schema import Config
from thetawarden.config.secrets import names_a_secret

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping as Given

FILE_BYTES_MAX = 1 << 20
ENVIRONMENT_PREFIX = "THETAWARDEN__"


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """One key's value in effect, and where it comes from."""

    value: Any
    source: str


class Loaded(msgspec.Struct, frozen=True, kw_only=True):
    """A configuration in effect. `file` is None when there was none to read."""

    config: Config
    origins: dict[str, Origin]
    file: Path | None
    fingerprint: str


def load_config(
    *,
    named_file: Path | None,
    default_file: Path,
    environment: Given[str, str],
    flags: Given[str, str],
) -> Loaded:
    """The configuration in effect; `flags` are texts by dotted path. Raises ConfigError.

    A file somebody named must exist, the default one need not.
    """
    schema = _schema()
    reader = _Reader(schema)
    file = _read_file(reader, named_file=named_file, default_file=default_file)
    for name, text in sorted(environment.items()):
        if name.startswith(ENVIRONMENT_PREFIX):
            reader.variable(name, text)
    for path, text in flags.items():
        reader.overlay(path, text, source=f"flag --{path.replace('_', '-')}")
    reader.raise_problems()
    origins = {path: reader.origin(field) for path, field in leaves(schema).items()}
    config: Config = _assemble(schema, origins)
    _refuse_clashes(config, reader)
    return Loaded(config=config, origins=origins, file=file, fingerprint=fingerprint(config))


@functools.cache
def _schema() -> Group:
    """The same for as long as the process lives."""
    return describe(Config())


def fingerprint(config: Config) -> str:
    """Sixteen hex digits that are equal exactly when two configurations are."""
    plain = msgspec.to_builtins(config, order="deterministic")
    return hashlib.blake2b(
        msgspec.json.encode(plain, order="deterministic"), digest_size=8
    ).hexdigest()


def _read_file(reader: _Reader, *, named_file: Path | None, default_file: Path) -> Path | None:
    path = named_file or default_file
    name = one_line(str(path), 400)
    content = read_small_file(
        path, bytes_max=FILE_BYTES_MAX, check=lambda status: _open_to_all(name, status)
    )
    if content is None and named_file is not None:
        missing = Problem(
            where=name,
            path="",
            found="no file",
            allowed="a file that exists",
            remedy="check the path given to --config",
        )
        raise ConfigError([missing])
    if content is None:
        return None
    tree = parse_document(content, name=name)
    if tree is not None:
        reader.take_file(tree, name=name)
    return path


def _open_to_all(name: str, status: os.stat_result) -> Problem | None:
    """Whoever may write this file may choose mode live."""
    if not status.st_mode & stat.S_IWOTH:
        return None
    return Problem(
        where=name,
        path="",
        found="a configuration that everybody may write",
        allowed="a file that only trusted users may write",
        remedy=f"close it: chmod o-w {name}",
    )


def _assemble(group: Group, origins: dict[str, Origin]) -> Any:
    values = {
        name: _assemble(member, origins)
        if isinstance(member, Group)
        else origins[member.path].value
        for name, member in group.members.items()
    }
    return group.schema(**values)


def _refuse_clashes(config: Config, reader: _Reader) -> None:
    problems = [
        Problem(
            where=reader.where(clash.path),
            path=clash.path,
            found=clash.found,
            allowed=clash.allowed,
            remedy=clash.remedy,
        )
        for clash in find_clashes(config)
    ]
    if problems:
        raise ConfigError(problems)


class _Reader:
    """Collects values, their sources and every fault; later overlays win."""

    def __init__(self, schema: Group) -> None:
        self._schema = schema
        self._taken: dict[str, Origin] = {}
        self._where: dict[str, str] = {}
        self._problems: list[Problem] = []

    def origin(self, field: Field) -> Origin:
        return self._taken.get(field.path, Origin(value=field.default, source="default"))

    def where(self, path: str) -> str:
        return self._where.get(path, "default")

    def raise_problems(self) -> None:
        if self._problems:
            raise ConfigError(self._problems)

    def variable(self, name: str, text: str) -> None:
        """Let a variable of the environment set one key."""
        source = f"environment {one_line(name)}"
        path = name.removeprefix(ENVIRONMENT_PREFIX)
        if path == path.upper():
            self.overlay(path.lower().replace("__", "."), text, source=source)
            return
        self._problems.append(
            Problem(
                where=source,
                path="",
                found="a variable with small letters",
                allowed="capital letters, so that no key is set twice",
                remedy="rename it",
            )
        )

    def overlay(self, path: str, text: str, *, source: str) -> None:
        """Let a variable or a flag set one key."""
        member: Member = self._schema
        done: list[str] = []
        node = Scalar(text=text, reading=Reading.GIVEN)
        for part in path.split("."):
            found = member.members.get(part) if isinstance(member, Group) else None
            if found is None:
                self._unknown(source, done, part, member)
                return
            member, done = found, [*done, part]
        if isinstance(member, Group):
            self._report(source, member.path, _no_section(member, node))
        else:
            self._set(member, node, where=source, source=source)

    def take_file(self, tree: Node, *, name: str) -> None:
        """Take every value of a file."""
        self._take_group(self._schema, tree, name)

    def _take_group(self, group: Group, node: Node, name: str) -> None:
        if isinstance(node, Scalar) and node.reading is Reading.NOTHING:
            return  # a section whose every key is commented out
        if not isinstance(node, Mapping):
            self._report(_at(name, node), group.path, _no_section(group, node))
            return
        seen: dict[str, Scalar] = {}
        for key, value in node.entries:
            first = seen.setdefault(key.text, key)
            if first is not key:
                self._repeated(name, group, key, first)
                continue
            member = group.members.get(key.text)
            if member is None:
                self._unknown(_at(name, key), [group.path] if group.path else [], key.text, group)
            elif isinstance(member, Group):
                self._take_group(member, value, name)
            else:
                source = f"{name}:{key.place.line}" if key.place else name
                self._set(member, value, where=_at(name, value), source=source, file=name)

    def _set(
        self, field: Field, node: Node, *, where: str, source: str, file: str | None = None
    ) -> None:
        value = read_value(field, node)
        if isinstance(value, Misfit):
            self._report(_at(file, value.node) if file else where, field.path, value)
            return
        self._taken[field.path] = Origin(value=value, source=source)
        self._where[field.path] = where

    def _report(self, where: str, path: str, misfit: Misfit) -> None:
        self._problems.append(
            Problem(
                where=where,
                path=path,
                found=misfit.found,
                allowed=misfit.allowed,
                remedy=misfit.remedy,
            )
        )

    def _repeated(self, name: str, group: Group, key: Scalar, first: Scalar) -> None:
        line = first.place.line if first.place else 0
        self._problems.append(
            Problem(
                where=_at(name, key),
                path=".".join(part for part in (group.path, one_line(key.text)) if part),
                found=f"the key a second time (first on line {line})",
                allowed="each key once",
                remedy="remove one of the two",
            )
        )

    def _unknown(self, where: str, done: list[str], part: str, member: Member) -> None:
        known = tuple(member.members) if isinstance(member, Group) else ()
        near = did_you_mean(part, known)
        self._problems.append(
            Problem(
                where=where,
                path=".".join([*done, one_line(part)]),
                found="an unknown key",
                allowed=", ".join(known) or "no key below this one",
                remedy=_unknown_remedy(part, near),
            )
        )


def _unknown_remedy(key: str, near: str | None) -> str:
    if names_a_secret(key):
        return "secrets come from the environment or the secrets file: take it out of here"
    return f"did you mean {near}?" if near else "remove it"


def _at(name: str, node: Node) -> str:
    return f"{name}:{node.place.line}:{node.place.column}" if node.place else name


def _no_section(group: Group, node: Node) -> Misfit:
    keys = ", ".join(group.members)
    return Misfit(
        node=node,
        found=found_words(node),
        allowed=f"a section with {keys}",
        remedy="write `key: value` lines" if not group.path else f"name a key below {group.path}",
    )
