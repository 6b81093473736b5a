"""What `positions` shows of the keeper's state, as it comes over the control socket."""

import json
from decimal import Decimal

import msgspec

from tests.actors.test_keeper import Desk, order
from tests.actors.test_steward import Desk as StewardDesk
from tests.domain.books.accounts import T0, bought, cost, option, position, stock
from thetawarden.cli.positions import views_of, words_of
from thetawarden.messages.books import (
    CommissionReported,
    ExecutionReported,
    MarkObserved,
    OrderReported,
    PositionReported,
)

KEYS = {
    "account",
    "underlying",
    "contract",
    "conid",
    "quantity",
    "average_cost_usd",
    "mark_usd",
    "unrealised_usd",
    "delta_shares",
    "dte",
    "bracket",
    "strategy",
}


def over_the_wire(desk):
    """The state as a client gets it: through JSON, numbers as text."""
    return json.loads(msgspec.json.encode(msgspec.to_builtins(desk.state, enc_hook=repr)))


def desk_with_a_short_put():
    desk = Desk().agree()
    desk.tell(ExecutionReported(epoch=1, execution=bought(option(), -2, "1.50")))
    desk.tell(CommissionReported(epoch=1, commission=cost(1, "2.00")))
    return desk


def test_a_position_has_every_key_that_scripts_rely_on():
    (view,) = views_of(over_the_wire(desk_with_a_short_put()))

    document = json.loads(msgspec.json.encode(view))
    assert set(document) >= KEYS
    assert (view.quantity, view.average_cost_usd, view.strategy) == (-2.0, 149.0, "t")
    assert (view.mark_usd, view.unrealised_usd, view.delta_shares) == (None, None, None)
    assert view.bracket is None


def test_marks_deltas_and_the_orders_that_would_end_it_are_shown():
    desk = desk_with_a_short_put()
    desk.tell(
        MarkObserved(epoch=1, conid=2, mark_usd=Decimal("1.20"), at_ns=T0, delta_per_share=-0.25)
    )
    profit = order(quantity=2, number=2, limit_usd=Decimal("0.75"), oca_group="7")
    stop = order(quantity=2, number=3, order_type="STP", stop_usd=Decimal("4.50"), oca_group="7")
    for one in (profit, stop):
        desk.tell(OrderReported(epoch=1, order=one))

    (view,) = views_of(over_the_wire(desk))

    assert (view.mark_usd, view.unrealised_usd, view.delta_shares) == (1.2, 58.0, 50.0)
    assert (view.bracket.take_profit, view.bracket.stop) == (0.75, 4.5)


def test_the_quantity_is_the_brokers_and_ours_stands_beside_it():
    desk = Desk(positions=(position(stock(), 100, "50"),)).agree()

    desk.tell(PositionReported(epoch=1, position=position(stock(), 60, "50")))
    (view,) = views_of(over_the_wire(desk))

    assert (view.quantity, view.book_quantity, view.delta_shares) == (60, 100, 60)
    assert view.dte is None


def test_a_book_that_does_not_agree_says_so_above_all_else():
    desk = Desk().agree()
    agreed = words_of(over_the_wire(desk))
    desk.positions = (position(stock(), 5, "50"),)
    desk.fetch()

    assert agreed == "the book agrees with the broker's"
    assert words_of(over_the_wire(desk)).startswith("NOT RECONCILED: SPY: the broker holds 5")
    assert views_of(None) == []


def test_the_trade_its_strategy_and_the_latest_decision_stand_beside_each_position():
    tended = StewardDesk()
    put, _ = tended.open(490)
    tended.look()
    keeper = Desk().agree()
    keeper.tell(ExecutionReported(epoch=1, execution=bought(put, -1, "1.50")))

    (view,) = views_of(over_the_wire(keeper), over_the_wire(tended.steward))

    assert (view.strategy, view.trades) == ("index_puts", ("t1",))
    assert view.decision.startswith("hold (watched): ")


def test_without_the_steward_positions_are_shown_all_the_same():
    (view,) = views_of(over_the_wire(desk_with_a_short_put()), None)

    assert (view.trades, view.decision) == ((), None)
