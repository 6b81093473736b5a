"""The executor and the governor together: what one counts must never stop the other's closing."""

from tests.actors.order_pair import Pair
from thetawarden.domain.broker.orders import BrokerOrderState
from thetawarden.domain.orders.intent import OrderRole
from thetawarden.domain.risk.candidate import Purpose
from thetawarden.messages.orders import OrderRefused
from thetawarden.messages.trading import Flatten

TP, STOP, ENTRY, EXIT = OrderRole.TAKE_PROFIT, OrderRole.STOP, OrderRole.ENTRY, OrderRole.EXIT


def holding():
    pair = Pair()
    pair.propose("P1")
    pair.broker.fill(pair.order(ENTRY).order_ref)
    return pair.settle().see()


def test_exits_placed_again_stand_in_the_way_of_no_close():
    pair = holding()
    assert pair.protected() == {TP: 2, STOP: 2}
    pair.broker.end(pair.order(TP).order_ref, BrokerOrderState.CANCELLED)
    pair.settle()
    assert pair.protected() == {TP: 2, STOP: 2}
    pair.pass_time(40)

    pair.propose("C1", purpose=Purpose.CLOSE, ratio=1, limit="1.00", exits=False)

    assert pair.protected() == {EXIT: 2}
    pair.broker.fill(pair.order(EXIT).order_ref)
    pair.settle()
    assert pair.held == {}


def test_exits_placed_again_stand_in_the_way_of_no_flatten():
    pair = holding()
    pair.broker.end(pair.order(TP).order_ref, BrokerOrderState.CANCELLED)
    pair.settle().pass_time(40)

    pair.tell(Flatten(reason="enough", by="me"))
    pair.settle()

    assert pair.protected() == {EXIT: 2}
    assert pair.heard(OrderRefused) == []
