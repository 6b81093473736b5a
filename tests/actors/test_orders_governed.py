"""The executor and the governor together: what one counts must never stop the other's closing."""

from tests.actors import governed
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


def test_shares_that_were_delivered_are_flattened_with_the_governors_leave():
    pair = holding().pass_time(20)
    shares = governed.stock("SPY")
    pair.deliver(shares, 200)
    assert pair.protected() == {}

    pair.tell(Flatten(reason="enough", by="me"))
    pair.settle()

    assert pair.heard(OrderRefused) == []
    close = pair.order(EXIT).intent
    assert [(leg.instrument, leg.ratio) for leg in close.legs] == [(shares, -1)]
    assert close.units == 200
