"""One thread that computes does not hold up the others of a desk."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROGRAM = """
import sys, tempfile
from pathlib import Path
from thetawarden.config.schema import Config
from thetawarden.process import SWITCH_INTERVAL_S, DeskProcess

before = sys.getswitchinterval()
process = DeskProcess(Config(), Path(tempfile.mkdtemp()))
process.open()
assert abs(sys.getswitchinterval() - SWITCH_INTERVAL_S) < 1e-6 < before / 100
process.close()
"""


def test_a_desk_process_makes_threads_change_over_sooner_than_python_does():
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
