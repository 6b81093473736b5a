"""A world's folder goes with it; what the dead have left is cleared, and nobody else's."""

import os
import signal
import subprocess
import sys

import pytest

from thetawarden.sim import folders

LIVES = """
import pathlib, sys
from thetawarden.sim.folders import world_folder
with world_folder(pathlib.Path(sys.argv[1])) as folder:
    (folder / "log").write_text("x")
    print(folder.name, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def somebody(tmp_path):
    """A process that lives in a folder of its own, which looks as old as it can."""
    process = subprocess.Popen(
        [sys.executable, "-c", LIVES, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    name = process.stdout.readline().strip()
    os.utime(tmp_path / name, (0, 0))
    yield process, tmp_path / name
    process.kill()
    process.communicate()


def test_a_worlds_folder_is_gone_when_the_world_is(tmp_path):
    with folders.world_folder(tmp_path) as folder:
        (folder / "log").write_text("x")
        assert list(tmp_path.iterdir()) == [folder]

    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_has_left_is_cleared_by_the_next(tmp_path, somebody):
    process, theirs = somebody
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert (theirs / "log").exists()

    with folders.world_folder(tmp_path) as mine:
        assert list(tmp_path.iterdir()) == [mine]


def test_a_folder_somebody_lives_in_is_left_alone(tmp_path, somebody):
    _, theirs = somebody

    with folders.world_folder(tmp_path):
        assert (theirs / "log").read_text() == "x"


def test_a_folder_that_is_new_or_of_another_name_is_left_alone(tmp_path):
    new, other = tmp_path / f"{folders.PREFIX}new", tmp_path / "other"
    new.mkdir()
    other.mkdir()
    os.utime(other, (0, 0))

    with folders.world_folder(tmp_path):
        assert new.exists()
        assert other.exists()
