"""What fills cost, against the examples of the published price lists and a real statement."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thetawarden.practice.account.tariff import Charged, Plan, fees_usd
from thetawarden.practice.model import Action, Contract, SecType


def option(trading_class="XYZ"):
    return Contract(
        con_id=1,
        symbol="XYZ",
        sec_type=SecType.OPTION,
        multiplier=100,
        trading_class=trading_class,
    )


STOCK = Contract(con_id=2, symbol="NET", sec_type=SecType.STOCK)


def cost(contract, quantity, price, *, side=Action.BUY, plan=Plan.FIXED, charged=None):
    return fees_usd(
        contract=contract,
        side=side,
        quantity=quantity,
        price_usd=Decimal(price),
        plan=plan,
        charged=charged or Charged(),
    )


@pytest.mark.parametrize(
    ("quantity", "premium", "broker"),
    [(1, "2", "1.00"), (2, "5", "1.30"), (3, "0.075", "1.50"), (5, "0.03", "1.25")],
)
def test_the_brokers_own_examples_of_option_orders_hold(quantity, premium, broker):
    # bought contracts pay the regulatory fee of 0.02685 and 0.02 for clearing besides
    others = quantity * (Decimal("0.02685") + Decimal("0.02"))

    assert cost(option(), quantity, premium) == Decimal(broker) + others


def test_a_share_sold_on_a_real_statement_cost_what_we_charge():
    # 12 September 2025, one NET at 224.80: 1.000188, of which 0.000022 is an audit-trail fee
    assert cost(STOCK, 1, "224.80", side=Action.SELL) == Decimal("1.000188") - Decimal("0.000022")


def test_shares_on_the_fixed_plan_cost_half_a_cent_with_a_dollar_at_least():
    assert cost(STOCK, 100, "420.50") == Decimal("1.00")
    assert cost(STOCK, 1000, "25") == Decimal("5.00")


def test_no_order_of_shares_costs_the_broker_more_than_one_percent():
    assert cost(STOCK, 1, "10") == Decimal("0.10")


def test_tiered_shares_pay_their_venues():
    # 0.0035 broker, 0.0002 clearing, 0.0030 for taking liquidity, on a thousand shares
    assert cost(STOCK, 1000, "25", plan=Plan.TIERED) == Decimal("6.70")


def test_index_classes_pay_their_surcharge_by_premium():
    plain = cost(option(), 10, "5")

    assert cost(option("SPX"), 10, "5") - plain == Decimal("5.00")
    assert cost(option("SPXW"), 10, "5") - plain == Decimal("5.80")
    assert cost(option("SPXW"), 10, "0.5") - cost(option(), 10, "0.5") == Decimal("4.90")
    assert cost(option("XSPW"), 9, "5") == cost(option(), 9, "5")
    assert cost(option("XSPW"), 10, "5") - plain == Decimal("0.70")


def test_clearing_is_capped_for_giant_orders():
    per_contract = Decimal("0.65") + Decimal("0.02685")

    assert cost(option(), 5000, "2") == 5000 * per_contract + Decimal("55.00")


def test_a_future_costs_its_rate_whatever_its_price():
    future = Contract(con_id=3, symbol="ES", sec_type=SecType.FUTURE, trading_class="ES")

    assert cost(future, 2, "5000") == Decimal("4.50")


@given(st.lists(st.integers(1, 40), min_size=1, max_size=10))
def test_an_order_costs_the_same_however_its_fills_are_cut(parts):
    charged = Charged()

    in_parts = sum(cost(option(), one, "2", charged=charged) for one in parts)

    assert in_parts == cost(option(), sum(parts), "2")
