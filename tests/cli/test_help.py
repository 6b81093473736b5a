"""Help, versions, and how little it takes to answer."""

import json
import subprocess
import sys

import pytest

from tests.cli.shell import Shell
from thetawarden import __version__
from thetawarden.cli import SECTIONS, VERBS

HEAVY = (
    "polars",
    "litestar",
    "uvicorn",
    "numpy",
    "scipy",
    "rich",
    "pykka",
    "structlog",
    "sqlite3",
    "yaml",
    "msgspec",
)
SUBVERBS = {
    "actor": ("restart", "pause", "resume"),
    "lake": ("info", "maintain", "query"),
    "log": ("show", "tail", "verify", "export"),
    "config": ("show", "check"),
    "service": ("print",),
    "lineup": ("build", "approve", "show"),
}
HELPED = [(verb, *sub) for verb in VERBS for sub in [(), *((s,) for s in SUBVERBS.get(verb, ()))]]

WITHOUT_FOLDER = {("version",), ("gateway",), ("chaos",), *((group,) for group in SUBVERBS)}


@pytest.fixture(scope="module")
def loaded_by_help():
    code = (
        "import sys, json\n"
        "from thetawarden.cli import run_command_line\n"
        "assert run_command_line(['--help']) == 0\n"
        "print(json.dumps(sorted(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    return json.loads(done.stderr)


@pytest.mark.parametrize("module", HEAVY)
def test_help_loads_nothing_heavy(loaded_by_help, module):
    assert "click" in loaded_by_help
    assert [name for name in loaded_by_help if name.partition(".")[0] == module] == []


@pytest.mark.parametrize("words", HELPED, ids=" ".join)
def test_every_verb_has_help_with_the_folder_and_what_it_does(shell, words):
    done = shell(*words, "--help")

    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(f"Usage: thetawarden {' '.join(words)} [OPTIONS]")
    if words not in WITHOUT_FOLDER:
        assert "--data-dir" in done.out


def test_no_verb_prints_the_verbs(shell):
    bare, asked = shell(), shell("-h")

    assert (bare.code, asked.code) == (0, 0)
    for verb, (_, line) in VERBS.items():
        assert f"  {verb} " in asked.out
        assert line.split(":")[0] in asked.out
    assert "Run a desk:" in bare.out


def test_help_lists_every_verb_once_in_the_section_it_belongs_to(shell):
    named = [verb for verbs in SECTIONS.values() for verb in verbs]
    lines = [line.split()[0] for line in shell("--help").out.splitlines() if line.startswith("  ")]

    assert len(named) == len(set(named))
    assert set(VERBS) == set(named)
    assert [line for line in lines if line in VERBS] == named


def test_a_shell_can_complete_verbs_and_options(shell):
    shell.extra = {"_THETAWARDEN_COMPLETE": "bash_source"}
    assert "complete" in shell().out

    shell.extra = {
        "_THETAWARDEN_COMPLETE": "bash_complete",
        "COMP_WORDS": "thetawarden lake ",
        "COMP_CWORD": "2",
    }

    assert "plain,maintain" in shell().out.splitlines()


def test_version_is_told_in_both_ways(shell):
    assert __version__ in shell("version").out
    assert shell("version", "--json").json["version"] == __version__
    assert shell("--version").out == f"thetawarden {__version__}\n"


def test_the_configuration_is_shown_with_where_each_value_is_from(tmp_path):
    shell = Shell(tmp_path)
    (tmp_path / "thetawarden.yaml").write_text("desk: {heartbeat_s: 2}\n")

    shown = shell("config", "show", "--json").json

    assert shown["desk.heartbeat_s"]["source"] == f"{tmp_path}/thetawarden.yaml:1"
    assert shown["journal.reserve_mb"]["source"] == "environment THETAWARDEN__JOURNAL__RESERVE_MB"
    assert shown["mode"] == {"value": "practice", "source": "default"}
    assert "heartbeat_s" in shell("config", "show").out
    assert "configuration is sound" in shell("config", "check").out
