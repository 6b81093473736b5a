"""I06 adds up margin and losses of what is held, works and leaves, by the exchange's own word."""

import datetime as dt
from decimal import Decimal
from types import SimpleNamespace as Fake

import msgspec
import pytest

from tests.sim.test_i14_meanwhile import LOOK, reported
from tests.sim.test_i14_sizes import fills, positions
from tests.sim.test_invariants import NOW, PUT, Case, intent, stage, submit, ticket
from thetawarden.domain.instants import NS_PER_SECOND, new_york_ns
from thetawarden.domain.market.contracts import Right
from thetawarden.domain.orders.intent import OrderRole
from thetawarden.domain.orders.proposal import OrderLeg
from thetawarden.domain.orders.stages import Stage
from thetawarden.domain.risk.candidate import WhatIf
from thetawarden.messages.orders import MarginPreviewed, OrderApproved
from thetawarden.practice.model import SecType

LONG = msgspec.structs.replace(PUT, conid=8, strike=Decimal(590))
SPREAD = (OrderLeg(instrument=PUT, ratio=-1), OrderLeg(instrument=LONG, ratio=1))
A_THOUSAND = 0.001
"""Of the account's worth: one spread costs 889 USD or needs 900, two do not fit."""
_replace = msgspec.structs.replace


def desk(*, margin=0.8, loss=0.8, in_use_usd=0.0):
    """A desk of these limits, a week before its options end."""
    case = Case("I06")
    config = case.world.settings.config
    risk = _replace(
        config.risk,
        greeks=_replace(config.risk.greeks, notional_max_nlv=2.0),
        margin=_replace(config.risk.margin, utilisation_max_fraction=margin),
        stress=_replace(config.risk.stress, entry_loss_fraction=loss),
    )
    case.world.settings = Fake(config=_replace(config, risk=risk))
    before_ns = new_york_ns(PUT.expiry - dt.timedelta(days=3), dt.time(10))
    case.world.clock.now_ns = lambda: before_ns
    figures = {"NetLiquidation": "1000000", "InitMarginReq": str(in_use_usd), "Currency": "USD"}
    rows = tuple(Fake(key=key, value=value) for key, value in figures.items())
    case.world.gateway.exchange.account_rows = lambda _account: rows
    return case


def approve(case, ref, *, units=1, legs=SPREAD, usd_per_unit=900.0, **more):
    """An entry the broker was asked about and the governor let through; it has not left."""
    one = intent(f"{ref}.open.1.1", units=units, legs=legs, trade=ref, **more)
    answer = WhatIf(
        units=units, initial_change_usd=usd_per_unit * units, maintenance_change_usd=0.0, at_ns=NOW
    )
    told = MarginPreviewed(epoch=1, asked_by="governor", key=ref, answer=answer, words="")
    said = OrderApproved(proposal=Fake(key=ref), approval=Fake(key=f"A-{ref}"), review=None)
    case.say(told).say(said).say(submit(one, approval=f"A-{ref}"))
    return one


def works(case, one, remaining):
    view = Fake(request=ticket(one, 9), remaining=remaining, contract=Fake(legs=(), con_id=0))
    case.world.open_orders += (view,)


def holds(case, one, units):
    """It has filled: the exchange says so, and the account holds it."""
    fills(case, one.order_ref, -units, exec_id=f"{one.order_ref}.s.01")
    fills(case, one.order_ref, units, exec_id=f"{one.order_ref}.l.01", conid=LONG.conid)
    case.world.positions += positions(-units) + positions(units, LONG.conid)
    for there in case.world.positions:
        there.contract.strike, there.contract.multiplier = 600.0, 100


LIMITS = [{"margin": A_THOUSAND}, {"loss": A_THOUSAND}]


@pytest.mark.parametrize("limit", LIMITS)
@pytest.mark.parametrize(("units", "fine"), [(1, True), (2, False)])
def test_i06_an_entry_larger_than_a_limit_is_found(limit, units, fine):
    case = desk(**limit)

    assert case.send(ticket(approve(case, "t", units=units))).holds is fine


@pytest.mark.parametrize("limit", LIMITS)
def test_i06_what_works_counts_as_if_it_were_filled(limit):
    case = desk(**limit)
    works(case, approve(case, "t"), 1)

    assert not case.send(ticket(approve(case, "u"))).holds


@pytest.mark.parametrize("limit", LIMITS)
def test_i06_what_is_held_counts_until_the_account_has_it_no_more(limit):
    case = desk(**limit, in_use_usd=900.0)
    first = approve(case, "t")
    holds(case, first, 1)
    assert not case.send(ticket(approve(case, "u"))).holds

    case.found, case.world.positions = [], ()
    assert case.send(ticket(approve(case, "v"))).holds


@pytest.mark.parametrize("limit", LIMITS)
def test_i06_what_its_trade_has_bought_back_counts_no_more(limit):
    case = desk(**limit, in_use_usd=900.0)
    first = approve(case, "t")
    holds(case, first, 1)
    back = tuple(OrderLeg(instrument=leg.instrument, ratio=-leg.ratio) for leg in SPREAD)
    close = intent("t.close.1.1", role=OrderRole.EXIT, reducing=True, legs=back, units=1)
    case.say(submit(close))
    fills(case, close.order_ref, 1, exec_id="c.s.01")
    fills(case, close.order_ref, -1, exec_id="c.l.01", conid=LONG.conid)

    assert case.send(ticket(approve(case, "u"))).holds


def test_i06_of_what_is_held_the_account_needs_no_more_than_it_says():
    case = desk(margin=A_THOUSAND, in_use_usd=50.0)
    holds(case, approve(case, "t"), 1)

    assert case.send(ticket(approve(case, "u"))).holds


def test_i06_of_legs_that_filled_unevenly_whole_units_count():
    case = desk(loss=A_THOUSAND)
    first = approve(case, "t", units=2)
    fills(case, first.order_ref, -2)
    case.world.positions = positions(-2)
    case.world.positions[0].contract.strike, case.world.positions[0].contract.multiplier = 600, 100

    assert case.send(ticket(approve(case, "u"))).holds


@pytest.mark.parametrize("right", list(Right))
def test_i06_an_option_alone_costs_what_it_pays_far_beyond_its_strike(right):
    legs = (OrderLeg(instrument=_replace(PUT, right=right), ratio=-1),)
    fine, bad = desk(loss=0.008), desk(loss=0.007)

    assert fine.send(ticket(approve(fine, "t", legs=legs))).holds
    assert not bad.send(ticket(approve(bad, "t", legs=legs))).holds


def test_i06_what_is_bought_costs_nothing_more():
    legs = (OrderLeg(instrument=PUT, ratio=1),)
    case = desk(margin=A_THOUSAND, loss=A_THOUSAND)

    assert case.send(ticket(approve(case, "t", units=9, legs=legs, usd_per_unit=0.0))).holds


@pytest.mark.parametrize(("left_days", "fine"), [(3, False), (45, True)])
def test_i06_what_has_long_to_run_may_cost_less(left_days, fine):
    case = desk(loss=0.0008)
    before_ns = new_york_ns(PUT.expiry - dt.timedelta(days=left_days), dt.time(10))
    case.world.clock.now_ns = lambda: before_ns

    assert case.send(ticket(approve(case, "t"))).holds is fine


def shares(case, count):
    """The account holds so many shares, bought or sold by hand at 600 USD."""
    contract = Fake(sec_type=SecType.STOCK, con_id=1, strike=None)
    held = Fake(contract=contract, quantity=count, average_cost_usd=Decimal(600))
    case.world.positions = (held,)


def later(case, seconds):
    """Time goes on, with a heartbeat at its end."""
    case.world.mono_ns += seconds * NS_PER_SECOND
    return case.say(LOOK)


@pytest.mark.parametrize(("sold", "fine"), [(0, False), (3, False), (8, True)])
def test_i06_shares_sold_by_hand_gain_in_a_fall(sold, fine):
    case = desk(loss=A_THOUSAND)
    shares(case, -sold)

    assert case.send(ticket(approve(case, "t", units=2))).holds is fine


@pytest.mark.parametrize(("bought", "fine"), [(0, True), (3, False)])
def test_i06_shares_bought_by_hand_lose_in_a_fall(bought, fine):
    case = desk(loss=A_THOUSAND)
    shares(case, bought)

    assert case.send(ticket(approve(case, "t"))).holds is fine


@pytest.mark.parametrize(("seconds", "fine"), [(5, True), (60, False)])
def test_i06_shares_bought_just_before_the_approval_need_not_be_known(seconds, fine):
    case = desk(loss=A_THOUSAND)
    later(case, 1)
    shares(case, 3)
    for _ in range(seconds // 5):
        later(case, 5)

    assert case.send(ticket(approve(case, "t"))).holds is fine


def test_i06_shares_bought_after_the_approval_need_not_be_known():
    case = desk(loss=A_THOUSAND)
    one = approve(case, "t")
    shares(case, 3)

    assert case.send(ticket(one)).holds


def test_i06_what_a_hedge_that_is_held_gains_is_not_lost():
    case = desk(loss=A_THOUSAND)
    bought = tuple(OrderLeg(instrument=leg.instrument, ratio=-leg.ratio) for leg in SPREAD)
    hedge = approve(
        case, "h", role=OrderRole.HEDGE, reducing=True, legs=bought, limit_usd=Decimal(1)
    )
    holds(case, hedge, -1)
    higher = _replace(PUT, conid=10, strike=Decimal(590))
    lower = _replace(PUT, conid=11, strike=Decimal(580))
    legs = (OrderLeg(instrument=higher, ratio=-1), OrderLeg(instrument=lower, ratio=1))

    assert case.send(ticket(approve(case, "t", units=2, legs=legs))).holds


def test_i06_an_order_that_makes_a_figure_no_larger_is_fine_where_it_is_too_large_already():
    case = desk(loss=A_THOUSAND)
    holds(case, approve(case, "t", units=2), 2)
    bought = (OrderLeg(instrument=_replace(PUT, conid=12), ratio=1),)

    assert case.send(ticket(approve(case, "u", legs=bought, limit_usd=Decimal(1)))).holds


def test_i06_a_put_and_a_call_are_not_lost_by_one_move():
    case = desk(loss=0.008)
    puts = approve(case, "t", legs=(OrderLeg(instrument=PUT, ratio=-1),))
    call = _replace(PUT, right=Right.CALL, conid=9)
    works(case, puts, 1)

    assert case.send(ticket(approve(case, "u", legs=(OrderLeg(instrument=call, ratio=-1),)))).holds


@pytest.mark.parametrize("limit", LIMITS)
def test_i06_what_was_given_up_as_absent_counts_once_the_broker_speaks_of_it(limit):
    case = desk(**limit)
    lost = approve(case, "t")
    works(case, lost, 1)
    case.say(stage(lost.order_ref, Stage.ABSENT))
    assert case.send(ticket(approve(case, "u"))).holds

    case.say(reported(lost, left=1))
    assert not case.send(ticket(approve(case, "v"))).holds


@pytest.mark.parametrize("limit", LIMITS)
def test_i06_what_the_broker_never_spoke_of_counts_until_it_is_given_up(limit):
    case = desk(**limit)
    lost = approve(case, "t")
    works(case, lost, 1)
    case.say(stage(lost.order_ref, Stage.UNKNOWN))

    assert not case.send(ticket(approve(case, "u"))).holds
