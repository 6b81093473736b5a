"""A desk ends in bounded time whatever hangs, and is seen alive while it starts and stops."""

import threading

import msgspec
import pytest

from tests.actors.desks import RunningDesk, note, policy, spec, tree, until
from thetawarden.actors.cell import Cell
from thetawarden.actors.post import Status
from thetawarden.actors.tree import Group
from thetawarden.messages.lifecycle import ActorEnded, ActorStarted
from thetawarden.messages.operations import VitalsTaken

ROLES = ("watchdog", "notifier", "scheduler")
LONG_NS = 3600 * 10**9
PATIENCE_S = 30


def group(*specs, name="all"):
    return Group(name=name, policy=policy(), actors=specs)


def patient(name, **settings):
    return msgspec.structs.replace(spec(name, **settings), stop_deadline_ns=LONG_NS)


def stopping(desk):
    """Stop it on a thread of its own; what it named comes into the list."""
    named = []
    thread = threading.Thread(target=lambda: named.append(desk.desk.stop()), daemon=True)
    thread.start()
    return thread, named


@pytest.fixture
def gate():
    event = threading.Event()
    yield event
    event.set()


def test_all_actors_together_have_one_deadline_to_stop(gate):
    hanging = tree(group(*(patient(name, gate=gate) for name in ROLES)))
    desk = RunningDesk(hanging, stop_within_s=0.2)
    desk.desk.start()
    for name in ROLES:
        desk.desk.router.tell(name, note("hang 9"), sender="tester")
    until(lambda: all(desk.desk.posts[name].pulse.busy_since_ns for name in ROLES))

    thread, named = stopping(desk)
    thread.join(PATIENCE_S)

    assert named == [tuple(reversed(ROLES))]


def test_one_that_hangs_leaves_the_others_the_time_to_answer(gate):
    hanging = tree(group(spec("watchdog"), spec("notifier"), patient("scheduler", gate=gate)))
    desk = RunningDesk(hanging, stop_within_s=0.05)
    desk.desk.start()
    desk.desk.router.tell("scheduler", note("hang 9"), sender="tester")
    until(lambda: desk.desk.posts["scheduler"].pulse.busy_since_ns)

    thread, named = stopping(desk)
    thread.join(PATIENCE_S)

    assert named == [("scheduler",)]


def test_a_supervisor_that_is_held_up_is_named_and_left_behind(gate):
    desk = RunningDesk(tree(group(spec())), stop_within_s=0.05, start_timeout_s=0.5)
    desk.desk.start()
    desk.desk._tasks.put(gate.wait)

    thread, named = stopping(desk)
    thread.join(PATIENCE_S)

    assert named == [("supervisor",)]


def test_a_stop_during_the_start_starts_nothing_more(gate):
    begun = threading.Event()

    def begin():
        begun.set()
        gate.wait()

    desk = RunningDesk(tree(group(spec("watchdog", on_begin=begin), spec("notifier"))))
    starting = threading.Thread(target=desk.desk.start, daemon=True)
    starting.start()
    assert begun.wait(PATIENCE_S)

    thread, named = stopping(desk)
    until(lambda: desk.desk._overseer._ends_ns)
    gate.set()
    thread.join(PATIENCE_S)
    starting.join(PATIENCE_S)

    assert named == [()]
    assert [each.actor for each in desk.said(ActorStarted)] == ["watchdog"]


def test_a_snapshot_that_fails_does_not_keep_the_desk_from_ending(monkeypatch, caplog):
    taken, real = [], Cell.take_snapshot

    def fail(cell):
        if cell.post.name == "notifier":
            raise TypeError("no such encoding")
        taken.append(cell.post.name)
        real(cell)

    desk = RunningDesk(tree(group(*(spec(name) for name in ROLES))))
    desk.desk.start()
    monkeypatch.setattr(Cell, "take_snapshot", fail)

    assert desk.desk.stop() == ()
    assert sorted(taken) == ["scheduler", "watchdog"]
    assert {post.status for post in desk.desk.posts.values()} == {Status.DOWN}
    assert [each.actor for each in caplog.records if each.msg == "snapshot_failed"] == ["notifier"]


def test_a_desk_that_starts_slowly_is_seen_alive_meanwhile():
    seen_alive = threading.Event()

    desk = RunningDesk(tree(group(spec(on_begin=seen_alive.wait))), start_timeout_s=PATIENCE_S)
    looks = []

    def look():
        looks.append(1)
        if len(looks) > 2:
            seen_alive.set()

    desk.desk._on_check = look
    with desk:
        assert desk.said(ActorEnded) == []


def test_a_desk_that_waits_for_an_actor_to_stop_is_seen_alive_meanwhile(gate):
    desk = RunningDesk(tree(group(patient("watchdog", gate=gate), spec("notifier"))))
    with desk:
        desk.desk.router.tell("watchdog", note("hang 9"), sender="tester")
        until(lambda: desk.desk.posts["watchdog"].pulse.busy_since_ns)
        looks = []

        def look():
            looks.append(1)
            if len(looks) > 2:
                gate.set()

        desk.desk.call(lambda: setattr(desk.desk, "_on_check", look) or looks.clear())
        desk.desk.call(lambda: desk.desk._crew.stop(desk.desk.posts["watchdog"], LONG_NS))

        assert gate.is_set()


def test_a_desk_that_never_started_stops_too():
    assert RunningDesk(tree(group(spec()))).desk.stop() == ()


def test_an_end_takes_no_vital_signs_of_actors_that_are_gone():
    with RunningDesk(tree(group(spec())), heartbeat_s=0.0, check_every_s=0.0) as desk:
        until(lambda: desk.said(VitalsTaken))
        desk.desk.stop()

        assert all(each.vitals.actors for each in desk.said(VitalsTaken))
