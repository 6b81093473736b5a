"""What expires, when, at which price, and how the night tells about it."""

import datetime as dt
from decimal import Decimal

from tests.practice.exchange.world import (
    ABC,
    ACCOUNT,
    ES,
    FRIDAY,
    LATER,
    SPX,
    XYZ,
    World,
    option_id,
)
from thetawarden.practice import model
from thetawarden.practice.account.book import AccountTerms
from thetawarden.practice.account.ledger import EntryKind, totals_usd
from thetawarden.practice.exchange.terms import ExchangeTerms

SATURDAY = dt.date(2026, 3, 21)
THURSDAY = dt.date(2026, 3, 19)
NIGHT = dt.time(3)
CALL = option_id(XYZ, FRIDAY, 95.0, "C")
PUT = option_id(XYZ, FRIDAY, 105.0, "P")


def holding(con_id, action, quantity, price, *, world=None):
    """A world in which the account just traded so at this price."""
    world = world or World(deposit=1_000_000)
    key = world.place(con_id, action, quantity, "MKT")
    world.exchange.fill(
        perm_id=world.exchange.floor.live(key).perm_id, quantity=quantity, price=price
    )
    world.heard()
    return world


def cash_after(world, before):
    return world.cash - before


def settled(world):
    """Cash without what only time brings."""
    totals = totals_usd(world.book.ledger)
    return world.cash - totals.get(EntryKind.INTEREST, Decimal(0))


def test_a_pm_settled_index_option_pays_by_the_close_and_only_at_night():
    world = holding(option_id(SPX, FRIDAY, 4900.0, "C", weekly=True), "BUY", 1, 120.0)
    world.run_to(FRIDAY, dt.time(15, 59))
    world.market.move(SPX, 4970.0)
    before = settled(world)

    world.run_to(FRIDAY, dt.time(23))
    assert settled(world) == before
    world.market.move(SPX, 4000.0)
    world.heard()
    world.run_to(SATURDAY, NIGHT)

    assert settled(world) - before == Decimal(7000)
    said = world.heard()
    assert said == ["holds 0", "account", "account"]


def test_an_am_settled_option_pays_by_the_opening_and_not_by_the_close():
    world = holding(option_id(SPX, FRIDAY, 4900.0, "C"), "BUY", 1, 120.0)
    world.run_to(FRIDAY, dt.time(9))
    world.market.move(SPX, 4950.0)
    before = settled(world)

    world.run_to(FRIDAY, dt.time(10))
    world.market.move(SPX, 4500.0)
    world.run_to(SATURDAY, NIGHT)

    assert settled(world) - before == Decimal(5000)


def test_an_expired_option_is_worth_its_settlement_until_the_night():
    world = holding(option_id(SPX, FRIDAY, 4900.0, "C", weekly=True), "BUY", 1, 120.0)
    world.run_to(FRIDAY, dt.time(15, 59))
    world.market.move(SPX, 4970.0)
    world.run_to(FRIDAY, dt.time(17))
    evening = Decimal(world.rows()[("NetLiquidation", "USD")])

    world.run_to(SATURDAY, dt.time(2, 29))
    assert Decimal(world.rows()[("NetLiquidation", "USD")]) == evening


def test_a_long_call_in_the_money_is_exercised_by_exception():
    world = holding(CALL, "BUY", 2, 5.0)

    world.run_to(SATURDAY, NIGHT)

    assert (world.held(CALL), world.held(XYZ)) == (0, 200)
    shares = next(one for one in world.exchange.positions() if one.contract.con_id == XYZ)
    assert shares.average_cost_usd == Decimal(95)
    assert shares.contract.exchange == "NYSE"


def test_a_short_put_in_the_money_brings_the_shares_at_the_strike():
    world = holding(PUT, "SELL", 3, 5.5)

    world.run_to(SATURDAY, NIGHT)

    assert (world.held(PUT), world.held(XYZ)) == (0, 300)
    assert totals_usd(world.book.ledger)[EntryKind.ASSIGNMENT] == Decimal(-31_500)


def test_an_option_out_of_the_money_vanishes_without_cash():
    world = holding(option_id(XYZ, FRIDAY, 90.0, "P"), "SELL", 1, 1.0)
    before = settled(world)

    world.run_to(SATURDAY, NIGHT)

    assert settled(world) == before
    assert world.held(XYZ) == 0
    assert world.exchange.positions()[0].quantity == 0


def test_assignment_is_told_by_positions_and_account_values_alone():
    world = holding(PUT, "SELL", 1, 5.5)
    world.run_to(FRIDAY, dt.time(23))
    world.heard()

    world.run_to(SATURDAY, NIGHT)

    assert world.heard() == ["holds 0", "holds 100", "account", "account"]
    assert world.executions() == []


def test_rows_for_assignments_can_be_asked_for():
    terms = ExchangeTerms(
        accounts=(AccountTerms(account=ACCOUNT, deposit_usd=Decimal(1_000_000)),),
        execution_rows_for_assignments=True,
    )
    world = holding(PUT, "SELL", 1, 5.5, world=World(terms=terms))

    world.run_to(SATURDAY, NIGHT)

    option, share = world.executions()
    assert (option.price, share.price) == (0.0, 105.0)
    assert (option.perm_id, option.key.client_id, option.key.order_id) == (0, 0, 0)


def test_an_instruction_to_let_it_lapse_is_followed():
    world = holding(CALL, "BUY", 2, 5.0)
    world.run_to(FRIDAY, dt.time(12))

    world.exchange.exercise(instruction(CALL, 2, exercise=False, override=True))
    world.run_to(SATURDAY, NIGHT)

    assert world.held(XYZ) == 0


def test_an_instruction_against_the_automatic_rule_needs_the_override():
    world = holding(CALL, "BUY", 2, 5.0)

    world.exchange.exercise(instruction(CALL, 2, exercise=False, override=False))

    assert world.codes() == [2138]


def test_early_exercise_brings_the_shares_the_next_morning():
    world = holding(CALL, "BUY", 2, 5.0)

    world.exchange.exercise(instruction(CALL, 1, exercise=True, override=False))
    assert world.heard() == ["901 PreSubmitted 0/1"]
    world.run_to(dt.date(2026, 3, 3), NIGHT)

    assert (world.held(CALL), world.held(XYZ)) == (1, 100)


def test_nobody_exercises_what_he_does_not_hold():
    world = World()

    world.exchange.exercise(instruction(CALL, 1, exercise=True, override=False))

    assert world.codes() == [201]


def test_an_instruction_is_listed_like_an_order_and_can_only_be_cancelled():
    world = holding(CALL, "BUY", 2, 5.0)
    world.exchange.exercise(instruction(CALL, 2, exercise=True, override=False))
    (listed,) = world.exchange.open_orders()
    assert listed.request.order_type == "EXERCISE"
    world.heard()

    world.place(CALL, "BUY", 1, limit_price=1.0, order_id=901)
    world.exchange.cancel(listed.request.key)
    world.run_to(dt.date(2026, 3, 3), NIGHT)

    assert world.heard()[:3] == ["901 says 10086", "901 Cancelled 0/2", "901 says 202"]
    assert world.held(CALL) == 2


def instruction(con_id, quantity, *, exercise, override):
    return model.ExerciseRequest(
        key=model.OrderKey(client_id=1, order_id=901),
        contract=model.ContractQuery(con_id=con_id),
        exercise=exercise,
        quantity=quantity,
        account="",
        override=override,
    )


def test_a_short_call_worth_no_more_than_exercise_is_assigned_before_a_dividend():
    world = holding(option_id(XYZ, FRIDAY, 80.0, "C"), "SELL", 20, 20.0)
    ex_day = dt.date(2026, 3, 11)
    world.market.dividends[XYZ] = {ex_day: 1.0}
    world.market.fix(option_id(XYZ, FRIDAY, 80.0, "C"), 20.1, 20.3)

    world.run_to(ex_day, dt.time(2))
    assert world.held(XYZ) == 0
    world.market.fix(option_id(XYZ, FRIDAY, 80.0, "C"), 19.9, 20.1)
    world.run_to(ex_day, NIGHT)

    assigned = -world.held(XYZ) // 100
    assert 12 <= assigned <= 20
    # the shares were short before the ex-date, so their seller owes the dividend
    assert totals_usd(world.book.ledger)[EntryKind.DIVIDEND] == Decimal(-100 * assigned)


def test_no_short_is_assigned_early_while_its_market_says_that_waiting_is_worth_more():
    call, put = option_id(XYZ, FRIDAY, 80.0, "C"), option_id(XYZ, FRIDAY, 120.0, "P")
    world = holding(call, "SELL", 20, 20.0)
    world.place(put, "SELL", 20, limit_price=20.0, order_id=902)
    ex_day = dt.date(2026, 3, 11)
    world.market.dividends[XYZ] = {ex_day: 1.0}
    world.market.fix(call, 20.1, 20.3)
    world.market.fix(put, 20.1, 20.3)

    world.run_to(ex_day, dt.time(12))

    assert (world.held(call), world.held(put), world.held(XYZ)) == (-20, -20, 0)


def test_a_put_without_time_value_is_assigned_sooner_or_later():
    put = option_id(XYZ, FRIDAY, 120.0, "P")
    world = holding(put, "SELL", 20, 20.0)
    world.market.fix(put, 19.9, 20.1)

    world.run_to(dt.date(2026, 3, 11), dt.time(12))

    assert -20 < world.held(put) < 0
    assert world.held(XYZ) == 100 * (20 + world.held(put))


def test_index_options_are_never_assigned_early():
    deep = option_id(SPX, LATER, 4600.0, "C", weekly=True)
    world = holding(deep, "SELL", 1, 400.0)
    world.market.fix(deep, 399.0, 400.0)

    world.run_to(FRIDAY, dt.time(12))

    assert world.held(deep) == -1


def test_dividends_are_paid_to_holders_on_the_ex_date():
    world = holding(ABC, "BUY", 100, 50.0)
    world.market.dividends[ABC] = {dt.date(2026, 3, 5): 0.37}

    world.run_to(dt.date(2026, 3, 5), NIGHT)

    assert totals_usd(world.book.ledger)[EntryKind.DIVIDEND] == Decimal("37.00")


def test_a_future_pays_variation_every_night_and_settles_at_the_opening_print():
    world = holding(ES, "BUY", 1, 5000.0)
    before = settled(world)

    world.market.move(ES, 5010.0)
    world.run_to(dt.date(2026, 3, 3), NIGHT)
    assert settled(world) - before == Decimal(500)
    world.market.move(SPX, 5020.0)
    world.run_to(FRIDAY, dt.time(10))

    assert world.held(ES) == 0
    assert settled(world) - before == Decimal(1000)


def test_orders_for_what_expired_are_cancelled_with_the_reason():
    world = World()
    world.run_to(FRIDAY, dt.time(15, 30))
    key = world.place(CALL, "BUY", 1, limit_price=0.01, tif="GTC")

    world.run_to(FRIDAY, dt.time(16, 1))

    assert world.ended(key).status == "Cancelled"
    assert "expired" in world.said[-1].notice.text


def test_an_expired_contract_cannot_be_ordered():
    world = holding(CALL, "BUY", 1, 5.0)
    world.run_to(FRIDAY, dt.time(17))
    world.heard()

    world.place(CALL, "SELL", 1, "MKT")

    assert world.codes() == [392]


def test_interest_is_accrued_nightly_and_paid_with_the_month():
    world = World(deposit=1_000_000)

    world.run_to(dt.date(2026, 3, 31), NIGHT)

    # 990,000 earn 3.5 % a year of 360 days, 96.25 a night, for 29 nights; April pays it out
    assert EntryKind.INTEREST not in totals_usd(world.book.ledger)
    assert world.book.accrued_usd == Decimal("2791.25")
    world.run_to(dt.date(2026, 4, 1), NIGHT)
    assert totals_usd(world.book.ledger)[EntryKind.INTEREST] == Decimal("2791.25")


def test_closed_positions_are_shown_with_nothing_until_midnight():
    world = holding(ABC, "BUY", 10, 50.0)
    holding(ABC, "SELL", 10, 50.0, world=world)
    assert [one.quantity for one in world.exchange.positions()] == [0]

    world.run_to(dt.date(2026, 3, 3), dt.time(0, 1))

    assert world.exchange.positions() == ()
    assert world.executions() == []
    assert world.exchange.completed_orders() == ()
