"""The README's walk-through, typed as it stands."""

import re
import subprocess
import sys
from pathlib import Path

from tests.cli import typed
from tests.cli.nursery import nursery
from thetawarden import errors
from thetawarden.cli import VERBS

README = (Path(__file__).parents[2] / "README.md").read_text()
ELSEWHERE = {"version", "console", "guardian", "why", "chaos"}
"""Verbs whose own tests run them: they stay, or need an order first."""
BLOCKS = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)


def test_every_command_of_the_walk_through_works_in_this_order(shell, tmp_path):
    shell.extra["THETAWARDEN__PRACTICE__GATEWAY"] = "true"
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    command = bin_folder / "thetawarden"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -I -S {typed.__file__} "$@"\n')
    command.chmod(0o700)
    path = f"{bin_folder}:{shell.environment['PATH']}"
    script = "set -e\ntrap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n" + "\n".join(BLOCKS)

    done = subprocess.run(
        ["bash", "-xc", script],
        env={**shell.environment, "PATH": path, typed.NURSERY: str(nursery().fileno())},
        pass_fds=[nursery().fileno()],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )

    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    for sign in (
        "trading running",
        "scheduler is running as incarnation 2",
        "I want to look first",
        "trading is resumed",
        "0 damaged",
        "every answer the same",
        "configuration is sound",
        "played wide on port",
    ):
        assert sign in done.stdout
    assert (tmp_path / "messages.parquet").is_file()
    seen = set(re.findall(r"^\++ thetawarden ([a-z]+)", done.stderr, re.MULTILINE))
    assert seen >= set(VERBS) - ELSEWHERE


def test_the_readme_lists_every_exit_code():
    listed = {int(code) for code in re.findall(r"^\| (\d+) \|", README, re.MULTILINE)}

    assert listed == {value for name, value in vars(errors).items() if name.startswith("EXIT_")}
