"""The guardian's process is started again with what is so by then, and ever less eagerly."""

import os
import sys
import time

import pytest

from thetawarden.infra import guardian_process
from thetawarden.infra.guardian_process import GuardianProcess

DEADLINE_S = 30


def until(holds):
    end = time.monotonic() + DEADLINE_S
    while not holds():
        assert time.monotonic() < end, "did not come true in time"
        time.sleep(0.005)


@pytest.fixture
def pauses(monkeypatch):
    asked = []

    def pause_s(failures):
        asked.append(failures)
        return 0.01

    monkeypatch.setattr(guardian_process, "pause_s", pause_s)
    return asked


@pytest.fixture
def stand_in(tmp_path, monkeypatch):
    """A program in the guardian's place that writes its arguments down and fails."""
    said = tmp_path / "said"
    program = tmp_path / "program"
    program.write_text(f'#!/bin/sh\necho "$@" >> {said}\nexit 1\n')
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    return lambda: said.read_text().splitlines() if said.exists() else []


def test_each_start_is_given_the_file_that_keeps_the_gateway_alive_by_then(stand_in, pauses):
    pipes = [os.pipe() for _ in range(2)]
    left = [pipes[0][1], pipes[1][1]]
    guardian = GuardianProcess(
        ["guardian"], lifeline=lambda: left.pop(0) if len(left) > 1 else left[0]
    )

    guardian.start()
    until(lambda: len(stand_in()) > 2)
    guardian.stop()

    given = [line.split()[-2:] for line in stand_in()]
    assert given[:2] == [["--lifeline", str(write)] for _, write in pipes]
    for pipe in pipes:
        for end in pipe:
            os.close(end)


def test_one_that_fails_again_and_again_is_started_less_and_less_eagerly(stand_in, pauses):
    guardian = GuardianProcess(["guardian"])

    guardian.start()
    until(lambda: len(pauses) > 3)
    guardian.stop()

    assert pauses[:4] == [0, 1, 2, 3]


def test_one_that_cannot_be_started_is_tried_again(stand_in, pauses, monkeypatch, caplog):
    good = sys.executable
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    guardian = GuardianProcess(["guardian"])

    guardian.start()
    until(lambda: pauses)
    monkeypatch.setattr(sys, "executable", good)
    until(stand_in)
    guardian.stop()

    assert "guardian_not_started" in caplog.messages


def test_one_that_was_stopped_is_not_started_again(stand_in, pauses):
    guardian = GuardianProcess(["guardian"])
    guardian.stop()

    guardian.start()

    assert stand_in() == []
