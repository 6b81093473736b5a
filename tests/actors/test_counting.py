"""What a trade lost to the broker, and what of it comes back when the broker takes that back."""

from decimal import Decimal

import pytest

from tests.actors.order_desk import SETTINGS
from tests.actors.test_order_faults import STOP, TP, holding, valued
from thetawarden.actors.executing import held_of
from thetawarden.domain.books.holding import Cause
from thetawarden.messages.books import PositionExplained


def explained(desk, *, moved, cause=Cause.CORRECTION, conid=11):
    desk.tell(
        PositionExplained(
            account="DU1",
            conid=conid,
            contract=f"c{conid}",
            before=Decimal(),
            after=Decimal(moved),
            cause=cause,
            cash_usd=Decimal(),
            words="",
        )
    )


def liquidated(left=0):
    """A desk that had sold two units; the broker has bought back all but so many."""
    desk = holding()
    desk.wait(SETTINGS.settle_ns * 2)
    valued(desk, **({"c11": left} if left else {}))
    desk.settle()
    desk.wait(SETTINGS.settle_ns * 2)
    return desk


def held(desk):
    return [
        one.contracts for trade in desk.state.trades.values() for one in held_of(desk.state, trade)
    ]


def restored(desk, count):
    """The broker counts so much again; whatever that makes the desk do is done."""
    valued(desk, c11=count)
    return desk.settle()


@pytest.mark.parametrize("left", [0, -1])
def test_what_a_liquidation_took_is_protected_again_when_it_is_taken_back(left):
    desk = liquidated(left)
    assert held(desk) == [left] * bool(left)

    explained(desk, moved=-2 - left)
    restored(desk, -2)

    assert held(desk) == [-2]
    assert desk.protected() == {TP: 2, STOP: 2}


def test_the_same_contract_sold_by_hand_stays_the_persons():
    desk = liquidated()

    explained(desk, moved=-2, cause=Cause.MANUAL_TRADE)
    valued(desk, c11=-2)
    desk.settle()

    assert held(desk) == []
    assert desk.protected() == {}


def test_a_correction_brings_no_more_than_was_lost_nor_than_the_broker_counts():
    more, fewer = liquidated(), liquidated()

    explained(more, moved=-5)
    restored(more, -5)
    explained(fewer, moved=-2)
    restored(fewer, -1)

    assert held(more) == [-2]
    assert held(fewer) == [-1]


def test_the_correction_of_a_fill_of_an_order_of_ours_is_counted_once():
    desk = holding()
    desk.wait(SETTINGS.settle_ns * 2)

    explained(desk, moved=-2)
    valued(desk, c11=-2)
    desk.settle()

    assert held(desk) == [-2]
    assert desk.protected() == {TP: 2, STOP: 2}
