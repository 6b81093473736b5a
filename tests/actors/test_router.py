"""The router: everybody the table names, nobody else, and no silence when a mailbox is full."""

from hypothesis import given
from hypothesis import strategies as st

from tests.actors.desks import note
from thetawarden.actors.mailbox import Bounds
from thetawarden.actors.post import ActorSpec, Post
from thetawarden.actors.router import Router
from thetawarden.domain.vitals import Vitals
from thetawarden.messages.base import Lane
from thetawarden.messages.lifecycle import MailboxOverflowed, MessageUnclaimed
from thetawarden.messages.operations import (
    AlertDelivered,
    DeliverAlert,
    NotifyPerson,
    Urgency,
    VitalsTaken,
)
from thetawarden.messages.registry import Route
from thetawarden.messages.timers import StartTimer
from thetawarden.sim.clock import VirtualClock
from thetawarden.sim.log import MemoryLog


class Recorder:
    def __init__(self):
        self.obeyed, self.performed = [], []

    def obey(self, command):
        self.obeyed.append(command)

    def perform(self, adapter, envelope):
        self.performed.append((adapter, envelope))


def router(*names, bounds=None, routes=None):
    world, log, clock = Recorder(), MemoryLog(), VirtualClock(1_000_000_000_000)
    settings = {} if routes is None else {"routes": routes}
    built = Router(log=log, clock=clock, timekeeper=world, effects=world, **settings)
    built.open(Post(ActorSpec(name=name, kind=object, bounds=bounds or Bounds())) for name in names)
    return built, world, log, clock


def waiting(built, name):
    return built.posts[name].mailbox.depths()


def vitals():
    return VitalsTaken(vitals=Vitals(actors=(), log_lag_ns=0, disk_free_bytes=1))


def test_a_role_reaches_every_actor_that_plays_it():
    routes = {
        AlertDelivered: Route(to=("chain",), lane=Lane.ORDERS),
        MailboxOverflowed: Route(to=(), lane=Lane.CONTROL),
    }
    built, *_ = router("chain/SPX", "chain/SPY", "keeper", routes=routes)

    built.say(AlertDelivered(number=1), sender="x")

    assert [waiting(built, name)[Lane.ORDERS] for name in built.posts] == [1, 1, 0]


def test_timers_go_to_the_timekeeper_and_effects_to_their_adapter():
    built, world, *_ = router("notifier")
    timer = built.say(StartTimer(name="t", after_ns=5), sender="notifier")
    alert = DeliverAlert(number=1, urgency=Urgency.LOW, topic="t", text="x")
    effect = built.say(alert, sender="notifier")

    assert world.obeyed == [timer]
    assert world.performed == [("alerts", effect)]
    assert waiting(built, "notifier") == (0, 0, 0, 0)


def test_a_full_mailbox_is_reported_once_a_minute_and_by_name():
    built, _, log, clock = router("notifier", "watchdog", bounds=Bounds(timer=1))

    for _ in range(5):
        built.say(note("x"), sender="x")
    clock.advance(61 * 10**9)
    built.say(note("x"), sender="x")

    overflows = [each.body for each in log.records if type(each.body) is MailboxOverflowed]
    assert (
        overflows
        == [MailboxOverflowed(actor="notifier", lane="timer", depth=1, kind="NotifyPerson")] * 2
    )
    assert waiting(built, "watchdog")[Lane.CONTROL] == 2


def test_market_data_stops_when_the_disk_is_full_and_nothing_else_does():
    built, *_ = router("watchdog", "notifier")
    built.takes_market_data = False

    built.say(vitals(), sender="x")
    built.say(note("x"), sender="x")

    assert waiting(built, "watchdog") == (0, 0, 0, 0)
    assert waiting(built, "notifier") == (0, 0, 1, 0)


def test_newer_vitals_replace_those_that_wait():
    built, *_ = router("watchdog")
    for _ in range(3):
        built.say(vitals(), sender="x")

    assert waiting(built, "watchdog")[Lane.MARKET] == 1


def test_the_backlog_is_the_market_data_an_actor_has_not_taken_and_nothing_else():
    routes = {
        AlertDelivered: Route(to=("chain",), lane=Lane.MARKET),
        DeliverAlert: Route(to=("chain",), lane=Lane.TIMER),
    }
    built, *_ = router("chain/SPX", routes=routes)

    for _ in range(3):
        built.say(AlertDelivered(number=1), sender="x")
    alert = DeliverAlert(number=1, urgency=Urgency.LOW, topic="t", text="x")
    built.say(alert, sender="x")

    assert built.backlog("chain/SPX") == 3
    assert built.backlog("chain/NDX") == 0


KEYED = {
    NotifyPerson: Route(to=("chain", "keeper", "effect:lake"), lane=Lane.TIMER, key="topic"),
    DeliverAlert: Route(to=("chain",), lane=Lane.MARKET, key="topic"),
    AlertDelivered: Route(to=("chain",), lane=Lane.TIMER),
    MessageUnclaimed: Route(to=("keeper",), lane=Lane.CONTROL),
}


def about(topic):
    return NotifyPerson(urgency=Urgency.LOW, topic=topic, text="x")


def unclaimed(log):
    return [each.body for each in log.records if type(each.body) is MessageUnclaimed]


def test_a_key_picks_the_instance_and_other_roles_get_it_as_usual():
    built, world, *_ = router("chain/SPX", "chain/NDX", "keeper", routes=KEYED)

    said = built.say(about("SPX"), sender="x")
    built.say(AlertDelivered(number=1), sender="x")

    depths = {name: waiting(built, name)[Lane.TIMER] for name in built.posts}
    assert depths == {"chain/SPX": 2, "chain/NDX": 1, "keeper": 1}
    assert world.performed == [("lake", said)]


def test_what_is_for_an_instance_that_is_not_there_is_reported_and_never_lost_in_silence():
    built, _, log, _ = router("chain/SPX", "keeper", routes=KEYED)

    first = built.say(about("NDX"), sender="x")
    built.say(about("NDX"), sender="x")

    report = MessageUnclaimed(
        actor="chain/NDX", lane="timer", kind="NotifyPerson", message_seq=first.seq
    )
    assert unclaimed(log) == [report]
    assert waiting(built, "chain/SPX") == (0, 0, 0, 0)
    assert waiting(built, "keeper") == (1, 0, 2, 0)


def test_market_data_that_nobody_watches_is_recorded_and_that_is_all():
    built, _, log, _ = router("keeper", routes=KEYED)
    alert = DeliverAlert(number=1, urgency=Urgency.LOW, topic="NDX", text="x")

    built.say(alert, sender="x")

    assert [each.body for each in log.records] == [alert]


def test_a_post_that_is_opened_later_is_reached_and_one_that_is_shut_is_not():
    built, _, log, _ = router("keeper", routes=KEYED)
    post = Post(ActorSpec(name="chain/SPX", kind=object))

    built.open([post])
    built.say(about("SPX"), sender="x")
    assert post.mailbox.depths() == (0, 0, 1, 0)

    built.shut([post])
    built.say(about("SPX"), sender="x")
    built.tell("chain/SPX", about("SPX"), sender="x")
    assert post.mailbox.depths() == (0, 0, 1, 0)
    assert "chain/SPX" not in built.posts
    assert len(unclaimed(log)) == 1


@given(
    keys=st.sets(st.sampled_from(["SPX", "NDX", "RUT", "XSP"])),
    said=st.lists(st.sampled_from(["SPX", "NDX", "RUT", "XSP", ""])),
)
def test_each_instance_gets_exactly_what_names_it(keys, said):
    built, *_ = router(*(f"chain/{key}" for key in sorted(keys)), "keeper", routes=KEYED)

    for key in said:
        built.say(about(key), sender="x")

    for key in keys:
        assert waiting(built, f"chain/{key}")[Lane.TIMER] == said.count(key)
    assert waiting(built, "keeper")[Lane.TIMER] == len(said)
