"""A campaign in which the simulation itself fails: the seed is told, and nothing waits for ever."""

import os
import signal

import pytest

from tests.sim.worlds import uneventful
from thetawarden.sim import campaign, chaos
from thetawarden.sim.campaign import Plan, simulate
from thetawarden.sim.chaos import Asked, ProcessLostError, run_chaos

SHORT = Plan(seed=3, days=1, session_min=30, schedule=())


class NoSuchSeedError(Exception):
    """What a mistake of ours in a simulation may raise."""


def fails(*_, **__):
    raise NoSuchSeedError("in the middle of it")


def one_dies(plan):
    """In the place of a simulation: nothing is found, but one seed's process is killed."""
    if plan.seed == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return uneventful(plan)


def test_whatever_a_run_raises_is_found_with_its_seed(monkeypatch):
    monkeypatch.setattr(campaign.Stage, "plan", fails)

    outcome = simulate(SHORT)

    (found,) = outcome.violations
    assert (outcome.seed, found.invariant) == (3, "I29")
    assert found.words.startswith("the run failed: NoSuchSeedError: in the middle of it (")


def test_a_process_that_is_killed_ends_the_campaign_and_the_unfinished_seeds_are_named(monkeypatch):
    monkeypatch.setattr(chaos, "simulate", one_dies)

    with pytest.raises(ProcessLostError, match=r"unfinished are seeds .*2"):
        run_chaos(Asked(seeds=3, jobs=2), progress=lambda _: None)


def test_side_by_side_every_seed_is_run_once(monkeypatch):
    monkeypatch.setattr(chaos, "SEEDS_A_PROCESS", 1)
    monkeypatch.setattr(chaos, "simulate", one_dies)

    report = run_chaos(Asked(seeds=3, first=3, jobs=2), progress=lambda _: None)

    assert (report.seeds, report.messages, report.failed) == (3, 3, [])
