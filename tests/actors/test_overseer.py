"""Supervision carried out on real threads: order, restarts with state, hangs, poison, giving up."""

import threading

import pytest

from tests.actors.desks import RunningDesk, note, policy, spec, tree, until
from thetawarden.actors.post import Status
from thetawarden.actors.tree import Group
from thetawarden.domain.restart import Ending, GiveUp, Restart, Strategy
from thetawarden.messages.base import Lane
from thetawarden.messages.lifecycle import (
    ActorEnded,
    ActorPaused,
    ActorStarted,
    GroupGaveUp,
    MessageParked,
    Quiesce,
)
from thetawarden.messages.operations import NotifyPerson
from thetawarden.messages.trading import Halt
from thetawarden.ports import Outcome

ROLES = ("watchdog", "notifier", "scheduler")


def group(*specs, name="all", **changes):
    return Group(name=name, policy=policy(**changes), actors=specs)


def three(**changes):
    return tree(group(*(spec(name) for name in ROLES), **changes))


def started(desk):
    return [each.actor for each in desk.said(ActorStarted)]


def ended(desk):
    return [(each.actor, each.ending) for each in desk.said(ActorEnded)]


def test_actors_start_in_order_each_after_the_one_before_has_begun():
    order = []
    specs = [spec(name, on_begin=lambda name=name: order.append(name)) for name in ROLES]

    with RunningDesk(tree(group(*specs))) as desk:
        assert order == list(ROLES)
        assert started(desk) == list(ROLES)


def test_p01_a_crashed_actor_is_back_with_the_state_it_had_and_handles_what_waited():
    with RunningDesk(three()) as desk:
        for text in ("one", "two", "crash 1", "three"):
            desk.say(text)

        until(lambda: desk.texts() == ["one", "two", "crash 1", "three"])
        assert desk.state()["begun"] == 2
        assert ended(desk) == [("notifier", Ending.CRASHED)]
        assert desk.desk.posts["notifier"].restarts == 1


@pytest.mark.parametrize(
    ("strategy", "restarted"),
    [
        (Strategy.ONE_FOR_ONE, ["notifier"]),
        (Strategy.REST_FOR_ONE, ["notifier", "scheduler"]),
        (Strategy.ONE_FOR_ALL, ["watchdog", "notifier", "scheduler"]),
    ],
)
def test_a_crash_restarts_those_the_strategy_names_in_order(strategy, restarted):
    with RunningDesk(three(strategy=strategy)) as desk:
        desk.say("crash 1")
        until(lambda: started(desk)[3:] == restarted)


def test_a_restart_waits_as_long_as_the_policy_says():
    slow = three(backoff_min_ns=300_000_000, backoff_max_ns=300_000_000)
    with RunningDesk(slow) as desk:
        desk.say("crash 1")
        until(lambda: desk.said(ActorEnded))
        assert desk.desk.posts["notifier"].status is Status.RESTARTING
        until(lambda: len(started(desk)) == 4)

        times = [
            each.at_ns
            for each in desk.log.records
            if type(getattr(each, "body", None)) in {ActorEnded, ActorStarted}
        ]
        assert times[-1] - times[-2] >= 300_000_000


def test_p02_a_hung_actor_is_fenced_off_and_replaced_while_its_thread_still_hangs():
    gate = threading.Event()
    hanging = tree(group(spec("watchdog"), spec("notifier", gate=gate)))
    with RunningDesk(hanging, handler_budget_s=0.05) as desk:
        desk.say("before")
        desk.say("hang 1")
        desk.say("after")

        until(lambda: desk.texts() == ["before", "hang 1", "after"])
        assert ended(desk) == [("notifier", Ending.HUNG)]
        assert [each.name for each in threading.enumerate() if each.name == "notifier#1"]
        gate.set()


def test_p02_an_actor_whose_work_cannot_be_handed_over_ends_the_desk_when_it_hangs():
    gate = threading.Event()
    fatal = tree(group(spec("notifier", gate=gate, fatal_if_hung=True)))
    with RunningDesk(fatal, handler_budget_s=0.05) as desk:
        desk.say("hang 9")
        until(lambda: desk.gave_up)
        gate.set()

        assert desk.gave_up[0].startswith("notifier hung")
        assert desk.desk.posts["notifier"].incarnation == 1


def test_p10_an_actor_that_runs_out_of_memory_ends_the_process_instead_of_living_on_in_it():
    def fail():
        raise MemoryError

    with RunningDesk(tree(group(spec("notifier", on_begin=fail)))) as desk:
        until(lambda: desk.gave_up)

        assert desk.gave_up[0].startswith("notifier ran out of memory")


def test_p11_a_supervisor_that_fails_ends_the_desk_and_leaves_no_actor_headless():
    with RunningDesk(three()) as desk:
        desk.desk._tasks.put(lambda: 1 / 0)
        until(lambda: desk.gave_up)

        assert desk.gave_up == ["the supervisor failed: ZeroDivisionError: division by zero"]
        assert desk.desk.stop() == ()  # and it can still end in order


def test_p14_a_thread_that_cannot_be_started_ends_the_desk_and_not_only_the_actor(monkeypatch):
    with RunningDesk(three()) as desk:

        def refuse(**_):
            raise RuntimeError("can't start new thread")

        monkeypatch.setattr("thetawarden.actors.crew.host.start_host", refuse)
        desk.say("crash")
        until(lambda: desk.gave_up)

        assert "can't start new thread" in desk.gave_up[0]


def test_p01_a_message_that_kills_twice_is_put_aside_and_the_next_one_is_handled():
    with RunningDesk(three()) as desk:
        seq = desk.say("crash")
        desk.say("after")

        until(lambda: desk.texts() == ["after"])
        (parked,) = desk.said(MessageParked)
        assert (parked.actor, parked.message_seq, parked.kind) == ("notifier", seq, "NotifyPerson")
        assert len(desk.outcomes(Outcome.CRASHED)) == 1
        assert len(desk.outcomes(Outcome.PARKED)) == 1
        assert desk.said(Halt) == []


def test_a_control_message_that_kills_twice_also_halts():
    with RunningDesk(three()) as desk:
        until(lambda: desk.state("watchdog"))
        envelope = desk.desk.router.say(
            ActorPaused(actor="notifier", by="crash the notifier"), sender="tester"
        )
        # Obedient does not know ActorPaused and ignores it; make the supervisor judge it instead
        post = desk.desk.posts["notifier"]

        def killed():
            desk.desk._overseer._settle_killer(post, envelope, Outcome.CRASHED)

        desk.desk.call(killed)
        assert desk.said(Halt) == []
        desk.desk.call(killed)
        (halt,) = desk.said(Halt)
        assert halt.by == "supervisor"
        assert "ActorPaused" in halt.reason


def test_more_crashes_than_allowed_make_the_group_give_up_and_stop_the_others():
    degrading = three(intensity=2, give_up=GiveUp.DEGRADE)
    with RunningDesk(degrading) as desk:
        for _ in range(2):
            desk.say("crash")
        until(lambda: desk.said(GroupGaveUp))

        (gave_up,) = desk.said(GroupGaveUp)
        assert (gave_up.group, gave_up.last_actor) == ("all", "notifier")
        assert {post.status for post in desk.desk.posts.values()} == {Status.FAILED}
        assert desk.gave_up == []


def test_a_group_that_gives_up_is_restarted_whole_as_often_as_the_root_allows():
    root = policy(intensity=1)
    escalating = tree(group(*(spec(name) for name in ROLES), intensity=0), root=root)
    with RunningDesk(escalating) as desk:
        desk.say("crash 1")
        until(lambda: started(desk)[3:] == list(ROLES))
        assert desk.gave_up == []

        desk.say("crash 1 again")
        until(lambda: desk.gave_up)
        assert desk.gave_up[0].startswith("group all cannot be kept running")


def test_p03_an_actor_that_cannot_start_is_tried_again_and_then_given_up():
    tries = []

    def fail():
        tries.append(1)
        raise RuntimeError("no file")

    broken = tree(group(spec("watchdog"), spec("notifier", on_begin=fail), intensity=2))
    with RunningDesk(broken) as desk:
        until(lambda: desk.gave_up)

        assert len(tries) == 3
        assert ended(desk) == [("notifier", Ending.FAILED_START)] * 3
        assert "no file" in desk.said(ActorEnded)[0].error


def test_p03_an_actor_that_hangs_in_its_start_is_fenced_off_and_the_others_still_start():
    gate, tries = threading.Event(), []

    def hang_once():
        tries.append(1)
        if len(tries) == 1:
            gate.wait()

    slow = tree(group(spec("notifier", on_begin=hang_once)), group(spec("watchdog"), name="b"))
    with RunningDesk(slow, start_timeout_s=0.05) as desk:
        until(lambda: sorted(started(desk)) == ["notifier", "watchdog"])
        gate.set()

        assert ended(desk) == [("notifier", Ending.FAILED_START)]
        assert desk.desk.posts["notifier"].incarnation == 2


def test_stopping_goes_on_past_a_child_that_hangs_and_names_it():
    gate = threading.Event()
    hanging = tree(group(spec("watchdog"), spec("notifier", gate=gate), spec("scheduler")))
    desk = RunningDesk(hanging)
    desk.desk.start()
    desk.say("hang 9")
    until(lambda: desk.desk.posts["notifier"].pulse.busy_since_ns)

    hung = desk.desk.stop()
    gate.set()

    assert hung == ("notifier",)
    assert {desk.desk.posts[name].status for name in ROLES} == {Status.DOWN}


def test_stopping_lets_an_actor_handle_the_orders_that_wait_but_not_the_market_data():
    gate = threading.Event()
    with RunningDesk(tree(group(spec("notifier", gate=gate)))) as desk:
        desk.say("hang 1")
        until(lambda: desk.desk.posts["notifier"].pulse.busy_since_ns)
        mailbox, log = desk.desk.posts["notifier"].mailbox, desk.log
        for text, lane in (("quote", Lane.MARKET), ("order", Lane.ORDERS), ("fill", Lane.ORDERS)):
            mailbox.putter(lane)(log.say(note(text), "tester", 0, None, 0))
        stopper = threading.Thread(target=desk.desk.stop)
        stopper.start()
        until(lambda: desk.said(Quiesce))
        gate.set()
        stopper.join()

        handled = [each.envelope.body for each in desk.outcomes(Outcome.HANDLED)]
        assert [each.text for each in handled if isinstance(each, NotifyPerson)] == [
            "hang 1",
            "order",
            "fill",
        ]


def test_a_restart_by_hand_keeps_the_state_and_counts_as_no_failure():
    with RunningDesk(three(intensity=0)) as desk:
        desk.say("kept")
        until(lambda: desk.texts() == ["kept"])

        desk.desk.restart("notifier", by="test")

        assert desk.state() == {"texts": ["kept"], "begun": 2}
        assert ended(desk) == [("notifier", Ending.REPLACED_BY_HAND)]
        assert desk.gave_up == []


def test_a_restart_by_hand_during_a_backoff_leaves_nothing_to_start_later():
    wait_ns = 3 * 10**8
    with RunningDesk(three(backoff_min_ns=wait_ns, backoff_max_ns=wait_ns)) as desk:
        post = desk.desk.posts["notifier"]
        desk.say("crash 1")
        until(lambda: post.status is Status.RESTARTING)

        desk.desk.restart("notifier", by="test")
        again = post.incarnation
        later = threading.Event()
        desk.desk.call(lambda: desk.desk._do_later(2 * wait_ns, later.set))
        assert later.wait(30)

        assert post.status is Status.RUNNING
        assert post.incarnation == again


def test_a_message_that_ends_an_actor_while_it_is_being_replaced_is_not_lost():
    gate = threading.Event()
    with RunningDesk(tree(group(spec("notifier", gate=gate)))) as desk:
        desk.say("hang 1")
        desk.say("after")
        until(lambda: desk.desk.posts["notifier"].pulse.busy_since_ns)

        desk.desk.restart("notifier", by="test")  # it does not stop in time
        gate.set()

        until(lambda: desk.texts() == ["hang 1", "after"])
        assert len(desk.outcomes(Outcome.HUNG)) == 1


def test_one_that_cannot_start_does_not_keep_its_neighbours_from_starting():
    tries = []

    def fail_once():
        tries.append(1)
        if len(tries) == 1:
            raise RuntimeError("no file")

    neighbours = tree(group(spec("watchdog", on_begin=fail_once), spec("notifier")))
    with RunningDesk(neighbours) as desk:
        until(lambda: sorted(started(desk)) == ["notifier", "watchdog"])


def test_a_paused_actor_takes_nothing_until_it_goes_on():
    with RunningDesk(three()) as desk:
        desk.desk.pause("notifier", by="tester")
        desk.say("waits")
        desk.desk.call(lambda: None)
        assert desk.texts() == []

        desk.desk.unpause("notifier", by="tester")
        until(lambda: desk.texts() == ["waits"])


def test_a_temporary_actor_stays_down_after_a_crash():
    with RunningDesk(tree(group(spec(restart=Restart.TEMPORARY)))) as desk:
        desk.say("crash")
        until(lambda: desk.desk.posts["notifier"].status is Status.DOWN)
        assert len(started(desk)) == 1
