"""Reads the days of scheduled announcements: ours, or a file that the user keeps."""

from __future__ import annotations

import functools
from importlib import resources
from pathlib import Path
from typing import Any

import msgspec

from thetawarden.config.document import Mapping, Node, Scalar, parse_document
from thetawarden.config.problems import ConfigError, Problem
from thetawarden.domain.market.events import MacroDates

OURS = "macro_dates.yaml"
_REMEDY = "write for fomc, cpi and nfp: known_until and a list of days, each as 2026-11-20"


def load_macro_dates(path: str) -> MacroDates:
    """Return the dates of the named file, of ours when none is named, or raise ConfigError."""
    if not path:
        ours = resources.files("thetawarden.domain.market").joinpath(OURS)
        return read_macro_dates(ours.read_bytes(), name=OURS)
    try:
        content = Path(path).expanduser().read_bytes()
    except OSError as error:
        raise _refusal(path, f"no readable file ({error.strerror})") from None
    return read_macro_dates(content, name=path)


@functools.lru_cache(maxsize=4)
def read_macro_dates(content: bytes, *, name: str) -> MacroDates:
    """Return the dates in the text of a file, or raise ConfigError."""
    tree = parse_document(content, name=name)
    if tree is None:
        raise _refusal(name, "an empty file")
    try:
        return msgspec.convert(_plain(tree, name), MacroDates, strict=False)
    except msgspec.ValidationError as error:
        raise _refusal(name, str(error)) from None


def _plain(node: Node, name: str) -> Any:
    if isinstance(node, Scalar):
        return node.text
    if not isinstance(node, Mapping):
        return [_plain(item, name) for item in node.items]
    keys = [key.text for key, _ in node.entries]
    twice = next((key for key in keys if keys.count(key) > 1), None)
    if twice is not None:
        raise _refusal(name, f"the key {twice} twice")
    return {key.text: _plain(value, name) for key, value in node.entries}


def _refusal(name: str, found: str) -> ConfigError:
    problem = Problem(
        where=name, path="", found=found, allowed="dates of announcements", remedy=_REMEDY
    )
    return ConfigError([problem])
