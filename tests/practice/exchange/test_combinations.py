"""Combinations: priced from their legs, filled whole, or leg by leg when not guaranteed."""

from decimal import Decimal

import pytest

from tests.practice.exchange.world import ABC, FRIDAY, SPX, XYZ, World, option_id
from thetawarden.practice import model

SHORT = option_id(XYZ, FRIDAY, 95.0, "P")
LONG = option_id(XYZ, FRIDAY, 90.0, "P")


def spread_query(short=SHORT, long=LONG, symbol="XYZ"):
    return model.ContractQuery(
        symbol=symbol,
        sec_type="BAG",
        exchange="SMART",
        currency="USD",
        legs=(
            model.Leg(con_id=short, ratio=1, action="SELL", exchange="SMART"),
            model.Leg(con_id=long, ratio=1, action="BUY", exchange="SMART"),
        ),
    )


def quoted_world():
    world = World()
    world.market.fix(SHORT, 2.00, 2.10)
    world.market.fix(LONG, 0.90, 1.00)
    return world


def test_buying_a_credit_spread_fills_at_a_negative_price_and_tells_the_legs():
    world = quoted_world()

    world.place(0, "BUY", 2, limit_price=-1.00, contract=spread_query())
    world.run()

    # the combination is bought at its ask: what the short leg brings less what the long one costs
    assert world.heard() == [
        "1 PreSubmitted 0/2",
        "1 Submitted 0/2",
        "1 BUY 2 @ -1",
        "1 Filled 2/2",
        "1 SELL 2 @ 2",
        "1 Filled 2/2 with cost",
        "1 BUY 2 @ 1",
        "1 Filled 2/2 with cost",
        "1 commissioned",
        "1 commissioned",
        "holds -2",
        "holds 2",
        "account",
    ]


def test_execution_ids_of_legs_have_one_more_part_and_no_trading_class():
    world = quoted_world()
    world.place(0, "BUY", 1, limit_price=-1.00, contract=spread_query())
    world.run()

    whole, first, second = world.executions()

    assert whole.contract.sec_type is model.SecType.COMBO
    assert whole.exec_id.endswith(".01.01")
    assert first.exec_id.count(".") == second.exec_id.count(".") == whole.exec_id.count(".") + 1
    assert first.contract.trading_class == ""
    assert len({whole.exec_id, first.exec_id, second.exec_id}) == 3


def test_cash_moves_by_the_combinations_price_and_the_legs_fees_alone():
    world = quoted_world()
    world.place(0, "BUY", 2, limit_price=-1.00, contract=spread_query())
    world.run()

    view = world.exchange.completed_orders()[-1]

    assert world.cash == Decimal(100_000) + Decimal(200) - view.commission_usd


@pytest.mark.parametrize("net", [-1.10, -1.07, -1.03, -1.00, -0.95])
def test_leg_prices_add_up_to_the_combinations_price(net):
    world = quoted_world()
    key = world.place(0, "BUY", 1, limit_price=-1.20, contract=spread_query())
    world.run(0.25)

    world.exchange.fill(perm_id=world.view(key).perm_id, quantity=1, price=net)

    _, short, long = world.executions()
    assert long.price - short.price == pytest.approx(net, abs=1e-9)
    assert min(long.price, short.price) > 0


def test_a_combination_must_name_its_legs_and_their_symbol():
    world = quoted_world()
    empty = model.ContractQuery(symbol="XYZ", sec_type="BAG")

    world.place(0, "BUY", 1, limit_price=-1.0, contract=empty)
    world.place(0, "BUY", 1, limit_price=-1.0, contract=spread_query(symbol="ABC"))
    world.place(0, "BUY", 1, limit_price=-1.0, contract=spread_query(long=5))

    assert world.codes() == [314, 478, 200]


def pair_query():
    return model.ContractQuery(
        symbol="XYZ,ABC",
        sec_type="BAG",
        legs=(
            model.Leg(con_id=XYZ, ratio=1, action="BUY", exchange="SMART"),
            model.Leg(con_id=ABC, ratio=2, action="SELL", exchange="SMART"),
        ),
    )


def test_shares_against_shares_need_the_word_that_they_are_not_guaranteed():
    world = World()

    world.place(0, "BUY", 1, "MKT", contract=pair_query())
    assert world.codes() == [10043]
    key = world.place(
        0, "BUY", 1, "MKT", contract=pair_query(), smart_routing=(("NonGuaranteed", "1"),)
    )
    world.run(60)

    assert world.ended(key).filled == 1
    assert (world.held(XYZ), world.held(ABC)) == (1, -2)


def test_an_unguaranteed_combination_cancelled_between_its_legs_stays_legged():
    world = World()
    key = world.place(
        0, "BUY", 1, "MKT", contract=pair_query(), smart_routing=(("NonGuaranteed", "1"),)
    )
    while not world.held(XYZ):
        world.run(0.25)
    assert world.held(ABC) == 0

    world.exchange.break_order(perm_id=world.view(key).perm_id, text="Broken by a fault.")
    world.run(60)

    assert (world.held(XYZ), world.held(ABC)) == (1, 0)
    assert world.ended(key).filled == 0


def test_index_combinations_move_in_their_classs_nickels():
    world = World()
    short = option_id(SPX, FRIDAY, 4800.0, "P")
    long = option_id(SPX, FRIDAY, 4750.0, "P")

    world.place(0, "BUY", 1, limit_price=-5.03, contract=spread_query(short, long, "SPX"))
    world.place(0, "BUY", 1, limit_price=-5.05, contract=spread_query(short, long, "SPX"))

    assert world.heard() == ["1 says 110", "2 PreSubmitted 0/1"]
