"""Virtual time: the whole desk in one thread, the same every time."""

import datetime as dt
import logging

import numpy as np
import pytest

from tests.actors.desks import Sink, note, policy, spec, tree
from thetawarden.actors.post import Status
from thetawarden.actors.tree import Group
from thetawarden.config.schema import Config
from thetawarden.domain.instants import NS_PER_SECOND, new_york_ns
from thetawarden.domain.restart import Strategy
from thetawarden.infra.alerts.log import LogAlerts
from thetawarden.messages.lifecycle import ActorEnded, ActorStarted, GroupGaveUp, Quiesce
from thetawarden.messages.operations import (
    AlertDelivered,
    NotifyPerson,
    TradingDayStarted,
    Urgency,
)
from thetawarden.messages.trading import Halt, Resume, TradingHalted
from thetawarden.ports import Delivery, Outcome
from thetawarden.sim.clock import VirtualClock
from thetawarden.sim.faults.meddler import FaultMeddler
from thetawarden.sim.log import MemoryLog
from thetawarden.sim.meddling import Mishap
from thetawarden.sim.runtime import SimDesk
from thetawarden.supervisor import ADAPTERS, desk_tree

MONDAY = new_york_ns(dt.date(2026, 2, 2), dt.time(23, 59))


class Alerts:
    def perform(self, envelope, /):
        return (AlertDelivered(number=envelope.body.number),)


def simulate(seed, *, a_tree=None, adapters=None, seconds=0, act=lambda _desk: None, meddler=None):
    silent = {name: Sink() for name in ADAPTERS}
    adapters = silent | {"alerts": Alerts()} | (adapters or {})
    desk = SimDesk(
        tree=a_tree or desk_tree(Config()),
        log=MemoryLog(),
        clock=VirtualClock(MONDAY),
        seed=seed,
        adapters=adapters,
        meddler=meddler,
        snapshot_every=40,
    )
    desk.start_all()
    act(desk)
    desk.run_until(MONDAY + seconds * NS_PER_SECOND)
    return desk


def said(desk, kind):
    return [each.body for each in desk.log.records if type(getattr(each, "body", None)) is kind]


def storm(desk):
    """Traffic from a generator of its own: halts, resumes and notes, several at a time."""
    rng = np.random.default_rng(7)
    for _ in range(200):
        choice = int(rng.integers(4))
        body = [
            Halt(reason="storm", by="test"),
            Resume(reason="calm", by="test", epoch=int(rng.integers(1, 5))),
            NotifyPerson(urgency=Urgency.LOW, topic="a", text="b"),
            NotifyPerson(urgency=Urgency.HIGH, topic="c", text="d"),
        ][choice]
        desk.after(
            int(rng.integers(1, 30)) * 10 * NS_PER_SECOND,
            lambda body=body: desk.router.say(body, sender="person"),
        )


@pytest.mark.parametrize("seed", [1, 2, 20260203])
def test_the_same_seed_twice_gives_the_same_log_byte_for_byte(seed):
    one = simulate(seed, seconds=300, act=storm)
    two = simulate(seed, seconds=300, act=storm)

    assert len(one.log.records) > 1_500
    assert one.log.dump() == two.log.dump()


def test_another_seed_takes_another_order_to_the_same_end():
    dumps = {simulate(seed, seconds=300, act=storm).log.dump() for seed in range(5)}
    halts = {len(said(simulate(seed, seconds=300, act=storm), TradingHalted)) for seed in range(3)}

    assert len(dumps) > 1
    assert len(halts) == 1


def test_time_jumps_to_the_next_timer_and_the_day_is_announced_at_midnight():
    desk = simulate(1, seconds=120)

    assert said(desk, TradingDayStarted) == [
        TradingDayStarted(day="2026-02-02"),
        TradingDayStarted(day="2026-02-03"),
    ]
    turned = [
        each.at_ns
        for each in desk.log.records
        if type(getattr(each, "body", None)) is TradingDayStarted
    ]
    assert turned == [MONDAY, MONDAY + 60 * NS_PER_SECOND]
    assert desk.clock.now_ns() == MONDAY + 120 * NS_PER_SECOND


def test_the_watchdog_stays_calm_while_vitals_keep_coming():
    assert said(simulate(3, seconds=600), Halt) == []


def test_a_crash_is_supervised_in_virtual_time_as_on_threads():
    slow = policy(backoff_min_ns=2 * NS_PER_SECOND, backoff_max_ns=2 * NS_PER_SECOND)
    one = tree(Group(name="all", policy=slow, actors=(spec("notifier"), spec("watchdog"))))

    def act(desk):
        for text in ("kept", "crash 1", "after"):
            desk.router.say(note(text), sender="test")

    desk = simulate(1, a_tree=one, seconds=10, act=act)

    times = [
        each.at_ns
        for each in desk.log.records
        if type(getattr(each, "body", None)) in {ActorEnded, ActorStarted}
    ]
    assert times[-1] - times[-2] == 2 * NS_PER_SECOND
    cell, _ = desk._cells["notifier"]
    assert cell.actor.state.texts == ["kept", "crash 1", "after"]


def test_giving_up_ends_the_simulation_with_its_reason():
    one = tree(Group(name="all", policy=policy(intensity=0), actors=(spec("notifier"),)))

    desk = simulate(
        1, a_tree=one, seconds=10, act=lambda desk: desk.router.say(note("crash"), sender="t")
    )

    assert desk.gave_up.startswith("group all cannot be kept running")
    assert said(desk, GroupGaveUp)
    assert desk.posts["notifier"].status is Status.FAILED


def test_every_alert_asked_for_is_delivered():
    desk = simulate(5, seconds=300, act=storm)

    cell, _ = desk._cells["notifier"]
    assert cell.actor.state.outbox == {}
    assert len(said(desk, AlertDelivered)) >= len(said(desk, NotifyPerson))


def test_alerts_to_the_log_are_reported_as_delivered(caplog):
    adapters = {
        "alerts": LogAlerts(logging.getLogger("t")),
        "halt_flag": Sink(),
        "log_rotation": Sink(),
    }
    simulate(
        1,
        adapters=adapters,
        seconds=5,
        act=lambda desk: desk.router.say(Halt(reason="r", by="b"), sender="p"),
    )

    assert [(each.levelname, each.text) for each in caplog.records if each.message == "alert"] == [
        ("CRITICAL", "Trading halted by b: r (epoch 1)")
    ]


def test_a_source_of_the_simulation_speaks_in_its_own_name_and_is_stopped_at_the_end():
    class Feed(Sink):
        stopped = False

        def start(self, desk):
            self.desk = desk
            desk.say(NotifyPerson(urgency=Urgency.LOW, topic="feed", text="up"))

        def stop(self):
            self.stopped = True

    feed = Feed()
    desk = simulate(1, adapters={"alerts": Alerts(), "halt_flag": Sink(), "log_rotation": feed})
    assert feed.desk.backlog("watchdog") == 0
    desk.run_until(MONDAY + NS_PER_SECOND)
    assert desk.stop_all() == ()

    senders = [
        each.sender for each in desk.log.records if type(getattr(each, "body", 0)) is NotifyPerson
    ]
    assert "effect:log_rotation" in senders
    assert feed.stopped


def test_one_that_is_no_longer_asked_for_handles_its_orders_before_it_leaves():
    def act(desk):
        desk.overseer.children.ensure("chain", ("XSP", "SPY"))
        desk.overseer.children.ensure("chain", ("XSP",))

    desk = simulate(3, act=act, seconds=5)
    handled = [
        each.envelope.body
        for each in desk.log.records
        if getattr(each, "actor", "") == "chain/SPY" and hasattr(each, "envelope")
    ]
    assert Quiesce() in handled
    assert "chain/SPY" not in desk.posts
    assert desk.state_of("chain/XSP") is not None


def test_what_ends_an_actor_while_it_is_stopped_for_its_groups_sake_comes_again():
    together = policy(strategy=Strategy.ONE_FOR_ALL)
    one = tree(Group(name="all", policy=together, actors=(spec("notifier"), spec("watchdog"))))
    meddler = FaultMeddler()

    def act(desk):
        desk.router.tell("notifier", Quiesce(), sender="test")
        meddler.strike("notifier", Mishap.CRASH)
        desk.overseer.restart_by_hand("watchdog", by="test")

    desk = simulate(1, a_tree=one, seconds=10, act=act, meddler=meddler)

    handled = [
        (each.incarnation, each.outcome)
        for each in desk.log.records
        if type(each) is Delivery and type(each.envelope.body) is Quiesce
    ]
    assert handled == [(1, Outcome.CRASHED), (2, Outcome.HANDLED)]
