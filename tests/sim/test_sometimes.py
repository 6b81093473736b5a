"""A state counts when it was reached, and once: what is told again was reached before."""

from decimal import Decimal
from types import SimpleNamespace as Fake

import msgspec
import pytest

from tests.sim.test_invariants import HALTED, filled, stage
from thetawarden.domain.broker.orders import Commission
from thetawarden.domain.instants import NS_PER_HOUR
from thetawarden.domain.orders.intent import OrderRole
from thetawarden.domain.orders.stages import Stage
from thetawarden.messages.base import Envelope
from thetawarden.messages.books import BookFetched, CommissionReported
from thetawarden.messages.orders import CancelOrder, OrderTroubled
from thetawarden.messages.trading import TradingHalted
from thetawarden.practice.exchange.notices import margin_reason
from thetawarden.practice.model import OrderKey
from thetawarden.sim.meddling import Point
from thetawarden.sim.sometimes import Sometimes, reused

FILL, AGAIN = filled(-1), filled(-1, "a.1.02")
THREE_IN_NEW_YORK = 20
"""In hours since 1970 began in UTC."""
ENTERED, ENTERED_ANEW = (stage(f"t.open.{number}.1", Stage.FILLED) for number in (1, 2))
CLOSED = msgspec.structs.replace(stage("t.tp.1.1", Stage.FILLED), role=OrderRole.TAKE_PROFIT)
CANCEL = CancelOrder(epoch=1, order_ref=FILL.execution.order_ref, perm_id=1, reason="enough")


class Hearer:
    """Counts what it is told, at whatever hour."""

    def __init__(self):
        self.sometimes, self.seq = Sometimes(), 0

    def say(self, *bodies, at_h=0):
        for body in bodies:
            self.seq += 1
            self.sometimes.hear(Envelope(self.seq, at_h * NS_PER_HOUR, "x", 1, None, body))
        return self

    def count(self, state):
        return self.sometimes.counts[state]


def ticket(number, order_ref):
    return Fake(key=OrderKey(client_id=1, order_id=number), order_ref=order_ref)


def book_of(*reports, costs=()):
    return BookFetched(
        epoch=1,
        round=1,
        missing=(),
        orders=(),
        completed=(),
        executions=tuple(one.execution for one in reports),
        commissions=tuple(one.commission for one in costs),
        positions=(),
        values=None,
    )


def cost_of(report):
    fill = report.execution.execution_id
    cost = Commission(execution_id=fill, commission_usd=Decimal(1))
    return CommissionReported(epoch=1, commission=cost)


@pytest.mark.parametrize(
    ("told", "count"),
    [
        ((FILL, CANCEL, FILL), 0),
        ((book_of(FILL), CANCEL, FILL), 0),
        ((FILL, CANCEL, filled(-1, "a.1.02")), 0),
        ((CANCEL, FILL), 1),
        ((CANCEL, FILL, FILL, filled(-1, "a.1.02")), 1),
    ],
)
def test_a_fill_comes_after_its_cancel_only_where_it_was_not_told_before(told, count):
    assert Hearer().say(*told).count("fill_after_cancel") == count


def test_a_correction_that_is_told_again_is_one():
    again = filled(-1, "a.1.02")

    assert Hearer().say(FILL, again, again, book_of(again)).count("corrected") == 1
    assert Hearer().say(FILL, FILL).count("corrected") == 0


def test_a_cost_is_late_by_when_it_was_first_told():
    cost = cost_of(FILL)
    late = Hearer().say(FILL).say(cost, at_h=2)
    again = Hearer().say(FILL, cost).say(cost, book_of(FILL, costs=(cost,)), at_h=2)

    assert (late.count("late_commission"), again.count("late_commission")) == (1, 0)


@pytest.mark.parametrize(("at_h", "count"), [(1, 0), (7, 0), (9, 1), (30, 1)])
def test_a_cost_is_of_another_day_by_new_yorks_calendar(at_h, count):
    hearer = (
        Hearer().say(FILL, at_h=THREE_IN_NEW_YORK).say(cost_of(FILL), at_h=THREE_IN_NEW_YORK + at_h)
    )

    assert hearer.count("commission_next_day") == count


@pytest.mark.parametrize(
    ("told", "count"),
    [
        ((ENTERED, FILL, AGAIN), 0),
        ((ENTERED, FILL, CLOSED, AGAIN), 1),
        ((ENTERED, FILL, CLOSED, FILL), 0),
        ((ENTERED, FILL, CLOSED, ENTERED_ANEW, AGAIN), 0),
    ],
)
def test_a_correction_comes_after_the_close_where_its_trade_has_ended_since(told, count):
    assert Hearer().say(*told).count("corrected_after_close") == count


@pytest.mark.parametrize(
    ("words", "count"),
    [
        (margin_reason(equity_usd=Decimal(1), initial_usd=Decimal(2)), 1),
        ("Order rejected - reason:not today", 0),
    ],
)
def test_an_order_is_rejected_for_margin_in_the_brokers_words(words, count):
    hearer = Hearer().say(OrderTroubled(epoch=1, order_ref="r", order_id=1, code=201, words=words))

    assert hearer.count("rejected_for_margin") == count
    assert hearer.count("rejected_after_approval") == 1


@pytest.mark.parametrize(
    ("sent", "count"),
    [
        ([(1, "a"), (1, "a"), (2, "b")], 0),
        ([(1, "a"), (2, "b"), (1, "c")], 1),
    ],
)
def test_a_number_is_reused_where_two_orders_had_it(sent, count):
    assert reused([ticket(*one) for one in sent]) == count


def test_a_clock_that_is_set_makes_no_cost_late():
    hearer, clock = Hearer(), Fake(true_ns=lambda: 5)
    hearer.sometimes.attend(Fake(clock=clock))

    assert hearer.say(FILL).say(cost_of(FILL), at_h=2).count("late_commission") == 0


def test_a_halt_that_is_said_again_caught_no_entry_on_its_way():
    halted = TradingHalted(halt=HALTED)
    flying = stage("r", Stage.WORKING)

    assert Hearer().say(flying, halted, halted).count("halt_with_entry_in_flight") == 1
    assert Hearer().say(halted, flying, halted).count("halt_with_entry_in_flight") == 0


def test_a_stage_that_is_said_again_is_reached_once_and_settles_nothing():
    hearer = Hearer().say(stage("r", Stage.UNKNOWN), stage("r", Stage.UNKNOWN))

    assert (hearer.count("unknown_order"), hearer.count("unknown_settled")) == (1, 0)
    assert hearer.say(stage("r", Stage.WORKING)).count("unknown_settled") == 1


@pytest.mark.parametrize(("sent", "count"), [((), 0), (("r",), 1)])
def test_a_process_died_after_the_bytes_only_where_bytes_had_left(sent, count):
    sometimes = Sometimes()
    world = Fake(
        meddler=Fake(kills=[(Point.AFTER_EFFECT, "r"), (Point.AFTER_EFFECT, "")]),
        gateway=Fake(sent=[ticket(1, one) for one in sent]),
        unwritten=0,
        disk=Fake(torn_read=0, outdated=0),
        space=Fake(filled=0),
        refused_starts=0,
    )

    sometimes.finish(world)

    assert sometimes.counts["crash_after_sent"] == count
