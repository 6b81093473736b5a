"""A desk that begins again after its machine's clock was set back waits for nothing any longer."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.actors.order_desk import SETTINGS, Desk, proposal
from tests.domain.books.accounts import SECOND
from thetawarden.actors.deadlines import Matter, dues
from thetawarden.domain.broker.orders import BrokerOrderState
from thetawarden.domain.orders.intent import OrderRole
from thetawarden.domain.orders.stages import Stage
from thetawarden.messages.orders import ModifyOrder, ProtectionChanged, SubmitOrder

HOUR, DAY = 3600 * SECOND, 86_400 * SECOND
ENTRY, TP = OrderRole.ENTRY, OrderRole.TAKE_PROFIT
LONGEST = {
    Matter.WORD: SETTINGS.ack_ns,
    Matter.CHANGE: SETTINGS.ack_ns,
    Matter.CANCEL: SETTINGS.cancel_ns,
    Matter.STEP: SETTINGS.walk.step_ns,
    Matter.LEGS: SETTINGS.legs_ns,
    Matter.ANSWER: SETTINGS.ask_ns,
    Matter.TRADE: max(SETTINGS.protect_ns, SETTINGS.query_ns),
    Matter.FLATTEN: SETTINGS.query_ns,
    Matter.BOOK: SETTINGS.query_ns,
    Matter.FORGET: SETTINGS.kept_ns,
}


def walking():
    """An entry that works and is repriced by and by."""
    desk = Desk()
    desk.approve()
    desk.settle()
    desk.watch(5 * SECOND, bid="1.30", ask="1.60")
    return desk


def filled():
    desk = Desk()
    desk.approve()
    desk.settle()
    desk.broker.fill(desk.order(ENTRY).order_ref)
    return desk.settle()


def lacking():
    """An exit is gone, and nothing that the desk says comes to anything."""
    desk = filled()
    desk.silent = True
    desk.broker.end(desk.order(TP).order_ref, BrokerOrderState.CANCELLED)
    return desk.settle()


SCENES = (walking, filled, lacking)


@given(st.integers(1, 400 * DAY), st.sampled_from(SCENES), st.integers(0, 30))
@settings(max_examples=60)
def test_p09_nothing_is_waited_for_longer_than_its_own_time(by_ns, scene, waits_s):
    desk = scene().wait(waits_s * SECOND)

    desk.restart(at=desk.now - by_ns)

    waited = [(due.matter, due.at_ns - desk.now) for due in dues(desk.state, SETTINGS)]
    assert waited
    assert [one for one in waited if one[1] > LONGEST[one[0]]] == []


@pytest.mark.parametrize("by_ns", [61 * SECOND, HOUR, DAY])
def test_p09_a_price_walks_on_after_a_clock_that_was_set_back(by_ns):
    desk = walking()
    asked = len(desk.heard(ModifyOrder))

    desk.restart(at=desk.now - by_ns).connect(epoch=2)
    desk.settle()
    desk.watch(3 * SETTINGS.walk.step_ns, bid="1.30", ask="1.60")

    assert len(desk.heard(ModifyOrder)) > asked


@pytest.mark.parametrize("by_ns", [61 * SECOND, HOUR, DAY])
def test_p09_what_lacks_its_exits_alarms_as_soon_after_a_clock_that_was_set_back(by_ns):
    desk = lacking()
    assert desk.heard(ProtectionChanged) == []

    desk.restart(at=desk.now - by_ns).connect(epoch=2)
    desk.wait(2 * SETTINGS.protect_ns).settle()

    assert [one.complete for one in desk.heard(ProtectionChanged)] == [False]


def test_p09_an_approval_of_before_the_clock_was_set_back_is_not_used():
    desk = Desk()
    late = desk.approval(proposal(), reducing=False)
    desk.restart(at=desk.now - HOUR).connect(epoch=2)

    desk.tell(late)

    assert desk.heard(SubmitOrder) == []
    assert desk.stages() == [Stage.WITHHELD]
