"""The ledger against a broker that counts: whatever happens, in whatever order, the rules hold."""

import math

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.campaigns import TIMES
from tests.domain.slots.desk import Desk, S, snapshot, stream
from thetawarden.domain.broker.lines import LinePriority
from thetawarden.domain.link.states import LinkState
from thetawarden.domain.slots.choosing import barred_now, lines_max
from thetawarden.domain.slots.events import TOO_MANY_LINES, end_batch, refuse
from thetawarden.domain.slots.settling import settle
from thetawarden.domain.slots.state import Ledger, Phase, Subscribe, Unsubscribe
from thetawarden.domain.slots.wishes import gather

OWNERS = ("chain/A", "chain/B", "context", "keeper")
WANTS = st.lists(
    st.builds(
        lambda make, conid, priority: make(conid, priority, refresh_s=3600, symbol="A"),
        st.sampled_from([stream, stream, stream, snapshot]),
        st.integers(1, 25),
        st.sampled_from(LinePriority),
    ),
    max_size=14,
)
STATES = st.sampled_from(LinkState)


def settled_of(ledger):
    """All but which of those alike comes next, as that is chosen when a place is free."""
    return msgspec.structs.replace(ledger, coming=(), looked_ns=0)


class LedgerMachine(RuleBasedStateMachine):
    """Wishes, the link, cancels, refusals, snapshots and time, in any order."""

    @initialize(lines=st.integers(1, 8), reserve=st.integers(0, 3), really=st.integers(1, 9))
    def begin(self, lines, reserve, really):
        self.desk = Desk(
            lines_max=lines,
            reserve=min(reserve, lines - 1),
            hold_ns=15 * S,
            rotation_batch=2,
            snapshots_max=5,
        )
        self.really = really

    @rule(owner=st.sampled_from(OWNERS), wants=WANTS)
    def somebody_wants(self, owner, wants):
        self.desk.wants(owner, *wants)

    @rule(seconds=st.floats(0.01, 40))
    def time_passes(self, seconds):
        self.desk.wait(seconds)

    @rule(state=STATES, newer=st.booleans())
    def the_link_changes(self, state, newer):
        gone = state in {LinkState.DOWN, LinkState.CONNECTING, LinkState.REFUSED}
        if gone and not newer:
            self.desk.lines, self.desk.wire, self.desk.snapshots = set(), [], {}
        self.desk.link(state, epoch=self.desk.ledger.epoch + newer)

    @precondition(lambda self: self.desk.wire)
    @rule()
    def the_broker_hears_an_order(self):
        order = self.desk.wire[0]
        full = len(self.desk.lines) >= self.really
        if isinstance(order, Subscribe) and order.instrument.conid not in self.desk.lines and full:
            self.desk.wire.pop(0)
            self.refused(order.instrument.conid, TOO_MANY_LINES)
        else:
            self.desk.deliver_one()

    @precondition(lambda self: self.desk.lines)
    @rule(data=st.data(), code=st.sampled_from([354, 200, 10197, 322, 0]))
    def a_line_is_refused(self, data, code):
        conid = data.draw(st.sampled_from(sorted(self.desk.lines)))
        self.desk.lines.discard(conid)
        self.refused(conid, code)

    def refused(self, conid, code):
        desk = self.desk
        desk.ledger = refuse(
            desk.ledger,
            epoch=desk.ledger.epoch,
            conid=conid,
            code=code,
            limits=desk.limits,
            now_ns=desk.now_ns,
        )
        desk.settle()

    @precondition(lambda self: self.desk.snapshots)
    @rule(data=st.data())
    def snapshots_are_over(self, data):
        listener = data.draw(st.sampled_from(sorted(self.desk.snapshots)))
        conids = self.desk.snapshots[listener]
        self.report(listener, unanswered=conids[: data.draw(st.integers(0, len(conids)))])

    def report(self, listener, *, unanswered):
        desk = self.desk
        del desk.snapshots[listener]
        desk.ledger = end_batch(
            desk.ledger,
            epoch=desk.ledger.epoch,
            listener=listener,
            unanswered=unanswered,
            now_ns=desk.now_ns,
        )
        desk.settle()

    @invariant()
    def the_broker_never_sees_more_lines_than_there_are(self):
        desk = self.desk
        lines = set(desk.lines)
        for order in desk.wire:
            if isinstance(order, Subscribe):
                lines.add(order.instrument.conid)
            elif isinstance(order, Unsubscribe):
                lines.discard(order.conid)
            assert len(lines) <= desk.limits.lines_max
        assert len(desk.lines) <= len(desk.ledger.slots)
        assert len(desk.ledger.slots) <= desk.limits.lines_max

    @invariant()
    def nobody_important_waits_while_a_lesser_one_streams(self):
        ledger, now_ns = self.desk.ledger, self.desk.now_ns
        if not ledger.open:
            return
        wishes = gather(ledger.wants)
        leaving = sum(slot.phase is Phase.LEAVING for slot in ledger.slots.values())
        held = self.desk.held()
        classes = [wishes[conid].stream for conid in held if conid in wishes]
        lowest = max((each for each in classes if each is not None), default=None)
        waiting = [
            conid
            for conid, wish in wishes.items()
            if wish.stream is not None
            and lowest is not None
            and wish.stream < lowest
            and conid not in held
            and conid not in barred_now(ledger, now_ns)
        ]
        assert len(waiting) <= leaving

    @invariant()
    def the_reserve_is_left_to_positions_and_orders(self):
        desk = self.desk
        wishes = gather(desk.ledger.wants)
        total = lines_max(desk.ledger, desk.limits, desk.now_ns)
        classes = [
            wishes[conid].stream
            for conid in desk.held()
            if conid in wishes and wishes[conid].stream is not None
        ]
        if desk.ledger.open and any(each > LinePriority.ORDER for each in classes):
            important = sum(each <= LinePriority.ORDER for each in classes)
            assert len(classes) <= max(total - desk.limits.reserve, important)

    @invariant()
    def saying_it_again_changes_nothing(self):
        desk = self.desk
        again = settle(desk.ledger.stirred(), limits=desk.limits, now_ns=desk.now_ns)
        assert again.moves == ()
        assert settled_of(again.ledger) == settled_of(desk.ledger)

    @invariant()
    def until_the_lines_are_to_be_looked_at_again_looking_changes_none(self):
        desk = self.desk
        for later_ns in (desk.now_ns + 2 * S, desk.now_ns + 7 * S, desk.ledger.quiet_until_ns - 1):
            if desk.now_ns <= later_ns < desk.ledger.quiet_until_ns:
                unseen = settle(desk.ledger, limits=desk.limits, now_ns=later_ns)
                looked = settle(desk.ledger.stirred(), limits=desk.limits, now_ns=later_ns)
                assert looked.moves == unseen.moves
                assert looked.next_ns == unseen.next_ns
                assert settled_of(looked.ledger) == settled_of(unseen.ledger)

    @invariant()
    def the_same_ledger_read_back_from_a_log_decides_the_same(self):
        desk = self.desk
        copy = msgspec.msgpack.decode(msgspec.msgpack.encode(desk.ledger), type=Ledger)
        later_ns = desk.now_ns + 20 * S
        first = settle(desk.ledger, limits=desk.limits, now_ns=later_ns)
        second = settle(copy, limits=desk.limits, now_ns=later_ns)
        assert first == second

    @invariant()
    def snapshots_out_are_bounded(self):
        assert (
            sum(len(batch.conids) for batch in self.desk.ledger.batches.values())
            <= self.desk.limits.snapshots_max
        )

    @invariant()
    def it_wakes_by_itself_while_anything_is_refused_or_may_turn(self):
        ledger = self.desk.ledger
        if ledger.open and ledger.wants:
            wishes = gather(ledger.wants)
            if barred_now(ledger, self.desk.now_ns) & wishes.keys():
                assert self.desk.next_ns is not None
        if self.desk.next_ns is not None:
            assert self.desk.next_ns > self.desk.now_ns

    def teardown(self):
        """Left in peace by a broker that works, every wish is served within a bound."""
        if not hasattr(self, "desk"):
            return
        desk = self.desk
        if desk.limits.lines_max > self.really:
            return
        desk.link(LinkState.READY, epoch=desk.ledger.epoch + 1)
        wishes = gather(desk.ledger.wants)
        served = set(desk.ledger.refused) | set(desk.ledger.streamed_ns)
        served = served.union(*desk.ledger.snapshot_ns.values())
        snapshots = sum(len(wish.listeners) for wish in wishes.values())
        for _ in range(2 + math.ceil(snapshots / desk.limits.snapshots_max)):
            desk.deliver()
            served |= desk.lines
            for listener in list(desk.snapshots):
                served |= set(desk.snapshots[listener])
                self.report(listener, unanswered=())
            desk.wait(10)
        assert served >= set(wishes)


LedgerMachine.TestCase.settings = settings(
    max_examples=80 * TIMES, stateful_step_count=30, deadline=None
)
TestLedger = LedgerMachine.TestCase
