"""Instances that come and go while the desk runs: as asked, in order, and nothing forgotten."""

import threading

import pytest

from tests.actors.desks import RunningDesk, until
from tests.actors.watchers import Watcher, told, watching
from thetawarden.actors.post import ActorSpec, Status
from thetawarden.actors.roster import NoSuchRoleError
from thetawarden.actors.tree import Group, Template, Tree
from thetawarden.actors.vocabulary import MisfitError, check_tree
from thetawarden.domain.restart import GiveUp, Policy
from thetawarden.messages.lifecycle import (
    ActorEnded,
    ActorStarted,
    ChildrenChanged,
    GroupGaveUp,
    MessageUnclaimed,
)
from thetawarden.messages.timers import TimerFired
from thetawarden.supervisor import ADAPTERS


def tell(desk, underlying, words):
    desk.desk.say(told(underlying, words), sender="tester")


def ask(desk, *keys):
    desk.desk.ensure_children("chain", keys)


def texts(desk, key):
    return desk.state(f"chain/{key}")["texts"]


def started(desk):
    return [each.actor for each in desk.said(ActorStarted)]


def test_what_is_asked_for_is_started_in_order_and_hears_what_names_it():
    with RunningDesk(watching()) as desk:
        ask(desk, "SPX", "NDX")
        tell(desk, "SPX", "one")
        tell(desk, "NDX", "two")

        until(lambda: (texts(desk, "SPX"), texts(desk, "NDX")) == (["one"], ["two"]))
        assert started(desk) == ["notifier", "chain/SPX", "chain/NDX"]
        assert list(desk.desk.posts) == ["notifier", "chain/SPX", "chain/NDX"]
        assert desk.said(ChildrenChanged) == [ChildrenChanged(role="chain", keys=("SPX", "NDX"))]


def test_asking_again_for_the_same_changes_nothing():
    with RunningDesk(watching()) as desk:
        ask(desk, "SPX", "NDX")
        ask(desk, "NDX", "SPX", "SPX")

        assert started(desk) == ["notifier", "chain/SPX", "chain/NDX"]
        assert len(desk.said(ChildrenChanged)) == 1


def test_what_is_no_longer_asked_for_is_quiesced_and_stopped_and_not_reached_any_more():
    with RunningDesk(watching()) as desk:
        ask(desk, "SPX", "NDX")
        ask(desk, "NDX")
        tell(desk, "SPX", "late")

        assert list(desk.desk.posts) == ["notifier", "chain/NDX"]
        assert not [each for each in threading.enumerate() if each.name.startswith("chain/SPX")]
        assert [each.actor for each in desk.said(MessageUnclaimed)] == ["chain/SPX"]
        assert desk.said(ActorEnded) == []


def test_one_that_is_asked_for_again_goes_on_where_it_stopped():
    with RunningDesk(watching()) as desk:
        ask(desk, "SPX")
        tell(desk, "SPX", "one")
        until(lambda: texts(desk, "SPX") == ["one"])
        ask(desk)
        tell(desk, "SPX", "while away")
        ask(desk, "SPX")
        tell(desk, "SPX", "two")

        until(lambda: texts(desk, "SPX") == ["one", "two"])
        assert desk.state("chain/SPX")["begun"] == 2
        assert desk.state("chain/SPX")["quiesced"] == 1
        assert desk.desk.posts["chain/SPX"].incarnation == 2


def test_a_timer_of_one_that_left_waits_until_it_is_back():
    with RunningDesk(watching()) as desk:
        ask(desk, "SPX")
        tell(desk, "SPX", "wake 0.2")
        until(lambda: texts(desk, "SPX") == ["wake 0.2"])
        ask(desk)
        passed = threading.Event()
        desk.desk.call(lambda: desk.desk._do_later(4 * 10**8, passed.set))
        assert passed.wait(30)
        assert desk.said(TimerFired) == []

        ask(desk, "SPX")

        until(lambda: texts(desk, "SPX") == ["wake 0.2", "woken alarm"])


def test_a_child_that_crashes_is_restarted_with_its_state_like_any_other():
    with RunningDesk(watching()) as desk:
        ask(desk, "SPX", "NDX")
        for words in ("one", "crash 1", "two"):
            tell(desk, "SPX", words)

        until(lambda: texts(desk, "SPX") == ["one", "crash 1", "two"])
        assert started(desk) == ["notifier", "chain/SPX", "chain/NDX", "chain/SPX"]


def test_a_child_can_be_paused_restarted_and_looked_into_by_name():
    with RunningDesk(watching()) as desk:
        ask(desk, "SPX")
        desk.desk.pause("chain/SPX", by="test")
        tell(desk, "SPX", "one")
        assert desk.desk.router.backlog("chain/SPX") == 0
        desk.desk.unpause("chain/SPX", by="test")
        until(lambda: texts(desk, "SPX") == ["one"])
        desk.desk.restart("chain/SPX", by="test")

        assert desk.state("chain/SPX") == {"texts": ["one"], "begun": 2, "quiesced": 0}
        assert [each.actor for each in desk.desk.call(desk.desk._overseer.vitals)] == [
            "notifier",
            "chain/SPX",
        ]


def test_children_of_a_group_that_gave_up_stay_down_and_so_do_those_asked_for_later():
    degrading = watching(intensity=0, give_up=GiveUp.DEGRADE)
    with RunningDesk(degrading) as desk:
        ask(desk, "SPX")
        tell(desk, "SPX", "crash 9")
        until(lambda: desk.said(GroupGaveUp))
        ask(desk, "SPX", "NDX")

        posts = desk.desk.posts
        assert posts["chain/SPX"].status is posts["chain/NDX"].status is Status.FAILED
        assert "chain/NDX" not in started(desk)
        assert desk.gave_up == []


def test_a_desk_that_stops_stops_its_children_first():
    desk = RunningDesk(watching())
    desk.desk.start()
    ask(desk, "SPX", "NDX")

    assert desk.desk.stop() == ()
    assert {post.status for post in desk.desk.posts.values()} == {Status.DOWN}


def test_instances_of_a_role_without_a_template_are_refused_by_name():
    with RunningDesk(watching()) as desk, pytest.raises(NoSuchRoleError) as refusal:
        desk.desk.ensure_children("keeper", ("X",))

    assert str(refusal.value) == "no template makes instances of 'keeper'; there are: chain"


def test_a_template_that_makes_another_name_is_refused():
    wrong = Template(role="chain", kind=Watcher, make=lambda key: ActorSpec(name=key, kind=Watcher))

    with pytest.raises(ValueError, match="the template of chain makes 'SPX' for 'SPX'"):
        wrong.spec("SPX")


class Deaf:
    def receive(self, message: ActorStarted, now: int) -> tuple[ChildrenChanged, ...]:
        raise NotImplementedError


def test_what_is_said_to_a_role_without_instances_is_checked_all_the_same():
    def tree(kind):
        template = Template(role="watchdog", kind=kind, make=lambda _: None)
        group = Group(name="g", policy=Policy(), actors=(), template=template)
        return Tree(root=Policy(), groups=(group,))

    with pytest.raises(MisfitError) as refusal:
        check_tree(tree(Deaf), adapters=ADAPTERS)

    assert "supervisor says ActorEnded to watchdog, which does not handle it" in str(refusal.value)
    assert "supervisor says ActorStarted to watchdog" not in str(refusal.value)
