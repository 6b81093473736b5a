"""The last gate at a real socket: whatever is withheld leaves no byte of an order behind."""

import msgspec
import pytest

from tests.infra.ib.desk import commanded
from tests.infra.ib.orderline import S, exits_of, halt, intent, legs_of
from thetawarden.domain.broker.quote import DataType
from thetawarden.domain.orders.intent import Withheld
from thetawarden.infra.ib.pacing import Priority
from thetawarden.infra.ib.translate_orders import contract_for, order_for
from thetawarden.messages.lifecycle import EffectFailed
from thetawarden.messages.market import QuotesObserved, SnapshotLines, SubscribeLine
from thetawarden.messages.orders import OrderSent, OrderWithheld
from thetawarden.messages.risk import FreezeExits
from thetawarden.messages.trading import Halt, TradingHalted, TradingResumed


@pytest.fixture
def line(line_on):
    return line_on()


@pytest.fixture
def sale(puts):
    """An order that adds risk and would work without end."""

    def make(order_ref="gate.1", **changes):
        made = intent(order_ref, legs_of((puts[0], -1)), -50)
        return msgspec.structs.replace(made, **changes)

    return make


def is_withheld(line, order_ref, why, *words):
    """Whether it was withheld for this, in these words, and nothing of it left."""
    withheld = line.withheld(order_ref)
    assert withheld.why is why, withheld
    assert all(one in withheld.words for one in words), withheld.words
    line.fetch()  # a question behind it: whatever had left would have come before
    return line.placed == [] and line.ear.all_of(OrderSent) == []


def test_nothing_leaves_in_an_order_that_belongs_to_another_link(line, sale):
    line.submit(sale(), epoch=7)

    assert is_withheld(line, "gate.1", Withheld.NO_LINK, "epoch 1", "epoch 7")


def test_nothing_leaves_without_a_link_and_it_is_said(line, sale):
    line.broker._threads.call(lambda: line.broker._session.close("gone"))
    line.submit(sale())

    assert line.withheld("gate.1").why is Withheld.NO_LINK


def test_nothing_leaves_while_the_flag_stands_that_no_actor_has_told_of(line, sale):
    line.flag.raise_flag(halt(3, reason="somebody touched the file"))
    line.submit(sale(), halt_epoch=3)

    assert is_withheld(line, "gate.1", Withheld.HALTED, "somebody touched the file")


def test_an_unreadable_flag_halts(line, sale):
    line.flag.path.write_text("not a flag")
    line.submit(sale())

    assert is_withheld(line, "gate.1", Withheld.HALTED)


def test_nothing_leaves_after_a_halt_was_told_until_it_was_lifted(line, sale):
    line.order(TradingHalted(halt=halt(1)))
    line.submit(sale(), halt_epoch=1)
    assert is_withheld(line, "gate.1", Withheld.HALTED)

    line.order(TradingResumed(epoch=1, reason="mended", by="person"))
    line.submit(sale("lifted.2"), halt_epoch=1)

    line.wait_sent("lifted.2")


def test_an_approval_of_before_a_halt_is_void_after_it(line, sale):
    line.order(TradingHalted(halt=halt(2)))
    line.order(TradingResumed(epoch=2, reason="mended", by="person"))

    line.submit(sale(), halt_epoch=1)

    assert is_withheld(line, "gate.1", Withheld.OTHER_EPOCH, "epoch 1", "now 2")


def test_what_only_reduces_leaves_while_halted_unless_exits_are_frozen_too(line, sale):
    line.order(TradingHalted(halt=halt(2)))
    line.order(FreezeExits(frozen=True, reason="frozen", by="person"))
    line.submit(sale(reducing=True))
    assert is_withheld(line, "gate.1", Withheld.HALTED, "exits frozen")

    line.order(FreezeExits(frozen=False, reason="free", by="person"))
    line.submit(sale("freed.2", reducing=True))

    line.wait_sent("freed.2")


def test_a_halt_that_comes_while_an_order_waits_for_its_turn_holds_it_back(line, sale):
    """The turn is given, the brakes are told, then the bytes would go."""
    pacer = line.broker._session.pacer
    full = [pacer._monotonic_ns() + 2 * S] * pacer._pace.per_s  # time to be heard meanwhile
    line.broker._threads.call(lambda: pacer._sent.extend(full))
    line.submit(sale())
    line.order(TradingHalted(halt=halt(1)))

    assert is_withheld(line, "gate.1", Withheld.HALTED)


def test_an_order_that_was_cancelled_before_it_left_does_not_leave(line, sale):
    pacer = line.broker._session.pacer
    full = [pacer._monotonic_ns() + 2 * S] * pacer._pace.per_s  # time to be heard meanwhile
    line.broker._threads.call(lambda: pacer._sent.extend(full))
    line.submit(sale())
    line.cancel("gate.1")

    assert is_withheld(line, "gate.1", Withheld.TAKEN_BACK)


def test_nothing_leaves_after_its_time(line, sale):
    line.submit(sale(), expires_ns=line.clock.now_ns())

    assert is_withheld(line, "gate.1", Withheld.EXPIRED)


def test_nothing_leaves_on_old_quotes(line, sale):
    line.submit(sale(), quoted_ns=line.clock.now_ns() - 6 * S)

    assert is_withheld(line, "gate.1", Withheld.QUOTES_TOO_OLD, "allowed are 5.000 s")


def told_as(line, conid, *kinds):
    """Wait until the contract's data was told as one of these."""

    def fits(message):
        return any(one.conid == conid and one.data_type in kinds for one in message.told)

    line.ear.wait_for(QuotesObserved, holds=fits)


@pytest.fixture
def delay(line):
    """Has the gateway show delayed data, until the test is over."""
    yield lambda: line.gateway.play("delayed")
    line.gateway.end("delayed")


@pytest.mark.parametrize("way", ["a line", "a snapshot"])
def test_nothing_leaves_on_quotes_whose_data_is_live_no_more(line, sale, puts, delay, way):
    """They were live when they were read, seconds ago; what has come since says otherwise."""
    conid = puts[0].conid
    watch = SubscribeLine(epoch=1, instrument=puts[0], listeners=("SPY",))
    look = SnapshotLines(epoch=1, listener="SPY", instruments=(puts[0],))
    line.order(watch if way == "a line" else look)
    told_as(line, conid, DataType.LIVE)

    delay()
    if way == "a snapshot":
        line.order(look)
    told_as(line, conid, DataType.DELAYED, DataType.DELAYED_FROZEN)
    line.submit(sale())

    assert is_withheld(line, "gate.1", Withheld.NOT_LIVE, str(conid))

    reference = "fixed.1" if way == "a line" else "fixed.2"
    line.submit(sale(reference), quoted_ns=0)
    line.wait_sent(reference)


def test_an_order_that_rests_on_no_quote_needs_none(line, sale):
    line.submit(sale(), quoted_ns=0)

    line.wait_sent("gate.1")


def test_no_reference_leaves_twice_in_one_process(line, sale):
    line.submit(sale())
    line.wait_sent("gate.1")
    line.reported("gate.1")

    line.submit(sale())

    assert line.withheld("gate.1").why is Withheld.SENT_ALREADY
    line.fetch()
    assert len(line.placed) == 1


def test_no_reference_leaves_that_the_broker_has_of_an_earlier_process(line_on, sale):
    first = line_on()
    first.sent(sale("gate.before"))
    first.stop()
    later = line_on()
    later.fetch()

    later.submit(sale("gate.before"))

    assert is_withheld(later, "gate.before", Withheld.SENT_ALREADY)


def test_more_at_the_socket_than_was_let_out_halts_and_stops_every_further_order(line, sale):
    made = sale("gate.past")

    async def past_the_gate():
        await line.broker._session.send(
            lambda ib: ib.placeOrder(contract_for(made.legs), order_for(made, account="DU1000001")),
            priority=Priority.ORDER,
        )

    line.broker._threads.submit(past_the_gate()).result(20)
    line.submit(sale())

    assert line.withheld("gate.1").why is Withheld.MORE_THAN_INTENDED
    assert "1 orders" in line.ear.wait_for(Halt).reason
    line.fetch()
    assert [one.ticket.order_ref for one in line.placed] == ["gate.past"]


@pytest.mark.parametrize(
    "changes",
    [
        {"units": 0},
        {"limit_usd": None},
        {"order_ref": ""},
        {"order_ref": "two words"},
        {"legs": ()},
    ],
    ids=str,
)
def test_what_is_no_order_does_not_leave(line, sale, changes):
    order = sale(**({"order_ref": "gate.1"} | changes))
    line.submit(order)

    assert is_withheld(line, order.order_ref, Withheld.NOT_SENDABLE)


def test_a_whole_family_is_withheld_with_its_parent(line, sale):
    parent = sale()
    exits = exits_of(parent, take_profit=0.05, stop=200)
    line.submit(parent, *exits, expires_ns=1)

    for one in (parent, *exits):
        assert line.withheld(one.order_ref).why is Withheld.EXPIRED
    assert line.placed == []


def test_a_link_that_was_quiet_is_asked_for_a_sign_of_life_before_an_order_leaves(line, sale):
    session = line.broker._session
    session._heard_ns -= 3 * S  # as after three quiet seconds

    line.submit(sale())

    line.wait_sent("gate.1")
    assert session.idle_ns() < S


def test_N02_nothing_leaves_into_a_link_that_is_mute(line_on, busy, sale):
    line = line_on(probe_timeout_s=0.3)
    busy.do(lambda server: setattr(server.gateway.seams, "mute", True))
    line.broker._session._heard_ns -= 3 * S

    line.submit(sale())

    try:
        withheld = line.withheld("gate.1")
    finally:
        busy.do(lambda server: setattr(server.gateway.seams, "mute", False))
    assert withheld.why is Withheld.LINK_MUTE
    assert [one for one in line.placed if one.ticket.order_ref == "gate.1"] == []
    assert line.ear.all_of(OrderSent) == []


def test_an_order_never_waits_in_the_library_behind_other_messages(line, sale):
    """The library keeps a second's worth; what it kept would leave unseen, after any halt."""

    kept = []

    def exhaust():
        client = line.broker._session._ib.client
        now = line.broker._threads.loop.time()
        client._timeQ.extend([now] * client.MaxRequests)
        place = client.placeOrder

        def placed(*told):
            place(*told)
            kept.append(len(client._msgQ))

        client.placeOrder = placed

    line.broker._threads.call(exhaust)
    line.submit(sale())

    line.wait_sent("gate.1")
    assert kept == [0]


def test_every_answer_names_the_order_it_is_about(line, sale):
    for number in range(3):
        line.submit(sale(f"gate.{number}"), expires_ns=1)
    for number in range(3):
        line.withheld(f"gate.{number}")

    assert len(line.ear.all_of(OrderWithheld)) == 3


def test_a_brake_without_a_link_is_remembered(line_on, sale):
    line = line_on()
    line.broker.perform(commanded(TradingHalted(halt=halt(4))))
    line.relink()

    line.submit(sale())

    assert is_withheld(line, "gate.1", Withheld.HALTED)


def test_an_order_we_broke_on_before_it_could_leave_is_withheld_and_the_next_one_leaves(
    line, sale, monkeypatch
):
    monkeypatch.setattr(line.orders, "_unsendable", lambda _family: 1 / 0)
    line.submit(sale("broken.1"))
    withheld = line.withheld("broken.1")
    line.ear.wait_for(EffectFailed)
    monkeypatch.undo()

    line.submit(sale("broken.2"))

    line.wait_sent("broken.2")
    assert (withheld.why, "ZeroDivisionError" in withheld.words) == (Withheld.NOT_SENDABLE, True)


def test_what_left_is_told_as_sent_also_when_it_cannot_be_taken_back(line, sale, monkeypatch):
    parent = sale("torn.1")
    profit, stop = exits_of(parent, take_profit=0.05, stop=200)
    ib = line.broker._session.client
    place, left = ib.placeOrder, []

    def torn(contract, order):
        if left:
            raise RuntimeError("torn")
        left.append(order.orderId)
        return place(contract, order)

    def cannot(*_):
        raise RuntimeError("no way")

    monkeypatch.setattr(ib, "placeOrder", torn)
    monkeypatch.setattr(ib.client, "cancelOrder", cannot)

    line.submit(parent, profit, stop)

    assert line.wait_sent("torn.1").order_id == left[0]
    withheld = line.withheld(profit.order_ref)
    assert withheld.why is Withheld.NOT_SENDABLE
    assert "torn" in withheld.words
    assert "no way" in withheld.words
