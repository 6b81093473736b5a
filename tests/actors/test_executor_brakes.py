"""The brakes of the executor: what a halt, a demand, a person and a broken link take back."""

from decimal import Decimal

import pytest

from tests.actors.order_desk import SETTINGS, Desk, closing, proposal
from tests.domain.books.accounts import SECOND
from thetawarden.domain.halt import HaltRecord
from thetawarden.domain.link.states import LinkState
from thetawarden.domain.orders.intent import OrderRole
from thetawarden.domain.orders.proposal import Exits
from thetawarden.domain.orders.stages import Stage
from thetawarden.domain.risk.demands import Demand, DemandKind
from thetawarden.messages.books import RefreshBook
from thetawarden.messages.lifecycle import Quiesce
from thetawarden.messages.link import LinkChanged
from thetawarden.messages.orders import CancelOrder, ModifyOrder, ReviseExits, SubmitOrder
from thetawarden.messages.risk import RiskDemanded
from thetawarden.messages.trading import CancelAll, Flatten, TradingHalted, TradingResumed

ENTRY, EXIT, TP, STOP = (
    OrderRole.ENTRY,
    OrderRole.EXIT,
    OrderRole.TAKE_PROFIT,
    OrderRole.STOP,
)
HALT = TradingHalted(halt=HaltRecord(epoch=1, reason="test", by="t", at_ns=0))
DEMAND = RiskDemanded(demands=(Demand(kind=DemandKind.CANCEL_ENTRIES, why="no room"),))


def holding():
    desk = Desk()
    desk.approve()
    desk.settle()
    desk.broker.fill(desk.order(ENTRY).order_ref)
    return desk.settle()


@pytest.mark.parametrize("brake", [HALT, DEMAND, CancelAll(reason="r", by="me")])
def test_a_brake_takes_back_what_may_add_risk_and_leaves_the_exits(brake):
    desk = holding()
    desk.approve(proposal("p2", trade="t2"))
    desk.settle()

    desk.tell(brake)
    desk.settle()

    assert desk.order(ENTRY).stage is Stage.CANCELLED
    assert desk.protected() == {TP: 2, STOP: 2}


def test_while_halted_nothing_is_opened_and_closing_goes_on():
    desk = holding()
    desk.tell(HALT)

    desk.approve(proposal("p2", trade="t2"))
    desk.approve(closing())
    desk.settle()

    assert desk.order(ENTRY).stage is Stage.WITHHELD
    assert desk.protected() == {EXIT: 2}


def test_an_approval_from_before_a_halt_is_not_used_after_it():
    desk = Desk()
    old = desk.approval(proposal(), reducing=False)
    desk.tell(HALT)
    desk.tell(TradingResumed(epoch=1, reason="r", by="me"))

    desk.tell(old)

    assert desk.order(ENTRY).stage is Stage.WITHHELD


def test_flatten_takes_the_exits_back_and_closes_all_that_is_held_at_the_markets_price():
    desk = holding()
    desk.quote("1.40", "1.60")

    desk.tell(Flatten(reason="enough", by="me"))
    desk.settle()

    (close,) = [one for one in desk.heard(SubmitOrder) if one.intent.role is EXIT]
    assert (close.intent.units, close.intent.limit_usd) == (2, Decimal("1.50"))
    desk.broker.fill(close.intent.order_ref)
    desk.settle()
    assert desk.held == {} == desk.protected()
    assert any("everything is closed" in one for one in desk.pages())


def test_flatten_climbs_within_its_bound_then_asks_anew_and_at_last_calls_a_person():
    desk = holding()
    desk.quote("1.40", "1.60")
    desk.tell(Flatten(reason="enough", by="me"))

    desk.watch(600 * SECOND)

    limits = [one.intent.limit_usd for one in desk.heard(ModifyOrder)]
    assert Decimal("1.60") in limits
    assert max(limits) <= Decimal("1.60") * Decimal("1.2") + Decimal("0.01")
    closes = [one for one in desk.heard(SubmitOrder) if one.intent.role is EXIT]
    assert len(closes) == SETTINGS.flatten_tries
    assert any("is still held after" in one for one in desk.pages())


def test_flatten_of_another_underlying_touches_nothing():
    desk = holding()

    desk.tell(Flatten(reason="enough", by="me", underlying="SPX"))
    desk.settle()

    assert desk.protected() == {TP: 2, STOP: 2}


def test_an_approval_without_a_link_waits_and_lapses_when_none_comes():
    desk = holding()
    desk.tell(LinkChanged(epoch=1, state=LinkState.CUT_OFF, entries=False, why="1100"))

    desk.approve(closing())
    assert desk.protected() == {TP: 2, STOP: 2}
    desk.wait(120 * SECOND)

    assert desk.order(EXIT).stage is Stage.WITHHELD
    assert desk.protected() == {TP: 2, STOP: 2}


def test_p16_a_desk_that_is_about_to_stop_sends_nothing_new():
    desk = Desk()
    desk.tell(Quiesce())

    desk.approve()

    assert desk.heard(SubmitOrder) == []


def test_p16_a_desk_that_is_about_to_stop_leaves_every_order_where_it_is():
    desk = holding()
    desk.approve(proposal("p2", trade="t2"))
    desk.settle()
    working, exits = at_work(desk), desk.protected()
    assert (len(working), exits) == (5, {TP: 4, STOP: 4})

    desk.tell(Quiesce())
    desk.wait(SETTINGS.walk.step_ns * 3)
    desk.settle()

    assert desk.heard(CancelOrder) == []
    assert (at_work(desk), desk.protected()) == (working, exits)


def at_work(desk):
    return {one.order_ref for one in desk.state.orders.values() if not one.is_over}


def test_no_more_orders_leave_at_once_than_are_allowed():
    desk = Desk()
    for number in range(6):
        desk.approve(proposal(f"p{number}", trade=f"t{number}"))

    at_once = len(desk.heard(SubmitOrder))
    desk.wait(5 * SECOND)

    assert 3 * at_once < SETTINGS.orders_max + 3
    assert len(desk.heard(SubmitOrder)) == 6


def test_exits_move_to_other_prices_by_a_change_of_the_same_orders():
    desk = holding()

    desk.tell(
        ReviseExits(
            trade="t1",
            exits=Exits(take_profit_usd=Decimal("0.40"), stop_usd=None),
            reasons=("time passes",),
        )
    )
    desk.settle()

    (change,) = desk.heard(ModifyOrder)
    assert change.intent.limit_usd == Decimal("0.40")
    assert desk.protected() == {TP: 2, STOP: 2}
    assert desk.state.trades["t1"].exits.stop_usd == Decimal(3)


def test_what_ended_long_ago_is_forgotten_and_what_it_brought_is_not():
    desk = holding()

    desk.wait(SETTINGS.kept_ns + SECOND)

    assert [one for one in desk.state.orders.values() if one.intent.role is ENTRY] == []
    assert desk.protected() == {TP: 2, STOP: 2}
    desk.broker.end(desk.order(TP).order_ref, "cancelled")
    desk.settle()
    assert desk.protected() == {TP: 2, STOP: 2}


def test_flatten_without_a_link_is_carried_out_when_there_is_one_however_long_that_takes():
    desk = holding()
    desk.tell(LinkChanged(epoch=1, state=LinkState.DOWN, entries=False, why="the line is cut"))

    desk.tell(Flatten(reason="enough", by="me"))
    for _ in range(2 * SETTINGS.flatten_tries):
        desk.wait(SETTINGS.query_ns + SECOND)
        desk.reconcile(rounds=1)
    assert not any("is still held" in one for one in desk.pages())
    desk.tell(LinkChanged(epoch=2, state=LinkState.SYNCING, entries=False, why="t"))
    desk.quote()
    desk.reconcile(epoch=2)
    desk.quote()
    desk.tell(LinkChanged(epoch=2, state=LinkState.READY, entries=True, why="t"))
    desk.watch(SETTINGS.query_ns + 2 * SECOND)

    assert desk.protected() == {EXIT: 2}


@pytest.mark.parametrize("before", ["", "SPY"])
def test_flatten_of_another_underlying_takes_nothing_from_one_that_goes_on(before):
    desk = Desk()
    desk.broker.stubborn = True
    desk.approve()
    desk.settle()
    desk.tell(Flatten(reason="enough", by="me", underlying=before))

    desk.tell(Flatten(reason="and that", by="me", underlying="SPX"))
    desk.quote()
    desk.broker.fill(desk.order(ENTRY).order_ref)
    desk.broker.stubborn = False
    desk.settle()
    desk.watch(60 * SECOND)

    assert EXIT in desk.protected()


def test_an_entry_that_goes_on_working_through_a_halt_is_cancelled_once_the_link_is_back():
    desk = Desk()
    desk.approve()
    desk.settle()
    desk.tell(LinkChanged(epoch=1, state=LinkState.DOWN, entries=False, why="the line is cut"))
    desk.broker.deaf = True
    desk.tell(HALT)
    desk.wait(SETTINGS.cancel_ns * 5)
    assert any("cannot be cancelled" in one for one in desk.pages())

    desk.broker.deaf = False
    desk.tell(LinkChanged(epoch=2, state=LinkState.SYNCING, entries=False, why="t"))
    desk.reconcile(epoch=2, agreed=False, rounds=1)
    desk.settle()

    assert desk.order(ENTRY).stage is Stage.CANCELLED
    assert desk.protected() == {}


def given_up():
    """A desk that has proved an entry absent, and what the broker will show of it after all."""
    desk = Desk()
    desk.broker.mute = True
    desk.approve()
    entry = desk.order(ENTRY).order_ref
    desk.broker.mute = False
    desk.wait(SETTINGS.ack_ns + SECOND)
    shown, desk.broker.orders = desk.broker.orders, {}
    desk.reconcile(rounds=3)
    assert desk.order(ENTRY).stage is Stage.ABSENT
    return desk, entry, shown


@pytest.mark.parametrize("brake", [HALT, DEMAND])
def test_an_entry_that_turns_out_to_live_after_all_is_cancelled_while_nothing_may_be_opened(brake):
    desk, entry, shown = given_up()
    desk.tell(brake)

    desk.broker.orders = shown
    desk.reconcile(rounds=1)
    desk.settle()

    assert desk.state.orders[entry].stage is Stage.CANCELLED
    assert desk.protected() == {}


def test_o10_an_entry_that_was_given_up_and_lives_after_all_is_taken_back_and_told():
    desk, entry, shown = given_up()

    desk.broker.orders = shown
    desk.broker.report(entry)
    desk.watch(30 * SECOND)

    assert desk.state.orders[entry].stage is Stage.CANCELLED
    assert desk.heard(ModifyOrder) == []
    assert any("after all" in one for one in desk.pages())
    assert desk.protected() == {}


def test_o10_what_an_entry_that_was_given_up_has_filled_after_all_is_protected():
    desk, entry, shown = given_up()

    desk.broker.orders = shown
    desk.broker.fill(entry, 1)
    desk.watch(30 * SECOND)

    assert desk.state.orders[entry].stage is Stage.CANCELLED
    assert desk.held == {11: -1}
    assert desk.protected() == {OrderRole.TAKE_PROFIT: 1, OrderRole.STOP: 1}


def test_an_approval_that_a_demand_overtook_is_not_used_and_the_next_is_once_it_is_lifted():
    desk = Desk()
    overtaken = desk.approval(proposal(), reducing=False)
    desk.tell(DEMAND)

    desk.tell(overtaken)
    assert desk.order(ENTRY).stage is Stage.WITHHELD
    desk.tell(RiskDemanded(demands=()))
    desk.approve(proposal("p2", trade="t2"))
    desk.settle()

    assert desk.order(ENTRY).stage is Stage.WORKING


def test_the_timer_is_set_also_when_something_was_due_from_the_beginning_of_time():
    desk = Desk(ready=False)
    desk.said.clear()

    desk.tell(LinkChanged(epoch=1, state=LinkState.SYNCING, entries=False, why="t"))
    desk.wait(SECOND)

    assert len(desk.heard(RefreshBook)) == 1
