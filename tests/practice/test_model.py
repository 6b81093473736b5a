"""The values that market, exchange and wire exchange survive being saved, and cannot be changed."""

import datetime as dt
from decimal import Decimal

import msgspec
import pytest

from thetawarden.practice import model


def view():
    contract = model.Contract(
        con_id=7,
        symbol="SPX",
        sec_type=model.SecType.OPTION,
        expiry=dt.date(2026, 9, 18),
        strike=5000.0,
        right="P",
        multiplier=100,
    )
    request = model.OrderRequest(
        key=model.OrderKey(client_id=1, order_id=2),
        contract=model.ContractQuery(con_id=7),
        action=model.Action.SELL,
        quantity=3,
        order_type=model.OrderType.LIMIT,
        limit_price=1.25,
        conditions=(model.Condition(kind=3, fields=("a", "1", "20260918 10:00:00")),),
    )
    return model.OrderView(
        perm_id=900,
        request=request,
        contract=contract,
        status=model.OrderStatus.SUBMITTED,
        remaining=3,
        commission_usd=Decimal("1.05"),
    )


def test_an_order_survives_being_saved_and_restored():
    saved = msgspec.msgpack.encode(view())

    assert msgspec.msgpack.decode(saved, type=model.OrderView) == view()


def test_nobody_can_change_an_order_he_was_shown():
    with pytest.raises(AttributeError):
        view().filled = 3
