"""Lots: first opened, first closed, and the same cash as the average cost tells."""

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.domain.books.accounts import T0, stock
from thetawarden.domain.books.holding import Cause, Holding, Move, moved
from thetawarden.domain.books.lots import lots_of


def move(number, quantity, gross, fees="0", cause=Cause.TRADE):
    return Move(
        key=f"m{number}",
        at_ns=T0 + number,
        instrument=stock(),
        quantity=Decimal(quantity),
        gross_usd=Decimal(gross),
        fees_usd=Decimal(fees),
        cause=cause,
    )


def traded(number, quantity, price, fees="1"):
    return move(number, quantity, Decimal(quantity) * Decimal(price), fees)


def test_what_was_opened_first_is_closed_first():
    lots = lots_of((traded(1, 10, "5"), traded(2, 10, "7"), traded(3, -15, "8")))

    (rest,) = lots.open
    assert (rest.key, rest.quantity, rest.cost_usd) == ("m2", 5, Decimal("35.5"))
    assert [(one.lot.key, one.lot.quantity) for one in lots.closed] == [("m1", 10), ("m2", 5)]
    assert [one.result_usd for one in lots.closed] == [
        Decimal("79.33333333") - 51,
        Decimal("39.66666667") - Decimal("35.5"),
    ]


def test_a_move_through_zero_closes_all_and_opens_the_rest():
    lots = lots_of((traded(1, -2, "5"), traded(2, 5, "4")))

    assert [(one.quantity, one.key) for one in lots.open] == [(3, "m2")]
    assert lots.closed[0].result_usd == Decimal("-8.4") + 9


def test_a_split_keeps_every_lots_cost_and_day():
    lots = lots_of((traded(1, 10, "5"), traded(2, 20, "7"), move(3, 30, "0", cause=Cause.SPLIT)))

    assert [(one.key, one.quantity, one.cost_usd) for one in lots.open] == [
        ("m1", 20, 51),
        ("m2", 40, 141),
    ]


def test_an_opening_balance_is_a_lot_and_one_transferred_away_is_gone():
    opening = move(1, 100, "5000", cause=Cause.OPENING)

    assert lots_of((opening,)).open[0].cost_usd == 5000
    assert lots_of((opening, move(2, -100, "-5000", cause=Cause.TRANSFER))).open == ()


moves = st.lists(
    st.tuples(
        st.sampled_from((Cause.TRADE, Cause.TRADE, Cause.TRADE, Cause.SPLIT)),
        st.integers(-20, 20),
        st.integers(1, 9000),
        st.integers(0, 300),
    ),
    max_size=12,
)


@settings(max_examples=200, deadline=None)
@given(moves)
def test_lots_add_up_to_the_holding_and_to_all_the_cash_it_moved(told):
    holding, story = Holding(account="DU1", instrument=stock()), []
    for number, (cause, quantity, cents, fee) in enumerate(told):
        if cause is Cause.SPLIT:
            one = move(number, holding.quantity * abs(quantity), "0", cause=cause)
        else:
            one = traded(number, quantity, Decimal(cents) / 100, Decimal(fee) / 100)
        holding = moved(holding, one)
        story.append(one)

    lots = lots_of(tuple(story))

    assert sum(one.quantity for one in lots.open) == holding.quantity
    brought = sum(one.result_usd for one in lots.closed) + lots.corrected_usd
    cost = sum(one.cost_usd for one in lots.open)
    assert brought - cost == holding.realised_usd - holding.cost_usd
    assert len({one.quantity > 0 for one in lots.open}) <= 1
