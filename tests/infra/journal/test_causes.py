"""What led to a message and to an order, as the log of a desk has it."""

import datetime as dt
from decimal import Decimal

import msgspec
import pytest

from tests.actors.governed import option, view
from tests.actors.order_desk import Desk, closing
from tests.domain.books.accounts import T0
from tests.infra.journal.conftest import DAY
from thetawarden.domain.books.fills import CommissionKind
from thetawarden.domain.books.holding import Cause
from thetawarden.domain.broker.orders import Commission, Execution
from thetawarden.infra.journal.causes import BEATS_MAX, causes_of, story_of
from thetawarden.infra.journal.journal import Position
from thetawarden.infra.journal.reader import open_log
from thetawarden.messages.books import CommissionReported, ExecutionReported, FillBooked
from thetawarden.messages.lifecycle import Begin
from thetawarden.messages.market import QuotesObserved
from thetawarden.messages.orders import (
    CancelOrder,
    ModifyOrder,
    OrderApproved,
    OrderSent,
    OrderStageChanged,
    ProposeOrder,
    SubmitOrder,
)
from thetawarden.messages.timers import TimerFired
from thetawarden.ports import Delivery

CHAIN = "chain/SPX"
VIEW = view("SPX", [option("SPX", 5800)], now=T0)


class Told:
    """Says and handles messages in a log, and reads it once it is closed."""

    def __init__(self, log):
        self.log = log
        self.journal = log.open(position=Position())

    def say(self, body, sender="effect:broker", cause=None):
        incarnation = 0 if sender.startswith("effect:") or sender == "timers" else 1
        seq = None if cause is None else cause.seq
        return self.journal.say(body, sender, incarnation, seq, T0)

    def handle(self, actor, said, *answers):
        return self.journal.record(Delivery(said, actor, 1, T0), answers)

    def quotes(self, underlying="SPX"):
        return self.say(QuotesObserved(epoch=1, underlying=underlying, quotes=()))

    def fire(self, cause, name="view"):
        return self.say(TimerFired(name=name), "timers", cause)

    def turn(self):
        self.journal.turn_page(DAY + dt.timedelta(days=1))

    def causes(self, said):
        self.journal.close()
        with open_log(self.log.folder) as days:
            return causes_of(days, said.seq)

    def parents(self, order_ref):
        """What every message of an order's story follows from, by number."""
        self.journal.close()
        with open_log(self.log.folder) as days:
            story = story_of(days, order_ref)
        links = (*story.causes, *story.effects)
        return {link.envelope.seq: link.because_of for link in links}


@pytest.fixture
def told(log):
    return Told(log)


def numbers(links):
    return [link.envelope.seq for link in links]


def test_a_view_rests_on_the_quotes_its_chain_had_handled_and_not_on_those_that_waited(told):
    known = told.quotes()
    told.handle(CHAIN, known)
    fired = told.fire(known)
    waiting = told.quotes()
    (seen,) = told.handle(CHAIN, fired, VIEW)
    told.handle(CHAIN, waiting)

    assert numbers(told.causes(seen)) == [known.seq, seen.seq]


def test_a_view_rests_on_the_quotes_that_were_handled_last_and_not_on_those_said_last(told):
    early, late = told.quotes(), told.quotes()
    told.handle(CHAIN, late)
    told.handle(CHAIN, early)
    (seen,) = told.handle(CHAIN, told.fire(late), VIEW)

    assert numbers(told.causes(seen)) == [early.seq, seen.seq]


def test_the_quotes_of_a_view_are_found_in_the_file_of_the_day_before(told):
    known = told.quotes()
    told.handle(CHAIN, known)
    waiting = told.quotes()
    told.turn()
    (seen,) = told.handle(CHAIN, told.fire(known), VIEW)
    told.handle(CHAIN, waiting)

    assert numbers(told.causes(seen)) == [known.seq, seen.seq]


def test_quotes_that_only_another_chain_handled_are_of_no_view(told):
    foreign = told.quotes("SPY")
    told.handle("chain/SPY", foreign)
    begun = told.say(Begin(incarnation=1, resumed=False), "supervisor")
    (seen,) = told.handle(CHAIN, begun, VIEW)

    assert numbers(told.causes(seen)) == [seen.seq]


def test_a_proposal_rests_on_the_view_it_was_made_on_and_not_on_one_that_waited(told):
    (seen,) = told.handle(CHAIN, told.quotes(), VIEW)
    (waiting,) = told.handle(CHAIN, told.quotes(), VIEW)
    asked = ProposeOrder(proposal=closing(underlying="SPX"))
    (proposed,) = told.handle("steward", seen, asked)
    told.handle("steward", waiting)

    assert numbers(told.causes(proposed))[-2:] == [seen.seq, proposed.seq]


def test_a_timer_follows_from_what_was_handled_when_it_was_started(told):
    begun = told.say(Begin(incarnation=1, resumed=False), "supervisor")
    fired = told.fire(begun)

    assert numbers(told.causes(fired)) == [begun.seq, fired.seq]


def test_a_timer_that_started_itself_again_is_one_link_that_counts(told):
    begun = told.say(Begin(incarnation=1, resumed=False), "supervisor")
    last = told.fire(begun, "other")
    for _ in range(100):
        last = told.fire(last)

    causes = told.causes(last)

    assert numbers(causes) == [begun.seq, begun.seq + 1, last.seq]
    assert [link.because_of for link in causes] == [None, begun.seq, begun.seq + 1]
    assert [link.again for link in causes] == [0, 0, 99]


def test_a_timer_that_fired_more_often_than_is_looked_at_follows_from_nothing(told):
    last = told.say(Begin(incarnation=1, resumed=False), "supervisor")
    for _ in range(BEATS_MAX + 2):
        last = told.fire(last)

    (link,) = told.causes(last)

    assert (link.envelope.seq, link.because_of, link.again) == (last.seq, None, BEATS_MAX)


class Ordered(Told):
    """An entry with its exits: proposed, approved, intended and submitted in a log."""

    def __init__(self, log):
        super().__init__(log)
        desk = Desk()
        desk.approve()
        (approval,) = [one for one in desk.told if isinstance(one, OrderApproved)]
        (self.submit,) = [one for one in desk.said if isinstance(one, SubmitOrder)]
        self.ref, self.exit_ref = self.submit.intent.order_ref, self.submit.exits[0].order_ref
        stages = [one for one in desk.said if isinstance(one, OrderStageChanged)]
        (self.stage,) = [one for one in stages if one.order_ref == self.ref][:1]
        self.proposed = self.say(ProposeOrder(proposal=approval.proposal), "strategist")
        self.approved = self.say(approval, "governor", self.proposed)
        self.intended = self.say(self.stage, "executor", self.approved)
        self.submitted = self.say(self.submit, "executor", self.approved)

    def execute(self):
        """A fill that the broker tells, the executor takes and the keeper books."""
        execution = Execution(
            execution_id="1.01",
            instrument=self.submit.intent.legs[0].instrument,
            quantity=Decimal(-2),
            price_usd=Decimal("1.5"),
            at_ns=T0,
            perm_id=1,
            order_id=1,
            client_id=1,
            order_ref=self.ref,
            account="DU1",
        )
        reported = self.say(ExecutionReported(epoch=1, execution=execution))
        return reported, FillBooked(
            fill="1",
            execution=execution,
            cause=Cause.TRADE,
            quantity=Decimal(-2),
            commission_usd=Decimal("1.30"),
            commission_kind=CommissionKind.ESTIMATED,
            cash_usd=Decimal("298.70"),
            position_after=Decimal(-2),
            average_cost_usd=Decimal("149.35"),
            realised_usd=Decimal(0),
        )

    def costs(self):
        commission = Commission(execution_id="1.01", commission_usd=Decimal("1.30"))
        return self.say(CommissionReported(epoch=1, commission=commission))

    def modify(self, cause):
        change = ModifyOrder(epoch=1, intent=self.submit.intent, gate=self.submit.gate, number=1)
        return self.say(change, "executor", cause)


@pytest.fixture
def ordered(log):
    return Ordered(log)


def test_what_was_said_together_with_an_order_follows_from_what_the_order_follows_from(ordered):
    parents = ordered.parents(ordered.ref)

    assert parents[ordered.intended.seq] == parents[ordered.submitted.seq] == ordered.approved.seq


def test_a_fill_booked_again_follows_from_its_cost_and_that_from_the_fill(ordered):
    reported, booking = ordered.execute()
    booked = ordered.say(booking, "keeper", reported)
    cost = ordered.costs()
    again = ordered.say(booking, "keeper", cost)
    ordered.costs()

    parents = ordered.parents(ordered.ref)

    assert parents[reported.seq] == ordered.submitted.seq
    assert parents[booked.seq] == parents[cost.seq] == reported.seq
    assert parents[again.seq] == cost.seq
    assert again.seq + 1 not in parents


def test_a_cost_whose_fill_was_never_told_follows_from_the_order(ordered):
    _, booking = ordered.execute()
    other = msgspec.structs.replace(booking.execution, execution_id="9.01")
    cost = ordered.say(
        CommissionReported(
            epoch=1, commission=Commission(execution_id="9.01", commission_usd=Decimal(1))
        )
    )
    booked = ordered.say(msgspec.structs.replace(booking, execution=other), "keeper", cost)

    parents = ordered.parents(ordered.ref)

    assert (parents[booked.seq], parents[cost.seq]) == (cost.seq, ordered.submitted.seq)


def test_a_change_follows_from_its_deadline_and_what_left_from_the_change(ordered):
    sent = ordered.say(OrderSent(epoch=1, order_ref=ordered.ref, order_id=1))
    fired = ordered.fire(sent, "due")
    change = ordered.modify(fired)
    left = ordered.say(OrderSent(epoch=1, order_ref=ordered.ref, order_id=1, number=1))

    parents = ordered.parents(ordered.ref)

    assert parents[sent.seq] == ordered.submitted.seq
    assert parents[fired.seq] == sent.seq
    assert parents[change.seq] == fired.seq
    assert parents[left.seq] == change.seq


def test_a_deadline_that_something_about_another_order_started_follows_from_the_order(ordered):
    other = ordered.say(OrderSent(epoch=1, order_ref="other.1", order_id=7))
    fired = ordered.fire(ordered.fire(other, "due"), "due")
    change = ordered.modify(fired)

    parents = ordered.parents(ordered.ref)

    assert (parents[change.seq], parents[fired.seq]) == (fired.seq, ordered.submitted.seq)
    assert other.seq not in parents


def test_what_took_an_exit_back_is_told_from_its_own_first_cause(ordered):
    asked = ordered.say(ProposeOrder(proposal=closing()), "steward")
    approval = Desk().approval(closing(), reducing=True, units=None)
    approved = ordered.say(approval, "governor", asked)
    cancel = CancelOrder(epoch=1, order_ref=ordered.exit_ref, perm_id=1, reason="t")
    taken = ordered.say(cancel, "executor", approved)

    parents = ordered.parents(ordered.exit_ref)

    assert parents[taken.seq] == approved.seq
    assert parents[approved.seq] == asked.seq
    assert parents[asked.seq] is None
