"""The measurable half of how we write, held by a test so that nobody has to remember it."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "thetawarden").rglob("*.py"))
FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 50
LEFTOVER = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


FORBIDDEN_CALLS = {"eval", "exec", "compile", "__import__"}
FORBIDDEN_MODULES = {"pickle", "marshal", "shelve", "dill", "builtins"}
FORBIDDEN_NAMES = {"eval", "exec", "system", "popen", "unsafe_load", "UnsafeLoader", "read_pickle"}
FORBIDDEN_SWITCHES = {"shell", "allow_pickle"}


def test_x07_nothing_that_runs_what_it_reads_is_in_the_package():
    for file in sorted((ROOT / "thetawarden").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            match node:
                case ast.Call(func=ast.Name(id=name)):
                    assert name not in FORBIDDEN_CALLS, (file, node.lineno)
                case ast.Import(names=names):
                    assert not FORBIDDEN_MODULES & {each.name for each in names}, file
                case ast.ImportFrom(module=module):
                    assert module not in FORBIDDEN_MODULES, file
                case ast.Attribute(attr=name):
                    assert name not in FORBIDDEN_NAMES, (file, node.lineno)
                case ast.keyword(arg=switch, value=ast.Constant(value=True)):
                    assert switch not in FORBIDDEN_SWITCHES, (file, node.lineno)


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_a_source_file_is_short_and_leaves_nothing_behind(path):
    text = path.read_text()
    functions = [
        node
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]

    long_functions = {
        node.name: node.end_lineno - node.lineno + 1
        for node in functions
        if node.end_lineno - node.lineno + 1 > FUNCTION_LINES_MAX
    }

    assert text.count("\n") <= FILE_LINES_MAX
    assert long_functions == {}
    assert LEFTOVER.findall(text) == []


def test_every_constraint_is_a_name_and_a_version_and_nothing_else():
    lines = (ROOT / "constraints.txt").read_text().split()

    assert lines
    assert [
        line for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.]+", line)
    ] == []
