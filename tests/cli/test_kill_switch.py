"""The kill switch, as a person pulls it: by a file and by a signal, with nobody to ask."""

import json
import signal

from tests.cli.shell import wait_for


def flag(shell):
    path = shell.store / "halt"
    return json.loads(path.read_text()) if path.exists() else None


def said(shell, kind):
    return shell("log", "show", "--type", kind, "--json").lines


def test_a_file_halts_a_running_desk_and_as_long_as_it_stands_no_resume_holds(shell):
    shell.start()
    (shell.data / "HALT").touch()
    wait_for(lambda: said(shell, "TradingHalted"))
    assert flag(shell)["by"] == "kill file"

    assert shell("resume", "--reason", "I think so").code == 0
    wait_for(lambda: len(said(shell, "TradingHalted")) == 2)

    (shell.data / "HALT").unlink()
    assert shell("resume", "--reason", "now I know").code == 0
    assert shell("status", "--json").json["trading_state"] == "running"


def test_signals_halt_cancel_and_flatten_with_the_control_api_gone_and_the_strategist_stuck(shell):
    desk = shell.start()
    assert shell("actor", "pause", "strategist").code == 0
    (shell.store / "control" / "desk.sock").unlink()

    desk.send_signal(signal.SIGUSR1)
    wait_for(lambda: said(shell, "CancelAll"))
    desk.send_signal(signal.SIGUSR2)
    wait_for(lambda: said(shell, "Flatten"))

    assert flag(shell)["reason"] == "signal to halt"
    assert len(said(shell, "TradingHalted")) == 1
    assert desk.poll() is None
    assert shell.end(desk)[0] == 4
