"""Orders through the adapter to a real exchange behind a socket: sent, changed, taken back."""

from decimal import Decimal

import msgspec
import pytest

from tests.actors.desks import until
from tests.infra.ib.orderline import (
    exits_of,
    intent,
    legs_of,
)
from thetawarden.domain.broker.instrument import InstrumentKind
from thetawarden.domain.broker.orders import BrokerOrderState
from thetawarden.domain.orders.intent import OrderStyle, Withheld
from thetawarden.messages.books import ExecutionReported, OrderReported
from thetawarden.messages.orders import OrderSent, OrderTroubled, OrderWithheld

WORKING, CANCELLED, FILLED = (
    BrokerOrderState.WORKING,
    BrokerOrderState.CANCELLED,
    BrokerOrderState.FILLED,
)


def far(order_ref, put, **changes):
    """A sale far above the market, which stays where it is."""
    return intent(order_ref, legs_of((put, -1)), -50, **changes)


def test_one_leg_is_sold_at_its_own_price_with_nothing_left_to_presets(line, puts):
    numbers = line.sent(far("one.1", puts[0], units=3))

    (told,) = line.placed
    ticket, echo = told.ticket, told.ticket.passthrough
    assert (told.order_id, told.action, told.quantity) == (numbers[0], "SELL", 3)
    assert (ticket.order_type, ticket.limit_price, ticket.aux_price) == ("LMT", 50.0, None)
    assert (ticket.tif, ticket.order_ref, ticket.account) == ("DAY", "one.1", "DU1000001")
    assert (ticket.transmit, ticket.parent_id, ticket.oca_group) == (True, 0, "")
    assert (ticket.outside_rth, echo.open_close) == (False, "O")
    order = line.reported("one.1", WORKING)
    assert order.quantity == -3
    assert order.account == "DU1000001"


def test_several_contracts_a_unit_are_priced_one_by_one(line, puts):
    line.sent(intent("two.1", legs_of((puts[0], -2)), -100, units=3))

    (told,) = line.placed
    assert (told.action, told.quantity, told.ticket.limit_price) == ("SELL", 6, 50.0)


def test_a_bracket_leaves_as_one_and_its_last_order_lets_all_go(line, puts):
    parent = far("bracket.1", puts[0])
    exits = exits_of(parent, take_profit=0.05, stop=200)

    numbers = line.sent(parent, *exits)

    first, profit, stop = line.placed
    assert [one.order_id for one in line.placed] == numbers
    assert [one.ticket.transmit for one in line.placed] == [False, False, True]
    assert [one.ticket.parent_id for one in line.placed] == [0, numbers[0], numbers[0]]
    assert [one.ticket.tif for one in line.placed] == ["DAY", "GTC", "GTC"]
    assert profit.ticket.oca_group == stop.ticket.oca_group == "g-1"
    assert (profit.action, profit.ticket.order_type) == ("BUY", "LMT")
    assert (stop.ticket.order_type, stop.ticket.aux_price) == ("STP", 200.0)
    assert first.ticket.oca_group == ""
    parent_id = line.reported("bracket.1").perm_id
    told = line.reported("bracket.1.s", WORKING)
    assert (told.parent_perm_id, told.oca_group) == (parent_id, "g-1")
    assert told.stop_usd == 200


def test_a_bracket_fills_and_its_exits_work(line, puts):
    parent = intent("fill.1", legs_of((puts[0], -1)), -0.01, units=2)
    line.sent(parent, *exits_of(parent, take_profit=0.05, stop=200))

    filled = line.reported("fill.1", FILLED)
    fill = line.ear.wait_for(
        ExecutionReported, holds=lambda one: one.execution.order_ref == "fill.1"
    ).execution
    assert filled.filled == fill.quantity * (1 if fill.quantity == -2 else 2) == -2
    assert filled.average_usd > 0
    assert line.reported("fill.1.p", WORKING).quantity == 2


def test_a_spread_is_bought_as_a_unit_for_a_negative_price(line, puts):
    line.sent(intent("spread.1", legs_of((puts[0], -1), (puts[1], 1)), -0.01, units=2))

    (told,) = line.placed
    contract = told.ticket.contract
    assert (contract.sec_type, contract.symbol, told.action) == ("BAG", "SPY", "BUY")
    assert [(leg.con_id, leg.ratio, leg.action) for leg in contract.legs] == [
        (puts[0].conid, 1, "SELL"),
        (puts[1].conid, 1, "BUY"),
    ]
    assert (told.quantity, told.ticket.limit_price) == (2, -0.01)
    assert dict(told.ticket.smart_routing) == {"NonGuaranteed": "0"}
    order = line.reported("spread.1", FILLED)
    assert order.instrument.kind is InstrumentKind.COMBO
    assert [(leg.conid, leg.ratio) for leg in order.legs] == [
        (puts[0].conid, -1),
        (puts[1].conid, 1),
    ]
    for put, quantity in zip(puts[:2], (-2, 2), strict=True):
        line.ear.wait_for(
            ExecutionReported,
            holds=lambda one, held=(put.conid, quantity): (
                (one.execution.instrument.conid, one.execution.quantity) == held
                and one.execution.order_ref == "spread.1"
            ),
        )


def test_the_brokers_own_algorithm_is_named_with_its_patience(line, puts):
    line.sent(intent("adaptive.1", legs_of((puts[0], -1)), -50, style=OrderStyle.ADAPTIVE))

    (told,) = line.placed
    assert (told.ticket.order_type, told.ticket.algo_strategy) == ("LMT", "Adaptive")
    assert dict(told.ticket.algo_params) == {"adaptivePriority": "Normal"}
    assert line.reported("adaptive.1").limit_usd == 50


def test_a_condor_of_four_legs_works_for_its_credit(line, puts, calls):
    legs = legs_of((puts[1], 1), (puts[0], -1), (calls[0], -1), (calls[1], 1))
    line.sent(intent("condor.1", legs, -90))

    order = line.reported("condor.1", WORKING)
    assert len(order.legs) == 4
    assert order.limit_usd == -90


def test_a_change_sends_the_whole_order_again_under_its_number(line, puts):
    parent = far("change.1", puts[0], units=2)
    profit, stop = exits_of(parent, take_profit=0.05, stop=200)
    numbers = line.sent(parent, profit, stop)
    line.wire.clear()

    line.modify(msgspec.structs.replace(profit, limit_usd=Decimal("0.04")), number=3)
    sent = line.wait_sent(profit.order_ref, 3)
    until(lambda: line.placed, "the change's way to the gateway")

    (told,) = line.placed
    assert sent.order_id == told.order_id == numbers[1]
    assert (told.ticket.limit_price, told.quantity, told.ticket.tif) == (0.04, 2, "GTC")
    assert (told.ticket.parent_id, told.ticket.oca_group) == (numbers[0], "g-1")
    changed = line.ear.wait_for(
        OrderReported,
        holds=lambda one: (
            one.order.order_ref == profit.order_ref and one.order.limit_usd == Decimal("0.04")
        ),
    )
    assert changed.order.state is WORKING


def test_an_order_is_taken_back_by_its_reference(line, puts):
    (number,) = line.sent(far("back.1", puts[0]))

    line.cancel("back.1")

    line.reported("back.1", CANCELLED)
    assert ("cancel", number) in line.wire
    trouble = line.ear.wait_for(OrderTroubled, holds=lambda one: one.order_ref == "back.1")
    assert (trouble.code, trouble.order_id) == (202, number)


def test_a_cancel_of_an_older_link_is_carried_out_on_the_present_one(line, puts):
    line.sent(far("older.1", puts[0]))
    perm_id = line.reported("older.1").perm_id
    line.relink()

    line.cancel("", perm_id=perm_id, epoch=1)

    line.reported("older.1", CANCELLED)


def test_another_process_of_ours_changes_and_cancels_what_an_earlier_one_sent(line_on, puts):
    first = line_on()
    order = far("heir.1", puts[0])
    (number,) = first.sent(order)
    first.stop()
    heir = line_on()

    heir.modify(msgspec.structs.replace(order, limit_usd=Decimal(-51)))
    heir.wait_sent("heir.1", 1)
    heir.cancel("heir.1")

    heir.reported("heir.1", CANCELLED)
    (changed,) = heir.placed
    assert (changed.order_id, changed.ticket.limit_price) == (number, 51.0)


def test_a_later_process_never_uses_a_number_again(line_on, puts):
    first = line_on()
    numbers = [first.sent(far(f"count.{number}", puts[0]))[0] for number in range(2)]
    first.stop()
    later = line_on()

    (next_number,) = later.sent(far("count.3", puts[0]))

    assert next_number > max(numbers)


def test_numbers_never_go_back_when_the_gateway_does(line, busy, puts):
    numbers = [line.sent(far(f"low.{number}", puts[0]))[0] for number in range(2)]
    line.relink()
    busy.play("low-id", order_id=1)

    (next_number,) = line.sent(far("low.3", puts[0]))

    assert next_number > max(numbers)


def test_O16_a_number_in_use_is_told_and_the_next_order_has_one_far_away(line, busy, puts):
    busy.play("duplicate-id")
    line.submit(far("dup.1", puts[0]))
    number = line.wait_sent("dup.1").order_id
    trouble = line.ear.wait_for(OrderTroubled, holds=lambda one: one.code == 103)

    (fresh,) = line.sent(far("dup.2", puts[0]))

    assert (trouble.order_ref, trouble.order_id) == ("dup.1", number)
    assert fresh > number + 50
    assert len(line.placed) == 2, "nothing is sent again by itself"


@pytest.mark.parametrize("code", [10147, 10148, 161])
def test_O14_a_cancel_that_fails_is_told_under_the_orders_name(line, busy, puts, code):
    name = f"fails.{code}"
    line.sent(far(name, puts[0]))
    busy.play("cancel-fails", code=code)

    line.cancel(name)

    trouble = line.ear.wait_for(OrderTroubled, holds=lambda one: one.code == code)
    busy.end("cancel-fails")
    assert trouble.order_ref == name
    assert len([one for one in line.wire if isinstance(one, tuple)]) == 1, "it is not tried again"


def test_a_cancel_of_an_order_nobody_has_is_told_and_sends_nothing(line):
    line.cancel("nobody.1", perm_id=5)

    trouble = line.ear.wait_for(OrderTroubled, holds=lambda one: one.order_ref == "nobody.1")
    assert trouble.code == 10147
    assert line.wire == []


def test_an_order_of_another_client_is_not_ours_to_cancel(line, line_on, puts):
    other = line_on(client_id=18)
    other.sent(far("theirs.1", puts[0]))
    perm_id = other.reported("theirs.1").perm_id
    other.wire.clear()

    line.cancel("", perm_id=perm_id)

    trouble = line.ear.wait_for(OrderTroubled, holds=lambda one: not one.order_ref)
    assert trouble.code == 10147
    assert [one for one in line.wire if isinstance(one, tuple)] == []


def test_a_cancel_without_a_link_says_that_nothing_was_cancelled(line):
    line.broker._threads.call(lambda: line.broker._session.close("gone"))

    line.cancel("gone.1")

    trouble = line.ear.wait_for(OrderTroubled)
    assert trouble.code == 0
    assert "not cancelled" in trouble.words


def test_x08_what_the_broker_writes_of_an_order_is_one_plain_and_bounded_line(line, busy, puts):
    (number,) = line.sent(far("words.1", puts[0]))
    hostile = "held\r\n\x1b[31mFILLED\u202e" + "x" * 5000

    def write(server):
        (session,) = server.gateway.sessions.values()
        session.error(number, 399, hostile)

    busy.do(write)

    words = line.ear.wait_for(OrderTroubled, holds=lambda one: one.code == 399).words
    assert words.startswith("held")
    assert words.isprintable()
    assert len(words) <= 400


def test_O13_a_warning_is_told_and_the_order_lives(line, busy, puts):
    line.sent(far("warn.1", puts[0]))
    busy.play("warning", code=10349)

    trouble = line.ear.wait_for(OrderTroubled, holds=lambda one: one.code == 10349)

    (order,) = [one for one in line.fetch().orders if one.order_ref == "warn.1"]
    assert trouble.order_ref == "warn.1"
    assert order.state is WORKING


def test_a_refused_order_is_told_with_the_brokers_words(line, puts):
    line.submit(intent("refused.1", legs_of((puts[0], -1)), "-0.013"))

    trouble = line.ear.wait_for(OrderTroubled)

    assert (trouble.order_ref, trouble.code) == ("refused.1", 110)
    assert trouble.words


def test_a_change_of_an_order_nobody_has_is_withheld(line, puts):
    line.modify(far("never.1", puts[0]), number=2)

    withheld = line.withheld("never.1")

    assert (withheld.why, withheld.number) == (Withheld.NOT_SENDABLE, 2)
    assert line.wire == []


def test_many_orders_leave_in_the_order_they_were_given(line, puts):
    names = [f"many.{number}" for number in range(12)]
    for name in names:
        line.submit(far(name, puts[0]))
    for name in names:
        line.reported(name)

    assert [one.ticket.order_ref for one in line.placed] == names
    assert line.ear.all_of(OrderWithheld) == []
    assert len(line.ear.all_of(OrderSent)) == 12


def test_O15_a_change_that_a_fill_overtook_is_told_and_the_fill_stands(line, busy, puts):
    """The library's own call would raise here, after the bytes of the change have left."""
    order = far("race.1", puts[0])
    line.sent(order)
    busy.play("modify-race")

    line.modify(msgspec.structs.replace(order, limit_usd=Decimal(-51)))

    trouble = line.ear.wait_for(OrderTroubled, holds=lambda one: one.code == 104)
    assert trouble.order_ref == "race.1"
    assert line.reported("race.1", FILLED).filled == -1
    placed = len(line.placed)
    line.modify(msgspec.structs.replace(order, limit_usd=Decimal(-52)), number=2)
    assert line.withheld("race.1").why is Withheld.NOT_SENDABLE
    assert len(line.placed) == placed
    line.sent(far("race.2", puts[0]))


def test_O03_a_fill_that_comes_after_the_cancel_was_sent_is_told(line, busy, puts):
    line.sent(far("late.1", puts[0]))
    busy.play("fill-after-cancel")

    line.cancel("late.1")

    assert line.reported("late.1", FILLED).filled == -1
    line.ear.wait_for(ExecutionReported, holds=lambda one: one.execution.order_ref == "late.1")


def test_O10_an_order_the_broker_lost_is_sent_and_never_reported(line, busy, puts):
    busy.play("lost-order")
    line.submit(far("lost.1", puts[0]))
    line.wait_sent("lost.1")

    book = line.fetch()

    assert [one for one in (*book.orders, *book.completed) if one.order_ref == "lost.1"] == []
    line.submit(far("lost.1", puts[0]))
    assert line.withheld("lost.1").why is Withheld.SENT_ALREADY
