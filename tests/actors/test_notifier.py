"""The notifier: every alert leaves by every channel it is for, and none is told too often."""

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from thetawarden.actors.notifier import DIGEST, REMIND, RETRY, Notifier
from thetawarden.domain.alerts.matters import RISING, Urgency
from thetawarden.domain.alerts.rules import AlertRules, quiet_until_ns
from thetawarden.domain.halt import HaltRecord, TradingState
from thetawarden.domain.instants import NS_PER_SECOND, UnixNs, new_york_ns
from thetawarden.domain.orders.intent import OrderRole
from thetawarden.domain.orders.stages import Stage
from thetawarden.domain.risk.brakes import Brake, BrakeDemand, BrakeLevel, BrakeName
from thetawarden.domain.risk.recovery import RecoveryPhase
from thetawarden.messages.books import PositionExplained
from thetawarden.messages.lifecycle import Begin
from thetawarden.messages.operations import (
    AlertDelivered,
    AlertFailed,
    DeliverAlert,
    NotifyPerson,
)
from thetawarden.messages.orders import OrderStageChanged
from thetawarden.messages.risk import RiskTaken
from thetawarden.messages.timers import CancelTimer, StartTimer, TimerFired
from thetawarden.messages.trading import TradingHalted, TradingResumed

S = NS_PER_SECOND
T0 = new_york_ns(dt.date(2026, 2, 3), dt.time(10))
RULES = AlertRules(
    low=("mail",),
    normal=("mail",),
    high=("mail", "push"),
    critical=("mail", "push", "sms"),
    escalate_ns=60 * S,
    retry_ns_min=5 * S,
    retry_ns_max=40 * S,
    same_ns=900 * S,
    per_hour_max=3,
    digest_ns=900 * S,
    remind_ns=1800 * S,
)


def note(text="x", urgency=Urgency.NORMAL, topic="t"):
    return NotifyPerson(urgency=urgency, topic=topic, text=text)


def sent(said):
    """What left by a channel; the log is always told and left out here."""
    return [each for each in said if isinstance(each, DeliverAlert) and each.channel]


def channels(said):
    return [each.channel for each in sent(said)]


def timers(said):
    return {each.name: each.after_ns for each in said if isinstance(each, StartTimer)}


def test_each_urgency_leaves_by_its_own_channels_and_the_log_is_always_told():
    for urgency, expected in (
        (Urgency.LOW, ["mail"]),
        (Urgency.HIGH, ["mail", "push"]),
        (Urgency.CRITICAL, ["mail", "push", "sms"]),
    ):
        said = Notifier(rules=RULES).receive(note(urgency=urgency), T0)
        assert channels(said) == expected
        assert next(each.channel for each in said if isinstance(each, DeliverAlert)) == ""


def test_what_is_critical_leaves_by_any_channel_there_is_when_it_has_none_of_its_own():
    rules = AlertRules(low=("mail",), high=("phone", "mail"))

    assert rules.channels(Urgency.CRITICAL) == ("phone", "mail")
    assert rules.channels(Urgency.NORMAL) == ()
    assert AlertRules().channels(Urgency.CRITICAL) == ()


def test_what_has_not_left_by_every_channel_is_said_again_by_the_next_incarnation():
    notifier = Notifier(rules=RULES)
    notifier.receive(note(urgency=Urgency.HIGH), T0)
    notifier.receive(AlertDelivered(number=1), T0)
    notifier.receive(AlertDelivered(number=1, channel="mail"), T0)

    said = notifier.receive(Begin(incarnation=2, resumed=True), T0 + S)

    assert channels(said) == ["push"]
    notifier.receive(AlertDelivered(number=1, channel="push"), T0 + S)
    assert notifier.state.outbox == {}


def test_a_channel_that_fails_is_tried_again_after_waits_that_double_up_to_a_bound():
    notifier, now, waits = Notifier(rules=RULES), T0, []
    notifier.receive(note(urgency=Urgency.CRITICAL), now)
    for name in ("", "mail", "push"):
        notifier.receive(AlertDelivered(number=1, channel=name), now)

    for _ in range(6):
        said = notifier.receive(AlertFailed(number=1, channel="sms", words="no"), now)
        waits.append(timers(said)[RETRY] // S)
        now = UnixNs(now + timers(said)[RETRY])
        assert channels(notifier.receive(TimerFired(name=RETRY), now)) == ["sms"]

    assert waits == [5, 10, 20, 40, 40, 40]


def test_what_no_channel_takes_in_time_is_told_by_the_more_urgent_ones_once():
    notifier = Notifier(rules=RULES)
    notifier.receive(note(urgency=Urgency.NORMAL), T0)
    notifier.receive(AlertFailed(number=1, channel="mail", words="no"), T0 + S)

    early = notifier.receive(TimerFired(name=RETRY), T0 + 6 * S)
    late = notifier.receive(TimerFired(name=RETRY), T0 + 60 * S)
    again = notifier.receive(TimerFired(name=RETRY), T0 + 61 * S)

    assert channels(early) == ["mail"]
    assert channels(late) == ["push", "sms"]
    assert channels(again) == []


def test_a_channel_that_hangs_is_made_up_for_as_well():
    notifier = Notifier(rules=RULES)
    said = notifier.receive(note(urgency=Urgency.HIGH), T0)

    assert timers(said)[RETRY] == 60 * S
    assert channels(notifier.receive(TimerFired(name=RETRY), T0 + 60 * S)) == ["sms"]


def test_the_same_words_again_are_counted_and_told_with_the_next_that_differ():
    notifier = Notifier(rules=RULES)
    notifier.receive(note("gone"), T0)

    again = [notifier.receive(note("gone"), T0 + k * S) for k in range(1, 4)]
    (other,) = sent(notifier.receive(note("back"), T0 + 5 * S))
    (later,) = sent(notifier.receive(note("back"), T0 + 1_000 * S))

    assert [channels(said) for said in again] == [[], [], []]
    assert other.text == "back (the last one came 3 times more)"
    assert later.text == "back"


def test_the_same_words_are_told_at_once_when_they_have_become_more_urgent():
    notifier = Notifier(rules=RULES)
    notifier.receive(note("gone", Urgency.NORMAL), T0)

    said = notifier.receive(note("gone", Urgency.CRITICAL), T0 + S)

    assert channels(said) == ["mail", "push", "sms"]


def test_more_than_the_rate_wait_for_one_digest_and_what_is_critical_does_not_wait():
    notifier = Notifier(rules=RULES)
    said = [notifier.receive(note(str(k), topic=str(k)), T0) for k in range(6)]
    critical = notifier.receive(note("halt", Urgency.CRITICAL, "halt"), T0)

    assert [channels(each) for each in said] == [["mail"]] * 3 + [[]] * 3
    assert timers(said[3])[DIGEST] == 900 * S
    assert channels(critical) == ["mail", "push", "sms"]
    (digest,) = sent(notifier.receive(TimerFired(name=DIGEST), T0 + 900 * S))
    assert digest.text == "3 held back:\n- 3\n- 4\n- 5"


def test_an_hour_later_alerts_are_told_at_once_again():
    notifier = Notifier(rules=RULES)
    for k in range(4):
        notifier.receive(note(str(k), topic=str(k)), T0)

    assert channels(notifier.receive(note("new", topic="new"), T0 + 3_600 * S)) == ["mail"]


QUIET = AlertRules(
    low=("mail",),
    normal=("mail",),
    high=("mail",),
    critical=("mail",),
    quiet_from=dt.time(22),
    quiet_to=dt.time(7),
)


def test_in_quiet_hours_what_can_wait_waits_for_their_end_and_what_cannot_is_told():
    notifier = Notifier(rules=QUIET)
    night = new_york_ns(dt.date(2026, 3, 7), dt.time(23))  # the clocks change in this night
    morning = new_york_ns(dt.date(2026, 3, 8), dt.time(7))

    low = notifier.receive(note("fill", Urgency.LOW, "a"), night)
    high = notifier.receive(note("look", Urgency.HIGH, "b"), night)

    assert channels(low) == []
    assert timers(low)[DIGEST] == morning - night == 7 * 3_600 * S
    assert channels(high) == ["mail"]
    assert channels(notifier.receive(TimerFired(name=DIGEST), morning)) == ["mail"]


CLOCKS = st.builds(dt.time, st.sampled_from((0, 1, 4, 7, 22, 23)), st.integers(0, 59))


@given(st.integers(0, 48 * 60), CLOCKS, CLOCKS)
def test_quiet_hours_end_at_the_time_that_was_set_and_are_never_longer_than_a_day(
    minutes, begins, ends
):
    rules = AlertRules(quiet_from=begins, quiet_to=ends)
    now = UnixNs(new_york_ns(dt.date(2026, 3, 7), dt.time()) + minutes * 60 * S)

    until = quiet_until_ns(rules, now)

    assert until is None or 0 < until - now <= 25 * 3_600 * S
    assert until is None or quiet_until_ns(rules, until) is None


def test_what_is_held_survives_a_restart():
    notifier = Notifier(rules=QUIET)
    night = new_york_ns(dt.date(2026, 2, 3), dt.time(23))
    notifier.receive(note("fill", Urgency.LOW, "a"), night)
    notifier.receive(note("fill", Urgency.LOW, "b"), night)

    said = notifier.receive(Begin(incarnation=2, resumed=True), night + S)

    assert DIGEST in timers(said)


def test_a_halt_that_stands_is_told_again_until_a_person_lifts_it():
    notifier = Notifier(rules=RULES)
    halt = HaltRecord(epoch=1, reason="stale", by="watchdog", at_ns=T0)

    armed = notifier.receive(TradingHalted(halt=halt), T0)
    reminded = notifier.receive(TimerFired(name=REMIND), T0 + 1_800 * S)
    over = notifier.receive(TradingResumed(epoch=1, reason="ok", by="me"), T0 + 1_900 * S)

    assert timers(armed)[REMIND] == 1_800 * S
    assert "still halted, 30 min after watchdog: stale" in sent(reminded)[0].text
    assert timers(reminded)[REMIND] == 1_800 * S
    assert CancelTimer(name=REMIND) in over
    assert sent(notifier.receive(TimerFired(name=REMIND), T0 + 4_000 * S)) == []


def stage(stage, role=OrderRole.ENTRY):
    return OrderStageChanged(
        order_ref="T1.open.1.1",
        trade="T1",
        strategy="short_put",
        role=role,
        approval_key="a",
        proposal_key="p",
        stage=stage,
        units=2,
        units_filled=2,
        perm_id=7,
        words="",
    )


def test_fills_and_targets_are_told_low_and_nothing_else_of_an_order():
    filled = sent(Notifier(rules=RULES).receive(stage(Stage.FILLED), T0))
    target = sent(Notifier(rules=RULES).receive(stage(Stage.FILLED, OrderRole.TAKE_PROFIT), T0))

    assert [(each.urgency, each.text) for each in (*filled, *target)] == [
        (Urgency.LOW, "entry filled: T1 (short_put), 2 of 2"),
        (Urgency.LOW, "profit target hit: T1 (short_put), 2 of 2"),
    ]
    assert Notifier(rules=RULES).receive(stage(Stage.WORKING), T0) == ()


def test_delivered_shares_are_told_high():
    told = PositionExplained(
        account="D1",
        conid=1,
        contract="XYZ",
        before=0,
        after=100,
        cause="assignment",
        cash_usd=-5000,
        words="100 XYZ delivered",
    )

    assert sent(Notifier(rules=RULES).receive(told, T0))[0].urgency is Urgency.HIGH


def risk(day_loss, margin):
    def brake(name, value):
        return Brake(
            name=name,
            value_fraction=value,
            limit_fraction=0.02,
            used_fraction=0.5,
            level=BrakeLevel.WARN,
            demand=BrakeDemand.TELL,
        )

    brakes = (brake(BrakeName.DAY_LOSS, day_loss), brake(BrakeName.MARGIN, margin))
    return RiskTaken(
        at_ns=T0,
        trading=TradingState.RUNNING,
        uses=(),
        brakes=brakes,
        recovery=RecoveryPhase.NONE,
        why=(),
    )


def test_a_threshold_is_told_when_it_is_passed_and_again_only_after_it_was_not():
    notifier = Notifier(rules=RULES)
    told = [
        [each.text for each in sent(notifier.receive(risk(loss, margin), T0 + k * 1_000 * S))]
        for k, (loss, margin) in enumerate(
            [(0.005, 0.5), (0.011, 0.4), (0.015, 0.6), (0.0, float("nan")), (0.02, 0.1)]
        )
    ]

    assert told == [
        [],
        ["day loss is 1.1%, above 1%"],
        ["margin is 60.0%, above 50%"],
        [],
        ["day loss is 2.0%, above 1%"],
    ]


EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("note"), st.sampled_from(RISING), st.integers(0, 3)),
        st.tuples(st.just("answer"), st.booleans(), st.integers(0, 100)),
        st.tuples(st.just("wait"), st.integers(1, 2_000), st.just(0)),
        st.tuples(st.just("restart"), st.just(0), st.just(0)),
    ),
    max_size=60,
)


@given(EVENTS)
def test_whatever_happens_every_alert_is_in_the_outbox_until_each_of_its_channels_took_it(events):
    """Nothing is lost: what a channel was given and has not answered is under way or due again."""
    notifier, now, given_out = Notifier(rules=RULES), T0, []
    for kind, first, second in events:
        said = ()
        match kind:
            case "note":
                said = notifier.receive(note(f"text {second}", first, f"topic {second}"), now)
            case "answer" if given_out:
                alert = given_out.pop(second % len(given_out))
                answer = AlertDelivered(number=alert.number, channel=alert.channel)
                if not first:
                    answer = AlertFailed(number=alert.number, channel=alert.channel, words="no")
                said = notifier.receive(answer, now)
            case "wait":
                now = UnixNs(now + first * S)
                said = notifier.receive(TimerFired(name=RETRY), now)
            case "restart":
                given_out = []
                said = notifier.receive(Begin(incarnation=2, resumed=True), now)
        given_out += [each for each in said if isinstance(each, DeliverAlert)]
        for number, waiting in notifier.state.outbox.items():
            for channel, due in waiting.due.items():
                under_way = any((x.number, x.channel) == (number, channel) for x in given_out)
                assert under_way or due.again_ns > 0
