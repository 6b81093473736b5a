"""The executor and the governor together: what one counts and demands, the other carries out."""

from tests.actors import governed
from tests.actors.order_pair import Pair
from thetawarden.domain.broker.orders import BrokerOrderState
from thetawarden.domain.orders.intent import OrderRole
from thetawarden.domain.orders.stages import Stage
from thetawarden.domain.risk.candidate import Purpose
from thetawarden.messages.orders import CancelOrder, OrderRefused
from thetawarden.messages.trading import Flatten

TP, STOP, ENTRY, EXIT = OrderRole.TAKE_PROFIT, OrderRole.STOP, OrderRole.ENTRY, OrderRole.EXIT


def holding():
    pair = Pair()
    pair.propose("P1")
    pair.broker.fill(pair.order(ENTRY).order_ref)
    return pair.settle().see()


def refused(pair):
    """The proposals that the governor refused."""
    return [one.proposal.key for one in pair.told if isinstance(one, OrderRefused)]


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
    assert refused(pair) == []


def test_shares_that_were_delivered_are_flattened_with_the_governors_leave():
    pair = holding().pass_time(20)
    shares = governed.stock("SPY")
    pair.deliver(shares, 200)
    assert pair.protected() == {}

    pair.tell(Flatten(reason="enough", by="me"))
    pair.settle()

    assert refused(pair) == []
    close = pair.order(EXIT).intent
    assert [(leg.instrument, leg.ratio) for leg in close.legs] == [(shares, -1)]
    assert close.units == 200


def test_o12_margin_raised_while_an_entry_works_takes_it_back_and_frees_what_it_held():
    pair = Pair()
    pair.propose("P1")
    entry = pair.order(ENTRY).order_ref
    assert pair.order(ENTRY).stage is Stage.WORKING

    pair.raise_margin(598_000)

    assert entry in {one.order_ref for one in pair.heard(CancelOrder)}
    assert pair.stages(entry)[-1] is Stage.CANCELLED
    assert pair.governor.state.ledger.reservations == {}
    assert pair.governor.state.latch.halt is not None
    pair.propose("P2")
    assert refused(pair) == ["P2"]


def test_o12_margin_at_its_limit_halts_entries_and_leaves_every_exit():
    pair = holding()

    pair.raise_margin(650_000)

    assert pair.governor.state.latch.halt is not None
    assert pair.protected() == {TP: 2, STOP: 2}
    assert pair.heard(CancelOrder) == []
    pair.propose("C1", purpose=Purpose.CLOSE, ratio=1, limit="1.00", exits=False)
    assert pair.protected() == {EXIT: 2}


def test_o01_a_rejected_entry_gives_back_what_was_reserved_once_its_report_is_there():
    pair = Pair()
    pair.propose("P1")
    pair.broker.reject(pair.order(ENTRY).order_ref)
    words = pair.broker.outbox
    assert len(words) >= 2

    pair.tell(words.pop(0))
    doubted = len(pair.governor.state.ledger.reservations)
    pair.settle()

    assert doubted == 1
    assert pair.stages(pair.order(ENTRY).order_ref)[-1] is Stage.REJECTED
    assert pair.governor.state.ledger.reservations == {}


def test_o02_what_was_not_filled_before_the_cancel_is_reserved_no_more():
    pair = Pair()
    pair.propose("P1")
    entry = pair.order(ENTRY).order_ref
    pair.broker.fill(entry, 1)
    pair.settle()
    partly = counted(pair)

    pair.broker.end(entry, BrokerOrderState.CANCELLED)
    pair.settle()
    ended = counted(pair)
    pair.see()

    assert (partly, ended, counted(pair)) == ([2], [1], [])
    assert pair.protected() == {TP: 1, STOP: 1}


def counted(pair):
    """Units that the governor keeps free beside what is in the book."""
    return [one.units_counted for one in pair.governor.state.ledger.reservations.values()]
