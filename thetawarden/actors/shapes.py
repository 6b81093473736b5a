"""Tells by one word whether two versions write the same messages and states, field by field."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from typing import Any

import msgspec

from thetawarden.actors.tree import Tree
from thetawarden.messages.registry import KINDS

_ANY = "any"


def shapes_of(tree: Tree) -> str:
    """What all that this desk writes looks like, whatever is in it; another word for each shape."""
    specs = (*tree.fixed(), *(template.make(_ANY) for template in tree.templates()))
    return _shapes(tuple(type(spec.make().state) for spec in specs))


@cache
def _shapes(states: tuple[type[Any], ...]) -> str:
    schemas = msgspec.json.schema_components((*KINDS.values(), *states))
    return hashlib.sha256(json.dumps(schemas).encode()).hexdigest()[:16]
