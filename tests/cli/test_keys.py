"""Every key of the configuration is read by somebody."""

import ast
from pathlib import Path

import pytest

from thetawarden.config.fields import describe, leaves
from thetawarden.config.schema import Config

PACKAGE = Path(__file__).parents[2] / "thetawarden"
# read once a desk can connect to a broker; until then modes paper and live are refused
AWAITED = {"broker.host", "broker.client_id"}


def _attributes():
    elsewhere = [path for path in PACKAGE.rglob("*.py") if path.name != "schema.py"]
    trees = [ast.parse(path.read_text()) for path in elsewhere]
    return {
        node.attr for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Attribute)
    }


ATTRIBUTES = _attributes()


@pytest.mark.parametrize("path", sorted(set(leaves(describe(Config()))) - AWAITED))
def test_every_key_is_read_somewhere(path):
    assert set(path.split(".")) <= ATTRIBUTES
