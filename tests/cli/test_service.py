"""The unit for systemd, and what a desk tells the manager that started it."""

import configparser
import shutil
import subprocess

import pytest

from tests.cli.shell import one_line_error
from tests.infra.test_service_manager import Manager
from thetawarden.errors import EXIT_GAVE_UP


def unit(text):
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str
    parser.read_string(text)
    return parser


def test_the_unit_starts_this_program_on_this_folder(shell):
    printed = shell("service", "print", "--mode", "practice", "--user", "desk")
    service = unit(printed.out)["Service"]

    assert (printed.code, printed.err) == (0, "")
    assert service["User"] == "desk"
    assert service["ExecStart"].endswith(f"--data-dir {shell.data} run --mode practice")
    assert service["ReadWritePaths"] == str(shell.data)
    assert (service["Type"], service["WatchdogSec"]) == ("notify", "30")
    assert service["RestartForceExitStatus"] == str(EXIT_GAVE_UP)
    assert service["RestartPreventExitStatus"] == "2 3"


LIVE = {
    "THETAWARDEN__BROKER__ACCOUNT": "U1234567",
    "THETAWARDEN__BROKER__I_MEAN_LIVE": "true",
    "THETAWARDEN__BROKER__PORT": "4001",
}


def test_real_money_is_asked_for_again_by_the_unit_too(shell):
    shell.extra = LIVE
    asked = ("service", "print", "--mode", "live")

    refused, other = shell(*asked), shell(*asked, "--account", "U7654321")
    printed = shell(*asked, "--account", "U1234567")

    assert "no --account" in one_line_error(refused, 3)
    assert "another account" in one_line_error(other, 3)
    start = unit(printed.out)["Service"]["ExecStart"]
    assert start.endswith("run --mode live --account U1234567")


def test_a_unit_of_ones_own_needs_no_root(shell):
    printed = unit(shell("service", "print", "--for-me").out)

    assert printed["Install"]["WantedBy"] == "default.target"
    assert "User" not in printed["Service"]
    assert "ProtectSystem" not in printed["Service"]
    assert "one of them" in one_line_error(shell("service", "print", "--for-me", "--user", "x"), 2)


def test_what_systemd_would_read_otherwise_is_escaped(shell, tmp_path):
    folder = tmp_path / '50% of $all "it"'

    printed = unit(shell("--data-dir", folder, "service", "print").out)

    escaped = str(folder).replace("%", "%%").replace("$", "$$").replace('"', '\\"')
    assert f'--data-dir "{escaped}" run' in printed["Service"]["ExecStart"]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here to ask")
@pytest.mark.parametrize("options", [(), ("--for-me",)], ids=["system", "own"])
def test_systemd_finds_nothing_wrong_with_it(shell, tmp_path, options):
    path = tmp_path / "thetawarden.service"
    path.write_text(shell("service", "print", *options).out)

    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert "thetawarden.service" not in done.stderr, done.stderr


def test_a_desk_tells_its_manager_how_it_is(shell, tmp_path):
    manager = Manager(str(tmp_path / "notify"))
    shell.extra = {
        "NOTIFY_SOCKET": str(tmp_path / "notify"),
        "THETAWARDEN__DESK__HEARTBEAT_S": "0.05",
    }
    desk = shell.start()
    heard = [manager.heard() for _ in range(3)]
    shell.extra = {}
    shell.end(desk)
    while heard[-1] != "STOPPING=1":
        heard.append(manager.heard())
    manager.socket.close()

    assert heard.count("STOPPING=1") == 1
    assert [text.partition("\n")[0] for text in heard].count("READY=1") == 1
    assert heard.count("WATCHDOG=1") >= 2
