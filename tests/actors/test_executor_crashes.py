"""Killed anywhere, cut off anywhere, told anything late, twice or never: one order, protected.

A crash is another executor with the state its deliveries gave it, while what it had said may have
been done or not, and what the broker answered is lost.
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.actors.order_desk import SETTINGS, Desk, closing, proposal
from tests.domain.books.accounts import SECOND
from thetawarden.actors.executor import Executor
from thetawarden.domain.broker.orders import BrokerOrderState
from thetawarden.domain.link.states import LinkState
from thetawarden.domain.orders.intent import OrderRole
from thetawarden.domain.orders.stages import Stage
from thetawarden.messages.lifecycle import Begin
from thetawarden.messages.link import LinkChanged
from thetawarden.messages.orders import (
    CancelOrder,
    ModifyOrder,
    OrderApproved,
    OrderRefused,
    SubmitOrder,
)

TO_BROKER = (SubmitOrder, ModifyOrder, CancelOrder)
FROM_GOVERNOR = (OrderApproved, OrderRefused)
ENTRY, EXIT, TP, STOP = (
    OrderRole.ENTRY,
    OrderRole.EXIT,
    OrderRole.TAKE_PROFIT,
    OrderRole.STOP,
)
CANCELLED = BrokerOrderState.CANCELLED


class KilledError(Exception):
    """The process is gone."""


class MortalDesk(Desk):
    """Dies once: before or after the n-th effect is done."""

    def __init__(self, kill_at=0, *, done=False):
        self.kill_at, self.done, self.effects = kill_at, done, 0
        super().__init__()

    def perform(self, one):
        if isinstance(one, TO_BROKER):
            self.effects += 1
            if self.effects == self.kill_at:
                if self.done:
                    super().perform(one)
                self.revive()
                raise KilledError
        super().perform(one)

    def revive(self):
        """Another process: what the broker said is lost, what the governor said is on disk."""
        kept = [one for one in self.broker.outbox if isinstance(one, FROM_GOVERNOR)]
        self.broker.outbox, self.timer = kept, None
        self.executor = Executor(self.settings, self.executor._guard._sessions)
        for message, at in self.steps:
            self.executor.receive(message, at)

    def heal(self, epoch):
        """The next process finds its broker, and everything comes to rest."""
        self.tell(Begin(incarnation=epoch, resumed=True))
        self.connect(epoch)
        self.settle()
        for _ in range(3):
            self.reconcile(epoch=epoch, rounds=1)
            self.watch(3 * SECOND)
        self.watch(2 * SETTINGS.query_ns)


def scenario(desk):
    """An entry in two parts, a lost exit, a close that is given up, another that fills."""
    yield desk.approve(proposal(limit="-1.50"))
    yield desk.settle()
    yield desk.watch(2 * SETTINGS.walk.step_ns, bid="1.20", ask="1.30")
    yield fill(desk, ENTRY, 1)
    yield fill(desk, ENTRY)
    yield end(desk, TP)
    yield desk.watch(2 * SECOND)
    yield desk.approve(closing("c1"))
    yield desk.watch(3 * SECOND)
    yield end(desk, EXIT)
    yield desk.watch(2 * SECOND)
    yield desk.approve(closing("c2", limit="1.10"))
    yield desk.watch(3 * SECOND)


def open_orders(desk, role):
    return [one for one in desk.broker.orders.values() if one.is_open and one.intent.role is role]


def fill(desk, role, units=None):
    for order in open_orders(desk, role)[:1]:
        left = order.units - order.filled
        desk.broker.fill(order.intent.order_ref, min(units or left, left))
    return desk.settle()


def end(desk, role):
    for order in open_orders(desk, role)[:1]:
        desk.broker.end(order.intent.order_ref, CANCELLED)
    return desk.settle()


def check(desk):
    """Nothing twice, nothing lost, nothing unprotected, nothing in doubt, no halt."""
    broker, state = desk.broker, desk.state
    assert len(broker.placements) == len(set(broker.placements))
    by_approval = {}
    for life in state.orders.values():
        if life.approval_key and life.order_ref in broker.orders:
            by_approval.setdefault(life.approval_key, []).append(life.order_ref)
    assert all(len(refs) == 1 for refs in by_approval.values())
    assert all(ref in state.orders for ref in broker.placements)
    assert [life for life in state.orders.values() if life.stage is Stage.UNKNOWN] == []
    for ref, order in broker.orders.items():
        assert state.orders[ref].units_filled == order.filled
        assert state.orders[ref].is_over is not order.is_open
    entering = sum(one.units - one.filled for one in open_orders(desk, ENTRY))
    short, by_role = -desk.held.get(11, 0), desk.protected()
    assert short >= 0
    for role in (TP, STOP):
        guarded = by_role.get(role, 0) + by_role.get(EXIT, 0)
        assert short <= guarded <= short + entering
    assert desk.halts() == []


def run(kill_at, *, done):
    desk = MortalDesk(kill_at, done=done)
    killed = False
    steps = scenario(desk)
    while True:
        try:
            next(steps)
        except KilledError:
            killed = True
            desk.heal(2)
            break
        except StopIteration:
            break
    return desk, killed


def test_the_scenario_itself_is_what_it_says():
    desk, _ = run(0, done=False)

    check(desk)
    assert desk.effects >= 9
    assert {one.stage for one in desk.state.orders.values()} >= {Stage.FILLED, Stage.CANCELLED}


@pytest.mark.parametrize("done", [False, True], ids=["not done", "done"])
def test_killed_at_any_effect_there_is_one_order_and_it_is_protected(done):
    whole, _ = run(0, done=False)

    for kill_at in range(1, whole.effects + 1):
        desk, killed = run(kill_at, done=done)
        assert killed
        check(desk)


ACTIONS = st.sampled_from(
    [
        *("approve", "close", "fill_some", "fill_entry", "fill_exit", "end_entry", "end_exit"),
        *("deliver", "deliver", "twice", "swap", "lose", "wait", "wait", "cut", "kill", "deaf"),
        *("reject",),
    ]
)


class RestlessDesk(MortalDesk):
    """Does one of the things that may happen."""

    def __init__(self):
        super().__init__()
        self.epoch, self.number = 1, 0

    def act(self, action):
        box = self.broker.outbox
        match action:
            case "approve":
                self.number += 1
                self.approve(proposal(f"p{self.number}", trade=f"t{self.number}"))
            case "close" if self.number:
                self.number += 1
                self.approve(closing(f"c{self.number}", trade="t1"))
            case "fill_some":
                self.fill_one(ENTRY, 1)
            case "fill_entry":
                self.fill_one(ENTRY)
            case "fill_exit":
                self.fill_one(TP)
            case "end_entry":
                self.end_one(ENTRY)
            case "end_exit":
                self.end_one(STOP)
            case "reject":
                for order in open_orders(self, EXIT)[:1]:
                    self.broker.reject(order.intent.order_ref)
            case "deliver" if box:
                self.tell(box.pop(0))
            case "twice" if box:
                self.tell(box[0])
            case "swap" if len(box) > 1 and not isinstance(box[1], FROM_GOVERNOR):
                self.tell(box.pop(1))
            case "lose" if box and not isinstance(box[0], FROM_GOVERNOR):
                box.pop(0)
            case "wait":
                self.quote()
                self.wait(4 * SECOND)
            case "deaf":
                self.broker.deaf = not self.broker.deaf
            case "cut":
                self.cut()
            case "kill":
                self.revive()
                self.tell(Begin(incarnation=9, resumed=True))
                self.cut()

    def fill_one(self, role, units=None):
        for order in open_orders(self, role)[:1]:
            parent = self.broker.orders.get(order.intent.parent_ref)
            most = order.units if parent is None else parent.filled
            left = min(order.units, most) - order.filled
            if left > 0:
                self.broker.fill(order.intent.order_ref, min(units or left, left))

    def end_one(self, role):
        for order in open_orders(self, role)[:1]:
            self.broker.end(order.intent.order_ref, CANCELLED)

    def cut(self):
        """The link goes and another comes; its book was not compared yet."""
        self.broker.outbox = [one for one in self.broker.outbox if isinstance(one, FROM_GOVERNOR)]
        down, up = LinkState.DOWN, LinkState.SYNCING
        self.tell(LinkChanged(epoch=self.epoch, state=down, entries=False, why="cut"))
        self.epoch += 1
        self.tell(LinkChanged(epoch=self.epoch, state=up, entries=False, why="again"))

    def rest(self):
        """Faults heal; everything comes to rest."""
        self.broker.deaf = False
        self.broker.outbox = [one for one in self.broker.outbox if isinstance(one, FROM_GOVERNOR)]
        self.epoch += 1
        self.connect(self.epoch)
        self.settle()
        for _ in range(4):
            self.reconcile(epoch=self.epoch, rounds=1)
            self.watch(3 * SECOND)
        self.watch(4 * SETTINGS.query_ns)


@settings(max_examples=120, deadline=None)
@given(st.lists(ACTIONS, max_size=30))
def test_whatever_happens_nothing_is_repeated_lost_or_left_unprotected(actions):
    desk = RestlessDesk()
    for action in ("approve", *actions):
        desk.act(action)
    desk.rest()

    check(desk)
