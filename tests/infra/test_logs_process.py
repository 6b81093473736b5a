"""Logging in a process of its own: how it ends, and what stands on its two outputs then."""

import json
import subprocess
import sys

START = """
import logging, sys, threading
from thetawarden.config.schema import LogsConfig
from thetawarden.config.secrets import Secret
from thetawarden.infra.logs import get_log, start_logs

canary = Secret("canary-" + "8f2c71")
logs = start_logs(LogsConfig(), stream=sys.stderr, folder=None)
log = get_log("t")
"""
DEADLINE_S = 60


def _run(script, **changes):
    options = {"capture_output": True, "text": True, "timeout": DEADLINE_S} | changes
    return subprocess.run([sys.executable, "-c", START + script], check=False, **options)


def test_an_exception_nobody_caught_ends_up_in_the_log_clean_after_all_lines_before_it():
    done = _run("[log.info('said', n=n) for n in range(2000)]\nraise ValueError(canary.reveal())")

    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert done.returncode == 1
    assert [line.get("n") for line in lines] == [*range(2000), None]
    assert lines[-1]["exception"].endswith("ValueError: ***")
    assert "canary-8f2c71" not in done.stderr
    assert done.stdout == ""


def test_an_exception_in_a_thread_goes_the_same_way():
    done = _run(
        "def fail(): raise ValueError(canary.reveal())\n"
        "thread = threading.Thread(target=fail, name='worker'); thread.start(); thread.join()"
    )

    (line,) = [json.loads(line) for line in done.stderr.splitlines()]
    assert (done.returncode, line["thread"]) == (0, "worker")
    assert line["exception"].endswith("ValueError: ***")


def test_a_pipe_nobody_reads_neither_stops_the_process_nor_crashes_its_end():
    script = "[log.info('said', n=n) for n in range(20000)]\nprint(logs.lost > 0)"
    with subprocess.Popen(
        [sys.executable, "-c", START + script],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        code = process.wait(DEADLINE_S)
        said = process.stdout.read()

    assert (code, said) == (0, "True\n")


def test_a_closed_standard_error_stops_nothing():
    done = _run("import os; os.close(2)\nlog.info('said')\nlogs.flush()\nprint(logs.lost)")

    assert (done.returncode, done.stdout) == (0, "1\n")
