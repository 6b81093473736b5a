"""Orders meet the market: what they get, at what price, and what is said about it."""

from decimal import Decimal

from tests.practice.exchange.world import ABC, ACCOUNT, FRIDAY, XYZ, World, option_id


def test_a_marketable_order_fills_and_everything_is_said_in_order():
    world = World()

    world.place(XYZ, "BUY", 5, limit_price=100.10)
    world.run()

    assert world.heard() == [
        "1 PreSubmitted 0/5",
        "1 Submitted 0/5",
        "1 BUY 5 @ 100.02",
        "1 Filled 5/5",
        "1 Filled 5/5 with cost",
        "1 commissioned",
        "holds 5",
        "account",
    ]


def test_a_fill_moves_cash_position_and_average_cost_by_price_and_commission():
    world = World()
    world.market.fix(XYZ, 99.99, 100.0)

    world.place(XYZ, "BUY", 5, "MKT")
    world.run()

    # one dollar is the least an order of shares costs
    assert world.cash == Decimal(100_000) - Decimal(500) - Decimal(1)
    (position,) = world.exchange.positions()
    assert position.quantity == 5
    assert position.average_cost_usd == Decimal("100.2")
    assert dict(world.rows())[("TotalCashValue", "USD")] == "99499.00"


def test_a_short_option_costs_less_on_average_than_its_price():
    world = World()
    put = option_id(XYZ, FRIDAY, 90.0, "P")
    world.market.fix(put, 2.00, 2.02)

    world.place(put, "SELL", 2, "MKT")
    world.run()

    (position,) = world.exchange.positions()
    # 2 contracts: 1.30 broker, 0.0537 regulatory, 0.04 clearing, 0.00558 activity
    assert position.average_cost_usd == Decimal(200) - Decimal("1.39928") / 2
    assert world.cash == Decimal(100_000) + Decimal(400) - Decimal("1.39928")


def test_buying_and_selling_realizes_exactly_what_cash_shows():
    world = World()
    world.market.fix(ABC, 49.99, 50.0)
    world.place(ABC, "BUY", 10, "MKT")
    world.run()

    world.market.fix(ABC, 55.0, 55.01)
    world.place(ABC, "SELL", 10, "MKT")
    world.run()

    assert world.held(ABC) == 0
    assert world.exchange.pnl(ACCOUNT).realized_usd == Decimal("48.00")
    assert world.cash == Decimal(100_000) + Decimal(50) - 2 - Decimal("0.00166")
