"""The executor: one order per approval, followed to its end, and what is sold stays protected."""

from decimal import Decimal

from tests.actors.order_desk import Desk, closing, legs, proposal, put
from tests.domain.managing.market import Market
from thetawarden.domain.market.contracts import Right
from thetawarden.domain.orders.intent import Lifetime, OrderRole, OrderStyle
from thetawarden.domain.orders.proposal import OrderLeg
from thetawarden.domain.orders.stages import Stage
from thetawarden.domain.risk.candidate import Purpose
from thetawarden.messages.chains import ChainViewed
from thetawarden.messages.orders import ModifyOrder, OrderStageChanged, SubmitOrder

TP, STOP, ENTRY, EXIT = OrderRole.TAKE_PROFIT, OrderRole.STOP, OrderRole.ENTRY, OrderRole.EXIT


def test_an_approved_proposal_leaves_once_with_its_exits_in_one_command():
    desk = Desk()

    desk.approve()

    (sent,) = desk.heard(SubmitOrder)
    take_profit, stop = sent.exits
    assert (sent.intent.units, sent.intent.limit_usd) == (2, Decimal("-1.50"))
    assert (take_profit.limit_usd, take_profit.lifetime) == (
        Decimal("0.75"),
        Lifetime.GOOD_TILL_CANCELLED,
    )
    assert (stop.style, stop.stop_usd) == (OrderStyle.STOP_LIMIT, Decimal(3))
    assert stop.limit_usd > stop.stop_usd
    assert take_profit.oca_group == stop.oca_group != ""
    assert {one.parent_ref for one in sent.exits} == {sent.intent.order_ref}
    assert {one.legs[0].ratio for one in sent.exits} == {1}


def test_an_order_is_followed_to_its_fill_and_its_exits_stay():
    desk = Desk()
    desk.approve()
    desk.settle()
    entry = desk.order(ENTRY)

    desk.broker.fill(entry.order_ref)
    desk.settle()

    assert desk.stages(entry.order_ref) == [
        Stage.INTENDED,
        Stage.SENT,
        Stage.WORKING,
        Stage.FILLED,
    ]
    assert desk.protected() == {TP: 2, STOP: 2}
    desk.wait(desk.settings.protect_ns * 2)
    assert desk.pages() == []


def test_the_fill_of_one_exit_ends_the_trade_and_the_other_exit():
    desk = Desk()
    desk.approve()
    desk.settle()
    desk.broker.fill(desk.order(ENTRY).order_ref)
    desk.settle()

    desk.broker.fill(desk.order(TP).order_ref)
    desk.settle()

    assert desk.held == {}
    assert desk.order(STOP).stage is Stage.CANCELLED
    assert desk.pages() == []


def test_a_closing_order_takes_the_exits_back_first_and_then_leaves():
    desk = Desk()
    desk.approve()
    desk.settle()
    desk.broker.fill(desk.order(ENTRY).order_ref)
    desk.settle()

    desk.approve(closing())
    assert len(desk.heard(SubmitOrder)) == 1
    desk.settle()

    assert desk.protected() == {EXIT: 2}
    desk.broker.fill(desk.order(EXIT).order_ref)
    desk.settle()
    assert desk.held == {}


def test_an_exit_that_fills_while_it_is_taken_back_leaves_nothing_to_close():
    desk = Desk()
    desk.approve()
    desk.settle()
    desk.broker.fill(desk.order(ENTRY).order_ref)
    desk.settle()
    desk.broker.stubborn = True

    desk.approve(closing())
    desk.broker.fill(desk.order(TP).order_ref)
    desk.settle()

    assert desk.held == {}
    assert desk.order(EXIT).stage is Stage.WITHHELD
    assert len(desk.heard(SubmitOrder)) == 1


def test_a_closing_order_that_is_given_up_leaves_the_trade_protected_again():
    desk = Desk()
    desk.approve()
    desk.settle()
    desk.broker.fill(desk.order(ENTRY).order_ref)
    desk.settle()
    desk.approve(closing())
    desk.settle()

    desk.broker.end(desk.order(EXIT).order_ref, "cancelled")
    desk.settle()

    assert desk.protected() == {TP: 2, STOP: 2}


def test_a_price_walks_by_ticks_towards_the_market_and_never_past_the_worst():
    desk = Desk()
    desk.approve(proposal(limit="-1.50", worst_usd=Decimal("-1.45")))
    desk.settle()

    for _ in range(30):
        desk.wait(desk.settings.walk.step_ns // 2)
        desk.quote(bid="1.30", ask="1.50")
        desk.wait(desk.settings.walk.step_ns // 2)
        desk.settle()

    limits = [one.intent.limit_usd for one in desk.heard(ModifyOrder)]
    assert limits == [Decimal(f"-1.{cents}") for cents in (49, 48, 47, 46, 45)]
    assert desk.order(ENTRY).stage is Stage.CANCELLED


def test_an_exit_walks_past_a_leg_nobody_bids_for_and_an_entry_does_not():
    exiting, entering = Desk(), Desk()
    exiting.approve(proposal(ratios=(-1, 1), exits=None))
    exiting.settle()
    exiting.broker.fill(exiting.order(ENTRY).order_ref)
    exiting.settle()
    exiting.approve(closing(ratios=(1, -1), limit="1.30"))
    entering.approve(proposal(ratios=(-1, 1), exits=None))

    for desk in (exiting, entering):
        desk.settle()
        desk.wait(desk.settings.walk.step_ns // 2)
        desk.quote(bid="1.30", ask="1.50")
        desk.quote(bid="0", ask="0.05", conid=12)
        desk.wait(desk.settings.walk.step_ns // 2)

    assert [one.intent.limit_usd for one in exiting.heard(ModifyOrder)] == [Decimal("1.31")]
    assert entering.heard(ModifyOrder) == []


def test_the_executor_keeps_a_quote_without_a_bid_of_what_it_holds():
    market = Market(underlying="SPY", trading_class="SPY", worthless={(0, 500, Right.PUT)})
    desk = Desk()
    leg = OrderLeg(instrument=market.option(500), ratio=-1)
    desk.approve(proposal(legs=(leg,)))

    desk.tell(ChainViewed(underlying="SPY", view=market.view))

    quote = desk.state.quotes[leg.instrument.conid]
    assert (quote.bid_usd, quote.ask_usd) == (Decimal(0), Decimal("0.05"))


def test_a_close_of_some_legs_is_for_no_more_than_is_held_of_them():
    desk = Desk()
    desk.approve(proposal(ratios=(-1, 1), exits=None))
    desk.settle()
    desk.broker.fill(desk.order(ENTRY).order_ref)
    desk.settle()

    desk.approve(closing(ratios=(1,), units=5))
    desk.settle()

    assert desk.order(EXIT).intent.units == 2


def test_a_price_does_not_walk_without_a_fresh_quote():
    desk = Desk()
    desk.approve()
    desk.settle()

    desk.wait(desk.settings.walk.step_ns * 5)

    assert desk.heard(ModifyOrder) == []


def test_a_roll_closes_no_more_than_is_left_when_an_exit_fills_while_it_is_taken_back():
    desk = Desk()
    desk.approve()
    desk.settle()
    desk.broker.fill(desk.order(ENTRY).order_ref)
    desk.settle()
    further = OrderLeg(instrument=put(99, "480"), ratio=-1)
    desk.broker.fill(desk.order(TP).order_ref, 1)
    desk.approve(
        proposal("r1", purpose=Purpose.ROLL, legs=(*legs(1), further), limit="-0.20", exits=None)
    )
    desk.settle()
    desk.broker.fill(desk.order(OrderRole.ROLL).order_ref)
    desk.settle()

    assert desk.held == {99: -1}


def test_a_close_of_one_leg_closes_no_more_than_is_left_of_it():
    desk = Desk()
    desk.approve(proposal(ratios=(-1, 1)))
    desk.settle()
    desk.broker.fill(desk.order(ENTRY).order_ref)
    desk.settle()
    desk.broker.fill(desk.order(TP).order_ref, 1)

    desk.approve(closing())
    desk.settle()

    assert desk.order(EXIT).intent.units == 1


def test_what_other_trades_hold_is_not_closed_for_a_trade_nobody_knows_any_more():
    desk = Desk()
    desk.approve()
    desk.settle()
    desk.broker.fill(desk.order(OrderRole.ENTRY).order_ref)
    desk.settle()

    desk.approve(closing("late", trade="gone", units=2))
    desk.settle()

    assert [one.intent.trade for one in desk.heard(SubmitOrder)] == ["t1"]
    (told,) = [one for one in desk.heard(OrderStageChanged) if one.trade == "gone"]
    assert told.stage is Stage.WITHHELD
    assert "nothing of it is held any more" in told.words
    assert desk.held == {11: -2}


def test_what_no_trade_holds_may_be_closed_in_the_name_of_one_that_is_not_known():
    desk = Desk()
    desk.broker.held = {11: Decimal(-3)}
    desk.reconcile()

    desk.approve(closing("late", trade="gone", units=5))
    desk.settle()

    assert [one.intent.units for one in desk.heard(SubmitOrder)] == [3]
