"""I14 counts contracts: what the exchange says was sold, and what works there to buy it back."""

from decimal import Decimal
from types import SimpleNamespace as Fake

import msgspec
import pytest

from tests.sim.test_invariants import HALTED, NOW, PUT, Case, intent, submit, ticket
from thetawarden.domain.instants import UnixNs
from thetawarden.domain.orders.intent import OrderRole
from thetawarden.domain.orders.proposal import Exits, OrderLeg
from thetawarden.domain.risk.candidate import Purpose
from thetawarden.messages.lifecycle import DeskStarted
from thetawarden.messages.operations import NotifyPerson, Urgency
from thetawarden.messages.orders import OrderApproved, ProtectionChanged
from thetawarden.messages.trading import TradingHalted
from thetawarden.practice import model

LONG = msgspec.structs.replace(PUT, conid=8, strike=Decimal(590))
BACK = (OrderLeg(instrument=PUT, ratio=1),)
BOTH = Exits(take_profit_usd=Decimal("0.50"), stop_usd=Decimal(3))
STOP = intent("t.stop.1.1", role=OrderRole.STOP, reducing=True, legs=BACK)
PROFIT = intent("t.tp.1.1", role=OrderRole.TAKE_PROFIT, reducing=True, legs=BACK)


def approved(one, exits=BOTH, *, approval="A1", purpose=Purpose.OPEN):
    proposal = Fake(
        trade=one.trade, purpose=purpose, exits=exits, limit_usd=one.limit_usd, legs=one.legs
    )
    return OrderApproved(proposal=proposal, approval=Fake(key=approval), review=None)


def fills(case, ref, contracts, *, exec_id="a.1.01", conid=PUT.conid, price=1.5):
    fill = Fake(
        contract=Fake(legs=(), con_id=conid),
        exec_id=exec_id,
        order_ref=ref,
        side=model.Action.BUY if contracts > 0 else model.Action.SELL,
        quantity=abs(contracts),
        price=price,
    )
    case.scene.dealt.take(fill, NOW)
    return case


def sold(units=2, exits=BOTH, *, held=None):
    """A trade that has sold so many, by the exchange; nothing works yet."""
    one = intent(units=units)
    case = Case("I14").say(approved(one, exits)).say(submit(one))
    case.world.positions = positions(-units if held is None else held)
    return fills(case, one.order_ref, -units)


def positions(contracts, conid=PUT.conid):
    contract = Fake(con_id=conid, sec_type=model.SecType.OPTION)
    return (Fake(contract=contract, quantity=contracts),)


def works(case, *pairs):
    """So many of each of these orders work at the exchange."""
    for one, _ in pairs:
        if one.order_ref not in case.scene.submitted:
            case.say(submit(one, approval=""))
    case.world.open_orders += tuple(
        Fake(request=ticket(one), remaining=remaining) for one, remaining in pairs
    )
    return case


def page(trade="t"):
    return NotifyPerson(urgency=Urgency.CRITICAL, topic=f"orders:{trade}", text="no exits")


@pytest.mark.parametrize(
    ("profits", "stops", "holds"),
    [(2, 2, True), (2, 1, False), (1, 2, False), (0, 2, False), (2, 3, False), (10, 10, False)],
)
def test_i14_exits_for_fewer_or_more_contracts_than_were_sold_are_found(profits, stops, holds):
    assert works(sold(), (PROFIT, profits), (STOP, stops)).end().holds is holds


def test_i14_an_exit_that_filled_in_part_leaves_the_other_as_many_as_are_open():
    case = works(sold(held=-1), (PROFIT, 1), (STOP, 1))

    assert fills(case, PROFIT.order_ref, 1, exec_id="b.1.01").end().holds


@pytest.mark.parametrize(("held", "holds"), [(0, False), (-2, True)])
def test_i14_what_the_broker_sold_in_a_trades_place_may_be_bought_back(held, holds):
    case = fills(sold(held=held), PROFIT.order_ref, 2, exec_id="b.1.01")

    assert works(case, (PROFIT, 2), (STOP, 2)).end().holds is holds


def test_i14_two_orders_of_a_kind_may_share_what_is_to_be_bought_back():
    other = msgspec.structs.replace(STOP, order_ref="t.stop.2.1")

    assert works(sold(), (PROFIT, 2), (STOP, 1), (other, 1)).end().holds


def test_i14_only_the_exits_that_were_approved_are_missed():
    no_stop = Exits(take_profit_usd=Decimal("0.50"), stop_usd=None)

    assert works(sold(exits=no_stop), (PROFIT, 2)).end().holds
    assert works(sold(exits=None), (PROFIT, 2)).end().holds
    assert not works(sold(exits=None), (STOP, 2)).end().holds


def test_i14_believes_no_list_of_the_executor():
    case = sold()
    case.world.states["executor"] = Fake(trades={})

    assert not case.end().holds


def test_i14_a_person_who_was_told_knows_until_it_is_said_to_be_complete():
    complete = ProtectionChanged(trade="t", complete=True, since_ns=UnixNs(NOW), words="")

    assert sold().say(page()).end().holds
    assert not sold().say(page("another")).end().holds
    assert not sold().say(page()).say(complete).end().holds


@pytest.mark.parametrize(("durable_seq", "holds"), [(2, False), (3, True)])
def test_i14_a_page_that_was_lost_with_its_process_told_nobody(durable_seq, holds):
    case = sold().say(page())
    case.world.durable_seq = durable_seq
    started = DeskStarted(config_fingerprint="f", software="s", resumed=True)

    assert case.say(started).end().holds is holds


def test_i14_nothing_is_missed_while_trading_is_halted():
    assert sold().say(TradingHalted(halt=HALTED)).end().holds


@pytest.mark.parametrize("role", [OrderRole.ENTRY, OrderRole.EXIT, OrderRole.ROLL])
def test_i14_a_trade_in_between_is_not_looked_at(role):
    another = intent("t.more.1.1", role=role)

    assert works(sold(), (another, 1)).end().holds


def test_i14_a_fill_that_was_busted_sold_nothing():
    case = works(sold(held=0), (PROFIT, 2), (STOP, 2))
    fills(case, "t.open.1.1", -2, exec_id="a.1.02", price=0.0)

    assert not case.end().holds
    case.world.open_orders, case.found = (), []
    assert case.end().holds


@pytest.mark.parametrize("sells", [1, 2])
def test_i14_legs_that_filled_unevenly_need_exits_of_what_is_short(sells):
    spread = (*intent().legs, OrderLeg(instrument=LONG, ratio=1))
    one, case = intent(legs=spread), Case("I14")
    back = tuple(OrderLeg(instrument=leg.instrument, ratio=-leg.ratio) for leg in spread)
    stop = msgspec.structs.replace(STOP, legs=back)
    only_stop = Exits(take_profit_usd=None, stop_usd=Decimal(3))
    case.say(approved(one, only_stop)).say(submit(one))
    case.world.positions = positions(-sells) + positions(1, LONG.conid)
    fills(fills(case, one.order_ref, -sells), one.order_ref, 1, exec_id="b.1", conid=LONG.conid)

    assert works(case, (stop, 1)).end().holds is (sells == 1)


def test_i14_a_roll_that_filled_brings_the_exits_of_what_it_leads_to():
    legs = (*BACK, OrderLeg(instrument=LONG, ratio=-1))
    roll = intent("t.roll.1.1", role=OrderRole.ROLL, reducing=True, legs=legs)
    only_stop = Exits(take_profit_usd=None, stop_usd=Decimal(4))
    case = sold(held=0).say(approved(roll, only_stop, approval="A2", purpose=Purpose.ROLL))
    case.say(submit(roll, approval="A2"))
    case.world.positions = positions(-2, LONG.conid)
    fills(fills(case, roll.order_ref, 2), roll.order_ref, -2, exec_id="c.1", conid=LONG.conid)
    stop = msgspec.structs.replace(STOP, legs=(OrderLeg(instrument=LONG, ratio=1),))

    assert not case.end().holds
    case.found = []
    assert works(case, (stop, 2)).end().holds


@pytest.mark.parametrize(("short", "holds"), [(2, True), (3, False)])
def test_i14_what_another_trade_sold_and_protects_is_not_taken_for_it(short, holds):
    """A liquidation closed all of the first; the second sells the same contract a day later."""
    only_stop = Exits(take_profit_usd=None, stop_usd=Decimal(3))
    second = intent("u.open.1.1", trade="u")
    stop = msgspec.structs.replace(STOP, order_ref="u.stop.1.1", trade="u")
    case = sold(exits=only_stop, held=-short).say(submit(second))
    fills(case, second.order_ref, -2, exec_id="b.1.01")

    assert works(case, (stop, 2)).end().holds is holds


@pytest.mark.parametrize(("held", "holds"), [(-2, True), (-1, False), (0, False), (2, False)])
def test_i14_exits_that_are_left_of_what_is_gone_from_the_account_are_found(held, holds):
    assert works(sold(held=held), (PROFIT, 2), (STOP, 2)).end().holds is holds


def test_i14_what_another_trade_bought_of_the_contract_is_still_sold_by_the_first():
    hedge = intent("u.open.1.1", trade="u", legs=BACK)
    case = works(sold(held=0), (PROFIT, 2), (STOP, 2)).say(submit(hedge))

    assert fills(case, hedge.order_ref, 2, exec_id="b.1.01").end().holds


def test_i14_what_was_sold_and_is_gone_from_the_account_needs_no_exit():
    assert sold(held=0).end().holds
