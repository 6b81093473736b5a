import datetime as dt
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thetawarden.domain.broker.instrument import Instrument, InstrumentKind
from thetawarden.domain.market.contracts import Right
from thetawarden.domain.orders.intent import Intent, Lifetime, OrderRole, OrderStyle
from thetawarden.domain.orders.proposal import OrderLeg
from thetawarden.domain.orders.wording import defect, word_order

TODAY = dt.date(2026, 3, 2)


def leg(conid=1, ratio=-1, *, expiry=dt.date(2026, 3, 20), **changes):
    fields = {
        "conid": conid,
        "kind": InstrumentKind.OPTION,
        "symbol": "SPY",
        "multiplier": 100,
        "expiry": expiry,
        "strike": Decimal(500 + conid),
        "right": Right.PUT,
    }
    return OrderLeg(instrument=Instrument(**(fields | changes)), ratio=ratio)


def intent(*legs, **changes):
    fields = {
        "order_ref": "t.entry.1.1",
        "trade": "t",
        "strategy": "s",
        "role": OrderRole.ENTRY,
        "legs": legs or (leg(),),
        "units": 2,
        "style": OrderStyle.LIMIT,
        "lifetime": Lifetime.DAY,
        "limit_usd": Decimal("-1.50"),
    }
    return Intent(**(fields | changes))


PRICES = st.decimals(Decimal("0.01"), Decimal(1000), places=2)


@given(PRICES, st.integers(1, 5), st.integers(1, 50), st.booleans())
def test_one_leg_pays_or_brings_in_all_what_the_unit_was_to(price, ratio, units, buys):
    sign = 1 if buys else -1
    order = intent(leg(ratio=sign * ratio), units=units, limit_usd=sign * price * ratio)

    worded = word_order(order)

    assert defect(order, today=TODAY) == ""
    assert (worded.buys, worded.quantity, worded.limit_usd) == (buys, units * ratio, price)
    paid = (1 if worded.buys else -1) * worded.quantity * worded.limit_usd
    assert paid == order.units * order.limit_usd


@given(st.decimals(-100, 100, places=2), st.integers(1, 50))
def test_a_combination_is_always_bought_for_the_units_own_price(price, units):
    order = intent(leg(1, -1), leg(2, 1), units=units, limit_usd=price)

    worded = word_order(order)

    assert defect(order, today=TODAY) == ""
    assert (worded.buys, worded.quantity, worded.limit_usd) == (True, units, price)


def test_a_stop_that_buys_back_has_its_trigger_and_no_limit():
    order = intent(
        leg(ratio=1), style=OrderStyle.STOP, limit_usd=None, stop_usd=Decimal(6), reducing=True
    )

    worded = word_order(order)

    assert defect(order, today=TODAY) == ""
    assert (worded.buys, worded.limit_usd, worded.stop_usd) == (True, None, 6)


@pytest.mark.parametrize(
    ("order", "words"),
    [
        (intent(order_ref=""), "reference"),
        (intent(order_ref="two words"), "reference"),
        (intent(order_ref="naïve"), "reference"),
        (intent(order_ref="x" * 61), "reference"),
        (intent(units=0), "0 units"),
        (intent(leg(ratio=0)), "ratios"),
        (intent(leg(conid=0)), "cannot be ordered"),
        (intent(leg(kind=InstrumentKind.INDEX)), "cannot be ordered"),
        (intent(leg(kind=InstrumentKind.COMBO)), "cannot be ordered"),
        (intent(leg(expiry=dt.date(2026, 3, 1))), "expired"),
        (intent(leg(1, -1), leg(1, 1)), "two of its legs"),
        (intent(leg(1, -1), leg(2, 1, symbol="SPX")), "several"),
        (intent(leg(1, -1), leg(2, 1, currency="EUR")), "several"),
        (intent(leg(1, -2), leg(2, 2)), "lowest terms"),
        (intent(limit_usd=None), "limit is None"),
        (intent(limit_usd=Decimal("NaN")), "NaN"),
        (intent(limit_usd=Decimal("Infinity")), "Infinity"),
        (intent(limit_usd=Decimal(0)), "no price"),
        (intent(limit_usd=Decimal("1.50")), "no price"),
        (intent(leg(ratio=1), limit_usd=Decimal("-1.50")), "no price"),
        (intent(leg(ratio=-3), limit_usd=Decimal(-1)), "no price"),
        (intent(style=OrderStyle.STOP), "stop is None"),
        (intent(style=OrderStyle.STOP_LIMIT), "stop is None"),
        (
            intent(style=OrderStyle.ADAPTIVE, lifetime=Lifetime.GOOD_TILL_CANCELLED),
            "lives a day",
        ),
    ],
)
def test_what_is_no_order_is_named(order, words):
    assert words in defect(order, today=TODAY)


def test_an_option_may_be_ordered_on_the_day_it_expires():
    assert defect(intent(leg(expiry=TODAY)), today=TODAY) == ""


def test_shares_and_an_option_are_one_unit():
    shares = leg(9, 100, kind=InstrumentKind.STOCK, expiry=None, strike=None, right=None)
    order = intent(shares, leg(1, -1), limit_usd=Decimal("498.50"))

    assert defect(order, today=TODAY) == ""
    assert word_order(order).quantity == 2


def test_ratios_in_lowest_terms_may_differ():
    order = intent(leg(1, -2), leg(2, 1), leg(3, 1))

    assert defect(order, today=TODAY) == ""
    assert defect(msgspec.structs.replace(order, units=1), today=TODAY) == ""
