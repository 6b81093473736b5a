"""Processes that compute beside another end with it, also when it had no time to tell them."""

import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.actors.desks import until
from thetawarden.sim.beside import processes

PROGRAM = """
import os, time
from thetawarden.sim.beside import processes

def idle():
    return os.getpid()

def busy():
    print("begun", flush=True)
    while True:
        sum(range(1000))

def asleep():
    print("begun", flush=True)
    time.sleep(3600)

with processes(2) as pool:
    if {task} is idle:
        print("begun" if len({{pool.submit(idle).result(), os.getpid()}}) == 2 else "", flush=True)
        time.sleep(3600)
    for one in [pool.submit({task}), pool.submit({task})]:
        one.result()
"""
CAMPAIGN = [sys.executable, "-m", "thetawarden", "chaos", "--seeds", "40", "--jobs", "2"]
ENDED_S = 60.0


@contextmanager
def begun(command):
    """A process whose workers write to the same pipe: it is at its end when all have ended."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        try:
            yield process
        finally:
            process.kill()


def children_of(process):
    return Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()


@pytest.mark.parametrize("task", ["idle", "busy", "asleep"])
def test_no_process_is_left_of_one_that_was_killed(task):
    with begun([sys.executable, "-c", PROGRAM.format(task=task)]) as process:
        assert process.stdout.read(5) == b"begun"
        process.kill()

        process.communicate(timeout=ENDED_S)


def test_nothing_is_left_of_a_campaign_that_was_killed():
    with begun(CAMPAIGN) as process:
        until(lambda: children_of(process), "its processes")
        process.kill()

        process.communicate(timeout=ENDED_S)


def test_each_process_begins_with_what_it_was_given():
    with processes(2, begin=lambda: given.append("a word")) as pool:
        assert pool.submit(list_of_given).result() == ["a word"]
    assert given == []


given = []


def list_of_given():
    return given
