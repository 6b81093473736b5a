"""The simulated broker's last gate withholds whatever the real one does."""

from types import SimpleNamespace

import pytest

from tests.actors.order_desk import Desk
from tests.domain.books.accounts import T0
from thetawarden.domain.orders.intent import Withheld
from thetawarden.messages.orders import SubmitOrder
from thetawarden.sim.broker.orders import SimOrders


def order():
    """An entry with its exits, as the executor sends it."""
    desk = Desk()
    desk.approve()
    (command,) = desk.heard(SubmitOrder)
    return command


def orders_on(*, open_refs=(), filled_refs=()):
    said = []
    exchange = SimpleNamespace(
        open_orders=lambda: [
            SimpleNamespace(request=SimpleNamespace(order_ref=one)) for one in open_refs
        ],
        executions=lambda _wanted: [(SimpleNamespace(order_ref=one), None) for one in filled_refs],
    )
    orders = SimOrders(
        gateway=SimpleNamespace(exchange=exchange, account="DU1"),
        clock=SimpleNamespace(now_ns=lambda: T0),
        flag=SimpleNamespace(read=lambda: None),
        client_id=7,
        patience_ns=1,
        not_live=lambda _conids: (),
        say=said.append,
        later=lambda _ns, _act: None,
    )
    return orders, said


@pytest.mark.parametrize("where", ["open_refs", "filled_refs"])
@pytest.mark.parametrize("which", [0, 1, 2])
def test_a_family_is_withheld_when_any_of_it_works_or_has_filled(where, which):
    asked = order()
    family = (asked.intent, *asked.exits)
    orders, said = orders_on(**{where: (family[which].order_ref,)})

    orders.submit(asked, None)

    assert [one.order_ref for one in said] == [one.order_ref for one in family]
    assert {one.why for one in said} == {Withheld.SENT_ALREADY}
