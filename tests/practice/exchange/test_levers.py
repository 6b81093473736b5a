"""What a fault may force, and that the books stay whole through all of it."""

import datetime as dt
from decimal import Decimal

from tests.practice.exchange.test_books import explained
from tests.practice.exchange.world import ABC, ACCOUNT, FRIDAY, SPX, XYZ, World, option_id
from thetawarden.practice import model

PUT = option_id(XYZ, FRIDAY, 95.0, "P")


def whole(world):
    rebuilt, worth = explained(world)
    return rebuilt == worth


def working(world, quantity=10):
    key = world.place(XYZ, "BUY", quantity, limit_price=90.0)
    world.run()
    world.heard()
    return key, world.view(key).perm_id


def test_a_working_order_can_be_rejected():
    world = World()
    _, perm = working(world)

    assert world.exchange.reject(perm_id=perm, text="No.")

    assert world.heard() == ["1 Inactive 0/10", "1 says 201"]
    assert not world.exchange.reject(perm_id=perm, text="No.")


def test_a_broken_order_is_cancelled_with_the_reason_and_its_siblings_live():
    world = World()
    first = world.place(XYZ, "BUY", 1, limit_price=90.0, oca_group="g", oca_type=1)
    second = world.place(ABC, "BUY", 1, limit_price=40.0, oca_group="g", oca_type=1)
    world.run()

    world.exchange.break_order(perm_id=world.view(first).perm_id, text="Broken.")

    assert world.said[-1].notice.text == "Order Canceled - reason:Broken."
    assert world.view(second)


def test_a_forced_fill_happens_whatever_the_market_says():
    world = World()
    key, perm = working(world)

    assert world.exchange.fill(perm_id=perm, quantity=4, price=89.5)

    assert world.view(key).filled == 4
    assert not world.exchange.fill(perm_id=perm, quantity=7, price=89.5)
    assert whole(world)


def test_the_next_order_can_be_rejected_or_given_two_perm_ids():
    world = World()
    faults = world.exchange.faults
    faults.reject_next = "Not today."
    world.place(XYZ, "BUY", 1, limit_price=90.0)
    assert world.heard() == ["1 Inactive 0/1", "1 says 201"]

    faults.second_perm_id_next = True
    key = world.place(XYZ, "BUY", 1, limit_price=90.0)
    perms = {one.view.perm_id for one in world.said if isinstance(one, model.OrderChanged)}
    assert len(perms) == 2
    assert world.view(key).perm_id == max(perms)


def test_a_partial_fill_can_be_followed_by_a_cancellation():
    world = World()
    world.exchange.faults.cancel_next_after_partial_fill = True

    key = world.place(XYZ, "BUY", 8, "MKT")
    world.run()

    assert (world.ended(key).status, world.ended(key).filled) == ("Cancelled", 4)


def test_a_fill_can_be_corrected_and_busted():
    world = World()
    world.place(ABC, "BUY", 10, "MKT")
    world.run()
    (fill,) = world.executions()

    assert world.exchange.correct(exec_id=fill.exec_id, price=49.0)
    (corrected,) = world.executions()
    assert corrected.exec_id == fill.exec_id[:-2] + "02"
    assert world.cash == Decimal(100_000) - 490 - 1
    assert whole(world)

    assert world.exchange.correct(exec_id=corrected.exec_id, price=0.0)
    assert world.held(ABC) == 0
    assert world.cash == Decimal(100_000)
    assert whole(world)


def test_commissions_can_come_late_or_never():
    world = World()
    world.exchange.faults.commission_delay_s = 60.0
    world.place(ABC, "BUY", 1, "MKT")
    world.run(5)
    assert "1 commissioned" not in world.heard()
    assert world.exchange.executions(model.ExecutionFilter())[0][1] is None
    world.run(60)
    assert world.heard() == ["1 commissioned"]

    world.exchange.faults.commission_delay_s = 0.0
    world.place(ABC, "BUY", 1, "MKT")
    world.run(600)
    assert "2 commissioned" not in world.heard()
    assert world.cash < Decimal(99_899)


def test_o07_a_cost_may_be_told_on_another_day_than_its_fill():
    world = World()
    world.exchange.faults.commission_delay_s = 86_400.0
    world.place(ABC, "BUY", 1, "MKT")
    world.run(86_000)
    assert "1 commissioned" not in world.heard()
    assert world.exchange.executions(model.ExecutionFilter()) == ()

    world.run(600)
    assert world.heard() == ["1 commissioned"]
    world.run(86_400)
    assert "1 commissioned" not in world.heard()


def test_previews_can_name_numbers_and_refuse_all_the_same():
    world = World()
    world.exchange.faults.refuse_what_ifs = "Margin preview."
    answer = world.exchange.what_if(world.request(ABC, "BUY", 1, "MKT"))
    assert answer.initial_after_usd is not None
    assert answer.refusal.code == 201


def test_shorts_can_be_assigned_at_any_time_without_order_events():
    world = World(deposit=1_000_000)
    world.place(PUT, "SELL", 3, "MKT")
    world.run()
    world.heard()

    assert world.exchange.assign(account=ACCOUNT, con_id=PUT, contracts=2)

    assert world.heard() == ["holds -1", "holds 200", "account"]
    assert not world.exchange.assign(account=ACCOUNT, con_id=PUT, contracts=2)
    assert whole(world)


def test_cash_settled_shorts_are_assigned_for_cash():
    world = World(deposit=1_000_000)
    put = option_id(SPX, FRIDAY, 5100.0, "P")
    world.place(put, "SELL", 1, "MKT")
    world.run()
    before = world.cash

    assert world.exchange.assign(account=ACCOUNT, con_id=put, contracts=1)

    assert before - world.cash == Decimal(10_000)
    assert whole(world)


def test_a_liquidation_can_be_forced():
    world = World()
    world.place(ABC, "BUY", 10, "MKT")
    world.run()

    assert world.exchange.liquidate(account=ACCOUNT, con_id=ABC, quantity=4)

    assert world.held(ABC) == 6
    assert world.executions()[-1].liquidation
    assert whole(world)


def test_a_manual_order_belongs_to_nobody():
    world = World()
    contract = world.market.details(ABC).contract

    world.exchange.manual_order(
        account=ACCOUNT, contract=contract, action=model.Action.BUY, quantity=3
    )
    world.exchange.manual_order(
        account=ACCOUNT, contract=contract, action=model.Action.BUY, quantity=4
    )
    world.run(3)

    assert world.held(ABC) == 7
    assert {(one.key.client_id, one.key.order_id) for one in world.executions()} == {(0, 0)}


def test_one_leg_of_a_combination_can_be_filled_alone():
    world = World()
    query = model.ContractQuery(
        symbol="XYZ,ABC",
        sec_type="BAG",
        legs=(
            model.Leg(con_id=XYZ, ratio=1, action="BUY", exchange="SMART"),
            model.Leg(con_id=ABC, ratio=1, action="SELL", exchange="SMART"),
        ),
    )
    key = world.place(
        0,
        "BUY",
        1,
        limit_price=10.0,
        contract=query,
        smart_routing=(("NonGuaranteed", "1"),),
    )
    world.run()
    perm = world.view(key).perm_id

    assert world.exchange.fill_leg(perm_id=perm, con_id=XYZ, quantity=1, price=100.0)

    assert (world.held(XYZ), world.held(ABC)) == (1, 0)
    assert world.view(key).filled == 0


def test_a_split_multiplies_shares_divides_prices_and_leaves_worth_alone():
    world = World(deposit=1_000_000)
    world.place(XYZ, "BUY", 10, "MKT")
    world.place(option_id(XYZ, FRIDAY, 110.0, "C"), "SELL", 1, "MKT")
    order = world.place(XYZ, "BUY", 10, limit_price=90.0, tif="GTC")
    world.run()
    before = Decimal(world.rows()[("StockMarketValue", "USD")])

    assert world.exchange.split(con_id=XYZ, new_shares=2, old_shares=1)

    assert world.held(XYZ) == 20
    assert Decimal(world.rows()[("StockMarketValue", "USD")]) == before
    assert world.view(order).request.limit_price == 45.0
    assert world.view(order).request.quantity == 20
    option = next(one for one in world.exchange.positions() if one.quantity < 0)
    assert (option.contract.strike, option.contract.multiplier * -option.quantity) == (55.0, 200)
    assert whole(world)


def test_a_series_made_non_standard_keeps_its_worth_and_can_be_closed():
    world = World(deposit=1_000_000)
    call = option_id(XYZ, FRIDAY, 110.0, "C")
    world.place(call, "SELL", 2, "MKT")
    world.run()
    worth = Decimal(world.rows()[("OptionMarketValue", "USD")])

    world.exchange.split(con_id=XYZ, new_shares=3, old_shares=2)

    after = Decimal(world.rows()[("OptionMarketValue", "USD")])
    assert abs(after - worth) < Decimal(1)
    (held,) = (one for one in world.exchange.positions() if one.quantity)
    assert (held.contract.multiplier, round(held.contract.strike, 2)) == (150, 73.33)
    world.place(call, "BUY", 2, "MKT")
    world.run(5)
    assert world.held(call) == 0
    assert whole(world)


def test_a_reverse_split_pays_for_the_fraction():
    world = World(deposit=1_000_000)
    world.place(XYZ, "BUY", 7, "MKT")
    world.run()

    world.exchange.split(con_id=XYZ, new_shares=1, old_shares=2)

    assert world.held(XYZ) == 3
    assert whole(world)
    world.run_to(dt.date(2026, 3, 3), dt.time(10))
    assert whole(world)
