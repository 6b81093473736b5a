"""Finds tests by the id that their names begin with."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

TESTS = Path(__file__).parent.parent / "tests"
_NAMED = re.compile(r"^(?:async )?def (test_\w+)\(", re.MULTILINE)


@lru_cache(maxsize=1)
def all_tests() -> tuple[str, ...]:
    """Every test's name, sorted."""
    names = {
        name
        for path in TESTS.rglob("test_*.py")
        for name in _NAMED.findall(path.read_text(encoding="utf-8"))
    }
    return tuple(sorted(names))


def tests_of(number: str) -> tuple[str, ...]:
    """The tests whose names say that they are about this id."""
    told = re.compile(rf"^test_(\w\d\d_)*{number}_", re.IGNORECASE)
    return tuple(name for name in all_tests() if told.match(name))
