"""Checks of what the desk does for itself: each is shown what it must not accept, and its like."""

from decimal import Decimal
from types import SimpleNamespace as Fake

import msgspec
import pytest

from tests.sim.test_invariants import HALTED, Case, filled
from thetawarden.domain.books.fills import CommissionKind
from thetawarden.domain.books.holding import Cause
from thetawarden.domain.broker.orders import Commission, execution_stem
from thetawarden.domain.halt import TradingState
from thetawarden.domain.instants import NS_PER_SECOND
from thetawarden.domain.restart import Ending, GiveUp, Policy
from thetawarden.domain.risk.brakes import Brake, BrakeDemand, BrakeLevel, BrakeName
from thetawarden.domain.risk.recovery import RecoveryPhase
from thetawarden.messages.books import CommissionReported, FillBooked
from thetawarden.messages.lifecycle import (
    ActorEnded,
    ActorStarted,
    DeskStarted,
    EffectFailed,
    GroupGaveUp,
    MailboxOverflowed,
    MessageParked,
    MessageUnclaimed,
)
from thetawarden.messages.operations import AlertDelivered, DeliverAlert, Urgency
from thetawarden.messages.risk import RiskTaken
from thetawarden.messages.trading import AdoptHaltFlag, TradingHalted

STARTED = DeskStarted(config_fingerprint="f", software="s", resumed=True)
DELIVERED = AlertDelivered(number=1)
replace = msgspec.structs.replace


def booked(exec_id="a.1.01", quantity=-2, **more):
    execution = filled(-2, exec_id).execution
    plain = {
        "fill": execution_stem(exec_id),
        "execution": execution,
        "cause": Cause.TRADE,
        "quantity": Decimal(quantity),
        "commission_usd": Decimal(1),
        "commission_kind": CommissionKind.ESTIMATED,
        "cash_usd": Decimal(200),
        "position_after": Decimal(-2),
        "average_cost_usd": Decimal(1),
        "realised_usd": Decimal(0),
    }
    return FillBooked(**(plain | more))


def reported(usd, **more):
    cost = {"commission_kind": CommissionKind.REPORTED, "commission_usd": Decimal(usd)}
    return booked(**(cost | more))


def cost(usd, exec_id="a.1.01"):
    told = Commission(execution_id=exec_id, commission_usd=Decimal(usd))
    return CommissionReported(epoch=1, commission=told)


@pytest.mark.parametrize(
    ("again", "holds"),
    [
        (booked(), False),
        (booked(position_after=Decimal(-4)), False),
        (booked("a.1.02"), True),
        (reported(2), True),
        (booked("b.1.01"), True),
    ],
)
def test_i16_a_fill_is_booked_again_only_for_a_correction_or_its_cost(again, holds):
    assert Case("I16").say(cost(2)).say(booked()).say(again).holds is holds


def test_i16_a_fill_that_goes_back_to_an_earlier_revision_is_found():
    assert not Case("I16").say(booked("a.1.02")).say(booked("a.1.01")).holds


@pytest.mark.parametrize(("durable_seq", "holds"), [(0, True), (1, False)])
def test_i16_a_booking_that_was_lost_with_its_process_may_be_said_again(durable_seq, holds):
    case = Case("I16").say(booked())
    case.world.durable_seq = durable_seq

    assert case.say(STARTED).say(booked()).holds is holds


@pytest.mark.parametrize(("usd", "holds"), [(2, True), (4, False), (0, True)])
def test_i16_a_fill_that_cost_what_nobody_told_is_found(usd, holds):
    assert Case("I16").say(cost(2)).say(booked()).say(reported(usd)).holds is holds
    assert Case("I16").say(cost(2, "z.1.01")).say(reported(usd)).holds is (usd == 0)


def test_i16_what_was_sold_and_is_booked_as_bought_is_found():
    bust = replace(filled(-2, "a.1.02").execution, price_usd=Decimal(0))

    assert not Case("I16").say(booked(quantity=2)).holds
    assert Case("I16").say(booked(quantity=2, execution=bust)).holds


def told(case, text, *, topic="t", answer=DELIVERED):
    """An alert goes out, or could not."""
    case.say(DeliverAlert(number=1, urgency=Urgency.HIGH, topic=topic, text=text))
    return case.say(answer, cause=case.seq)


LOST = [
    (
        MessageParked(actor="keeper", message_seq=7, kind="Filled"),
        "Filled 7 crashed keeper twice and was put aside",
        "Filled 71 crashed keeper twice and was put aside",
    ),
    (
        MessageUnclaimed(actor="chain/X", lane="timer", kind="Filled", message_seq=8),
        "Filled 8 is for chain/X, which is not there",
        "Filled 8 is for chain/Y, which is not there",
    ),
    (
        MailboxOverflowed(actor="keeper", lane="market", depth=9, kind="x"),
        "Trading halted by watchdog: mailbox of keeper overflowed: 9 waiting (epoch 3)",
        "Trading halted by watchdog: mailbox of governor overflowed: 9 waiting (epoch 3)",
    ),
    (
        GroupGaveUp(group="trading", last_actor="keeper"),
        "Trading halted by watchdog: group trading gave up restarting (epoch 3)",
        "Trading halted by watchdog: enough (epoch 3)",
    ),
]


@pytest.mark.parametrize(("lost", "words", "others"), LOST)
def test_i24_a_message_that_was_lost_and_not_told_of_is_found(lost, words, others):
    failed = EffectFailed(adapter="alerts", kind="DeliverAlert", error="x")

    assert told(Case("I24").say(lost), words).end().holds
    assert told(Case("I24").say(lost), words, answer=failed).end().holds
    assert not Case("I24").say(lost).end().holds
    assert not told(Case("I24").say(lost), others).end().holds


def test_i24_a_message_that_was_lost_is_told_with_the_word_of_it_that_is_lost_as_well():
    first, _, _ = LOST[0]
    case = Case("I24").say(first)
    second = MessageParked(actor="watchdog", message_seq=case.seq, kind="MessageParked")

    assert not case.say(second).end().holds
    case.found = []
    assert told(case, f"MessageParked {second.message_seq} crashed watchdog twice").end().holds


@pytest.mark.parametrize(("durable_seq", "holds"), [(0, True), (1, False)])
def test_i24_what_a_process_did_not_write_need_not_be_told(durable_seq, holds):
    case = Case("I24").say(LOST[0][0])
    case.world.durable_seq = durable_seq

    assert case.say(STARTED).end().holds is holds


def test_i24_an_effect_that_fails_untold_is_found():
    lake = EffectFailed(adapter="lake", kind="FlushLake", error="x")
    words = EffectFailed(adapter="lake", kind="NotifyPerson", error="x")

    assert told(Case("I24").say(lake), "x", topic="effect:lake").end().holds
    assert Case("I24").say(words).end().holds  # what carries words cannot tell of itself
    assert not Case("I24").say(lake).end().holds


def taken(margin):
    brake = Brake(
        name=BrakeName.MARGIN,
        value_fraction=margin,
        limit_fraction=0.6,
        used_fraction=1.0,
        level=BrakeLevel.WARN,
        demand=BrakeDemand.TELL,
    )
    return RiskTaken(
        at_ns=1,
        trading=TradingState.RUNNING,
        uses=(),
        brakes=(brake,),
        recovery=RecoveryPhase.NONE,
        why=(),
    )


def test_i24_a_limit_that_is_passed_untold_is_found_each_time_anew():
    case = told(Case("I24").say(taken(0.4)).say(taken(0.55)), "margin", topic="risk:margin")

    assert case.say(taken(0.56)).end().holds
    assert not case.say(taken(0.4)).say(taken(0.55)).end().holds


def test_i24_a_halt_is_told_by_its_own_words_only():
    halted = TradingHalted(halt=HALTED)

    assert told(Case("I24").say(halted), "Trading halted by test: enough (epoch 1)").end().holds
    assert not told(Case("I24").say(halted), "Trading is halted (epoch 1)").end().holds


class Restarts(Case):
    """A tree of two groups, one of which degrades; two restarts of each may lie in 10 s."""

    def __init__(self):
        super().__init__("I23")
        policy = Policy(intensity=2, period_ns=10 * NS_PER_SECOND)
        quotes = Fake(role="chain")
        self.world.tree = Fake(
            root=Policy(intensity=1, period_ns=10 * NS_PER_SECOND),
            groups=(
                Fake(name="trading", policy=policy, actors=(Fake(name="keeper"),), template=None),
                Fake(
                    name="market",
                    policy=replace(policy, give_up=GiveUp.DEGRADE),
                    actors=(),
                    template=quotes,
                ),
            ),
        )

    def restart(self, count=1, *, actor="keeper", ending=Ending.CRASHED):
        for _ in range(count):
            self.end_of(actor, ending)
            self.say(ActorStarted(actor=actor, incarnation=2, resumed=True))
        return self

    def end_of(self, actor="keeper", ending=Ending.CRASHED):
        return self.say(
            ActorEnded(actor=actor, incarnation=1, ending=ending, error="", message_seq=None)
        )

    def gives_up(self, group="trading"):
        actor = {"trading": "keeper", "market": "chain/X"}[group]
        self.end_of(actor)
        return self.say(GroupGaveUp(group=group, last_actor=actor))

    def wait(self, seconds):
        self.world.mono_ns += round(seconds * NS_PER_SECOND)
        return self

    def halt(self):
        return self.say(TradingHalted(halt=HALTED))


@pytest.mark.parametrize("actor", ["keeper", "chain/X"])
def test_i23_more_restarts_than_a_group_may_have_are_found(actor):
    assert Restarts().restart(2, actor=actor).holds
    assert not Restarts().restart(3, actor=actor).holds
    assert Restarts().restart(2, actor=actor).wait(10).restart(2, actor=actor).holds
    assert not Restarts().restart(2, actor=actor).wait(9.9).restart(actor=actor).holds


def test_i23_what_a_person_replaces_and_another_process_cost_nothing():
    assert Restarts().restart(2).restart(5, ending=Ending.REPLACED_BY_HAND).holds
    assert Restarts().restart(2).say(STARTED).restart(2).holds


def test_i23_a_group_that_gave_up_begins_anew_by_the_root_and_only_so_often():
    once = Restarts().halt().restart(2).gives_up()
    start = ActorStarted(actor="keeper", incarnation=9, resumed=True)

    assert once.say(start).restart(2).holds
    assert not once.gives_up().say(start).holds


def test_i23_a_group_that_degrades_stays_down():
    degraded = Restarts().halt().restart(2, actor="chain/X").gives_up("market")

    assert degraded.holds
    assert not degraded.say(ActorStarted(actor="chain/X", incarnation=9, resumed=True)).holds


def test_i23_a_group_that_gives_up_and_halts_nothing_is_found():
    assert not Restarts().gives_up().end().holds
    assert not Restarts().gives_up().wait(61).say(taken(0.1)).holds
    assert Restarts().gives_up().wait(59).say(taken(0.1)).halt().wait(9).say(taken(0.1)).end().holds
    assert Restarts().halt().gives_up().wait(61).say(taken(0.1)).end().holds


@pytest.mark.parametrize(("durable_seq", "holds"), [(1, True), (2, False)])
def test_i23_a_word_of_giving_up_that_was_lost_halts_nobody(durable_seq, holds):
    case = Restarts().gives_up()
    case.world.durable_seq = durable_seq

    assert case.say(STARTED).say(AdoptHaltFlag(halt=HALTED)).end().holds is holds
