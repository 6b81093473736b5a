"""The router: everybody the table names, nobody else, and no silence when a mailbox is full."""

from tests.actors.desks import note
from thetawarden.actors.mailbox import Bounds
from thetawarden.actors.post import ActorSpec, Post
from thetawarden.actors.router import Router
from thetawarden.domain.vitals import Vitals
from thetawarden.messages.base import Lane
from thetawarden.messages.lifecycle import MailboxOverflowed
from thetawarden.messages.operations import (
    AlertDelivered,
    DeliverAlert,
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
