"""Checks of what goes by mail and by wire: each is shown what it must not accept, and its like."""

from decimal import Decimal
from types import SimpleNamespace as Fake

import msgspec
import pytest

from tests.sim.test_invariants import NOW, Case, quoted, stage
from thetawarden.actors.mailbox import Bounds
from thetawarden.domain.instants import NS_PER_SECOND
from thetawarden.domain.link.states import LinkTrouble
from thetawarden.domain.orders.intent import Withheld
from thetawarden.domain.orders.stages import Stage
from thetawarden.messages.base import Envelope
from thetawarden.messages.books import MarkObserved
from thetawarden.messages.lifecycle import (
    Begin,
    ChildrenChanged,
    DeskStarted,
)
from thetawarden.messages.link import LinkLost
from thetawarden.messages.orders import CancelOrder, OrderSent, OrderWithheld
from thetawarden.messages.timers import TimerFired
from thetawarden.messages.trading import Halt
from thetawarden.ports import Delivery, Outcome
from thetawarden.sim.broker.wire import AN_ORDER, BOOK, DATA, Left, Traffic
from thetawarden.sim.disk import Numbered

STARTED = DeskStarted(config_fingerprint="f", software="s", resumed=True)
replace = msgspec.structs.replace


class Mail(Case):
    """A desk of a governor, a keeper and a watcher, whose mailboxes are empty."""

    def __init__(self, *others, orders_max=10):
        super().__init__("I09")
        self.n, self.depths = 0, [0, 0, 0, 0]
        self.world.durable_n = 0
        mailbox, spec = Fake(depths=lambda: self.depths), Fake(bounds=Bounds(orders=orders_max))
        for name in ("governor", "keeper", "chain/XSP", *others):
            self.world.posts[name] = Fake(mailbox=mailbox, spec=spec)

    def hear(self, *bodies):
        """Each is said an instant after the one before."""
        for body in bodies:
            self.world.mono_ns += 1
            self.say(body)
        return self

    def handle(self, body, seq, *, actor="governor", outcome=Outcome.HANDLED):
        self.n += 1
        envelope = Envelope(seq, NOW, "x", 0, None, body)
        return self.record(Numbered(self.n, Delivery(envelope, actor, 1, NOW, outcome)))

    def die(self, *, durable_seq, durable_n):
        self.world.durable_seq, self.world.durable_n = durable_seq, durable_n
        self.world.log = Fake(is_durable=lambda _seq: True)
        return self.say(STARTED)


HALT, CHANGED = Halt(reason="a", by="b"), stage("r", Stage.WORKING)
MARK = MarkObserved(epoch=1, conid=7, mark_usd=Decimal(1), at_ns=NOW)


@pytest.mark.parametrize("body", [HALT, CHANGED])
def test_i09_a_message_that_nobody_handled_and_no_mailbox_has_is_found(body):
    case = Mail().hear(body)

    assert not case.end().holds
    case.found, case.depths = [], [1, 1, 1, 1]
    assert case.end().holds  # it waits
    case.depths = [0, 0, 0, 0]
    assert case.handle(body, 1).end().holds


@pytest.mark.parametrize(
    ("outcome", "holds"),
    [(Outcome.PARKED, True), (Outcome.CRASHED, False), (Outcome.WAITING, False)],
)
def test_i09_what_was_put_aside_is_accounted_for_and_what_waits_again_is_not(outcome, holds):
    assert Mail().hear(CHANGED).handle(CHANGED, 1, outcome=outcome).end().holds is holds


def test_i09_what_is_overtaken_in_its_lane_is_found_at_once():
    assert Mail().hear(CHANGED, CHANGED).handle(CHANGED, 1).handle(CHANGED, 2).holds
    assert Mail().hear(CHANGED, HALT).handle(HALT, 2).handle(CHANGED, 1).holds
    assert not Mail().hear(CHANGED, CHANGED).handle(CHANGED, 2).holds


def test_i09_only_the_latest_of_a_key_must_reach_whoever_is_slow():
    other = replace(MARK, conid=8)

    def marks(*seqs, returned=False):
        case = Mail().hear(MARK)
        if returned:
            case.handle(MARK, 1, actor="keeper", outcome=Outcome.CRASHED)
        case.hear(MARK, other)
        for seq in seqs:
            case.handle(other if seq == 3 else MARK, seq, actor="keeper")
        return case.end().holds

    assert marks(2, 3)
    assert marks(3, 2)
    assert marks(1, 2, 3, returned=True)
    assert not marks(1, 3)
    assert not marks(1, 2, 3)


def test_i09_a_watcher_is_sent_its_own_underlying_only_and_none_once_it_has_left():
    gone = ChildrenChanged(role="chain", keys=())

    assert not Mail().hear(quoted()).end().holds
    assert Mail().hear(replace(quoted(), underlying="SPX")).end().holds
    assert Mail().hear(quoted(), gone).end().holds


@pytest.mark.parametrize(
    ("durable_seq", "durable_n", "holds"), [(0, 0, True), (1, 1, True), (1, 0, False)]
)
def test_i09_what_a_process_left_over_the_next_one_handles(durable_seq, durable_n, holds):
    case = Mail().hear(CHANGED).handle(CHANGED, 1)

    assert case.die(durable_seq=durable_seq, durable_n=durable_n).end().holds is holds


def test_i09_what_concerns_one_process_only_ends_with_it():
    assert Mail().hear(quoted(), MARK).die(durable_seq=9, durable_n=0).end().holds


def test_i09_who_is_there_is_said_anew_by_each_process():
    there = ChildrenChanged(role="chain", keys=("SPX",))

    assert Mail("watchdog").hear(there).die(durable_seq=9, durable_n=0).end().holds
    assert not Mail("watchdog").hear(there).end().holds


def test_i09_more_than_may_wait_is_found():
    assert Mail(orders_max=2).hear(CHANGED, CHANGED).holds
    assert not Mail(orders_max=2).hear(CHANGED, CHANGED, CHANGED).holds


def test_i09_what_is_told_by_name_is_not_looked_for_everywhere():
    assert Mail().hear(Begin(incarnation=1, resumed=False), TimerFired(name="x")).end().holds


class Socket(Case):
    """Bytes of a desk whose order r has left."""

    def __init__(self):
        super().__init__("I20")
        self.say(OrderSent(epoch=1, order_ref="r", order_id=1))

    def leave(self, *many, apart_s=0.0):
        for left in many:
            self.found += self.check.left(left, self.scene)
            self.wait(apart_s)
        return self

    def wait(self, seconds):
        self.world.mono_ns += round(seconds * NS_PER_SECOND)
        return self

    def cancel(self, ref="r"):
        return self.say(CancelOrder(epoch=1, order_ref=ref, perm_id=1, reason="x"))


CANCEL_LEAVES = Left(traffic=Traffic.CANCEL, order_ref="r")


def test_i20_more_bytes_than_the_gateway_takes_in_a_second_are_found():
    four = Left(traffic=Traffic.ORDER, count=4)

    assert Socket().leave(*40 * [AN_ORDER]).wait(1).leave(*40 * [BOOK]).holds
    assert Socket().leave(*80 * [AN_ORDER], apart_s=0.025).holds
    assert not Socket().leave(*20 * [AN_ORDER], *20 * [BOOK], CANCEL_LEAVES).holds
    assert not Socket().leave(*11 * [four]).holds


def test_i20_data_that_would_wait_for_its_turn_for_ever_is_found():
    assert Socket().leave(*100 * [DATA], *40 * [AN_ORDER]).holds
    assert Socket().leave(*300 * [DATA], apart_s=0.04).holds
    assert not Socket().leave(*400 * [DATA], apart_s=0.01).holds


def test_i20_a_cancel_that_waits_is_found():
    lost = LinkLost(epoch=1, trouble=LinkTrouble.SILENT, words="x")

    assert Socket().cancel().leave(CANCEL_LEAVES).wait(2).leave(DATA).end().holds
    assert Socket().cancel().wait(0.9).leave(DATA, CANCEL_LEAVES).wait(2).end().holds
    assert not Socket().cancel().wait(1.1).leave(DATA).holds
    assert not Socket().cancel().wait(1.1).end().holds
    assert Socket().cancel().wait(1.1).say(lost).end().holds
    assert Socket().cancel().wait(5.1).say(STARTED).end().holds


def test_i20_an_order_that_waits_for_a_sign_of_life_is_taken_back_in_its_place():
    refused = OrderWithheld(epoch=1, order_ref="s", why=Withheld.TAKEN_BACK, words="x")

    assert Socket().cancel("s").wait(4).leave(DATA).say(refused).wait(9).end().holds
    assert not Socket().cancel("s").wait(5.1).end().holds
