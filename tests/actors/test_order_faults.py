"""What goes wrong with orders, by the ids of the fault catalogue: what the executor makes of it."""

import datetime as dt
from decimal import Decimal

import msgspec
import pytest

from tests.actors.order_desk import APART, EXPIRY, SETTINGS, Desk, closing, legs, proposal, put
from tests.domain.books.accounts import SECOND, stock
from thetawarden.actors.executing import held_of
from thetawarden.actors.protecting import Guard
from thetawarden.config.executing import executor_settings
from thetawarden.config.execution import ExecutionConfig
from thetawarden.domain.books.rows import PositionRow
from thetawarden.domain.broker.orders import BrokerOrderState
from thetawarden.domain.halt import HaltRecord
from thetawarden.domain.instants import UnixNs, new_york_ns
from thetawarden.domain.link.states import LinkState
from thetawarden.domain.market.sessions import Exchange, load_sessions
from thetawarden.domain.orders.intent import OrderRole
from thetawarden.domain.orders.proposal import Exits, OrderLeg
from thetawarden.domain.orders.stages import Stage
from thetawarden.domain.orders.trade import with_shares
from thetawarden.domain.risk.candidate import Purpose
from thetawarden.domain.risk.finding import RuleFinding, RuleId, Verdict
from thetawarden.domain.risk.reducing import Reduction
from thetawarden.domain.risk.review import Review
from thetawarden.messages.books import (
    ExecutionReported,
    OrderReported,
    PositionExplained,
    PositionsValued,
    RefreshBook,
)
from thetawarden.messages.link import LinkChanged
from thetawarden.messages.orders import (
    CancelOrder,
    ModifyOrder,
    OrdersReconciled,
    ProposeOrder,
    ProtectionChanged,
    ReviseExits,
    SubmitOrder,
)
from thetawarden.messages.trading import Flatten, TradingHalted, TradingResumed

TP, STOP, ENTRY, EXIT = OrderRole.TAKE_PROFIT, OrderRole.STOP, OrderRole.ENTRY, OrderRole.EXIT
CANCELLED, INACTIVE = BrokerOrderState.CANCELLED, BrokerOrderState.INACTIVE


def working(settings=SETTINGS, **changes):
    """A desk with an entry of two units that works at the broker."""
    desk = Desk(settings)
    desk.approve(proposal(**changes))
    return desk.settle()


def holding(**changes):
    """A desk that has sold two units and has its exits at the broker."""
    desk = working(**changes)
    desk.broker.fill(desk.order(ENTRY).order_ref)
    return desk.settle()


def valued(desk, **counts):
    """The keeper's agreed book says what is held now."""
    rows = tuple(
        PositionRow(
            account="DU1",
            instrument=stock() if conid == "c1" else put(int(conid[1:])),
            contract=conid,
            quantity=Decimal(count),
            book_quantity=Decimal(count),
            average_cost_usd=Decimal(),
            mark_usd=Decimal(1),
            marked_ns=desk.now,
            value_usd=None,
            unrealised_usd=None,
            realised_usd=Decimal(),
            realised_today_usd=Decimal(),
            day_usd=None,
            fees_usd=Decimal(),
            delta_shares=None,
        )
        for conid, count in counts.items()
    )
    return desk.tell(
        PositionsValued(
            agreed_ns=desk.now,
            reconciled=True,
            positions=rows,
            results={},
            cash_usd={},
            values=(),
            working_orders=0,
        )
    )


@pytest.mark.parametrize("inactive_first", [True, False])
def test_o01_a_reject_is_the_end_only_with_its_report(inactive_first):
    desk = working()
    entry = desk.order(ENTRY).order_ref
    desk.broker.reject(entry)
    words = desk.broker.outbox
    assert len(words) >= 2
    if inactive_first:
        words[0], words[1] = words[1], words[0]

    desk.tell(words.pop(0))

    assert desk.order(ENTRY).stage is Stage.UNKNOWN
    desk.settle()
    assert desk.order(ENTRY).stage is Stage.REJECTED
    assert desk.held == {} == desk.protected()


def test_o02_a_part_that_filled_before_the_cancel_is_protected_to_its_size():
    desk = working()
    entry = desk.order(ENTRY).order_ref

    desk.broker.fill(entry, 1)
    desk.broker.end(entry, CANCELLED)
    desk.settle()

    assert (desk.order(ENTRY).stage, desk.order(ENTRY).units_filled) == (Stage.CANCELLED, 1)
    assert desk.protected() == {TP: 1, STOP: 1}
    assert desk.pages() == []


def test_o02_exits_that_the_broker_did_not_shrink_are_shrunk_by_us():
    desk = working()
    entry = desk.order(ENTRY).order_ref
    desk.broker.children = lambda _ref: []

    desk.broker.fill(entry, 1)
    desk.broker.end(entry, CANCELLED)
    desk.settle()

    assert desk.protected() == {TP: 1, STOP: 1}
    assert len(desk.heard(ModifyOrder)) == 2


def test_o03_a_fill_after_the_cancel_was_sent_is_taken_and_protected_at_once():
    desk = working()
    entry = desk.order(ENTRY).order_ref
    desk.broker.fill(entry)
    late = list(desk.broker.outbox)
    desk.broker.outbox.clear()
    desk.broker.orders[entry].state = CANCELLED
    for child in list(desk.broker.children(entry)):
        desk.broker.end(child.intent.order_ref, CANCELLED)
    desk.broker.report(entry)
    desk.settle()

    desk.broker.outbox = late
    desk.settle()

    assert (desk.order(ENTRY).stage, desk.order(ENTRY).units_filled) == (Stage.FILLED, 2)
    assert desk.protected() == {TP: 2, STOP: 2}


def test_o03_a_late_fill_counts_though_no_report_comes_with_it():
    desk = working()
    entry = desk.order(ENTRY).order_ref
    desk.broker.fill(entry)
    late = [one for one in desk.broker.outbox if isinstance(one, ExecutionReported)]
    desk.broker.outbox.clear()
    desk.broker.orders[entry].state = CANCELLED
    for child in list(desk.broker.children(entry)):
        desk.broker.end(child.intent.order_ref, CANCELLED)
    desk.broker.report(entry)
    desk.broker.outbox = [unfilled(one) for one in desk.broker.outbox]
    desk.settle()
    ended = desk.order(ENTRY).stage

    desk.broker.outbox = late
    desk.settle()

    assert ended is Stage.CANCELLED
    assert desk.order(ENTRY).units_filled == 2
    assert desk.protected() == {TP: 2, STOP: 2}


def unfilled(message):
    """The same word of the broker from before it knew of any fill."""
    if not isinstance(message, OrderReported):
        return message
    order = msgspec.structs.replace(message.order, filled=Decimal(0))
    return msgspec.structs.replace(message, order=order)


def test_o04_what_is_told_twice_counts_once():
    desk = working()
    desk.broker.fill(desk.order(ENTRY).order_ref)
    words = list(desk.broker.outbox)
    desk.settle()
    said = len(desk.said)

    for one in words:
        desk.tell(one)

    assert len(desk.said) == said
    assert desk.order(ENTRY).units_filled == 2


def test_o05_fills_without_any_report_fill_the_order():
    desk = working()
    desk.broker.fill(desk.order(ENTRY).order_ref)
    desk.broker.outbox = [one for one in desk.broker.outbox if isinstance(one, ExecutionReported)]
    desk.settle()

    assert (desk.order(ENTRY).stage, desk.order(ENTRY).units_filled) == (Stage.FILLED, 2)


def test_o05_fills_that_only_the_list_of_executions_shows_fill_the_order():
    desk = working()
    desk.broker.fill(desk.order(ENTRY).order_ref)
    desk.broker.outbox.clear()
    book = desk.broker.book()

    desk.tell(msgspec.structs.replace(book, orders=(), completed=()))
    desk.settle()

    assert (desk.order(ENTRY).stage, desk.order(ENTRY).units_filled) == (Stage.FILLED, 2)


def test_o06_a_late_report_does_not_undo_a_fill():
    desk = working()
    entry = desk.order(ENTRY).order_ref
    late = OrderReported(epoch=1, order=desk.broker.shown(desk.broker.orders[entry]))
    desk.broker.fill(entry)
    desk.settle()

    desk.tell(late)

    assert desk.order(ENTRY).stage is Stage.FILLED
    assert desk.pages() == []


def test_o08_an_exit_that_was_busted_has_closed_nothing_and_is_placed_again():
    desk = holding()
    desk.broker.fill(desk.order(TP).order_ref)
    desk.settle()
    after = [held_of(desk.state, one) for one in desk.state.trades.values()]
    fills = list(desk.state.orders[desk.order(TP).order_ref].fills)

    for one in fills:
        stem = one.execution_id.rpartition(".")[0]
        bust = msgspec.structs.replace(one, execution_id=f"{stem}.02", price_usd=Decimal(0))
        desk.tell(ExecutionReported(epoch=1, execution=bust))
    desk.settle()
    desk.wait(SETTINGS.settle_ns * 2)
    valued(desk, c11=-2)
    desk.settle()

    assert not any(after)
    assert [one.contracts for one in held_of(desk.state, desk.state.trades["t1"])] == [-2]
    assert desk.protected() == {TP: 2, STOP: 2}


def test_o08_a_leg_of_a_close_that_was_busted_is_held_again_and_closed_and_told_once():
    desk = Desk()
    desk.approve(proposal(ratios=(-1, 1)))
    desk.settle()
    desk.broker.fill(desk.order(ENTRY).order_ref)
    desk.settle()
    desk.approve(closing(ratios=(1, -1)))
    desk.settle()
    desk.broker.fill(desk.order(EXIT).order_ref)
    desk.settle()
    assert not held_of(desk.state, desk.state.trades["t1"])

    bought = next(one for one in reversed(desk.broker.executions) if one.instrument.conid == 11)
    stem = bought.execution_id.rpartition(".")[0]
    bust = msgspec.structs.replace(bought, execution_id=f"{stem}.02", price_usd=Decimal(0))
    desk.tell(ExecutionReported(epoch=1, execution=bust))
    desk.settle()

    held = held_of(desk.state, desk.state.trades["t1"])
    assert [(one.instrument.conid, one.contracts) for one in held] == [(11, -2)]
    desk.watch(SETTINGS.legs_ns + 5 * SECOND)
    again = desk.order(EXIT)
    assert [(one.instrument.conid, one.ratio) for one in again.intent.legs] == [(11, 1)]
    desk.broker.fill(again.order_ref)
    desk.watch(60 * SECOND)
    assert not held_of(desk.state, desk.state.trades["t1"])
    assert sum("unevenly" in one for one in desk.pages()) == 1
    assert desk.halts() == []


@pytest.mark.parametrize("quantity", [0, -1], ids=["no quantity", "no price"])
def test_o08_a_busted_fill_takes_back_what_it_brought_and_resizes_the_exits(quantity):
    desk = working()
    entry = desk.order(ENTRY).order_ref
    desk.broker.fill(entry, 1)
    desk.broker.fill(entry, 1)
    desk.settle()
    bust = msgspec.structs.replace(
        desk.broker.executions[-1],
        execution_id=desk.broker.executions[-1].execution_id[:-2] + "02",
        quantity=Decimal(quantity),
        price_usd=Decimal(0),
    )

    desk.tell(ExecutionReported(epoch=1, execution=bust))
    desk.settle()

    assert desk.order(ENTRY).units_filled == 1
    assert desk.protected() == {TP: 1, STOP: 1}
    late = OrderReported(epoch=1, order=desk.broker.shown(desk.broker.orders[entry]))
    desk.tell(late)
    assert desk.order(ENTRY).units_filled == 1


def test_a_change_that_the_gate_keeps_back_is_asked_for_again_later_and_the_broker_is_asked():
    desk = working()
    entry = desk.order(ENTRY).order_ref
    desk.broker.fill(entry, 2)
    desk.settle()
    stop = desk.order(STOP).order_ref
    desk.broker.unlisted.add(stop)

    desk.broker.fill(desk.order(TP).order_ref, 1)
    desk.broker.outbox = [
        one
        for one in desk.broker.outbox
        if not (isinstance(one, OrderReported) and one.order.order_ref == stop)
    ]
    desk.settle()

    assert of(desk, stop) == 1
    assert "no such order" in desk.heard(RefreshBook)[-1].reason
    desk.wait(SETTINGS.pace_ns + SECOND // 10)
    desk.settle()
    assert of(desk, stop) == 2

    desk.broker.end(stop, BrokerOrderState.CANCELLED)
    desk.settle()
    desk.reconcile()
    desk.settle()
    assert desk.protected() == {TP: 1, STOP: 1}


def test_an_exit_that_the_broker_refused_to_shrink_is_seen_in_its_book_and_shrunk_again():
    desk = working()
    entry = desk.order(ENTRY).order_ref
    desk.broker.children = lambda _ref: []
    desk.broker.fill(entry, 1)
    stop = desk.order(STOP).order_ref
    desk.broker.refusing.add(stop)
    desk.broker.end(entry, CANCELLED)
    desk.settle()
    assert desk.protected() == {TP: 1, STOP: 2}

    desk.broker.refusing.clear()
    desk.reconcile()
    desk.settle()

    assert desk.protected() == {TP: 1, STOP: 1}


def walked():
    """A desk that has just moved its entry's price, and a report of before."""
    desk = working()
    shown = desk.broker.shown(desk.broker.orders[desk.order(ENTRY).order_ref])
    desk.wait(SETTINGS.walk.step_ns // 2)
    desk.quote(bid="1.20", ask="1.30")
    desk.wait(SETTINGS.walk.step_ns // 2 + SECOND)
    return desk, OrderReported(epoch=1, order=shown)


def test_a_report_of_before_a_change_does_not_undo_it_but_a_later_one_is_the_truth():
    desk, before = walked()
    (change,) = desk.heard(ModifyOrder)
    sent, echo = desk.broker.outbox
    assert change.intent.limit_usd != before.order.limit_usd

    desk.tell(sent)
    desk.tell(before)
    assert desk.order(ENTRY).intent.limit_usd == change.intent.limit_usd
    desk.tell(echo)
    desk.tell(before)
    assert desk.order(ENTRY).intent.limit_usd == before.order.limit_usd


def test_a_change_that_never_comes_there_is_not_believed_for_ever():
    desk, before = walked()
    sent, _echo = desk.broker.outbox
    desk.broker.outbox.clear()
    desk.tell(sent)

    desk.wait(SETTINGS.ack_ns + SECOND)
    desk.tell(before)

    assert desk.order(ENTRY).intent.limit_usd == before.order.limit_usd


def of(desk, ref):
    """How often a change of an order was asked for."""
    return sum(one.intent.order_ref == ref for one in desk.heard(ModifyOrder))


def test_o09_a_second_permanent_number_is_the_same_order():
    desk = working()
    entry = desk.order(ENTRY).order_ref
    desk.broker.orders[entry].perm_id = 0
    desk.broker.report(entry)
    desk.settle()
    assert desk.order(ENTRY).perm_id > 0

    desk.broker.orders[entry].perm_id = 77
    desk.broker.fill(entry)
    desk.settle()

    assert (desk.order(ENTRY).perm_id, desk.order(ENTRY).stage) == (77, Stage.FILLED)


def test_o10_an_order_nobody_ever_heard_of_is_proved_absent_and_not_sent_again():
    desk = Desk()
    desk.broker.deaf = True
    desk.approve()

    desk.wait(SETTINGS.ack_ns + SECOND)
    assert desk.order(ENTRY).stage is Stage.UNKNOWN
    desk.approve(proposal("p2", trade="t2"))
    assert desk.order(ENTRY).stage is Stage.WITHHELD  # no new risk while one is in doubt
    desk.reconcile(rounds=1)
    assert Stage.ABSENT not in desk.stages()
    desk.reconcile(rounds=2)

    assert desk.stages().count(Stage.ABSENT) == 3
    assert desk.heard(OrdersReconciled)[-1].unknown == ()
    assert len(desk.heard(SubmitOrder)) == 1


def test_o10_a_lost_answer_is_found_in_the_whole_book():
    desk = Desk()
    desk.broker.mute = True
    desk.approve()
    desk.broker.fill(desk.order(ENTRY).order_ref)
    desk.wait(SETTINGS.ack_ns + SECOND)
    desk.broker.mute = False

    desk.reconcile()
    desk.settle()

    assert (desk.order(ENTRY).stage, desk.order(ENTRY).units_filled) == (Stage.FILLED, 2)
    assert desk.protected() == {TP: 2, STOP: 2}
    assert len(desk.broker.placements) == len(set(desk.broker.placements)) == 3


def test_o10_a_position_that_moved_without_an_order_halts_and_calls_a_person():
    desk = Desk()
    desk.broker.deaf = True
    desk.approve()
    desk.wait(SETTINGS.ack_ns + SECOND)
    desk.broker.held[11] = Decimal(-2)

    desk.reconcile(agreed=False, rounds=4)

    assert desk.order(ENTRY).stage is Stage.UNKNOWN
    assert len(desk.halts()) == 1
    assert "is on no list, yet a position of it moved" in desk.halts()[0]


def test_o12_margin_raised_after_the_approval_rejects_a_working_order_and_frees_it():
    desk = working()

    desk.broker.reject(desk.order(ENTRY).order_ref, words="margin was raised")
    desk.settle()

    assert desk.stages(desk.order(ENTRY).order_ref)[-1] is Stage.REJECTED


@pytest.mark.parametrize("code", [399, 10349, 2109, 404])
def test_o13_a_warning_leaves_a_live_order_alive(code):
    desk = working()

    desk.broker.trouble(desk.order(ENTRY).order_ref, code, "Warning: your order will wait.")
    desk.settle()

    assert desk.order(ENTRY).stage is Stage.WORKING


def test_o14_a_cancel_that_does_nothing_is_tried_three_times_and_then_a_person_is_called():
    desk = working()
    desk.broker.stubborn = True

    desk.wait(SETTINGS.walk.step_ns * (SETTINGS.walk.steps_max + 1) + SETTINGS.walk.rest_ns)
    desk.wait(SETTINGS.cancel_ns * 10)

    entry = desk.order(ENTRY).order_ref
    assert len([one for one in desk.heard(CancelOrder) if one.order_ref == entry]) == 3
    assert any("cannot be cancelled" in one for one in desk.pages())


@pytest.mark.parametrize("code", [10147, 10148])
def test_o14_a_cancel_the_broker_cannot_carry_out_asks_what_became_of_the_order(code):
    desk = working()
    entry = desk.order(ENTRY).order_ref
    desk.broker.mute = True
    desk.broker.fill(entry)
    desk.broker.mute = False

    desk.broker.trouble(entry, code, "cannot be cancelled, state: Filled.")
    desk.settle()
    desk.reconcile(rounds=1)

    assert desk.order(ENTRY).stage is Stage.FILLED
    assert desk.protected() == {TP: 2, STOP: 2}


def test_o15_a_change_that_comes_after_the_fill_changes_nothing():
    desk = working()
    entry = desk.order(ENTRY).order_ref
    desk.wait(SETTINGS.walk.step_ns // 2)
    desk.quote(bid="1.20", ask="1.30")
    desk.broker.fill(entry)
    held_back = list(desk.broker.outbox)
    desk.broker.outbox.clear()
    desk.wait(SETTINGS.walk.step_ns // 2 + SECOND)
    assert len(desk.heard(ModifyOrder)) == 1

    desk.broker.outbox += held_back
    desk.settle()

    assert desk.order(ENTRY).stage is Stage.FILLED
    assert desk.protected() == {TP: 2, STOP: 2}


def test_o15_a_change_that_is_refused_as_too_late_says_nothing_against_the_order():
    desk = working()
    entry = desk.order(ENTRY).order_ref
    desk.wait(SETTINGS.walk.step_ns // 2)
    desk.quote(bid="1.20", ask="1.30")
    desk.wait(SETTINGS.walk.step_ns // 2 + SECOND)
    asked = len(desk.heard(RefreshBook))

    desk.broker.trouble(entry, 104, "Cannot modify a filled order.")
    desk.settle()

    assert desk.order(ENTRY).stage is Stage.WORKING
    assert len(desk.heard(RefreshBook)) == asked + 1
    desk.broker.fill(entry)
    desk.settle()
    assert desk.order(ENTRY).stage is Stage.FILLED
    assert desk.protected() == {TP: 2, STOP: 2}


def test_o16_a_number_taken_already_is_a_doubt_until_absence_is_proved():
    desk = Desk()
    desk.broker.deaf = True
    desk.approve()
    desk.broker.deaf = False

    desk.broker.trouble(desk.order(ENTRY).order_ref, 103, "Duplicate order id")
    desk.settle()
    assert desk.order(ENTRY).stage is Stage.UNKNOWN
    desk.reconcile(rounds=3)

    assert desk.order(ENTRY).stage is Stage.REJECTED
    assert "103" in desk.order(ENTRY).refusal


def test_o17_a_lost_exit_is_placed_once_more():
    desk = holding()

    desk.broker.end(desk.order(TP).order_ref, CANCELLED)
    desk.settle()

    assert desk.protected() == {TP: 2, STOP: 2}
    assert desk.halts() == []


def test_o17_exits_that_cannot_be_placed_lead_to_the_trades_end():
    desk = holding()
    desk.quote(bid="1.40", ask="1.60")
    place = desk.broker.place

    def refusing(submitted):
        place(submitted)
        if submitted.intent.role in (TP, STOP):
            desk.broker.reject(submitted.intent.order_ref)

    desk.broker.place = refusing
    desk.broker.end(desk.order(TP).order_ref, CANCELLED)
    desk.settle()
    desk.watch(2 * SETTINGS.query_ns)

    (close,) = [one for one in desk.heard(SubmitOrder) if one.intent.role is EXIT]
    assert (close.intent.units, close.intent.reducing) == (2, True)
    assert any("is being closed" in one for one in desk.pages())
    desk.broker.fill(close.intent.order_ref)
    desk.settle()
    assert desk.held == {}


def test_o17_a_trade_that_can_neither_be_protected_nor_closed_halts():
    desk = holding()
    desk.refuse = "no"
    desk.quote()

    desk.broker.end(desk.order(TP).order_ref, CANCELLED)
    desk.watch(20 * SETTINGS.query_ns)

    assert len(desk.halts()) == 1
    assert "could not be closed" in desk.halts()[0]


def lagging():
    """A governor that would let a position be closed and does not hold it yet."""
    late = RuleFinding(
        rule=RuleId.R12,
        check="over_held",
        verdict=Verdict.SHRINK,
        words="0 fit",
        units_max=0,
        sanity=True,
    )
    return Review(
        candidate_key="k",
        wanted=2,
        units=0,
        reduction=Reduction(proved=True, words="it only buys back short options"),
        findings=(late,),
        binding=(RuleId.R12,),
        words="0 of 2 approved",
    )


def test_o17_exits_that_only_the_governors_book_lags_behind_come_with_it_and_alarm_nobody():
    desk = holding()
    desk.refuse, desk.review = "0 fit", lagging()
    desk.broker.end(desk.order(TP).order_ref, CANCELLED)
    desk.watch(SETTINGS.protect_ns - 2 * SECOND)
    before = desk.protected()

    desk.refuse = ""
    desk.watch(2 * SECOND)

    assert TP not in before
    assert desk.protected() == {TP: 2, STOP: 2}
    assert desk.pages() == []


@pytest.mark.parametrize("speed", [1.0, 60.0, 240.0])
def test_o17_a_lagging_book_is_asked_as_seldom_on_a_market_that_runs_fast(speed):
    fast = executor_settings(ExecutionConfig(), quote_age_s_max=5.0, apart_s=10.0, speed=speed)
    desk = holding(settings=fast)
    desk.refuse, desk.review = "0 fit", lagging()
    before = len(desk.heard(ProposeOrder))
    desk.broker.end(desk.order(TP).order_ref, CANCELLED)

    desk.watch(fast.protect_ns)

    assert 2 <= len(desk.heard(ProposeOrder)) - before <= 8


def test_o17_a_book_that_lags_for_ever_is_no_excuse():
    desk = holding()
    desk.refuse, desk.review = "0 fit", lagging()
    desk.broker.end(desk.order(TP).order_ref, CANCELLED)

    desk.watch(SETTINGS.ask_ns + 20 * SETTINGS.query_ns)

    assert "could not be closed" in desk.halts()[0]


def test_o17_a_missing_exit_is_a_critical_alert_after_its_limit_and_its_return_is_told():
    desk = holding()
    desk.silent = True
    desk.broker.end(desk.order(TP).order_ref, CANCELLED)
    desk.settle()

    desk.wait(SETTINGS.protect_ns)

    lost = desk.heard(ProtectionChanged)[-1]
    assert (lost.complete, lost.trade) == (False, "t1")
    desk.silent = False
    desk.watch(SETTINGS.ask_ns + 2 * SETTINGS.query_ns)

    assert desk.protected() == {EXIT: 2}  # nobody answered, so it is being closed
    desk.broker.fill(desk.order(EXIT).order_ref)
    desk.settle()
    assert desk.heard(ProtectionChanged)[-1].complete


def closed_by_an_order_nobody_heard_of(*, deaf):
    """A trade without exits: they were taken back for an order that got lost, or its word did."""
    desk = holding()
    desk.quote()
    place = desk.broker.place

    def lost(submitted):
        desk.broker.deaf, desk.broker.mute = deaf, True
        place(submitted)
        desk.broker.deaf, desk.broker.mute = False, False

    desk.broker.place = lost
    desk.approve(closing())
    desk.settle()
    assert desk.order(EXIT).stage is Stage.INTENDED
    assert TP not in desk.protected()
    desk.broker.place = place
    return desk


def test_o17_a_closing_order_in_doubt_protects_nobody_and_a_person_is_told():
    desk = closed_by_an_order_nobody_heard_of(deaf=True)

    desk.wait(SETTINGS.ack_ns + SETTINGS.protect_ns - SECOND)
    assert desk.order(EXIT).stage is Stage.UNKNOWN
    assert desk.pages() == []
    desk.wait(SECOND)

    lost = desk.heard(ProtectionChanged)[-1]
    assert (lost.complete, lost.trade) == (False, "t1")
    assert "the order that closes it" in desk.pages()[-1]
    assert len(desk.heard(SubmitOrder)) == 2  # nothing takes its place while it may be there


def test_o17_a_closing_order_that_works_after_all_is_told_with_its_end():
    desk = closed_by_an_order_nobody_heard_of(deaf=False)
    desk.wait(SETTINGS.ack_ns + SETTINGS.protect_ns)
    told = len(desk.pages())

    desk.reconcile()
    desk.broker.fill(desk.order(EXIT).order_ref)
    desk.settle()

    assert told == len(desk.pages()) == 1
    assert desk.heard(ProtectionChanged)[-1].complete
    assert desk.held == {}


def test_o17_a_closing_order_heard_of_in_time_alarms_nobody():
    desk = closed_by_an_order_nobody_heard_of(deaf=False)
    desk.wait(SETTINGS.ack_ns + SECOND)

    desk.broker.report(desk.order(EXIT).order_ref)
    desk.settle()
    desk.wait(SETTINGS.ack_ns + SETTINGS.protect_ns)

    assert desk.order(EXIT).stage is Stage.WORKING
    assert desk.pages() == []


def test_o17_a_closing_order_proved_absent_gives_the_trade_its_exits_back():
    desk = closed_by_an_order_nobody_heard_of(deaf=True)
    desk.wait(SETTINGS.ack_ns + SETTINGS.protect_ns)

    desk.reconcile(rounds=3)
    desk.settle()

    assert desk.protected() == {TP: 2, STOP: 2}
    assert desk.heard(ProtectionChanged)[-1].complete


def test_o17_exits_in_doubt_of_what_has_stopped_trading_alarm_nobody():
    desk = holding()
    take_profit = desk.order(TP)
    desk.wait(SECOND)
    last_ns = new_york_ns(EXPIRY, dt.time(16, 15))

    alarmed = []
    for now in (desk.now, UnixNs(last_ns + SECOND)):
        desk.now = now
        doubted = msgspec.structs.replace(take_profit, stage=Stage.UNKNOWN)
        desk.state.orders[take_profit.order_ref] = doubted
        desk.state.trades["t1"] = msgspec.structs.replace(
            desk.state.trades["t1"], missing_ns=UnixNs(0), alarmed=False
        )
        guard = Guard(SETTINGS, load_sessions(Exchange.NYSE))
        guard.look(desk.state, "t1", now)
        told = guard.look(desk.state, "t1", UnixNs(now + SETTINGS.protect_ns))
        alarmed.append([one.complete for one in told if isinstance(one, ProtectionChanged)])

    assert alarmed == [[False], []]


def test_o18_legs_that_fill_apart_are_closed_as_the_unit_they_are():
    desk = working(ratios=(-1, 1))
    entry = desk.order(ENTRY)
    desk.broker.fill(entry.order_ref)
    leg = next(
        one
        for one in desk.broker.outbox
        if isinstance(one, ExecutionReported) and one.execution.instrument.conid == 11
    )
    desk.broker.outbox.clear()
    desk.tell(leg)
    desk.quote("1.40", "1.60", 11)
    desk.quote("0.40", "0.50", 12)
    desk.wait(SETTINGS.legs_ns - SECOND)
    desk.quote("1.40", "1.60", 11)
    desk.quote("0.40", "0.50", 12)

    desk.wait(2 * SECOND)

    (asked,) = [one.proposal for one in desk.heard(ProposeOrder)]
    assert [(leg.instrument.conid, leg.ratio) for leg in asked.legs] == [(11, 1)]
    assert asked.units == 2


def test_o18_legs_told_one_after_the_other_are_no_trouble():
    desk = working(ratios=(-1, 1))
    desk.broker.fill(desk.order(ENTRY).order_ref)
    desk.settle()

    desk.wait(SETTINGS.legs_ns * 2)

    assert desk.heard(ProposeOrder) == []
    assert desk.protected() == {TP: 2, STOP: 2}


def test_o19_what_was_assigned_or_expired_needs_no_exits():
    desk = holding()
    desk.wait(SETTINGS.settle_ns * 2)

    valued(desk)
    desk.settle()

    assert desk.protected() == {}
    assert desk.heard(ProposeOrder) == []


def test_h01_a_part_closed_by_hand_shrinks_the_exits():
    desk = holding()
    desk.wait(SETTINGS.settle_ns * 2)

    valued(desk, c11=-1)
    desk.settle()

    assert desk.protected() == {TP: 1, STOP: 1}


def test_h01_an_order_that_is_not_ours_is_never_touched():
    desk = holding()
    mine = desk.broker.shown(desk.broker.orders[desk.order(TP).order_ref])
    manual = msgspec.structs.replace(mine, order_ref="", perm_id=1, order_id=0, client_id=0)

    said = desk.tell(OrderReported(epoch=1, order=manual))

    assert said == ()
    assert desk.heard(CancelOrder) == []


def test_h02_an_exit_cancelled_by_hand_comes_back():
    desk = holding()

    desk.broker.end(desk.order(STOP).order_ref, CANCELLED)
    desk.settle()

    assert desk.protected() == {TP: 2, STOP: 2}


def test_n01_h06_a_link_that_is_lost_puts_what_had_no_answer_in_doubt_and_finds_it_again():
    desk = Desk()
    desk.broker.mute = True
    desk.approve()
    desk.broker.mute = False

    desk.tell(LinkChanged(epoch=1, state=LinkState.DOWN, entries=False, why="phone"))
    assert desk.order(ENTRY).stage is Stage.UNKNOWN
    desk.connect(epoch=2)
    desk.settle()

    assert desk.order(ENTRY).stage is Stage.WORKING
    assert len(desk.heard(SubmitOrder)) == 1


def test_o20_more_filled_than_asked_for_halts_and_is_followed():
    desk = working()
    entry = desk.order(ENTRY).order_ref
    desk.broker.fill(entry, 3)

    desk.settle()

    assert any("more of" in one for one in desk.halts())
    assert desk.order(ENTRY).units_filled == 3
    assert desk.held == {11: -3}


def test_o01_a_refused_close_leaves_the_trade_protected():
    desk = holding()
    desk.approve(closing())
    desk.settle()

    desk.broker.reject(desk.order(EXIT).order_ref)
    desk.settle()

    assert desk.protected() == {TP: 2, STOP: 2}


def test_nothing_is_concluded_from_a_part_of_a_book():
    desk = Desk()
    desk.broker.deaf = True
    desk.approve()
    desk.wait(SETTINGS.ack_ns + SECOND)

    for _ in range(5):
        desk.wait(APART)
        desk.tell(desk.broker.book(missing=("open orders",)))

    assert desk.order(ENTRY).stage is Stage.UNKNOWN


def test_a_roll_takes_the_old_exits_back_and_brings_its_own():
    desk = holding()
    further = put(99, "480")
    asked = proposal(
        "r1",
        purpose=Purpose.ROLL,
        legs=(*legs(1), OrderLeg(instrument=further, ratio=-1)),
        limit="-0.20",
        exits=Exits(take_profit_usd=Decimal("0.90"), stop_usd=None),
    )

    desk.approve(asked)
    desk.settle()
    desk.broker.fill(desk.order(OrderRole.ROLL).order_ref)
    desk.settle()

    assert desk.held == {99: -2}
    assert desk.protected() == {TP: 2}
    assert desk.order(TP).intent.legs == (OrderLeg(instrument=further, ratio=1),)
    assert desk.order(TP).intent.limit_usd == Decimal("0.90")


def test_h01_what_was_closed_by_hand_is_gone_of_the_older_trade_and_no_count_stands_for_two():
    desk = holding()
    desk.approve(proposal("p2", trade="t2", units=1))
    desk.settle()
    desk.broker.fill(desk.order(ENTRY).order_ref)
    desk.settle()
    desk.wait(SETTINGS.settle_ns * 2)

    valued(desk, c11=-2)
    desk.settle()

    assert desk.protected() == {TP: 2, STOP: 2}
    held = {name: held_of(desk.state, one) for name, one in desk.state.trades.items()}
    assert {name: [one.contracts for one in of] for name, of in held.items()} == {
        "t1": [-1],
        "t2": [-1],
    }


def test_an_older_count_than_the_second_of_two_fills_takes_nothing_away():
    desk = working(units=3)
    entry = desk.order(ENTRY).order_ref
    desk.broker.fill(entry, 1)
    desk.settle()
    desk.wait(SETTINGS.settle_ns * 2)
    desk.broker.fill(entry, 1)
    desk.settle()

    valued(desk, c11=-1)
    desk.settle()

    assert sum(one.contracts for one in held_of(desk.state, desk.state.trades["t1"])) == -2


def further_roll(**changes):
    """Two units of the put at 500 become two of the one at 480, for a net credit."""
    return proposal(
        "r1",
        purpose=Purpose.ROLL,
        legs=(*legs(1), OrderLeg(instrument=put(99, "480"), ratio=-1)),
        limit="-0.20",
        exits=None,
        **changes,
    )


def test_a_roll_without_exits_is_protected_by_what_its_new_unit_is_worth():
    desk = holding()
    desk.quote("2.80", "3.20", 99)
    desk.approve(further_roll())
    desk.settle()

    desk.broker.fill(desk.order(OrderRole.ROLL).order_ref)
    desk.settle()

    take_profit, stop = desk.order(TP).intent, desk.order(STOP).intent
    assert desk.protected() == {TP: 2, STOP: 2}
    assert take_profit.legs == (OrderLeg(instrument=put(99, "480"), ratio=1),)
    assert (take_profit.limit_usd, stop.stop_usd) == (Decimal("1.50"), Decimal("6.00"))


def rolled_further():
    """A desk whose roll has filled into a contract nobody has quoted yet."""
    desk = holding()
    desk.wait(SECOND)
    desk.approve(further_roll())
    desk.settle()
    desk.broker.fill(desk.order(OrderRole.ROLL).order_ref)
    desk.settle()
    return desk


def test_a_unit_that_has_no_price_yet_gets_its_exits_once_it_has_one():
    desk = rolled_further()
    before = desk.protected()

    for _ in range(2 * SETTINGS.query_ns // SECOND):
        desk.quote("2.80", "3.20", 99)
        desk.wait(SECOND)
        desk.settle()

    assert before == {}
    assert desk.protected() == {TP: 2, STOP: 2}
    assert not [one for one in desk.heard(SubmitOrder) if one.intent.role is EXIT]


def test_exits_that_are_told_for_a_unit_without_a_price_are_placed_at_once():
    desk = rolled_further()

    revised = Exits(take_profit_usd=Decimal("1.20"), stop_usd=None)
    desk.tell(ReviseExits(trade="t1", exits=revised, reasons=("rolled",)))
    desk.settle()

    assert desk.protected() == {TP: 2, STOP: 2}
    assert desk.order(TP).intent.limit_usd == Decimal("1.20")


def test_exits_revised_after_a_roll_keep_the_proportion_of_the_stop():
    desk = holding()
    desk.quote("2.80", "3.20", 99)
    desk.silent = True
    desk.approve(further_roll())
    desk.settle()
    desk.broker.fill(desk.order(OrderRole.ROLL).order_ref)
    desk.settle()
    (asked,) = [one.proposal for one in desk.heard(ProposeOrder)]

    desk.tell(
        ReviseExits(
            trade="t1",
            exits=Exits(take_profit_usd=Decimal("1.20"), stop_usd=None),
            reasons=("rolled",),
        )
    )
    desk.tell(desk.approval(asked, reducing=True))
    desk.settle()

    assert desk.order(TP).intent.limit_usd == Decimal("1.20")
    assert desk.order(STOP).intent.stop_usd == Decimal("4.80")  # 3 to 0.75, as before


def test_exits_that_could_buy_anew_what_is_no_longer_short_are_taken_back_and_nobody_alarmed():
    desk = holding(ratios=(-1, 1))
    desk.wait(SETTINGS.settle_ns * 2)

    valued(desk, c12=2)  # the short leg was closed by hand
    desk.settle()
    desk.wait(SETTINGS.protect_ns * 3)

    assert desk.protected() == {}
    assert desk.pages() == []


def test_the_exits_of_something_bought_stay_while_they_fit_what_is_held():
    desk = holding(ratios=(1,), limit="1.50")
    desk.wait(SETTINGS.settle_ns * 2)

    valued(desk, c11=2)
    desk.settle()

    assert desk.protected() == {TP: 2, STOP: 2}


def test_a_repair_that_was_given_up_is_tried_again_once_a_person_has_resumed():
    desk = holding()
    desk.refuse = "no"
    desk.quote()
    desk.broker.end(desk.order(TP).order_ref, CANCELLED)
    desk.watch(20 * SETTINGS.query_ns)
    desk.tell(TradingHalted(halt=HaltRecord(epoch=1, reason="t", by="t", at_ns=0)))
    desk.refuse = ""
    desk.watch(2 * SETTINGS.query_ns)
    assert desk.protected() == {}

    desk.tell(TradingResumed(epoch=1, reason="go", by="me"))
    desk.settle()

    assert desk.protected() == {TP: 2, STOP: 2}
    desk.wait(SETTINGS.protect_ns)
    assert desk.heard(ProtectionChanged)[-1].complete


def test_exits_that_live_after_all_are_not_placed_a_second_time():
    desk = holding()
    desk.silent = True
    stop = desk.order(STOP).order_ref
    tp = desk.order(TP).order_ref
    desk.broker.end(tp, CANCELLED)
    desk.settle()
    (asked,) = [one.proposal for one in desk.heard(ProposeOrder)]
    assert desk.state.orders[stop].is_over
    for ref in (tp, stop):
        desk.broker.orders[ref].state = BrokerOrderState.WORKING
    desk.wait(SETTINGS.settle_ns)
    desk.reconcile(rounds=1)
    assert not desk.state.orders[tp].is_over

    desk.tell(desk.approval(asked, reducing=True))
    desk.settle()

    assert desk.protected() == {TP: 2, STOP: 2}


def test_a_trade_that_is_gone_while_its_exits_lack_rings_no_timer_for_ever():
    desk = holding()
    desk.wait(SETTINGS.settle_ns * 2)
    desk.broker.deaf = True
    tp, stop = desk.order(TP).order_ref, desk.order(STOP).order_ref
    desk.broker.orders[stop].units = 1
    desk.broker.report(stop)  # somebody made it smaller by hand
    desk.settle()
    assert desk.state.trades["t1"].missing_ns

    valued(desk)
    desk.settle()
    desk.wait(SETTINGS.protect_ns + SETTINGS.cancel_ns * 5)
    before = len(desk.told)
    desk.wait(5 * SECOND)

    assert desk.broker.orders[tp].is_open
    assert len(desk.told) - before < 10


def test_quotes_of_what_is_forgotten_are_forgotten():
    desk = holding()
    desk.quote()
    desk.broker.fill(desk.order(TP).order_ref)
    desk.settle()

    desk.wait(SETTINGS.kept_ns + SECOND)

    assert desk.state.quotes == {} == desk.state.orders


def assigned(desk, *, shares=200, conid=11):
    """The put was delivered: shares for the options, as the keeper explains it."""
    desk.broker.held = {1: Decimal(shares)}
    desk.tell(
        PositionExplained(
            account="DU1",
            conid=1,
            contract="SPY",
            before=Decimal(),
            after=Decimal(shares),
            cause="assignment",
            cash_usd=Decimal(),
            words="",
            instrument=stock(),
            because_of=conid,
        )
    )
    desk.wait(SETTINGS.settle_ns * 2)
    return valued(desk, c1=shares)


def test_o19_shares_that_were_delivered_are_closed_by_flatten_at_a_limit():
    desk = holding()
    assigned(desk)
    desk.settle()
    assert desk.protected() == {}

    desk.tell(Flatten(reason="enough", by="me"))
    desk.settle()

    (close,) = [one for one in desk.heard(SubmitOrder) if one.intent.role is EXIT]
    assert (close.intent.units, close.intent.legs[0].ratio) == (200, -1)
    assert close.intent.limit_usd == Decimal(-1)
    desk.broker.fill(close.intent.order_ref)
    desk.settle()
    assert desk.held == {}
    assert any("everything is closed" in one for one in desk.pages())


def test_o19_a_close_of_shares_that_were_delivered_is_sent_for_what_is_there():
    desk = holding()
    assigned(desk)
    desk.settle()

    desk.approve(closing(legs=(OrderLeg(instrument=stock(), ratio=-1),), units=300, limit="-1.00"))
    desk.settle()

    assert desk.order(EXIT).intent.units == 200


def test_o19_shares_of_an_option_that_was_not_ours_are_none_of_a_trade():
    desk = holding()

    assigned(desk, conid=99)
    desk.settle()

    assert held_of(desk.state, desk.state.trades["t1"]) == ()


def test_shares_beside_a_short_option_do_not_touch_its_exits():
    desk = holding()
    desk.state.trades["t1"] = with_shares(desk.state.trades["t1"], stock(), 100)

    desk.broker.end(desk.order(TP).order_ref, CANCELLED)
    desk.settle()

    assert desk.protected() == {TP: 2, STOP: 2}
