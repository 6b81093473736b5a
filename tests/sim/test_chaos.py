"""Chaos: whole days under faults hold every invariant; planted bugs do not get through."""

import re
import subprocess
import sys

import pytest

from tests.sim.planted import BUGS, planted
from thetawarden.sim.campaign import Plan, simulate
from thetawarden.sim.chaos import (
    Asked,
    command_of,
    read_faults,
    refuse_unplayed,
    shrink,
    written,
)
from thetawarden.sim.faults.kinds import Family, Planned
from thetawarden.sim.faults.schedule import CATALOGUE

FAULT_ID = re.compile(r"[CDHMNOPSX]\d\d")
PEOPLE = ("brake", "channel")
"""Faults nobody numbered: a person uses a brake; no channel to a person works."""
SEED = 4  # of a market that the other tests of the simulation have warmed
BUSY_SEED = 64  # of the same market, and limits that let much be traded


def by_name(name):
    return next(bug for bug in BUGS if bug.name == name)


def short(*schedule):
    """Three hours of a day, the last of them without faults."""
    return Plan(seed=SEED, days=1, session_min=180, schedule=schedule)


def fault(name, at_min, for_min=4, pick=1):
    return Planned(at_min=at_min, name=name, for_min=for_min, pick=pick)


STORM = (
    fault("duplicates", 50, 60),
    fault("reset", 60),
    fault("crash", 70, pick=3),
    fault("kill-at-order", 75, pick=2),
    fault("kill", 110),
)


def test_hours_under_faults_hold_every_invariant_and_are_the_same_twice():
    one, two = simulate(short(*STORM)), simulate(short(*STORM))

    assert one.violations == ()
    assert one.processes > 1
    assert one.digest == two.digest
    assert one.messages > 800
    assert sum(one.looks.values()) > 5_000


def test_faults_that_lie_in_wait_strike_at_the_moment_they_wait_for():
    waiting = (
        fault("late-commission", 46, 150, pick=151),
        fault("correction", 46, 120),
        fault("reset-at-partial", 47, 100),
        fault("fill-under-cancel", 48, 100),
        fault("halt-at-order", 75, 100),
    )
    outcome = simulate(Plan(seed=BUSY_SEED, days=1, session_min=300, schedule=waiting))

    assert outcome.violations == ()
    reached = ("partial_then_disconnect", "fill_after_cancel", "halt_with_entry_in_flight")
    for state in (*reached, "corrected", "late_commission"):
        assert outcome.sometimes[state], state


def test_a_desk_that_leaves_the_market_to_another_session_is_given_until_it_looks_again():
    outcome = simulate(short(fault("competing", 90, 20)))

    assert outcome.violations == ()


def test_a_link_that_a_swallowed_probe_ends_late_is_given_until_it_is_open_again():
    plan = Plan(seed=10, days=1, session_min=367, schedule=(fault("mute", 243, 20),))
    outcome = simulate(plan)

    assert outcome.violations == ()


def test_a_fill_of_an_evening_without_a_link_is_accepted_by_a_person_and_stays_protected():
    away = (fault("correction", 76, 120, 64270), fault("restart", 371, 120, 58746))
    outcome = simulate(Plan(seed=168, days=2, schedule=away))

    assert outcome.violations == ()


def test_a_planted_bug_is_found_made_small_and_told_how_to_see_again():
    bug = by_name("another price")
    with planted(bug):
        outcome = simulate(short(fault("no-lake", 50), fault("no-alerts", 60)))
        small = shrink(outcome, outcome.violations[0])

    assert outcome.violations[0].invariant in bug.breaks
    assert small.schedule == ()
    assert command_of(small) == f"thetawarden chaos --seeds 1 --first {SEED} --days 1 --faults none"


def test_planned_faults_read_back_as_they_are_written():
    planned = Planned(at_min=95, name="reset", for_min=20, pick=7)

    assert read_faults(written(planned)) == (frozenset(Family), (planned,))
    assert read_faults("network, orders")[0] == {Family.NETWORK, Family.ORDERS}
    assert read_faults("none")[1] == ()
    assert read_faults("all")[1] is None


@pytest.mark.parametrize(
    "wrong",
    [
        *("nonsense", "reset@x+1#2", "reset", "network,reset@1+1#1"),
        *("reset@²+20#7", "reset@٣+20#7", "reset@-3+20#7", "reset@3+20#7#1", "reset@3+20#"),
        "reset@" + 5000 * "9" + "+20#7",
    ],
)
def test_faults_that_mean_nothing_are_refused_by_naming_what_is_allowed(wrong):
    with pytest.raises(ValueError, match=r"allowed are all, none, families .*reset@95\+20#7"):
        read_faults(wrong)


@pytest.mark.parametrize(("days", "at_min", "plays"), [(1, 269, 1), (1, 270, 0), (2, 1709, 1)])
def test_a_planned_fault_that_would_never_begin_is_refused(days, at_min, plays):
    asked = Asked(seeds=1, days=days, schedule=(fault("no-lake", 50), fault("reset", at_min)))

    assert max(one.heal_min for one in asked.plans()) == (270 if days == 1 else 1710)
    if plays:
        refuse_unplayed(asked)
    else:
        with pytest.raises(ValueError, match=r"'reset@270\+4#1'.* minutes 0 to 269, .*more --days"):
            refuse_unplayed(asked)


def test_what_was_drawn_and_would_never_begin_is_not_told_as_a_fault():
    plans = [Plan(seed=seed, days=1, families=frozenset({Family.STORAGE})) for seed in (4, 8)]
    drawn = [one for plan in plans for one in simulate(plan).schedule]

    assert drawn
    assert all(one.at_min < plans[0].heal_min for one in drawn)


def test_every_family_has_faults_and_every_fault_a_code_and_words():
    assert {kind.family for kind in CATALOGUE.values()} == set(Family)
    for kind in CATALOGUE.values():
        assert kind.words
        assert FAULT_ID.fullmatch(kind.code) or kind.code in PEOPLE, kind.name


@pytest.mark.parametrize(
    ("faults", "words"),
    [
        ("storms", "found 'storms'; allowed are all, none"),
        ("reset@99999999+20#7", "found 'reset@99999999+20#7', which would never begin"),
    ],
)
def test_the_verb_refuses_nonsense_in_one_line(faults, words):
    which = ["--seeds", "1", "--days", "1", "--faults", faults]
    done = subprocess.run(
        [sys.executable, "-m", "thetawarden", "chaos", *which],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 2
    assert done.stdout == ""
    assert words in done.stderr
    assert done.stderr.count("\n") == 1
