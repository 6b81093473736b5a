"""The host on pykka: steps are whole or not at all, and every ending is reported once."""

import threading

import pykka
import pytest
from pykka._envelope import Envelope as Request
from pykka.messages import _ActorStop

from tests.actors.desks import Obedient, RunningDesk, note, policy, spec, tree, until
from thetawarden.actors.cell import Cell, HandlerFailed
from thetawarden.actors.host import HostGoneError, start_host
from thetawarden.actors.post import Post
from thetawarden.actors.tree import Group
from thetawarden.domain.restart import Ending
from thetawarden.infra.clock import WallClock
from thetawarden.messages.lifecycle import ActorEnded
from thetawarden.messages.operations import DeliverAlert
from thetawarden.messages.registry import Lane
from thetawarden.ports import FencedError, Outcome
from thetawarden.sim.log import MemoryLog


def one_actor(**settings):
    return tree(Group(name="all", policy=policy(), actors=(spec(**settings),)))


def test_a_message_said_outside_reaches_the_actor_the_table_names():
    with RunningDesk(one_actor()) as desk:
        desk.say("hello")
        until(lambda: desk.texts() == ["hello"])


def test_what_an_actor_answers_is_recorded_after_its_delivery_and_carried_out():
    with RunningDesk(one_actor()) as desk:
        seq = desk.say("answer")
        until(lambda: desk.sink.done)

    (envelope,) = [
        each for each in desk.log.records if type(getattr(each, "body", None)) is DeliverAlert
    ]
    assert desk.sink.done == [envelope.body]
    assert (envelope.cause_seq, envelope.sender, envelope.incarnation) == (seq, "notifier", 1)
    position = desk.log.records.index(envelope)
    assert desk.log.records[position - 1].envelope.seq == seq


def test_a_crash_inside_a_handler_says_nothing_and_changes_nothing():
    with RunningDesk(one_actor()) as desk:
        desk.say("before")
        desk.say("crash 1")
        desk.say("after")
        until(lambda: desk.state()["texts"] == ["before", "crash 1", "after"])

        assert len(desk.outcomes(Outcome.CRASHED)) == 1
        assert desk.desk.posts["notifier"].incarnation == 2


def test_p15_system_exit_in_a_handler_ends_one_actor_and_not_the_desk():
    two = tree(Group(name="all", policy=policy(), actors=(spec("notifier"), spec("watchdog"))))
    with RunningDesk(two) as desk:
        desk.say("exit")
        until(lambda: len(desk.said(ActorEnded)) == 2)

        ended = desk.said(ActorEnded)[0]
        assert (ended.actor, ended.ending) == ("notifier", Ending.CRASHED)
        assert ended.error.startswith("SystemExit")
        assert desk.desk.posts["watchdog"].incarnation == 1
        assert desk.state("watchdog")["begun"] == 1


def test_an_actor_that_began_just_after_the_look_is_at_work_and_not_stuck():
    gate = threading.Event()
    with RunningDesk(one_actor(gate=gate)) as desk:
        desk.say("hang")
        until(lambda: desk.desk.posts["notifier"].pulse.busy_since_ns)
        desk.desk.posts["notifier"].pulse.busy_since_ns += 10**12
        looks = {one.actor: one.busy_ns for one in desk.desk._overseer.vitals()}
        gate.set()

    assert looks["notifier"] == 1


def test_asking_an_actor_that_ends_meanwhile_is_answered_at_once_with_an_error():
    gate = threading.Event()
    with RunningDesk(one_actor(gate=gate)) as desk:
        desk.say("hang")
        until(lambda: desk.desk.posts["notifier"].pulse.busy_since_ns)
        answers = []

        def ask():
            with pytest.raises(HostGoneError):
                desk.desk.state_of("notifier", timeout_s=20)
            answers.append("gone")

        asker = threading.Thread(target=ask)
        asker.start()
        until(lambda: desk.desk.posts["notifier"].mailbox._seat.requests)
        desk.desk.call(lambda: desk.desk._overseer.hung("notifier"))
        asker.join(5)
        gate.set()

    assert answers == ["gone"]


def test_an_old_incarnation_that_wakes_up_late_is_refused_by_its_number():
    gate = threading.Event()
    with RunningDesk(one_actor(gate=gate), handler_budget_s=0.05) as desk:
        desk.say("hang 1")
        until(lambda: desk.desk.posts["notifier"].incarnation == 2)
        until(lambda: desk.texts() == ["hang 1"])
        recorded = len(desk.log.records)

        gate.set()
        until(lambda: not [each for each in threading.enumerate() if each.name == "notifier#1"])

        assert len(desk.log.records) == recorded
        assert len(desk.outcomes(Outcome.HUNG)) == 1


def test_a_farewell_that_comes_too_late_is_answered_and_takes_no_message_along():
    cell, post, _ = make_cell(Obedient())
    log, farewell = MemoryLog(), pykka.ThreadingFuture()
    put = post.mailbox.putter(Lane.CONTROL)
    known, gone = threading.Event(), threading.Event()

    def ended(_):
        known.wait(20)
        put(envelope_of(log, "for the next incarnation"))
        host.actor_inbox.put(Request(_ActorStop(), reply_to=farewell))  # asked while it still lived
        gone.set()

    put(envelope_of(log, "crash"))
    host = start_host(cell=cell, begun=bool, ended=ended)
    known.set()

    assert gone.wait(20)
    assert farewell.get(timeout=20) is None
    assert post.mailbox.depths()[0] == 1


def make_cell(actor, *, log=None):
    post = Post(spec())
    post.incarnation = 1
    routed = []
    cell = Cell(
        post=post,
        actor=actor,
        log=log or MemoryLog(),
        clock=WallClock(),
        route=routed.append,
        snapshot_every=1000,
    )
    return cell, post, routed


def envelope_of(log, text):
    return log.say(note(text), "tester", 0, None, 0)


def test_a_step_that_fails_names_its_message_and_leaves_no_trace():
    log = MemoryLog()
    cell, post, routed = make_cell(Obedient(), log=log)
    envelope = envelope_of(log, "crash")

    with pytest.raises(HandlerFailed) as failure:
        cell.step(envelope)

    assert failure.value.envelope is envelope
    assert (log.records, routed, post.steps) == ([envelope], [], [])


def test_a_step_of_a_fenced_incarnation_is_refused_whole():
    log = MemoryLog()
    cell, post, routed = make_cell(Obedient(), log=log)
    log.fence("notifier", 2)

    with pytest.raises(FencedError):
        cell.step(envelope_of(log, "answer"))

    assert (len(log.records), routed, post.steps) == (1, [], [])


def test_the_pulse_tells_idle_from_busy():
    log, gate = MemoryLog(), threading.Event()
    cell, post, _ = make_cell(Obedient(gate=gate), log=log)
    runner = threading.Thread(target=cell.step, args=(envelope_of(log, "hang"),))

    assert post.pulse.busy_since_ns == 0
    runner.start()
    until(lambda: post.pulse.busy_since_ns > 0)
    assert post.pulse.envelope.seq == 1
    gate.set()
    runner.join()
    assert (post.pulse.busy_since_ns, post.pulse.handled) == (0, 1)


def test_a_stopped_desk_leaves_no_actor_in_pykkas_registry_and_no_thread():
    with RunningDesk(one_actor()) as desk:
        desk.say("x")

    until(lambda: not pykka.ActorRegistry.get_all())
    until(lambda: not [each for each in threading.enumerate() if each.name.startswith("notifier#")])
