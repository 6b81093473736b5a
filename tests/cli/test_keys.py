"""Every key of the configuration is read by somebody."""

import ast
import re
from pathlib import Path

import pytest

from thetawarden.config.fields import describe, leaves
from thetawarden.config.schema import Config

PACKAGE = Path(__file__).parents[2] / "thetawarden"
SECONDS = re.compile(r"_s(?=_|$)")


def _attributes():
    elsewhere = [path for path in PACKAGE.rglob("*.py") if path.name != "schema.py"]
    trees = [ast.parse(path.read_text()) for path in elsewhere]
    return {
        node.attr for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Attribute)
    }


ATTRIBUTES = _attributes()


@pytest.mark.parametrize("path", sorted(set(leaves(describe(Config())))))
def test_every_key_is_read_somewhere(path):
    parts = path.split(".")
    assert all(part in ATTRIBUTES or SECONDS.sub("_ns", part) in ATTRIBUTES for part in parts)
