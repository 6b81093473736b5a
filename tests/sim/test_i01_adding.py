"""Whether an order adds risk is asked of the exchange, whatever the order says of itself."""

from decimal import Decimal
from types import SimpleNamespace as Fake

import msgspec
import pytest

from tests.sim.test_invariants import HALTED, NOW, PUT, Case, intent, submit, ticket
from thetawarden.domain.instants import NS_PER_SECOND
from thetawarden.domain.orders.intent import OrderRole
from thetawarden.domain.orders.proposal import OrderLeg
from thetawarden.messages.trading import TradingHalted
from thetawarden.practice import model
from thetawarden.sim.invariants.adding import HEARD_NS

OTHER = msgspec.structs.replace(PUT, conid=8, strike=Decimal(590))
BACK = (OrderLeg(instrument=PUT, ratio=1),)
CLOSING = intent("t.close.1.1", role=OrderRole.EXIT, reducing=True, legs=BACK)
ROLL = intent("t.roll.1.1", role=OrderRole.ROLL, reducing=True)
HEDGE = intent(
    "t.hedge.1.1", role=OrderRole.HEDGE, reducing=True, legs=BACK, limit_usd=Decimal("1.50")
)


def roll(sold):
    return msgspec.structs.replace(ROLL, legs=(*BACK, OrderLeg(instrument=OTHER, ratio=-sold)))


def halted(number="I01", *, short=0):
    case = Case(number).say(TradingHalted(halt=HALTED))
    if short:
        case.world.positions = (Fake(contract=Fake(con_id=PUT.conid), quantity=-short),)
    return case


def filled(contracts, ref="t.open.1.1", exec_id="a.1.01", price=1.5):
    """What the exchange says of a fill; below zero it sold."""
    return model.Execution(
        exec_id=exec_id,
        key=model.OrderKey(client_id=17, order_id=1),
        perm_id=1,
        account="DU1",
        contract=model.Contract(con_id=PUT.conid, symbol="XSP", sec_type=model.SecType.OPTION),
        exchange="CBOE",
        at_ns=NOW,
        side=model.Action.BUY if contracts > 0 else model.Action.SELL,
        quantity=abs(contracts),
        price=price,
        cumulative_quantity=abs(contracts),
        average_price=price,
        order_ref=ref,
    )


def deals(case, *fills, ago_s=0):
    for fill in fills:
        case.scene.dealt.take(fill, NOW - ago_s * NS_PER_SECOND)
    return case


def leaves(case, one):
    return case.say(submit(one)).send(ticket(one))


@pytest.mark.parametrize("role", [OrderRole.ENTRY, OrderRole.EXIT, OrderRole.ROLL, OrderRole.HEDGE])
def test_i01_a_sale_of_what_is_not_held_is_found_whatever_it_calls_itself(role):
    assert not leaves(halted(), intent(reducing=True, role=role)).holds


def test_i01_what_buys_back_what_the_account_is_short_of_leaves_while_halted():
    assert leaves(halted(short=2), CLOSING).holds
    assert not leaves(halted(), CLOSING).holds


def test_i01_what_a_trade_has_sold_may_be_bought_back_though_another_trade_bought_as_many():
    case = halted().say(submit(intent()))

    assert leaves(deals(case, filled(-2), filled(2, "u.open.1.1", "b.1.01")), CLOSING).holds


@pytest.mark.parametrize(("ago_s", "holds"), [(1, True), (HEARD_NS // NS_PER_SECOND + 1, False)])
def test_i01_a_trade_that_has_just_been_closed_may_be_thought_open_for_a_moment(ago_s, holds):
    case = halted().say(submit(intent())).say(submit(CLOSING))
    deals(case, filled(-2), ago_s=3600)
    deals(case, filled(2, CLOSING.order_ref, "b.1.01"), ago_s=ago_s)
    again = msgspec.structs.replace(CLOSING, order_ref="t.close.1.2")

    assert leaves(case, again).holds is holds


def test_i01_a_fill_that_was_busted_long_ago_opened_nothing():
    case = halted().say(submit(intent()))
    deals(case, filled(-2), filled(-2, exec_id="a.1.02", price=0.0), ago_s=3600)

    assert not leaves(case, CLOSING).holds


@pytest.mark.parametrize(("group", "holds"), [("", False), ("both", True)])
def test_i01_what_another_working_order_buys_back_is_not_there_unless_one_of_them_fills(
    group, holds
):
    working = msgspec.structs.replace(CLOSING, order_ref="t.stop.1.1", oca_group=group)
    case = halted(short=2).say(submit(working))
    case.world.open_orders = (Fake(request=ticket(working), remaining=2),)

    assert leaves(case, msgspec.structs.replace(CLOSING, oca_group=group)).holds is holds


@pytest.mark.parametrize(("sold", "holds"), [(1, True), (2, False)])
def test_i01_a_roll_sells_as_many_anew_as_it_buys_back(sold, holds):
    assert leaves(halted(short=2), roll(sold)).holds is holds


def test_i01_a_hedge_is_bought_and_takes_nothing():
    assert leaves(halted(), HEDGE).holds


@pytest.mark.parametrize(
    ("sold", "limit", "holds"),
    [(1, "0.40", True), (1, "0.00", True), (2, "0.40", False), (1, "-0.10", False)],
)
def test_i01_what_a_hedge_sells_is_covered_by_what_it_buys_and_nobody_pays_for_it(
    sold, limit, holds
):
    cheaper = msgspec.structs.replace(PUT, conid=8, strike=PUT.strike - 2)
    legs = (*BACK, OrderLeg(instrument=cheaper, ratio=-sold))
    hedge = msgspec.structs.replace(HEDGE, legs=legs, limit_usd=Decimal(limit))

    assert leaves(halted(), hedge).holds is holds


def test_i06_what_calls_itself_reducing_and_sells_counts_against_the_limits():
    large = intent(units=100, reducing=True)

    assert not leaves(halted("I06"), large).holds


def test_i06_an_order_that_works_and_calls_itself_reducing_counts_too():
    large, small = intent("u.open.1.1", trade="u", units=100, reducing=True), intent(units=1)
    case = halted("I06").say(submit(large))
    case.world.open_orders = (Fake(request=ticket(large), remaining=100),)

    assert not leaves(case, small).holds


def test_i12_what_calls_itself_reducing_and_sells_needs_quotes():
    assert not leaves(halted("I12"), intent(reducing=True)).holds
    assert leaves(halted("I12", short=2), CLOSING).holds
