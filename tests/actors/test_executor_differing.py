"""The executor while the books differ: risk may shrink though the link is not ready, never grow."""

from decimal import Decimal

import pytest

from tests.actors.order_desk import SETTINGS, Desk, closing, proposal
from tests.domain.books.accounts import SECOND
from thetawarden.domain.broker.orders import BrokerOrderState
from thetawarden.domain.link.states import LinkState
from thetawarden.domain.orders.intent import OrderRole
from thetawarden.domain.orders.stages import Stage
from thetawarden.messages.link import LinkChanged
from thetawarden.messages.orders import ProposeOrder
from thetawarden.messages.trading import Flatten

TP, STOP, ENTRY, EXIT = OrderRole.TAKE_PROFIT, OrderRole.STOP, OrderRole.ENTRY, OrderRole.EXIT


def holding():
    desk = Desk()
    desk.approve()
    desk.settle()
    desk.broker.fill(desk.order(ENTRY).order_ref)
    return desk.settle()


def differing(desk, held=None):
    """Something that is none of ours differs: the link is not ready until somebody explains it."""
    if held is not None:
        desk.broker.held[11] = Decimal(held)
    desk.tell(LinkChanged(epoch=1, state=LinkState.SYNCING, entries=False, why="the book differs"))
    desk.reconcile(agreed=False, rounds=2)
    return desk.settle()


def test_a_trade_is_closed_while_the_books_differ():
    desk = differing(holding())

    desk.approve(closing())
    desk.settle()

    assert desk.protected() == {EXIT: 2}


def test_a_lost_exit_is_placed_again_while_the_books_differ():
    desk = differing(holding())

    desk.broker.end(desk.order(TP).order_ref, BrokerOrderState.CANCELLED)
    desk.settle()

    assert desk.protected() == {TP: 2, STOP: 2}


def test_flatten_closes_while_the_books_differ():
    desk = differing(holding())
    desk.quote()

    desk.tell(Flatten(reason="enough", by="me"))
    desk.settle()

    assert desk.protected() == {EXIT: 2}


def test_nothing_is_opened_while_the_books_differ():
    desk = differing(holding())

    desk.approve(proposal("p2", trade="t2"))
    desk.settle()

    assert desk.order(ENTRY).stage is Stage.WITHHELD


def test_no_more_is_closed_than_the_broker_counts_while_the_books_differ():
    desk = differing(holding(), held=-1)

    desk.approve(closing())
    desk.settle()

    assert desk.protected() == {EXIT: 1}


def test_what_filled_since_the_last_whole_book_is_closed_too():
    desk = Desk()
    desk.approve()
    differing(desk)
    desk.broker.fill(desk.order(ENTRY).order_ref)
    desk.settle()

    desk.approve(closing())
    desk.settle()

    assert desk.protected() == {EXIT: 2}


def test_no_exits_are_placed_of_what_the_broker_does_not_count():
    desk = differing(holding(), held=-1)

    desk.broker.end(desk.order(TP).order_ref, BrokerOrderState.CANCELLED)
    desk.settle()

    assert desk.heard(ProposeOrder) == []


@pytest.mark.parametrize("asked", [closing(), None])
def test_on_another_link_nothing_leaves_before_our_orders_were_compared(asked):
    desk = holding()
    desk.quote()
    desk.tell(LinkChanged(epoch=2, state=LinkState.SYNCING, entries=False, why="new"))

    said = desk.approve(asked) if asked else desk.tell(Flatten(reason="r", by="me"))
    desk.settle()

    assert said == () or asked is None
    assert desk.protected() == {TP: 2, STOP: 2}
    desk.reconcile(epoch=2, agreed=False, rounds=1)
    desk.watch(SETTINGS.query_ns + 2 * SECOND)
    assert desk.protected() == {EXIT: 2}


def filled_untold(units):
    """The link was away when an entry filled, and the broker's day has turned since."""
    desk = Desk()
    desk.approve()
    desk.settle()
    entry = desk.order(ENTRY).order_ref
    desk.broker.fill(entry, units)
    del desk.broker.orders[entry]
    desk.broker.executions.clear()
    desk.broker.outbox.clear()
    desk.tell(LinkChanged(epoch=1, state=LinkState.SYNCING, entries=False, why="it is back"))
    desk.reconcile(agreed=False, rounds=5)
    return desk


@pytest.mark.parametrize(("units", "stage"), [(2, Stage.FILLED), (1, Stage.EXPIRED)])
def test_what_a_person_accepts_as_held_an_order_in_doubt_has_brought_and_its_exits_stand(
    units, stage
):
    desk = filled_untold(units)
    in_doubt = desk.order(ENTRY).stage
    legs = desk.held

    desk.reconcile(accepted={conid: Decimal(count) for conid, count in legs.items()}, rounds=5)
    desk.settle()

    assert in_doubt is Stage.UNKNOWN
    assert len(desk.halts()) == 1
    assert (desk.order(ENTRY).stage, desk.order(ENTRY).units_filled) == (stage, units)
    assert desk.protected() == {TP: units, STOP: units}
    assert desk.held == legs


def test_what_a_person_accepts_that_no_order_would_have_brought_is_no_orders():
    desk = filled_untold(2)
    other = {conid: Decimal(-count) for conid, count in desk.held.items()}

    desk.reconcile(accepted=other | {99: Decimal(5)}, rounds=2)

    assert (desk.order(ENTRY).stage, desk.order(ENTRY).units_filled) == (Stage.EXPIRED, 0)
