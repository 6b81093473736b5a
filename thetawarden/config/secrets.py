"""Where secrets come from, and a type that keeps them from leaking by accident.

A secret comes from the environment (THETAWARDEN_SECRET_NAME) or from a file only its owner may
touch, never from the configuration. Refuses files that others can read, and values too short to be
told apart from ordinary words when log lines are redacted. What has once been a Secret is in
`known_values`, which is what the redaction looks for.
"""

from __future__ import annotations

import hmac
import os
import re
import stat
import threading
from typing import TYPE_CHECKING, NoReturn

from typing_extensions import override

from thetawarden.config.document import Mapping, Reading, Scalar, parse_document
from thetawarden.config.files import read_small_file
from thetawarden.config.problems import ConfigError, Problem, one_line

if TYPE_CHECKING:
    from collections.abc import Mapping as Given
    from pathlib import Path

    from thetawarden.config.document import Node

ENVIRONMENT_PREFIX = "THETAWARDEN_SECRET_"
FILE_BYTES_MAX = 64 << 10
LENGTH_MIN = 8
LENGTH_MAX = 8192
HIDDEN = "***"
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_SECRET_WORDS = re.compile(
    r"token|passw(or)?d|passphrase|secret|apikey|accesskey|privatekey|authorization|credential"
    r"|cookie|^auth$|^pin$|^pwd$"
)


class Secret:
    """A value that must not be shown: only `reveal` gives it, everything else gives stars.

    Refuses pickling, copying, hashing and every encoder; compares in constant time.
    """

    __hash__ = None  # type: ignore[assignment]  # a hash would be a fingerprint of the value
    __slots__ = ("__value",)

    def __init__(self, value: str) -> None:
        if not _long_enough(value):
            raise ValueError(f"a secret has {LENGTH_MIN} to {LENGTH_MAX} characters")
        self.__value = value
        _KNOWN.add(value)

    def reveal(self) -> str:
        """The value itself; call it where it is sent, keep it nowhere."""
        return self.__value

    @override
    def __repr__(self) -> str:
        return HIDDEN

    @override
    def __format__(self, spec: str) -> str:
        return HIDDEN

    @override
    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self.reveal().encode(), other.reveal().encode())

    @override
    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a secret is neither pickled nor copied")


class _Known:
    """Every value that ever was a secret here: a log line may outlive the Secret it leaks."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._values: dict[str, None] = {}

    def add(self, value: str) -> None:
        with self._lock:
            self._values[value] = None

    def values(self) -> tuple[str, ...]:
        with self._lock:
            return tuple(self._values)

    def count(self) -> int:
        return len(self._values)


_KNOWN = _Known()


def known_values() -> tuple[str, ...]:
    """The values of all secrets this process has held, for the redaction and nobody else."""
    return _KNOWN.values()


def known_count() -> int:
    """How many there are; it grows when one arrives, so whoever caches need ask no more."""
    return _KNOWN.count()


def names_a_secret(key: str) -> bool:
    """Whether a key is called like something that holds a secret."""
    return _SECRET_WORDS.search(re.sub(r"[^a-z0-9]", "", key[:200].lower())) is not None


def read_secrets(*, file: Path, environment: Given[str, str]) -> dict[str, Secret]:
    """Every secret by its lower-case name; the environment goes before the file.

    The file need not exist. Raises ConfigError, which never contains a value.
    """
    found, problems = _from_file(file)
    for variable, value in sorted(environment.items()):
        if variable.startswith(ENVIRONMENT_PREFIX):
            given = variable.removeprefix(ENVIRONMENT_PREFIX)
            name = given.lower() if given == given.upper() else ""
            problem = _judge(name, value, where=f"environment {one_line(variable)}")
            if problem is None:
                found[name] = value
            else:
                problems.append(problem)
    if problems:
        raise ConfigError(problems)
    return {name: Secret(value) for name, value in found.items()}


def _from_file(file: Path) -> tuple[dict[str, str], list[Problem]]:
    where = one_line(str(file), 400)
    content = read_small_file(
        file, bytes_max=FILE_BYTES_MAX, check=lambda status: _exposed(where, status)
    )
    tree = None if content is None else parse_document(content, name=where)
    if tree is None:
        return {}, []
    if not isinstance(tree, Mapping):
        return {}, [_shape(where, "", "no list of names and values")]
    values: dict[str, str] = {}
    problems: list[Problem] = []
    for key, node in tree.entries:
        place = f"{where}:{key.place.line}:{key.place.column}" if key.place else where
        problem = _misplaced(place, key.text, node, values)
        if problem is None and isinstance(node, Scalar):
            values[key.text] = node.text
        elif problem is not None:
            problems.append(problem)
    return values, problems


def _misplaced(where: str, name: str, node: Node, taken: dict[str, str]) -> Problem | None:
    if name in taken:
        return _shape(where, name, "the name a second time")
    if not isinstance(node, Scalar) or node.reading not in (Reading.TEXT, Reading.QUOTED):
        return _shape(where, name, "something that is no text")
    return _judge(name, node.text, where=where)


def _judge(name: str, value: str, *, where: str) -> Problem | None:
    if not _NAME.fullmatch(name):
        return _shape(where, "", "a name that is none")
    if not _long_enough(value):
        return _shape(where, name, f"a value of {len(value)} characters")
    if any("\ud800" <= char <= "\udfff" for char in value):
        return _shape(where, name, "a value that is not UTF-8")
    return None


def _long_enough(value: str) -> bool:
    return len(value.strip()) >= LENGTH_MIN and len(value) <= LENGTH_MAX


def _shape(where: str, name: str, found: str) -> Problem:
    return Problem(
        where=where,
        path=one_line(name) if _NAME.fullmatch(name) else "",
        found=found,
        allowed=f"lines of name: value, each name once, {LENGTH_MIN} to {LENGTH_MAX} characters",
        remedy="mend the line; quote the value",
    )


def _exposed(where: str, status: os.stat_result) -> Problem | None:
    mode = stat.S_IMODE(status.st_mode)
    if status.st_uid != os.geteuid():
        return Problem(
            where=where,
            path="",
            found=f"a secrets file of user {status.st_uid}",
            allowed=f"a file of user {os.geteuid()}, who runs the desk",
            remedy=f"chown it: chown {os.geteuid()} {where}",
        )
    if mode & _OTHERS:
        return Problem(
            where=where,
            path="",
            found=f"a secrets file that others may open (mode {mode:04o})",
            allowed="mode 0600: only its owner",
            remedy=f"close it: chmod 600 {where}",
        )
    return None
