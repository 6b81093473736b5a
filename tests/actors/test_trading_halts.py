"""Trading of an underlying is halted: nothing is opened or priced anew, and the exits stay."""

from tests.actors import governed
from tests.actors.governed import Governed, only
from tests.actors.order_desk import SETTINGS, Desk, put
from thetawarden.domain.chains.doubts import Doubt
from thetawarden.domain.orders.intent import OrderRole
from thetawarden.domain.orders.stages import Stage
from thetawarden.messages.orders import CancelOrder, ModifyOrder, OrderRefused, PreviewMargin

TP, STOP, ENTRY = OrderRole.TAKE_PROFIT, OrderRole.STOP, OrderRole.ENTRY


def shown(desk, **changes):
    """The chain as its watcher shows it, while two steps of the price pass."""
    for _ in range(4):
        desk.wait(SETTINGS.walk.step_ns // 2)
        desk.tell(governed.view("SPY", [put()], now=desk.now, mid=1.3, **changes))
    return desk.settle()


def test_m06_an_entry_on_a_chain_that_is_halted_is_refused():
    trading, halted = Governed(), Governed()
    halted.views(doubt=Doubt.HALTED)

    assert only(trading.propose(), PreviewMargin)
    (refused,) = only(halted.propose(), OrderRefused)
    assert "quotes" in refused.words


def test_m06_a_working_price_stays_where_it_is_while_trading_is_halted_and_then_walks_on():
    desk = Desk()
    desk.approve()
    desk.settle()

    shown(desk, doubt=Doubt.HALTED)
    while_halted = desk.heard(ModifyOrder)
    shown(desk)

    assert while_halted == []
    assert desk.heard(CancelOrder) == []
    assert desk.order(ENTRY).stage is Stage.WORKING
    assert len(desk.heard(ModifyOrder)) >= 1


def test_m06_exits_stay_at_the_broker_while_trading_is_halted():
    desk = Desk()
    desk.approve()
    desk.broker.fill(desk.order(ENTRY).order_ref)
    desk.settle()

    for _ in range(10):
        shown(desk, doubt=Doubt.HALTED)

    assert desk.protected() == {TP: 2, STOP: 2}
    assert desk.heard(CancelOrder) == []
