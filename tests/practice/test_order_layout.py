"""Orders are written with exactly as many fields as genuine gateways were recorded to write."""

import pytest

from tests.practice.test_model import view
from thetawarden.practice import model
from thetawarden.practice.wire.encode.completed import completed_order
from thetawarden.practice.wire.encode.executions import execution
from thetawarden.practice.wire.encode.orders import open_order


def stock_view():
    request = model.OrderRequest(
        key=model.OrderKey(client_id=1, order_id=2),
        contract=model.ContractQuery(con_id=265598),
        action=model.Action.BUY,
        quantity=1,
        order_type="LMT",
        limit_price=100.0,
    )
    contract = model.Contract(con_id=265598, symbol="AAPL", sec_type=model.SecType.STOCK)
    return model.OrderView(
        perm_id=1,
        request=request,
        contract=contract,
        status=model.OrderStatus.SUBMITTED,
        remaining=1,
    )


def fields(message):
    return message[4:].split(b"\0")[:-1]


@pytest.mark.parametrize(("version", "count"), [(176, 136), (177, 135), (178, 135)])
def test_a_plain_open_order_has_the_recorded_number_of_fields(version, count):
    assert len(fields(open_order(stock_view(), version=version))) == count


def test_a_plain_completed_order_has_the_recorded_number_of_fields():
    assert len(fields(completed_order(stock_view(), version=178))) == 100


def test_conditions_add_themselves_and_two_flags():
    plain = len(fields(open_order(stock_view(), version=178)))

    with_one = len(fields(open_order(view(), version=178)))

    assert with_one == plain + 4 + 2


@pytest.mark.parametrize(("version", "count"), [(176, 31), (178, 32)])
def test_an_execution_has_one_more_field_since_178(version, count):
    fill = model.Execution(
        exec_id="1.1.01.01",
        key=model.OrderKey(client_id=1, order_id=2),
        perm_id=1,
        account="DU1",
        contract=stock_view().contract,
        exchange="SMART",
        at_ns=10**18,
        side=model.Action.BUY,
        quantity=1,
        price=1.0,
        cumulative_quantity=1,
        average_price=1.0,
    )

    assert len(fields(execution(-1, fill, version=version))) == count
