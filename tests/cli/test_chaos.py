"""`thetawarden chaos`: what a campaign says of itself, and how it ends."""

import json
import re
from functools import partial

import pytest

from tests.sim.planted import BUGS, planted
from tests.sim.worlds import uneventful
from thetawarden.cli import run_command_line
from thetawarden.errors import EXIT_DONE, EXIT_UNEXPECTED
from thetawarden.sim import chaos
from thetawarden.sim.sometimes import STATES

ENOUGH = chaos.ALL_STATES_FROM_SEEDS
SEED = "4"  # of a market that the tests of the simulation have warmed
A_DAY = ("chaos", "--seeds", "1", "--first", SEED, "--days", "1", "--faults", "none")
KEYS = {
    *("seeds", "days", "messages", "elapsed_s", "failed"),
    *("invariants", "sometimes", "unreached"),
}


def reaching(*states):
    """In the place of a simulation: a market in which nothing failed and these were reached."""
    return partial(uneventful, reached=states)


@pytest.fixture
def asked(capsys):
    """Asks on the command line; returns the exit code and what was printed."""

    def ask(*arguments):
        code = run_command_line(arguments)
        return code, capsys.readouterr().out

    return ask


def test_a_day_without_faults_holds_and_says_what_was_looked_at(asked):
    code, out = asked(*A_DAY, "--json")

    report = json.loads(out)
    assert code == EXIT_DONE
    assert set(report) == KEYS
    assert (report["seeds"], report["days"], report["failed"]) == (1, 1, [])
    assert report["unreached"] == []  # of one market nobody expects all states
    assert min(report["invariants"].values()) > 0
    assert report["sometimes"]["entry_filled"] > 0
    assert report["sometimes"]["torn_tail"] == 0


def test_what_breaks_an_invariant_ends_with_1_and_tells_how_to_see_it_again(asked):
    bug = next(one for one in BUGS if one.name == "another price")
    with planted(bug):
        code, out = asked(*A_DAY, "--json")
        worded, text = asked(*A_DAY)

    (failure,) = json.loads(out)["failed"]
    command = f"thetawarden {' '.join(A_DAY)}"
    assert code == worded == EXIT_UNEXPECTED
    assert (failure["seed"], failure["command"]) == (int(SEED), command)
    assert failure["invariant"] in bug.breaks
    assert re.search(rf"^seed {SEED}: {failure['invariant']} at minute \d+", text, re.MULTILINE)
    assert f"  replay it: {command}\n" in text


def test_a_long_campaign_that_never_came_to_a_state_ends_with_1_and_names_it(asked, monkeypatch):
    monkeypatch.setattr(chaos, "simulate", reaching(*set(STATES) - {"torn_tail", "gave_up"}))
    code, out = asked("chaos", "--seeds", str(ENOUGH), "--jobs", "1", "--json")
    worded, text = asked("chaos", "--seeds", str(ENOUGH), "--jobs", "1")

    report = json.loads(out)
    assert code == worded == EXIT_UNEXPECTED
    assert (report["seeds"], report["failed"]) == (ENOUGH, [])
    assert set(report["unreached"]) == {"torn_tail", "gave_up"}
    assert "never reached: torn_tail\n" in text
    assert "never reached: gave_up\n" in text


@pytest.mark.parametrize(
    ("seeds", "faults", "reached"),
    [
        (ENOUGH, "all", STATES),
        (ENOUGH - 1, "all", ()),
        (ENOUGH, "network", ()),
        (ENOUGH, "reset@90+5#1", ()),
    ],
)
def test_all_states_are_asked_of_long_campaigns_with_all_faults_only(
    asked, monkeypatch, seeds, faults, reached
):
    monkeypatch.setattr(chaos, "simulate", reaching(*reached))

    code, out = asked("chaos", "--seeds", str(seeds), "--faults", faults, "--jobs", "1", "--json")

    assert (code, json.loads(out)["unreached"]) == (EXIT_DONE, [])


def test_one_is_said_as_one_and_many_as_many(asked, monkeypatch):
    monkeypatch.setattr(chaos, "simulate", reaching())
    _, one = asked("chaos", "--seeds", "1", "--days", "1")
    _, many = asked("chaos", "--seeds", "2", "--days", "3", "--jobs", "1")

    assert one.startswith("1 seed, 1 trading day, 1 message in ")
    assert many.startswith("2 seeds, 6 trading days, 2 messages in ")
