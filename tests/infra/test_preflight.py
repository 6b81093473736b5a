"""What is found of real folders, locks, flags and ports."""

import contextlib
import os
import socket

import pytest

from thetawarden.domain.preflight import Verdict
from thetawarden.infra.preflight import (
    folder_finding,
    machine_findings,
    packages_finding,
    port_finding,
    store_findings,
)
from thetawarden.infra.store_lock import StoreLock


@pytest.fixture
def store(tmp_path):
    tmp_path.chmod(0o700)
    return tmp_path


def verdicts(store):
    return [finding.verdict for finding in store_findings(store)]


@pytest.mark.parametrize(
    ("mode", "verdict"), [(0o700, Verdict.OK), (0o755, Verdict.WARN), (0o777, Verdict.FAIL)]
)
def test_a_folder_is_for_us_alone(store, mode, verdict):
    store.chmod(mode)

    assert folder_finding(store).verdict is verdict


def test_a_folder_that_is_not_there_yet_is_fine_and_stays_away(store):
    assert folder_finding(store / "later").verdict is Verdict.OK
    assert machine_findings(store / "later" / "still", reserve_bytes=0)
    assert not (store / "later").exists()


def test_a_desk_that_runs_is_seen_and_one_that_has_died_is_not(store):
    lock = StoreLock(store)
    lock.acquire()
    running = store_findings(store)[0]
    lock.release()

    assert f"process {os.getpid()}" in running.found
    assert verdicts(store) == [Verdict.OK, Verdict.OK]  # its lock file stands, and says nothing


def test_looking_at_the_lock_never_keeps_a_desk_out(store):
    store_findings(store)

    with contextlib.closing(contextlib.ExitStack()) as undo:
        lock = StoreLock(store)
        lock.acquire()
        undo.callback(lock.release)


def test_what_a_killed_desk_left_is_said_to_be_harmless(store):
    (store / "control").mkdir()
    (store / "control" / "desk.sock").touch()

    finding = store_findings(store)[0]

    assert (finding.verdict, "killed" in finding.found) == (Verdict.WARN, True)


def test_a_halt_is_shown_also_one_that_was_made_by_touch(store):
    (store / "halt").touch()

    assert store_findings(store)[1].verdict is Verdict.WARN


def test_a_taken_port_is_found():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert port_finding("metrics", "127.0.0.1", port).verdict is Verdict.FAIL

    assert port_finding("metrics", "127.0.0.1", port).verdict is Verdict.OK


def test_this_installation_has_all_it_needs():
    assert packages_finding().verdict is not Verdict.FAIL
