"""I02 compares what leaves with the message that is performed, not with what was once intended."""

from decimal import Decimal

from tests.sim.test_invariants import Case, intent, submit, ticket
from thetawarden.messages.orders import ModifyOrder

FIRST = intent()
SECOND = intent(limit_usd=Decimal("-1.45"))
THIRD = intent(limit_usd=Decimal("-1.40"))


def change(one, number=1):
    return ModifyOrder(epoch=1, intent=one, gate=submit(one).gate, number=number)


def sent_first():
    return Case("I02").say(submit(FIRST)).send(ticket(FIRST))


def test_i02_a_change_that_leaves_as_it_was_asked_for_passes():
    case = sent_first().say(change(SECOND)).send(ticket(SECOND))

    assert case.say(change(THIRD, 2)).send(ticket(THIRD)).holds


def test_i02_a_change_that_sends_the_order_as_it_was_before_is_found():
    stale = sent_first().say(change(SECOND)).send(ticket(FIRST))
    older = sent_first().say(change(SECOND)).send(ticket(SECOND))

    assert not stale.holds
    assert not older.say(change(THIRD, 2)).send(ticket(SECOND)).holds


def test_i02_an_order_may_be_changed_back_to_what_it_was():
    case = sent_first().say(change(SECOND)).send(ticket(SECOND))

    assert case.say(change(FIRST, 2)).send(ticket(FIRST)).holds


def test_i02_an_order_that_leaves_again_without_a_change_is_found():
    assert not sent_first().send(ticket(FIRST)).holds


def test_i02_an_order_that_leaves_while_a_change_of_it_is_asked_for_is_the_first_still():
    case = Case("I02").say(submit(FIRST)).say(change(SECOND)).send(ticket(FIRST))

    assert case.send(ticket(SECOND)).holds


def test_i02_a_change_that_is_not_on_disk_is_found_though_the_order_was():
    case = sent_first()
    case.world.durable = False

    assert not case.say(change(SECOND)).send(ticket(SECOND)).holds
