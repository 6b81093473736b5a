"""While market data floods an actor, control messages and orders wait for one handler at most."""

import threading

import msgspec
import pytest

from tests.actors.desks import RunningDesk, policy, tree, until
from tests.actors.order_desk import proposal
from thetawarden.actors.post import ActorSpec
from thetawarden.actors.tree import Group
from thetawarden.domain.chains.view import ChainSummary, ChainView
from thetawarden.domain.instants import UnixNs
from thetawarden.messages.chains import ChainViewed
from thetawarden.messages.orders import ProposeOrder
from thetawarden.messages.trading import Halt
from thetawarden.ports import Delivery

FLOOD = 2_000


class State(msgspec.Struct):
    handled: int = 0


class Slow:
    """Stands in for the governor; its first view of a chain takes until the test lets it go on."""

    def __init__(self, busy, gate):
        self.state = State()
        self._busy, self._gate = busy, gate

    def receive(self, message, now):
        self.state.handled += 1
        if isinstance(message, ChainViewed):
            self._busy.set()
            self._gate.wait()
        return ()


def view(underlying):
    return ChainViewed(
        underlying=underlying,
        view=ChainView(
            underlying=underlying,
            number=1,
            at_ns=UnixNs(1),
            epoch=1,
            spot_usd=None,
            spot_at_ns=UnixNs(0),
            spot_doubt="",
            fitted_ns=UnixNs(0),
            series=(),
            summary=ChainSummary(rows=0, usable=0, doubts=()),
            columns=(),
        ),
    )


def handled(desk):
    """What was handled, in its order, without what a desk says of itself."""
    bodies = [one.envelope.body for one in list(desk.log.records) if isinstance(one, Delivery)]
    return [type(one) for one in bodies if type(one) in (ChainViewed, ProposeOrder, Halt)]


@pytest.fixture
def flooded():
    """A governor that is busy with one view of many, which wait behind it."""
    busy, gate = threading.Event(), threading.Event()
    governor = ActorSpec(
        name="governor",
        kind=Slow,
        settings={"busy": busy, "gate": gate},
        stop_deadline_ns=10**9,
    )
    with RunningDesk(tree(Group(name="all", policy=policy(), actors=(governor,)))) as desk:
        for number in range(FLOOD):
            desk.desk.say(view(f"U{number}"), sender="tester")
        assert busy.wait(60)
        yield desk, gate
        gate.set()


def test_m12_p04_orders_and_control_messages_do_not_wait_behind_a_flood_of_market_data(flooded):
    desk, gate = flooded

    desk.desk.say(ProposeOrder(proposal=proposal()), sender="tester")
    desk.desk.say(Halt(reason="enough", by="tester"), sender="tester")
    gate.set()
    until(lambda: len(handled(desk)) == FLOOD + 2)

    assert handled(desk)[:4] == [ChainViewed, Halt, ProposeOrder, ChainViewed]


def test_m12_what_is_told_again_of_the_same_chain_takes_the_place_of_what_waits(flooded):
    desk, gate = flooded

    for _ in range(50):
        for number in range(1, 11):
            desk.desk.say(view(f"U{number}"), sender="tester")
    gate.set()
    until(lambda: len(handled(desk)) >= FLOOD)
    desk.desk.say(Halt(reason="enough", by="tester"), sender="tester")
    until(lambda: handled(desk)[-1:] == [Halt])

    assert handled(desk).count(ChainViewed) == FLOOD
    merged = [one.merged for one in list(desk.log.records) if isinstance(one, Delivery)]
    assert sorted(merged)[-10:] == [51] * 10
