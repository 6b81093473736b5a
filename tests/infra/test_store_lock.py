"""One desk a store: the second is refused at once, and a killed one leaves no lock behind."""

import fcntl
import subprocess
import sys
import time

import pytest

from thetawarden.errors import EXIT_REFUSED
from thetawarden.infra.store_lock import SecondDeskError, StoreLock

HOLDER = """
import sys, time
from pathlib import Path
from thetawarden.infra.store_lock import StoreLock
StoreLock(Path(sys.argv[1])).acquire()
print("held", flush=True)
time.sleep(60)
"""


def test_h03_a_second_desk_is_refused_and_a_killed_one_gives_the_store_back(tmp_path):
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as holder:
        assert holder.stdout.readline() == b"held\n"
        before = [(path, path.stat().st_mtime_ns, path.read_bytes()) for path in tmp_path.iterdir()]

        with pytest.raises(SecondDeskError, match=str(holder.pid)) as refusal:
            StoreLock(tmp_path).acquire()

        assert refusal.value.exit_code == EXIT_REFUSED
        assert before == [
            (path, path.stat().st_mtime_ns, path.read_bytes()) for path in tmp_path.iterdir()
        ]
        holder.kill()
        holder.wait()

    lock = StoreLock(tmp_path)
    lock.acquire()
    lock.release()


def test_whoever_only_looks_whether_a_desk_runs_keeps_none_from_starting(tmp_path, monkeypatch):
    (tmp_path / "lock").touch()
    looking = (tmp_path / "lock").open()
    fcntl.flock(looking, fcntl.LOCK_SH)
    real = time.sleep

    def looked(pause_s):
        if pause_s:
            looking.close()
        real(0)

    monkeypatch.setattr("thetawarden.infra.store_lock.time.sleep", looked)

    lock = StoreLock(tmp_path)
    lock.acquire()
    lock.release()

    assert looking.closed
