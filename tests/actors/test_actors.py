"""The actors one by one, without threads: what they hear, what they say, what they remember."""

import datetime as dt

import pytest

from tests.actors.governed import settings
from thetawarden.actors.governor import Governor
from thetawarden.actors.notifier import Notifier
from thetawarden.actors.scheduler import Scheduler
from thetawarden.actors.watchdog import DOUBT, SILENCE, Watchdog
from thetawarden.domain.halt import HaltRecord, ResumeRefusal
from thetawarden.domain.instants import new_york_ns
from thetawarden.domain.market.sessions import Exchange, load_sessions
from thetawarden.domain.restart import Ending
from thetawarden.domain.vitals import ActorVitals, VitalLimits, Vitals
from thetawarden.messages.lifecycle import (
    ActorEnded,
    ActorStarted,
    Begin,
    EffectFailed,
    GroupGaveUp,
    MailboxOverflowed,
    MessageParked,
    MessageUnclaimed,
    Quiesce,
)
from thetawarden.messages.operations import (
    AlertDelivered,
    DeliverAlert,
    HealthChanged,
    NotifyPerson,
    TradingDayStarted,
    Urgency,
    VitalsTaken,
)
from thetawarden.messages.timers import CancelTimer, StartTimer, TimerFired
from thetawarden.messages.trading import (
    AdoptHaltFlag,
    Halt,
    Resume,
    ResumeRefused,
    TradingHalted,
    TradingResumed,
)

T0 = new_york_ns(dt.date(2026, 2, 3), dt.time(10, 0))
BEGIN = Begin(incarnation=1, resumed=False)


def only(said, kind):
    return [each for each in said if isinstance(each, kind)]


# governor


def test_a_halt_is_said_once_with_its_cause_and_a_person_is_told():
    governor = Governor(settings=settings())

    first = governor.receive(Halt(reason="stale", by="watchdog"), T0)
    second = governor.receive(Halt(reason="again", by="person"), T0 + 1)

    record = HaltRecord(epoch=1, reason="stale", by="watchdog", at_ns=T0)
    assert only(first, TradingHalted) == [TradingHalted(halt=record)]
    assert only(first, NotifyPerson)[0].urgency is Urgency.CRITICAL
    assert second == ()


def test_a_halted_governor_says_so_again_when_it_begins_so_that_the_flag_stands():
    governor = Governor(settings=settings())
    (halted, _) = governor.receive(Halt(reason="stale", by="watchdog"), T0)

    assert halted in governor.receive(BEGIN, T0 + 1)
    said = Governor(settings=settings()).receive(BEGIN, T0)
    assert only(said, TradingHalted) == []


def test_h04_a_resume_of_another_epoch_is_refused_and_changes_nothing():
    governor = Governor(settings=settings())
    governor.receive(Halt(reason="stale", by="watchdog"), T0)

    (refused,) = governor.receive(Resume(reason="ok", by="me", epoch=0), T0)

    assert refused == ResumeRefused(
        refusal=ResumeRefusal.WRONG_EPOCH, asked_epoch=0, current_epoch=1, by="me"
    )
    assert governor.state.latch.halt is not None


def test_a_resume_of_the_epoch_in_force_lifts_the_halt():
    governor = Governor(settings=settings())
    governor.receive(Halt(reason="stale", by="watchdog"), T0)

    said = governor.receive(Resume(reason="feed is back", by="me", epoch=1), T0)

    assert said[0] == TradingResumed(epoch=1, reason="feed is back", by="me")
    assert governor.state.latch.halt is None


def test_a_flag_put_there_by_hand_halts_and_one_left_over_from_a_lifted_halt_is_taken_down():
    governor = Governor(settings=settings())
    governor.receive(Halt(reason="stale", by="watchdog"), T0)
    governor.receive(Resume(reason="ok", by="me", epoch=1), T0)
    leftover = HaltRecord(epoch=1, reason="stale", by="watchdog", at_ns=T0)
    touched = HaltRecord(epoch=0, reason="unreadable", by="halt flag", at_ns=0)

    (down,) = governor.receive(AdoptHaltFlag(halt=leftover), T0)
    up = governor.receive(AdoptHaltFlag(halt=touched), T0)

    assert isinstance(down, TradingResumed)
    assert up[0].halt.epoch == 2


# watchdog


def watchdog():
    return Watchdog(
        limits=VitalLimits(queued_max=10),
        silence_ns_max=6_000_000_000,
        sessions=load_sessions(Exchange.NYSE),
    )


def look(queued):
    actor = ActorVitals(actor="keeper", incarnation=1, handled=0, busy_ns=0, queued=queued)
    return VitalsTaken(vitals=Vitals(actors=(actor,), log_lag_ns=0, disk_free_bytes=1 << 40))


def test_an_ailing_desk_is_halted_once_and_its_recovery_resumes_nothing():
    dog = watchdog()

    ill, still_ill, well = (dog.receive(look(queued), T0) for queued in (11, 12, 0))

    assert only(ill, Halt) == [
        Halt(reason="keeper has 11 messages waiting, at most 10", by="watchdog")
    ]
    assert only(still_ill, Halt) == []
    assert only(well, HealthChanged) == [HealthChanged(findings=())]
    assert only(well, (Halt, Resume)) == []


def test_silence_of_the_supervisor_is_a_halt():
    dog = watchdog()
    rearmed = StartTimer(name=SILENCE, after_ns=6_000_000_000)

    assert dog.receive(BEGIN, T0) == (rearmed,)
    assert dog.receive(look(0), T0)[0] == rearmed
    assert dog.receive(TimerFired(name=SILENCE), T0) == (
        StartTimer(name=DOUBT, after_ns=3_000_000_000),
    )
    said = dog.receive(TimerFired(name=DOUBT), T0)
    assert only(said, Halt) == [Halt(reason="no vital signs for 6 s", by="watchdog")]
    assert CancelTimer(name=SILENCE) in dog.receive(Quiesce(), T0)


def test_p09_a_clock_that_jumped_is_no_silence():
    dog = watchdog()
    dog.receive(look(0), T0)

    dog.receive(TimerFired(name=SILENCE), T0)
    said = dog.receive(look(0), T0)

    assert CancelTimer(name=DOUBT) in said
    assert only(said, Halt) == []


@pytest.mark.parametrize(
    "event",
    [
        GroupGaveUp(group="market", last_actor="chain/SPX"),
        MailboxOverflowed(actor="keeper", lane="orders", depth=10_001, kind="Filled"),
    ],
)
def test_what_may_have_lost_sight_of_a_position_is_a_halt(event):
    assert only(watchdog().receive(event, T0), Halt)


@pytest.mark.parametrize(
    "event",
    [
        GroupGaveUp(group="market", last_actor="chain/SPX"),
        MailboxOverflowed(actor="keeper", lane="orders", depth=10_001, kind="Filled"),
        MessageUnclaimed(actor="chain/SPX", lane="orders", kind="Filled", message_seq=8),
    ],
)
def test_why_it_halts_is_told_also_while_something_else_has_halted_already(event):
    """A halt while halted is none: the governor would tell nobody of it."""
    said = watchdog().receive(event, T0)

    (halt,), (told,) = only(said, Halt), only(said, NotifyPerson)
    assert told.text == halt.reason
    assert told.urgency is Urgency.HIGH


@pytest.mark.parametrize(
    "event",
    [
        MessageParked(actor="keeper", message_seq=7, kind="Filled"),
        EffectFailed(adapter="lake", kind="FlushLake", error="unreachable"),
        MessageUnclaimed(actor="chain/SPX", lane="timer", kind="Qualified", message_seq=8),
        ActorEnded(actor="a", incarnation=1, ending=Ending.HUNG, error="slow", message_seq=3),
    ],
)
def test_what_a_person_should_know_is_told(event):
    assert only(watchdog().receive(event, T0), NotifyPerson)


@pytest.mark.parametrize("lane", ["control", "orders"])
def test_an_order_or_a_control_message_that_nobody_took_halts(lane):
    lost = MessageUnclaimed(actor="chain/SPX", lane=lane, kind="Filled", message_seq=8)

    said = watchdog().receive(lost, T0)

    (halt,) = only(said, Halt)
    assert halt == Halt(reason="Filled 8 is for chain/SPX, which is not there", by="watchdog")


def test_an_orderly_ending_and_a_start_are_no_news():
    dog = watchdog()
    orderly = ActorEnded(
        actor="a", incarnation=1, ending=Ending.REPLACED_BY_HAND, error="", message_seq=None
    )

    assert dog.receive(orderly, T0) == ()
    assert dog.receive(ActorStarted(actor="a", incarnation=2, resumed=True), T0) == ()
    assert dog.state.abnormal_endings == {}


# scheduler

WEEK = (
    ("intraday 2026-02-03", 3, (10, 30)),
    ("close 2026-02-03", 3, (16, 0)),
    ("reconcile 2026-02-03", 3, (16, 20)),
    ("stress 2026-02-03", 3, (17, 0)),
    ("learn 2026-02-03", 3, (17, 30)),
    ("trading day 2026-02-04", 4, (0, 0)),
    ("pre market 2026-02-04", 4, (8, 45)),
)


def a_scheduler():
    return Scheduler(sessions=load_sessions(Exchange.NYSE))


def test_each_trading_day_is_announced_once_even_when_the_desk_slept_through_its_start():
    scheduler = a_scheduler()

    first = scheduler.receive(BEGIN, T0)
    again = scheduler.receive(BEGIN, T0 + 1)
    days_later = scheduler.receive(BEGIN, T0 + 3 * 86_400 * 10**9)

    assert only(first, TradingDayStarted) == [TradingDayStarted(day="2026-02-03")]
    assert only(again, TradingDayStarted) == []
    assert only(days_later, TradingDayStarted) == [TradingDayStarted(day="2026-02-06")]


@pytest.mark.parametrize(
    ("day", "hours"),
    [(dt.date(2026, 3, 8), 23), (dt.date(2026, 11, 1), 25), (dt.date(2026, 6, 1), 24)],
)
def test_the_next_day_is_awaited_for_as_long_as_the_day_really_is(day, hours):
    midnight = new_york_ns(day, dt.time())

    a = a_scheduler()
    a.receive(BEGIN, midnight)

    (turn,) = [each for each in a.state.next_events if each.name.startswith("trading day")]
    assert turn.at_ns - midnight == hours * 3_600 * 10**9


def test_the_scheduler_shows_what_comes_next():
    scheduler = a_scheduler()
    said = scheduler.receive(BEGIN, T0)

    shown = [(each.name, each.at_ns) for each in scheduler.state.next_events]
    at = {name: new_york_ns(dt.date(2026, 2, day), dt.time(*clock)) for name, day, clock in WEEK}
    assert shown == list(at.items())
    assert only(said, StartTimer)[0].after_ns == shown[0][1] - T0


# notifier


def test_an_alert_waits_in_the_outbox_until_it_has_left_the_desk():
    notifier = Notifier()
    wanted = NotifyPerson(urgency=Urgency.HIGH, topic="halt", text="halted")

    (alert,) = notifier.receive(wanted, T0)
    assert alert == DeliverAlert(number=1, urgency=Urgency.HIGH, topic="halt", text="halted")
    assert notifier.receive(Begin(incarnation=2, resumed=True), T0) == (alert,)

    notifier.receive(AlertDelivered(number=1), T0)
    assert notifier.receive(Begin(incarnation=3, resumed=True), T0) == ()


def test_a_delivery_reported_twice_or_for_nothing_changes_nothing():
    notifier = Notifier()

    assert notifier.receive(AlertDelivered(number=9), T0) == ()
    assert notifier.state.outbox == {}
