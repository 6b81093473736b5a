"""A job in a process of its own: it gets no secret, and does not outlive who sent it."""

import subprocess
import threading
import time

import pytest

from thetawarden.infra.errand import Errand

DEADLINE_S = 30
PROGRAMS = {
    "told": "import os, sys; print(sorted(os.environ), sys.stdin.read())",
    "hangs": "import time; time.sleep(3600)",
    "fails": "raise SystemExit('no reason')",
}


@pytest.fixture(autouse=True)
def programs(tmp_path, monkeypatch):
    for name, text in PROGRAMS.items():
        (tmp_path / f"{name}_errand.py").write_text(text)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("THETAWARDEN_SECRET_TOKEN", "what nobody else may know")


def test_a_job_goes_in_and_its_result_comes_out_and_no_secret_goes_along():
    done = Errand("told_errand").run(b"the job", timeout_s=DEADLINE_S)

    assert done.returncode == 0
    assert b"the job" in done.stdout
    assert b"PYTHONPATH" in done.stdout
    assert b"THETAWARDEN_SECRET_TOKEN" not in done.stdout


def test_one_that_fails_says_why():
    done = Errand("fails_errand").run(b"", timeout_s=DEADLINE_S)

    assert (done.returncode, done.stderr.strip()) == (1, b"no reason")


def test_one_that_takes_too_long_is_ended():
    errand = Errand("hangs_errand")

    with pytest.raises(subprocess.TimeoutExpired):
        errand.run(b"", timeout_s=0.05)

    assert errand._process.poll() is not None


def test_a_stop_ends_the_job_that_is_being_done_and_lets_no_other_begin():
    errand, ended = Errand("hangs_errand"), []
    thread = threading.Thread(
        target=lambda: ended.append(errand.run(b"", timeout_s=3600)), daemon=True
    )
    thread.start()
    until = time.monotonic() + DEADLINE_S
    while errand._process is None and time.monotonic() < until:
        time.sleep(0.005)

    errand.stop()

    thread.join(DEADLINE_S)
    assert ended[0].returncode < 0
    first = errand._process.pid
    assert errand.run(b"", timeout_s=DEADLINE_S).stderr == b"stopped"
    assert errand._process.pid == first
