"""What a trade lost to the broker, and what of it comes back when the broker takes that back."""

from decimal import Decimal

import pytest

from tests.actors.order_desk import SETTINGS, put
from tests.actors.test_order_faults import STOP, TP, holding, valued
from thetawarden.actors.executing import held_of
from thetawarden.domain.broker.orders import Execution
from thetawarden.messages.books import ExecutionReported

LIQUIDATION, BY_HAND = "0001.aa", "0001.bb"


def fill(desk, stem, quantity, *, revision=1, price=1, order_ref=""):
    """A fill that the desk's orders did not make, or its correction."""
    desk.tell(
        ExecutionReported(
            epoch=1,
            execution=Execution(
                execution_id=f"{stem}.{revision:02}",
                instrument=put(11),
                quantity=Decimal(quantity),
                price_usd=Decimal(price),
                at_ns=desk.now,
                perm_id=0,
                order_id=0,
                client_id=0,
                order_ref=order_ref,
                account="DU1",
                liquidation=stem == LIQUIDATION,
            ),
        )
    )


def counted(desk, count):
    """A while later the broker's agreed book counts so many; what that asks for is done."""
    desk.wait(SETTINGS.settle_ns * 2)
    valued(desk, **({"c11": count} if count else {}))
    return desk.settle()


def liquidated(taken=2):
    """A desk that had sold two units, of which the broker has bought back so many."""
    desk = holding()
    desk.wait(SETTINGS.settle_ns * 2)
    fill(desk, LIQUIDATION, taken)
    return counted(desk, taken - 2)


def held(desk):
    trades = desk.state.trades.values()
    return [one.contracts for trade in trades for one in held_of(desk.state, trade)]


@pytest.mark.parametrize("bust", [{"quantity": 0}, {"quantity": 2, "price": 0}])
@pytest.mark.parametrize("taken", [1, 2])
def test_what_a_liquidation_took_is_protected_again_when_it_is_taken_back(taken, bust):
    desk = liquidated(taken)
    assert held(desk) == [taken - 2] * (taken < 2)

    fill(desk, LIQUIDATION, revision=2, **bust)
    counted(desk, -2)

    assert held(desk) == [-2]
    assert desk.protected() == {TP: 2, STOP: 2}


def test_of_a_fill_that_is_made_smaller_the_rest_stays_lost():
    desk = liquidated()

    fill(desk, LIQUIDATION, 1, revision=2)
    counted(desk, -1)
    once = held(desk)
    fill(desk, LIQUIDATION, 0, revision=3)
    counted(desk, -2)

    assert once == [-1]
    assert held(desk) == [-2]


def test_a_count_that_was_made_before_the_fill_does_not_hide_who_took_it():
    desk = holding()
    desk.wait(SETTINGS.settle_ns * 2)
    fill(desk, LIQUIDATION, 2)
    valued(desk, c11=-2)
    counted(desk, 0)

    fill(desk, LIQUIDATION, 0, revision=2)
    counted(desk, -2)

    assert held(desk) == [-2]


def test_what_is_on_its_way_back_outlives_a_restart():
    desk = liquidated()
    fill(desk, LIQUIDATION, 0, revision=2)

    desk.restart()
    desk.connect(epoch=2)
    desk.settle()
    counted(desk, -2)

    assert held(desk) == [-2]


def test_the_same_contract_sold_by_hand_stays_the_persons():
    desk = liquidated()

    fill(desk, BY_HAND, -2)
    counted(desk, -2)

    assert held(desk) == []
    assert desk.protected() == {}


def test_what_a_person_bought_back_and_had_busted_is_none_of_the_trades():
    desk = liquidated()
    fill(desk, BY_HAND, -2)
    counted(desk, -2)
    fill(desk, "0001.cc", 2)
    counted(desk, 0)

    fill(desk, "0001.cc", 0, revision=2)
    counted(desk, -2)

    assert held(desk) == []


def test_what_a_person_sold_in_the_same_moment_is_not_given_to_the_trade():
    desk = liquidated()

    fill(desk, LIQUIDATION, 1, revision=2)
    fill(desk, BY_HAND, -1)
    counted(desk, -2)

    assert held(desk) == [-1]
    assert desk.protected() == {TP: 1, STOP: 1}


def test_a_bust_of_our_own_exit_is_counted_once_beside_a_persons_position():
    desk = liquidated(taken=1)
    fill(desk, BY_HAND, -1)
    counted(desk, -2)
    exit_ref = desk.order(TP).order_ref
    desk.broker.fill(exit_ref)
    desk.settle()
    counted(desk, -1)
    done = held(desk)

    for one in list(desk.state.orders[exit_ref].fills):
        fill(desk, one.execution_id.rpartition(".")[0], 0, revision=99, order_ref=exit_ref)
    counted(desk, -2)

    assert done == []
    assert held(desk) == [-1]


def test_of_two_fills_that_took_it_only_what_was_corrected_comes_back():
    desk = holding()
    desk.wait(SETTINGS.settle_ns * 2)
    fill(desk, LIQUIDATION, 1)
    fill(desk, BY_HAND, 1)
    counted(desk, 0)

    fill(desk, LIQUIDATION, 0, revision=2)
    counted(desk, -1)

    assert held(desk) == [-1]
