"""One desk a store: the second is refused at once, and a killed one leaves no lock behind."""

import subprocess
import sys

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
