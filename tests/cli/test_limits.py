"""Limits loosened between two runs of the real program: shown, refused, accepted, remembered."""

import json

from tests.cli.shell import one_line_error


def loosen(shell):
    (shell.data / "thetawarden.yaml").write_text("risk: {brakes: {day_loss_fraction: 0.05}}\n")


def frozen(shell):
    return [why for why in shell("status", "--json").json["entries_frozen"] if "limits:" in why]


def test_c06_h05_looser_limits_wait_for_a_person_who_says_their_fingerprint(shell):
    assert shell("run", "--for", "0.3s").code == 0
    loosen(shell)
    desk = shell.start()
    (why,) = frozen(shell)

    asked = why.split("--limits ")[1].split()[0]
    wrong = one_line_error(shell("resume", "--limits", "00000000", "--reason", "guessed"), 3)
    assert "risk.brakes.day_loss_fraction 0.02 -> 0.05" in why
    assert f"00000000 was asked, {asked} is in force" in wrong
    assert frozen(shell) == [why]

    accepted = shell("resume", "--limits", asked, "--reason", "a bigger account")
    assert (accepted.code, accepted.out) == (0, "the looser limits are accepted\n")
    assert frozen(shell) == []
    none = one_line_error(shell("resume", "--limits", asked, "--reason", "again"), 3)
    assert "none allows more" in none
    assert shell.end(desk)[0] == 0

    shell.end(shell.start())
    (kept,) = shell("log", "show", "--type", "AcceptLimits", "--json").lines
    assert kept["body"]["reason"] == "a bigger account"
    stated = shell("log", "show", "--type", "LimitsStated", "--json").lines
    assert len(stated) == 3
    assert "day_loss_fraction" in json.dumps(stated[1])
