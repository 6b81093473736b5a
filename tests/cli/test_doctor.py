"""`thetawarden doctor`: what it finds, what it says to do, and its exit code."""

import pytest

from tests.cli.shell import Shell
from tests.cli.test_gateway import serving
from thetawarden.domain.link.admission import TESTED_VERSIONS


def found(done):
    return {finding["check"]: finding for finding in done.json}


def test_a_fresh_machine_can_run_a_practice_desk(shell):
    done = shell("doctor", "--json")
    seen = found(done)

    assert done.code == 0
    assert "fail" not in {finding["verdict"] for finding in seen.values()}
    assert {"python", "packages", "clock", "disk", "data folder", "secrets"} <= set(seen)
    assert not shell.data.exists()
    assert "practice gateway" in shell("doctor").out


def test_every_fault_is_found_at_once_with_its_remedy(shell):
    shell.data.mkdir(mode=0o700)
    (shell.data / "thetawarden.yaml").write_text("mode: papper\ndesk: {fence_s: 3}\n")
    secrets = shell.data / "secrets.yaml"
    secrets.write_text("alert_mail: a-secret-canary\n")
    secrets.chmod(0o644)
    shell.data.chmod(0o777)

    done = shell("doctor", "--json")
    faults = [finding for finding in done.json if finding["verdict"] == "fail"]

    assert done.code == 1
    assert [fault["check"] for fault in faults] == [
        "data folder",
        "configuration",
        "configuration",
        "secrets",
    ]
    assert all(fault["remedy"] for fault in faults)
    assert "a-secret-canary" not in done.out + done.err


def test_a_desk_that_runs_is_no_fault(desk):
    done = desk("doctor", "--json")

    assert done.code == 0
    assert f"process {desk.process.pid}" in found(done)["second desk"]["found"]


def test_no_gateway_is_a_failure_that_says_where_it_was_looked_for(shell):
    shell.extra = {"THETAWARDEN__BROKER__PORT": "1"}

    done = shell("doctor", "--mode", "paper", "--json")
    finding = found(done)["gateway"]

    assert (done.code, finding["verdict"]) == (1, "fail")
    assert "127.0.0.1:1" in finding["found"]
    assert "log in" in finding["remedy"]


@pytest.mark.parametrize("data", ["live", "delayed"])
def test_a_gateway_is_visited_for_its_version_account_clock_and_data(tmp_path, data):
    shell = Shell(tmp_path / "data")
    with serving("--speed", "1") as gateway:
        shell.extra = {"THETAWARDEN__BROKER__PORT": str(gateway["port"])}
        if data == "delayed":
            assert shell("gateway", "fault", "delayed", "--port", gateway["port"]).code == 0

        done = shell("doctor", "--mode", "paper", "--json")
    seen = found(done)

    assert str(TESTED_VERSIONS[-1]) in seen["gateway version"]["found"]
    assert seen["account"]["verdict"] == "ok"
    assert "DU" in seen["account"]["found"]
    assert seen["broker's clock"]["verdict"] == "fail"  # the practice market lives another day
    assert seen["market data"]["found"].startswith(data)
    assert done.code == 1
