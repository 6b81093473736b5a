"""Every key of the configuration is read by somebody."""

import ast
import re
from pathlib import Path

import msgspec
import pytest

from thetawarden.config.fields import describe, leaves
from thetawarden.config.schema import Config
from thetawarden.config.selling import strategy_settings
from thetawarden.config.strategy import StrategyConfig

PACKAGE = Path(__file__).parents[2] / "thetawarden"
SECONDS = re.compile(r"_(s|min)(?=_|$)")
UNIT = re.compile(r"_(weight|fraction)$")
DELTA = re.compile(r"^(target|step|floor|ceiling)_delta$")
"""How a section's names differ from those of the limits it becomes."""


def _attributes():
    elsewhere = [path for path in PACKAGE.rglob("*.py") if path.name != "schema.py"]
    trees = [ast.parse(path.read_text()) for path in elsewhere]
    return {
        node.attr for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Attribute)
    }


ATTRIBUTES = _attributes()


def _is_read(part):
    told = {part, SECONDS.sub("_ns", part), UNIT.sub("", part), DELTA.sub(r"delta_\1", part)}
    return not told.isdisjoint(ATTRIBUTES)


WHOLE = ("strategy.scores.", "strategy.selector.", "strategy.targets.")
"""Sections that are taken over by name, whatever is in them."""
KEYS = sorted(set(leaves(describe(Config()))))


@pytest.mark.parametrize("path", [one for one in KEYS if not one.startswith(WHOLE)])
def test_every_key_is_read_somewhere(path):
    assert all(map(_is_read, path.split(".")))


@pytest.mark.parametrize("path", [one for one in KEYS if one.startswith(WHOLE)])
def test_every_key_of_a_section_that_is_taken_whole_changes_what_is_kept_to(path):
    _, section, key = path.split(".")
    usual = StrategyConfig()
    held = getattr(usual, section)
    other = msgspec.structs.replace(held, **{key: getattr(held, key) * 0.9})

    changed = msgspec.structs.replace(usual, **{section: other})

    assert strategy_settings(changed) != strategy_settings(usual)
