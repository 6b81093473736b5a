"""Replay: rebuild any actor at any message, and show the first answer that differs."""

import datetime as dt

import msgspec
import pytest

from tests.actors.desks import Obedient, note
from tests.sim.recording import (
    NEXT_DAY,
    PoliteGovernor,
    record,
    tree_of_marked,
    with_governor,
    write_process,
)
from thetawarden.actors.governor import Governor
from thetawarden.actors.post import ActorSpec
from thetawarden.actors.tree import Group, Tree
from thetawarden.domain.restart import Policy
from thetawarden.infra.journal.reader import open_log
from thetawarden.messages.trading import Resume
from thetawarden.sim.cast import Processes, Replayed, actors_before
from thetawarden.sim.replay import NoSuchDayError, verify_replay


def test_todays_code_answers_a_recorded_desk_byte_for_byte(recorded):
    folder, tree = recorded
    with open_log(folder) as days:
        verdict = verify_replay(tree, days)

    assert verdict.first_difference is None
    assert verdict.verified == verdict.deliveries > 100


def test_one_day_alone_is_verified_from_what_was_known_before_it(recorded):
    folder, tree = recorded
    with open_log(folder) as days:
        both = verify_replay(tree, days)
        second = verify_replay(tree, days, day=NEXT_DAY)

    assert second.first_difference is None
    assert 0 < second.verified < both.verified


def test_a_day_that_is_not_there_is_refused_by_naming_those_that_are(recorded):
    folder, tree = recorded
    with open_log(folder) as days, pytest.raises(NoSuchDayError) as refusal:
        verify_replay(tree, days, day=dt.date(2020, 1, 1))

    assert str(refusal.value) == (
        "no message log of 2020-01-01; there are: 2026-02-03, 2026-02-04. Choose one with --day"
    )


class ForgetfulGovernor(Governor):
    """Says the right thing and remembers the wrong one."""

    def receive(self, message, now):
        said = super().receive(message, now)
        if isinstance(message, Resume):
            self.state.latch = msgspec.structs.replace(self.state.latch, epoch=1)
        return said


def test_the_first_answer_that_differs_is_shown_with_the_state_before_it(recorded):
    folder, tree = recorded
    with open_log(folder) as days:
        verdict = verify_replay(with_governor(tree, PoliteGovernor), days)

    found = verdict.first_difference
    assert (found.actor, found.kind, found.what) == ("governor", "Halt", "the answers differ")
    assert found.state_before["latch"] == {"epoch": 0, "halt": None}
    assert '"halt 1"' in found.expected[0]
    assert '"please halt 1"' in found.got[0]
    assert found.message == {"reason": "halt 1", "by": "test"}
    assert verdict.verified == verdict.deliveries - 1


def test_a_state_that_differs_is_found_even_where_the_answers_agree(recorded):
    folder, tree = recorded
    with open_log(folder) as days:
        verdict = verify_replay(with_governor(tree, ForgetfulGovernor), days)

    assert verdict.first_difference.what in {
        "the state after it differs from the snapshot",
        "the answers differ",
    }


class CrashingGovernor(Governor):
    def receive(self, message, now):
        if isinstance(message, Resume):
            raise KeyError("tomorrow's bug")
        return super().receive(message, now)


def test_code_that_would_crash_today_is_the_difference(recorded):
    folder, tree = recorded
    with open_log(folder) as days:
        verdict = verify_replay(with_governor(tree, CrashingGovernor), days)

    assert verdict.first_difference.what == "today's code raises KeyError: \"tomorrow's bug\""


def test_a_crash_that_happened_live_is_skipped_as_it_was_then(tmp_path):
    policy = Policy(backoff_min_ns=0, backoff_max_ns=0)
    tried = {}
    spec = ActorSpec(name="notifier", kind=Obedient, settings={"tried": tried})
    tree = Tree(root=policy, groups=(Group(name="g", policy=policy, actors=(spec,)),))

    def say(desk):
        for text in ("one", "crash 1", "two"):
            desk.say(note(text), sender="test")
        while tried.get("two", 0) == 0:
            desk.call(lambda: None)

    record(tmp_path, tree, say)
    with open_log(tmp_path) as days:
        verdict = verify_replay(tree, days)

    assert verdict.first_difference is None


def test_a_message_that_waited_when_the_page_turned_is_answered_where_it_was_handled(tmp_path):
    policy = Policy(backoff_min_ns=0, backoff_max_ns=0)
    spec = ActorSpec(name="notifier", kind=Obedient, settings={"tried": {}})
    tree = Tree(root=policy, groups=(Group(name="g", policy=policy, actors=(spec,)),))

    def say(desk):
        desk.pause("notifier", by="test")
        desk.say(note("answer this"), sender="test")
        desk.call(desk._overseer.children.begin_page)
        desk.unpause("notifier", by="test")

    record(tmp_path, tree, say)
    with open_log(tmp_path) as days:
        verdict = verify_replay(tree, days)

    assert verdict.first_difference is None


def test_an_actor_can_be_rebuilt_at_any_message(recorded):
    folder, tree = recorded
    with open_log(folder) as days:
        governor = actors_before(tree, days, days[0], only=frozenset({"governor"})).get("governor")
        epochs = []
        for step in days[0].steps(actors=("governor",)):
            governor.take(step)
            epochs.append(governor.state()["latch"]["epoch"])

        resumed = actors_before(tree, days, days[1], only=frozenset({"governor"})).get("governor")

    assert epochs == sorted(epochs)
    assert epochs[-1] == 19
    assert resumed.state() == governor.state()


def test_a_snapshot_is_a_place_to_start_from(recorded):
    folder, tree = recorded
    specs = {spec.name: spec for group in tree.groups for spec in group.actors}
    with open_log(folder) as days:
        snapshot = next(each for each in days[1].snapshots() if each.actor == "governor")

    assert Replayed(specs["governor"], snapshot.body).state()["latch"]["epoch"] == 19


def test_each_process_is_replayed_as_it_was_made(tmp_path):
    """A desk that is started with another speed or software marks its records otherwise."""
    kept = tmp_path / "log"
    kept.mkdir()
    for mark in ("one", "two"):
        write_process(kept, tree_of_marked(mark), mark)
    with open_log(kept) as days:
        past = Processes(days, lambda started: tree_of_marked(started.software))
        as_it_was = verify_replay(tree_of_marked("two"), days, processes=past)
        all_alike = verify_replay(tree_of_marked("two"), days)

    assert as_it_was.first_difference is None
    assert as_it_was.verified == 6
    assert all_alike.first_difference.what == "the answers differ"
