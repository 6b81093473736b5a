"""`thetawarden init`: a file that says what it means, asked for or given."""

import stat

import pytest

from tests.cli.shell import one_line_error, wait_for
from tests.cli.terminal import Terminal


@pytest.fixture
def file(shell):
    return shell.data / "thetawarden.yaml"


def test_without_a_terminal_it_asks_nothing_and_writes_the_defaults(shell, file):
    done = shell("init")

    assert (done.code, done.err) == (0, "")
    assert str(file) in done.out
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "# How often every actor's heartbeat is looked at." in file.read_text()
    shown = shell("config", "show", "--json").json
    assert shown["desk.heartbeat_s"] == {
        "value": "1",
        "source": f"{file}:{_line(file, 'heartbeat_s')}",
    }


def _line(file, key):
    lines = file.read_text().splitlines()
    return next(n for n, line in enumerate(lines, 1) if line.strip().startswith(f"{key}:"))


def test_what_is_given_stands_in_the_file_and_holds(shell, file):
    done = shell("init", "--mode", "paper", "--account", "DU1234567", "--port", "4004")

    assert done.code == 0
    shown = shell("config", "show", "--json").json
    assert shown["broker.account"]["value"] == '"DU1234567"'
    assert (shown["mode"]["value"], shown["broker.port"]["value"]) == ("paper", "4004")
    assert shell("config", "check").code == 0


def test_a_file_that_stands_is_kept_unless_forced_and_then_put_aside(shell, file):
    assert shell("init").code == 0
    before = file.read_text()

    kept = shell("init", "--mode", "paper")
    assert "--force" in one_line_error(kept, 3)
    assert file.read_text() == before

    assert shell("init", "--mode", "paper", "--force").code == 0
    assert file.with_name("thetawarden.yaml.old").read_text() == before
    assert file.read_text() != before


@pytest.mark.parametrize(
    "flags",
    [
        ("--mode", "papper"),
        ("--mode", "paper", "--port", "4001"),
        ("--mode", "paper", "--port", "4003"),
        ("--mode", "live", "--account", "U1234567", "--port", "4001"),
        ("--client-id", "many"),
    ],
    ids=" ".join,
)
def test_what_cannot_be_is_refused_and_nothing_is_written(shell, file, flags):
    one_line_error(shell("init", *flags), 2)

    assert not file.exists()


def test_the_file_can_be_looked_at_without_writing_it(shell, file):
    printed = shell("init", "--print", "--mode", "paper")

    assert "mode: paper" in printed.out
    assert not file.exists()


def test_on_a_terminal_it_asks_and_asks_again_for_what_cannot_be(shell, file):
    terminal = Terminal("init", environment=shell.environment)
    terminal.sees("Mode [practice]")
    terminal.press("papper\r")
    terminal.sees("allowed: practice, paper, live")
    terminal.press("paper\r")
    terminal.sees("Where the gateway is [127.0.0.1]")
    terminal.press("\r")
    terminal.sees("Its port [4002]")
    terminal.press("\r")
    terminal.sees("Our number among its clients [17]")
    terminal.press("18\r")
    terminal.sees("The only account to trade")
    terminal.press("DU1234567\r")
    wait_for(lambda: terminal.process.poll() is not None)
    terminal.close()

    shown = shell("config", "show", "--json").json
    assert shown["mode"]["value"] == "paper"
    assert shown["broker.client_id"]["value"] == "18"
    assert shown["broker.account"]["value"] == '"DU1234567"'


def test_leaving_while_asked_writes_nothing(shell, file):
    terminal = Terminal("init", environment=shell.environment)
    terminal.sees("Mode [practice]")
    terminal.press("\x04")
    wait_for(lambda: terminal.process.poll() is not None)
    terminal.close()

    assert terminal.process.returncode == 1
    assert not file.exists()
