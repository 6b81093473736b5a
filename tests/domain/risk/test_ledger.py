"""Reservations: one approval, one order; nothing uncounted between approval and book."""

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from thetawarden.domain.halt import TradingState
from thetawarden.domain.risk.approving import ApprovalGap, Approved, approve
from thetawarden.domain.risk.flow import OrderFlow
from thetawarden.domain.risk.ledger import (
    TERMINAL,
    Approval,
    Ledger,
    LedgerRefusal,
    OrderState,
    Reservation,
    book,
    expire_unused,
    fill,
    mint_key,
    move,
    pending_orders,
    reserve,
    use,
)
from thetawarden.domain.risk.measure import Figure, measure_book, measure_candidate

SECOND = 1_000_000_000
RUNNING = TradingState.RUNNING


def reservation(ledger, *, units=5, expires_ns=100, epoch=0, key=None, reducing=False):
    approval = Approval(
        key=key or mint_key(ledger),
        candidate_key="c",
        units=units,
        approved_ns=0,
        expires_ns=expires_ns,
        halt_epoch=epoch,
        quotes=(),
        stress_key="s",
        stress_at_ns=0,
        worst_loss_usd=0.0,
        book_version="b",
        reducing=reducing,
    )
    return Reservation(
        approval=approval, strategy="s", legs=(), margin_usd_per_unit=10.0, auto_selected=False
    )


def counted(ledger):
    return {order.key: order.units for order in pending_orders(ledger)}


@pytest.fixture
def one():
    ledger = Ledger()
    return reserve(ledger, reservation(ledger))


def test_an_approval_is_used_once(one):
    used = use(one, "A1", now_ns=99, halt_epoch=0, state=RUNNING)

    assert isinstance(used, Ledger)
    assert use(used, "A1", now_ns=99, halt_epoch=0, state=RUNNING) is LedgerRefusal.USED


@pytest.mark.parametrize(
    ("key", "now_ns", "epoch", "refusal"),
    [
        ("A1", 100, 0, LedgerRefusal.EXPIRED),
        ("A1", 50, 1, LedgerRefusal.OTHER_EPOCH),
        ("A2", 50, 0, LedgerRefusal.NO_SUCH_APPROVAL),
    ],
)
def test_an_approval_is_used_in_time_and_in_its_own_epoch(one, key, now_ns, epoch, refusal):
    assert use(one, key, now_ns=now_ns, halt_epoch=epoch, state=RUNNING) is refusal


@pytest.mark.parametrize("state", [TradingState.CAUTIOUS, TradingState.HALTED])
def test_an_entry_approved_before_a_caution_is_not_sent_in_it_and_an_exit_is(one, state):
    both = reserve(one, reservation(one, reducing=True))

    entry, exit_ = (use(both, key, now_ns=1, halt_epoch=0, state=state) for key in ("A1", "A2"))

    assert entry is LedgerRefusal.NOT_RUNNING
    assert isinstance(exit_, Ledger)


def test_what_runs_out_unused_is_released_and_its_key_never_minted_again(one):
    assert counted(expire_unused(one, now_ns=99)) == {"A1": 5}
    gone = expire_unused(one, now_ns=100)

    assert counted(gone) == {}
    assert mint_key(gone) == "A2"
    with pytest.raises(ValueError, match="expected approval A2"):
        reserve(gone, reservation(gone, key="A1"))


def test_what_was_sent_does_not_run_out(one):
    sent = use(one, "A1", now_ns=1, halt_epoch=0, state=RUNNING)

    assert counted(expire_unused(sent, now_ns=10**9)) == {"A1": 5}


@pytest.mark.parametrize("state", [OrderState.WORKING, OrderState.UNKNOWN])
def test_what_is_not_known_to_be_over_counts_in_full(one, state):
    sent = use(one, "A1", now_ns=1, halt_epoch=0, state=RUNNING)

    assert counted(move(fill(sent, "A1", units_filled=2), "A1", state=state)) == {"A1": 5}


@pytest.mark.parametrize("state", sorted(TERMINAL))
def test_what_is_over_counts_what_it_filled_until_the_book_has_it(one, state):
    sent = fill(use(one, "A1", now_ns=1, halt_epoch=0, state=RUNNING), "A1", units_filled=2)

    over = move(sent, "A1", state=state)

    assert counted(over) == {"A1": 2}
    assert counted(book(over, "A1", units_booked=2)) == {}
    assert counted(book(sent, "A1", units_booked=2)) == {"A1": 3}


def test_what_is_over_stays_over_and_what_is_unsent_cannot_fill(one):
    sent = fill(use(one, "A1", now_ns=1, halt_epoch=0, state=RUNNING), "A1", units_filled=2)
    over = move(sent, "A1", state=OrderState.CANCELLED)

    assert move(over, "A1", state=OrderState.WORKING) is LedgerRefusal.OVER_ALREADY
    assert fill(one, "A1", units_filled=1) is LedgerRefusal.NOT_SENT
    assert move(one, "A1", state=OrderState.WORKING) is LedgerRefusal.NOT_SENT
    assert book(over, "A1", units_booked=3) is LedgerRefusal.NONSENSE
    assert fill(book(over, "A1", units_booked=1), "A1", units_filled=0) is LedgerRefusal.NONSENSE


def test_more_fills_than_approved_count_and_are_seen(one):
    sent = fill(use(one, "A1", now_ns=1, halt_epoch=0, state=RUNNING), "A1", units_filled=7)

    assert sent.reservations["A1"].is_overfilled
    assert counted(sent) == {"A1": 7}


class Life(RuleBasedStateMachine):
    """Orders that fill, cancel, vanish and are booked in any order that a broker can invent."""

    def __init__(self):
        super().__init__()
        self.ledger = Ledger()
        self.approved, self.filled, self.booked, self.over = {}, {}, {}, set()

    def take(self, changed):
        if isinstance(changed, Ledger):
            self.ledger = changed
            return True
        return False

    @rule(units=st.integers(1, 9))
    def approve(self, units):
        found = reservation(self.ledger, units=units)
        self.ledger = reserve(self.ledger, found)
        self.approved[found.approval.key] = units
        self.filled[found.approval.key] = self.booked[found.approval.key] = 0

    @precondition(lambda self: self.approved)
    @rule(data=st.data(), now=st.sampled_from([50, 150]))
    def send(self, data, now):
        key = data.draw(st.sampled_from(sorted(self.approved)))
        self.take(use(self.ledger, key, now_ns=now, halt_epoch=0, state=RUNNING))

    @rule(now=st.sampled_from([50, 150]))
    def expire(self, now):
        before = set(self.ledger.reservations)
        self.ledger = expire_unused(self.ledger, now_ns=now)
        self.over |= before - set(self.ledger.reservations)

    @precondition(lambda self: self.approved)
    @rule(data=st.data(), state=st.sampled_from(list(OrderState)))
    def change(self, data, state):
        key = data.draw(st.sampled_from(sorted(self.approved)))
        if self.take(move(self.ledger, key, state=state)) and state in TERMINAL:
            self.over.add(key)

    @precondition(lambda self: self.approved)
    @rule(data=st.data(), units=st.integers(0, 9))
    def fills(self, data, units):
        key = data.draw(st.sampled_from(sorted(self.approved)))
        if self.take(fill(self.ledger, key, units_filled=units)):
            self.filled[key] = units

    @precondition(lambda self: self.approved)
    @rule(data=st.data(), units=st.integers(0, 9))
    def books(self, data, units):
        key = data.draw(st.sampled_from(sorted(self.approved)))
        if self.take(book(self.ledger, key, units_booked=units)):
            self.booked[key] = units

    @invariant()
    def nothing_that_may_be_held_goes_uncounted(self):
        found = counted(self.ledger)
        for key, units in self.approved.items():
            may_fill = 0 if key in self.over else units
            assert found.get(key, 0) == max(may_fill, self.filled[key]) - self.booked[key]

    @invariant()
    def the_ledger_survives_being_written_and_read(self):
        written = msgspec.msgpack.encode(self.ledger)
        assert msgspec.msgpack.decode(written, type=Ledger) == self.ledger


Life.TestCase.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)
test_whatever_a_broker_invents_nothing_goes_uncounted = Life.TestCase


def approved(world, cand, *, ledger=None, held=None, **changes):
    ledger, held = ledger or Ledger(), held or world.held_book()
    ruler, own = world.ruler(held=held), world.desk(**changes)
    measured = measure_book(held=held, pending=pending_orders(ledger), ruler=ruler)
    reviewed = world.review(cand, held=held, orders=pending_orders(ledger), own_desk=own)
    return approve(
        reviewed,
        candidate=cand,
        book=measured,
        desk=own,
        ledger=ledger,
        limits=world.LIMITS,
        now_ns=world.NOW_NS,
    )


def test_an_approval_names_what_it_rests_on_and_expires(world):
    cand = world.candidate(units=3)

    found = approved(world, cand)

    assert isinstance(found, Approved)
    (quote,) = found.approval.quotes
    assert (quote.con_id, quote.seq) == (cand.legs[0].instrument.con_id, 7)
    assert found.approval.units == 3
    assert found.approval.expires_ns == world.NOW_NS + 15 * SECOND
    assert found.approval.stress_key == f"b1@{world.NOW_NS}"
    assert found.approval.stress_at_ns == world.NOW_NS
    assert counted(found.ledger) == {"A1": 3}
    assert found.flow.entries_by_strategy == {"daily_puts": 1}


def test_the_second_entry_sees_the_first_before_it_is_sent(world):
    first = approved(world, world.candidate(units=3))

    again = approved(world, world.candidate(units=3), ledger=first.ledger, flow=first.flow)

    assert again is ApprovalGap.NOTHING_MAY_BE_SENT


def test_a_review_that_has_not_seen_the_ledger_is_no_approval(world):
    cand = world.candidate(units=3)
    first = approved(world, world.candidate(world.leg(world.option("XSP", 500), -1)))
    ruler, own = world.ruler(), world.desk()
    behind = measure_book(held=world.held_book(), pending=(), ruler=ruler)

    found = approve(
        world.review(cand, own_desk=own),
        candidate=cand,
        book=behind,
        desk=own,
        ledger=first.ledger,
        limits=world.LIMITS,
        now_ns=world.NOW_NS,
    )

    assert found is ApprovalGap.BOOK_IS_BEHIND


def test_the_entry_that_reaches_the_session_s_number_locks_its_strategy(world):
    flow = OrderFlow(entries_by_strategy={"daily_puts": 39})

    found = approved(world, world.candidate(), flow=flow)

    assert found.flow.locked == ("daily_puts",)


def test_a_closing_on_its_way_takes_no_room_and_gives_none(world):
    """Until it fills, the position it closes is still there; nothing of it may be counted off."""
    put = world.option("AAA", 80)
    held = world.held_book(world.hold(put, -3))
    ruler = world.ruler(held=held)
    closing = world.pending(world.candidate(world.leg(put, 1), units=3, margin=0.0), reducing=True)

    alone, beside = (
        measure_book(held=held, pending=orders, ruler=ruler) for orders in ((), (closing,))
    )

    size = alone.scenarios.size
    assert beside.worst[size + Figure.NOTIONAL] == alone.worst[size + Figure.NOTIONAL]
    assert beside.stressed_requirement_usd == alone.stressed_requirement_usd
    assert beside.standing.losses_usd == alone.standing.losses_usd
    assert (beside.worst <= alone.worst).all()


def test_an_entry_on_its_way_takes_its_margin_after_the_shock(world):
    held = world.held_book(world.hold(world.option("AAA", 80), -3))
    ruler = world.ruler(held=held)
    entry = world.pending(world.candidate(world.leg(world.option("AAA", 79), -1), units=2))

    alone, beside = (
        measure_book(held=held, pending=orders, ruler=ruler) for orders in ((), (entry,))
    )

    more = beside.stressed_requirement_usd - alone.stressed_requirement_usd
    assert more == pytest.approx(
        2
        * measure_candidate(
            world.candidate(world.leg(world.option("AAA", 79), -1)), ruler
        ).stressed_requirement_usd
    )
    assert more > 0.0
