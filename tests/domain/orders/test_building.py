"""Intents: prices rounded towards safety, exits that undo the unit, never a market order."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.actors.order_desk import legs, proposal
from tests.domain.books.accounts import index_option, stock
from thetawarden.domain.market.ticks import is_on_tick
from thetawarden.domain.orders.building import (
    ExitOrder,
    ExitTerms,
    exit_intents,
    exits_for,
    main_intent,
    profit_limit,
    reversed_legs,
    scaled_stop,
    ticks_of,
)
from thetawarden.domain.orders.intent import OrderStyle
from thetawarden.domain.orders.proposal import Exits, OrderLeg, Pricing
from thetawarden.domain.risk.candidate import Purpose

PRICES = st.decimals("-50", "50", places=4)
UNITS = st.sampled_from([legs(-1), legs(-1, 1), legs(-1, 1, -1, 1), legs(1), legs(-2, 1)])
TERMS = ExitTerms()


def order(unit, units=1):
    return ExitOrder(
        trade="t",
        strategy="s",
        unit=unit,
        units=units,
        parent_ref="p",
        oca_group="g",
        take_profit_ref="tp",
        stop_ref="st",
    )


@given(PRICES, UNITS)
def test_an_order_never_pays_more_than_was_meant_and_is_on_a_tick(price, unit):
    asked = proposal(limit=str(price), legs=unit)

    intent = main_intent(asked, order_ref="r", units=1, reducing=False)

    assert intent.limit_usd <= price
    assert is_on_tick(intent.limit_usd, ticks_of(unit))


@given(st.decimals("0.01", "50", places=4), st.decimals("0.01", "90", places=4), UNITS)
def test_exits_undo_the_unit_and_a_stop_may_pay_more_than_its_trigger(profit, stop, unit):
    found = exit_intents(Exits(take_profit_usd=profit, stop_usd=stop), order(unit, units=3), TERMS)

    take_profit, guard = found
    assert all(one.legs == reversed_legs(unit) and one.units == 3 for one in found)
    assert {one.oca_group for one in found} == {"g"}
    assert take_profit.limit_usd <= max(profit, Decimal("0.05"))
    assert guard.style is OrderStyle.STOP_LIMIT
    assert guard.stop_usd <= stop
    assert guard.limit_usd >= guard.stop_usd


def test_a_take_profit_of_less_than_a_tick_pays_a_tick():
    assert profit_limit(Decimal("0.004"), reversed_legs(legs(-1))) == Decimal("0.01")


def test_what_is_sold_without_exits_gets_the_usual_ones():
    found = exits_for(
        proposal(exits=None, limit="-2.00"),
        ExitTerms(profit_target_fraction=0.7, stop_multiple=2.0),
    )

    assert found == Exits(take_profit_usd=Decimal("0.60"), stop_usd=Decimal("4.00"))


@pytest.mark.parametrize(
    "changes",
    [{"ratios": (1,), "limit": "2.00"}, {"purpose": Purpose.CLOSE, "ratios": (1,), "limit": "1"}],
)
def test_what_sells_nothing_and_what_closes_needs_no_exits(changes):
    assert exits_for(proposal(exits=None, **changes), TERMS) is None


def test_the_broker_may_walk_the_price_instead():
    asked = proposal(pricing=Pricing.ADAPTIVE)

    assert main_intent(asked, order_ref="r", units=1, reducing=False).style is OrderStyle.ADAPTIVE


@pytest.mark.parametrize(
    ("instruments", "step"),
    [
        ((index_option(),), "0.05"),
        ((index_option(), index_option(4, "4990")), "0.05"),
        ((stock(),), "0.0001"),
        ((index_option(trading_class="2SPX"),), "0.05"),
    ],
)
def test_each_class_has_its_own_ticks(instruments, step):
    unit = tuple(OrderLeg(instrument=one, ratio=1) for one in instruments)

    assert ticks_of(unit).bands[0].step == Decimal(step)


@pytest.mark.parametrize("purpose", [Purpose.ROLL, Purpose.HEDGE, Purpose.CLOSE])
def test_the_net_credit_of_anything_but_an_entry_makes_no_exits(purpose):
    terms = ExitTerms(stop_multiple=2.0)
    asked = proposal(purpose=purpose, ratios=(1, -1), limit="-0.20", exits=None)

    assert exits_for(asked, terms) is None
    assert exits_for(proposal(limit="-0.20", exits=None), terms) is not None


@given(*[st.decimals("0.05", "20", places=2)] * 3)
def test_a_scaled_stop_stands_to_its_take_profit_as_the_old_one_did(profit, stop, new):
    before = Exits(take_profit_usd=profit, stop_usd=stop)

    found = scaled_stop(before, take_profit_usd=new)

    assert abs(found * profit - stop * new) <= Decimal("0.001")
    assert scaled_stop(Exits(take_profit_usd=profit, stop_usd=None), take_profit_usd=new) is None
